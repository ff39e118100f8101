/**
 * Where dumps of real machines are, for tests that run only where they are: `P2PDMA_CORPUS`, else `shared/corpus` beside
 * the repository. The files belong to others and are not part of it.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BESIDE = join(fileURLToPath(new URL('../..', import.meta.url)), '..', 'shared', 'corpus');

const FOLDER = process.env['P2PDMA_CORPUS'] ?? BESIDE;

/** The folder, or null where there is none. */
export const CORPUS: string | null = existsSync(FOLDER) ? FOLDER : null;

/** Goes into the title of a test that cannot run without the folder. */
export const SKIPPED: string =
  CORPUS === null
    ? ` [skipped: no dumps in ${FOLDER}; set P2PDMA_CORPUS to a folder of lspci dumps and hwloc tarballs]`
    : '';

/** Names of the files that are no index, drawing or topology. */
export function dumpNames(): string[] {
  if (CORPUS === null) return [];
  return readdirSync(CORPUS)
    .filter((name) => !/\.(json|md|xml)$|lspci-(nn)?tv?\.txt$/.test(name))
    .sort();
}

export function namesEndingWith(...ends: readonly string[]): string[] {
  return CORPUS === null
    ? []
    : readdirSync(CORPUS)
        .filter((name) => ends.some((end) => name.endsWith(end)))
        .sort();
}

export function bytesOfDump(name: string): Uint8Array {
  return readFileSync(join(CORPUS as string, name));
}

/** One entry of INDEX.json: hints of a throw-away analyser. */
export interface IndexEntry {
  readonly file: string;
  readonly format: string;
  readonly functions?: number;
  readonly domains?: number;
  readonly root_ports?: number;
  readonly switches?: number;
  readonly bridges?: number;
  readonly acs_functions?: number;
}

export function indexEntries(): IndexEntry[] {
  const path = join(CORPUS as string, 'INDEX.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { entries: IndexEntry[] }).entries : [];
}

/** Whether lspci is installed, for comparisons with it. */
export const HAS_LSPCI: boolean = spawnSync('lspci', ['--version']).status === 0;

/**
 * What lspci makes of a dump's hex. Its reader refuses lines of more than 254 characters, so all that is neither a header
 * nor a row is left out, and headers are cut.
 */
export function lspciOf(bytes: Uint8Array, ...options: string[]): string {
  const kept: string[] = [];
  let inside = false;
  for (const line of Buffer.from(bytes).toString('latin1').split(/\r?\n/)) {
    if (/^(?:[0-9a-f]{4,6}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] /.test(line)) {
      kept.push('', line.slice(0, 100));
      inside = true;
    } else if (inside && /^[0-9a-f]{2,3}: (?:[0-9a-f]{2} ){15}[0-9a-f]{2}\s*$/.test(line)) {
      kept.push(line.trimEnd());
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'p2pdma-corpus-'));
  const file = join(folder, 'dump.txt');
  writeFileSync(file, `${kept.join('\n')}\n`);
  const result = spawnSync('lspci', ['-F', file, '-D', '-nn', ...options], { maxBuffer: 256 * 1024 * 1024 });
  rmSync(folder, { recursive: true });
  if (result.status !== 0) throw new Error(`lspci -F: ${result.stderr.toString()}`);
  return result.stdout.toString('latin1');
}
