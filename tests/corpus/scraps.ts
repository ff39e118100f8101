/** Where pastes of public reports are: `P2PDMA_SCRAPS`, else `shared/scraps` beside the repository. They belong to others and are not part of it. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BESIDE = join(fileURLToPath(new URL('../..', import.meta.url)), '..', 'shared', 'scraps');

const FOLDER = process.env['P2PDMA_SCRAPS'] ?? BESIDE;

/** The folder, or null where there is none. */
export const SCRAPS: string | null = existsSync(FOLDER) ? FOLDER : null;

/** Goes into the title of a test that cannot run without the folder. */
export const NO_SCRAPS: string =
  SCRAPS === null ? ` [skipped: no pastes in ${FOLDER}; set P2PDMA_SCRAPS to a folder of them]` : '';

export function bytesOfScrap(name: string): Uint8Array {
  return readFileSync(join(SCRAPS as string, name));
}
