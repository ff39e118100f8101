/** Finds the QEMU binary, and asks which one it is. */

import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { QEMU_INSTALL, QemuError } from './errors.ts';

/** The program's name, as distributions install it. */
export const QEMU_COMMAND = 'qemu-system-x86_64';

export interface QemuVersion {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
}

export interface QemuBinary {
  readonly path: string;
  readonly version: QemuVersion;
}

/** `7.2.22`. */
export function formatVersion(version: QemuVersion): string {
  return `${version.major}.${version.minor}.${version.micro}`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Path of a command on the PATH of this process, or null. */
export function findCommand(command: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && isProgram(join(folder, command))) return join(folder, command);
  }
  return null;
}

/** Where QEMU is. `path` given: that one. Throws `QEMU_NOT_FOUND` with the command that installs it. */
export function findQemu(path?: string): string {
  if (path !== undefined && isProgram(path)) return path;
  const found = path === undefined ? findCommand(QEMU_COMMAND) : null;
  if (found !== null) return found;
  throw new QemuError({
    code: 'QEMU_NOT_FOUND',
    path: path ?? QEMU_COMMAND,
    message: path === undefined ? 'is in no folder of the PATH' : 'is no program that can be run',
    hint: `install it, on Debian with: sudo ${QEMU_INSTALL}`,
  });
}

/**
 * Finds QEMU and asks for its version, by running it once. Throws `QEMU_NOT_FOUND`, or `QEMU_VERSION` where what was found
 * names no version.
 */
export function probeQemu(path?: string): QemuBinary {
  const found = findQemu(path);
  const answer = spawnSync(found, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const match = /version (\d+)\.(\d+)\.(\d+)/.exec(answer.stdout ?? '');
  if (match === null) {
    throw new QemuError({
      code: 'QEMU_VERSION',
      path: found,
      message: `--version names no version${answer.stderr ? `: ${answer.stderr.trim().split('\n')[0]}` : ''}`,
      hint: `install another QEMU, on Debian with: sudo ${QEMU_INSTALL}`,
    });
  }
  const [major, minor, micro] = match.slice(1).map(Number) as [number, number, number];
  return { path: found, version: { major, minor, micro } };
}
