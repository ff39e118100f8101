/**
 * Memory that this process and QEMU share: a sparse file that has lost its name before QEMU starts. QEMU opens it through the
 * descriptor that it inherits, both sides use the same page cache, and when both are gone it is gone: nothing is ever left
 * behind, however this process ends.
 */

import { closeSync, ftruncateSync, openSync, readSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '../../core/assert.ts';
import { QemuError } from './errors.ts';

/** What is left free of a file system beside our files. */
const SPARE_BYTES = 16 * 2 ** 20;

let serial = 0;

export class BackingFile {
  readonly lengthBytes: number;
  /** The folder it was made in, for messages. */
  readonly folder: string;
  readonly #fd: number;
  #isOpen = true;

  private constructor(fd: number, lengthBytes: number, folder: string) {
    this.#fd = fd;
    this.lengthBytes = lengthBytes;
    this.folder = folder;
  }

  /** A file of zeros in `folder`. Throws `QEMU_FOLDER` or `QEMU_DISK_FULL`. */
  static create(folder: string, lengthBytes: number): BackingFile {
    const path = join(folder, `p2pdma-qemu-${process.pid}-${serial++}`);
    let fd: number;
    try {
      fd = openSync(path, 'wx+', 0o600);
    } catch (cause) {
      throw folderError(folder, cause);
    }
    try {
      unlinkSync(path);
      ftruncateSync(fd, lengthBytes);
    } catch (cause) {
      closeSync(fd);
      throw folderError(folder, cause);
    }
    return new BackingFile(fd, lengthBytes, folder);
  }

  /** The descriptor, for a child process to inherit. */
  get descriptor(): number {
    assert(this.#isOpen, 'the backing file is open');
    return this.#fd;
  }

  /** Fills `into` from `offset` on; the range lies inside. */
  read(offset: number, into: Uint8Array): void {
    assert(offset >= 0 && offset + into.length <= this.lengthBytes, 'the range lies in the backing file');
    for (let done = 0; done < into.length; ) {
      const count = readSync(this.descriptor, into, done, into.length - done, offset + done);
      assert(count > 0, 'the backing file is as long as it was made');
      done += count;
    }
  }

  /** Writes `from` at `offset`; the range lies inside. Throws `QEMU_DISK_FULL`. */
  write(offset: number, from: Uint8Array): void {
    assert(offset >= 0 && offset + from.length <= this.lengthBytes, 'the range lies in the backing file');
    try {
      for (let done = 0; done < from.length; ) {
        done += writeSync(this.descriptor, from, done, from.length - done, offset + done);
      }
    } catch (cause) {
      throw folderError(this.folder, cause);
    }
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }
}

/** Bytes free in the file system of a folder, or 0 where there is no such folder. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

/**
 * The folder for files of `lengthBytes` in all: `folder` where it is given, else the first with room of shared memory and
 * the temporary folder. Throws `QEMU_DISK_FULL` where none has.
 */
export function folderWithRoom(lengthBytes: number, folder?: string): string {
  const candidates = folder === undefined ? ['/dev/shm', tmpdir()] : [folder];
  const found = candidates.find((candidate) => freeBytes(candidate) >= lengthBytes + SPARE_BYTES);
  if (found !== undefined) return found;
  if (folder !== undefined) {
    try {
      statfsSync(folder);
    } catch (cause) {
      throw folderError(folder, cause);
    }
  }
  const rooms = candidates.map((candidate) => `${Math.floor(freeBytes(candidate) / 2 ** 20)} MiB in ${candidate}`);
  throw new QemuError({
    code: 'QEMU_DISK_FULL',
    path: candidates.join(', '),
    message: `the machine's memory and media may take ${Math.ceil((lengthBytes + SPARE_BYTES) / 2 ** 20)} MiB, and there are ${rooms.join(' and ')}`,
    hint: 'make room, describe a smaller machine, or name another folder (TMPDIR)',
    errno: 'ENOSPC',
  });
}

function folderError(folder: string, cause: unknown): QemuError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new QemuError({
      code: 'QEMU_DISK_FULL',
      path: folder,
      message: 'no room is left for the memory of the QEMU machine',
      hint: 'make room, describe a smaller machine, or name another folder (TMPDIR)',
      errno: 'ENOSPC',
      cause,
    });
  }
  return new QemuError({
    code: 'QEMU_FOLDER',
    path: folder.length > 120 ? `${folder.slice(0, 60)}...${folder.slice(-57)}` : folder,
    message: `no file can be made there: ${code ?? message}`,
    hint: 'name a folder that exists and may be written to (TMPDIR)',
    errno: code,
    cause,
  });
}
