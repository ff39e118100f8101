/** Runs the command as a user does: `node bin/p2pdma.js ...`, built before. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs to the end; `input` goes to standard input. */
export function p2pdma(
  args: readonly string[],
  options: { input?: string | Buffer; env?: NodeJS.ProcessEnv; withoutPrivileges?: boolean } = {},
): Run {
  if (!existsSync(`${ROOT}dist/cli/main.js`)) throw new Error('dist/ is not built: npm run build');
  const command = [process.execPath, `${ROOT}bin/p2pdma.js`, ...args];
  // Root without capabilities may read what it owns and nothing else: another user might not reach this folder, or this Node.
  const dropped = options.withoutPrivileges === true ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
  const [program = '', ...words] = [...dropped, ...command];
  const { status, stdout, stderr } = spawnSync(program, words, {
    cwd: ROOT,
    input: options.input ?? '',
    env: { ...process.env, COLUMNS: '100', ...options.env },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  return { status, stdout, stderr };
}

/** The one document on stdout. */
export function jsonOf(run: Run): Record<string, unknown> {
  return JSON.parse(run.stdout) as Record<string, unknown>;
}
