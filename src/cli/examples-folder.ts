/** Where the machines that ship with the package lie, and what they are. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** From `dist/cli/` and from `src/cli/` alike. */
const FOLDER = new URL('../../examples/machines/', import.meta.url);

export interface Example {
  readonly name: string;
  /** What it shows, one sentence. */
  readonly about: string;
}

/** The bundled machines in the order of their list. */
export function examples(): readonly Example[] {
  return JSON.parse(readFileSync(new URL('index.json', FOLDER), 'utf8')) as Example[];
}

/** Path of the archive of one example. */
export function examplePath(name: string): string {
  return fileURLToPath(new URL(`${name}.tar.gz`, FOLDER));
}
