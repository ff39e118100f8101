/** Where the machines and scenarios that ship with the package lie, and what they are. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** From `dist/cli/` and from `src/cli/` alike. */
const SCENARIOS = new URL('../../examples/', import.meta.url);
const FOLDER = new URL('machines/', SCENARIOS);

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

/** Names of the bundled scenarios. */
export function scenarioNames(): readonly string[] {
  return readdirSync(SCENARIOS)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/** Path of one bundled scenario. */
export function scenarioPath(name: string): string {
  return fileURLToPath(new URL(`${name}.yaml`, SCENARIOS));
}
