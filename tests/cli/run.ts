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
  options: { input?: string | Buffer; env?: NodeJS.ProcessEnv; uid?: number } = {},
): Run {
  if (!existsSync(`${ROOT}dist/cli/main.js`)) throw new Error('dist/ is not built: npm run build');
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${ROOT}bin/p2pdma.js`, ...args], {
    cwd: ROOT,
    input: options.input ?? '',
    env: { ...process.env, COLUMNS: '100', ...options.env },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  return { status, stdout, stderr };
}

/** The one document on stdout. */
export function jsonOf(run: Run): Record<string, unknown> {
  return JSON.parse(run.stdout) as Record<string, unknown>;
}
