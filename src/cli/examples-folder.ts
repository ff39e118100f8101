/** Where the machines that ship with the package lie. */

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** From `dist/cli/` and from `src/cli/` alike. */
const FOLDER = new URL('../../examples/machines/', import.meta.url);
const SUFFIX = '.tar.gz';

/** Names of the bundled machines, sorted. */
export function exampleNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

/** Path of the archive of one example. */
export function examplePath(name: string): string {
  return fileURLToPath(new URL(name + SUFFIX, FOLDER));
}
