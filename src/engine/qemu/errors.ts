/** What the QEMU engine refuses, and how it says that QEMU itself is missing, unfit or gone. */

import { P2pError } from '../../core/errors.ts';

export type QemuErrorCode =
  /** No QEMU on the PATH, or not at the place given. */
  | 'QEMU_NOT_FOUND'
  /** A tool that keeps QEMU from outliving this program is missing. */
  | 'QEMU_TOOL_MISSING'
  /** A release that this engine is known not to work with. */
  | 'QEMU_VERSION'
  /** QEMU ended before it answered. */
  | 'QEMU_START_FAILED'
  /** QEMU is gone: killed, crashed, or ended by itself. */
  | 'QEMU_GONE'
  /** QEMU is there, but did not answer in time; it was killed. */
  | 'QEMU_TIMEOUT'
  /** An answer that is none, or `FAIL`. */
  | 'QEMU_PROTOCOL'
  /** QMP answered with an error. */
  | 'QEMU_QMP'
  /** No folder has room for the machine's memory, or it ran out of room later. */
  | 'QEMU_DISK_FULL'
  /** The folder for the machine's memory cannot be used. */
  | 'QEMU_FOLDER'
  /** A machine description that no command line can say. */
  | 'QEMU_MACHINE'
  /** Bus numbers, BARs or windows do not fit. */
  | 'QEMU_RESOURCES'
  /** This QEMU does not behave as the engine relies on. */
  | 'QEMU_SELF_TEST'
  /** This QEMU breaks a rule of its envelope, so that data would be lost without a word. */
  | 'QEMU_ENVELOPE'
  /** More RAM or page-table memory than the machine has. */
  | 'QEMU_MEMORY'
  /** The description has no such name, or the name no such part. */
  | 'QEMU_NAME'
  /** A method was called after `close`. */
  | 'QEMU_CLOSED';

/** A refusal of the QEMU engine. */
export class QemuError extends P2pError<QemuErrorCode> {
  override readonly name: string = 'QemuError';
}

/** The command that brings QEMU to a Debian machine; other systems name the package alike. */
export const QEMU_INSTALL: string = 'apt-get install -y --no-install-recommends qemu-system-x86';
