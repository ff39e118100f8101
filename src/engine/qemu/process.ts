/**
 * QEMU as a process that cannot outlive this one. It is started through setpriv, which asks the kernel to kill it when its
 * parent dies, and through a shell that looks once more whether the parent is still there; both replace themselves, so the
 * process is QEMU's from then on. Sockets are pairs that QEMU inherits: they have no path, no length limit and no remains.
 *
 *     descriptor   2 stderr   3 qtest   4 QMP   5... backing files, opened by QEMU as /proc/self/fd/N
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { findCommand } from './binary.ts';
import { QemuError } from './errors.ts';

/** Descriptor of the first backing file in QEMU. */
export const FIRST_BACKING_DESCRIPTOR = 5;

/** The part of every command line that ties QEMU to this process. */
export const PROCESS_ARGUMENTS: readonly string[] = [
  '-chardev',
  'socket,id=qtest,fd=3',
  '-qtest',
  'chardev:qtest',
  '-qtest-log',
  'none',
  '-chardev',
  'socket,id=qmp,fd=4',
  '-qmp',
  'chardev:qmp',
];

const STDERR_KEPT = 16 * 1024;

/** Everything running now, for the last moment of this process. */
const running = new Set<ChildProcess>();
let isWatchingExit = false;

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

export class QemuProcess {
  readonly qtest: Duplex;
  readonly qmp: Duplex;
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #listeners: ((error: QemuError) => void)[] = [];
  #stderr = '';
  #goneError: QemuError | null = null;
  #hasAnswered = false;
  #isStopped = false;

  /** Starts `binary` with `args`; `descriptors` become 5, 6, ... in it. Throws `QEMU_TOOL_MISSING`. */
  constructor(binary: string, args: readonly string[], descriptors: readonly number[]) {
    const setpriv = findCommand('setpriv');
    if (setpriv === null) {
      throw new QemuError({
        code: 'QEMU_TOOL_MISSING',
        path: 'setpriv',
        message: 'is in no folder of the PATH; without it QEMU would outlive this program if that is killed',
        hint: 'install it, on Debian with: sudo apt-get install -y util-linux',
      });
    }
    const guard = '[ "$PPID" = "$0" ] && exec "$@"';
    const command = ['--pdeathsig', 'KILL', '--', '/bin/sh', '-c', guard, String(process.pid), binary];
    const child = spawn(setpriv, [...command, ...args, ...PROCESS_ARGUMENTS], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', ...descriptors],
    });
    this.#child = child;
    this.qtest = child.stdio[3] as Duplex;
    this.qmp = child.stdio[4] as Duplex;
    // A reset while QEMU dies: 'close' says what happened.
    this.qtest.on('error', () => undefined);
    this.qmp.on('error', () => undefined);
    const stderr = child.stderr as Readable;
    stderr.setEncoding('latin1').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    running.add(child);
    if (!isWatchingExit) {
      process.on('exit', killAll);
      isWatchingExit = true;
    }
    this.#closed = new Promise((resolve) => {
      child.on('error', (cause) => {
        this.#gone(this.#errorOf(null, null, cause));
        resolve();
      });
      child.on('close', (code, signal) => {
        this.#gone(this.#errorOf(code, signal));
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** What QEMU wrote on stderr, the last 16 KiB. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Why QEMU is gone, or null while it runs. */
  get goneError(): QemuError | null {
    return this.#goneError;
  }

  /** Calls `listener` once when QEMU is gone, at once if it is. */
  onGone(listener: (error: QemuError) => void): void {
    if (this.#goneError !== null) listener(this.#goneError);
    else this.#listeners.push(listener);
  }

  /** To be called at the first answer: an end from now on is no failure to start. */
  answered(): void {
    this.#hasAnswered = true;
  }

  /** Kills QEMU because of `error`, which everybody who waits is told. */
  discard(error: QemuError): void {
    this.#gone(error);
    this.#child.kill('SIGKILL');
  }

  /** Kills QEMU and waits until it is gone. There is nothing in it that would have to be saved. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#child.kill('SIGKILL');
    this.qtest.destroy();
    this.qmp.destroy();
    await this.#closed;
  }

  #gone(error: QemuError): void {
    running.delete(this.#child);
    if (this.#goneError !== null) return;
    this.#goneError = error;
    for (const listener of this.#listeners.splice(0)) listener(error);
  }

  #errorOf(code: number | null, signal: string | null, cause?: Error): QemuError {
    const path = `qemu (process ${this.pid})`;
    if (this.#isStopped) {
      return new QemuError({ code: 'QEMU_CLOSED', path, message: 'the machine was closed', hint: 'start another one' });
    }
    const said = complaint(this.#stderr);
    if (signal === 'SIGBUS') {
      return new QemuError({
        code: 'QEMU_DISK_FULL',
        path,
        message: 'QEMU ended with SIGBUS: no room was left for the memory of the machine',
        hint: 'make room, describe a smaller machine, or name another folder (TMPDIR)',
        errno: 'ENOSPC',
      });
    }
    const how = cause?.message ?? (signal === null ? `ended with code ${code}` : `was ended by ${signal}`);
    if (!this.#hasAnswered && signal === null) {
      return new QemuError({
        code: 'QEMU_START_FAILED',
        path,
        message: `QEMU ${how} before it answered${said === '' ? '' : `: ${said}`}`,
        hint: 'if it does not know an option or a device, install a QEMU of the releases that this engine knows (7.2 and later)',
        cause,
      });
    }
    return new QemuError({
      code: 'QEMU_GONE',
      path,
      message: `QEMU ${how}${said === '' ? '' : `; it said: ${said}`}`,
      hint:
        signal === 'SIGKILL' ? 'somebody killed it, or memory ran out; start another machine' : 'start another machine',
      cause,
    });
  }
}

/** The first line that is more than a warning. */
function complaint(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => !line.includes('warning:')) ?? lines[0] ?? '').trim();
}
