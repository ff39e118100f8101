/**
 * Where outputs of real machines are, for tests that run only where they are: `P2PDMA_MEASURED` and `P2PDMA_SCRAPS`, else `shared/measured`
 * and `shared/scraps` beside the repository. The files belong to others and are not part of it.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BESIDE = join(fileURLToPath(new URL('../..', import.meta.url)), '..', 'shared');

export interface SharedFolder {
  /** Names of the files, sorted; none where the folder is not there. */
  readonly names: readonly string[];
  /** Goes into the title of a test that cannot run without the folder. */
  readonly skipped: string;
  bytes(name: string): Uint8Array;
}

/** The folder that an environment variable names, or the one beside the repository. */
export function sharedFolder(variable: string, name: string): SharedFolder {
  const folder = process.env[variable] ?? join(BESIDE, name);
  const isThere = existsSync(folder);
  return {
    names: isThere ? readdirSync(folder).sort() : [],
    skipped: isThere ? '' : ` [skipped: no files in ${folder}; set ${variable}]`,
    bytes: (file) => readFileSync(join(folder, file)),
  };
}
