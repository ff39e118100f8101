/**
 * The log of the running kernel: /dev/kmsg, a record at a time, without waiting for new ones; where that is closed, what `dmesg` prints.
 * Linux Documentation/ABI/testing/dev-kmsg.
 */

import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';

/** As long as a record may be: CONSOLE_EXT_LOG_MAX. */
const RECORD_MAX = 8192;
/** As many records are read, and no more: a log that is written faster than it is read has no end. */
const RECORDS_MAX = 1_000_000;

/** The log as text, `[   12.345678] message` a line, and what it is called; null where it may not be read. */
export function kernelMessages(device = '/dev/kmsg'): { readonly text: string; readonly file: string } | null {
  const text = recordsOf(device);
  if (text !== null) return { text, file: device };
  // With -k without what users wrote; BusyBox does not know it.
  for (const options of [['-k'], []]) {
    const run = spawnSync('dmesg', options, { encoding: 'latin1', maxBuffer: 64 * 1024 * 1024 });
    if (run.status === 0 && run.stdout !== '') return { text: run.stdout, file: 'dmesg' };
  }
  return null;
}

function recordsOf(device: string): string | null {
  let file: number;
  try {
    file = openSync(device, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  const buffer = Buffer.alloc(RECORD_MAX);
  const lines: string[] = [];
  try {
    for (let count = 0; count < RECORDS_MAX; count++) {
      const length = nextRecord(file, buffer);
      if (length === 0) break;
      const line = length < 0 ? null : lineOf(buffer.toString('latin1', 0, length));
      if (line !== null) lines.push(line);
    }
  } catch {
    // Refused at the first read, as where kernel.dmesg_restrict is set: then dmesg is asked.
    if (lines.length === 0) return null;
  } finally {
    closeSync(file);
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** Bytes of the next record, 0 at the end, -1 where records were overwritten meanwhile: the next call goes on behind them. */
function nextRecord(file: number, buffer: Buffer): number {
  try {
    return readSync(file, buffer);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN') return 0;
    if (code === 'EPIPE') return -1;
    throw error;
  }
}

/** `6,339,5140900,-;NET: Registered` and continuation lines below; null for what users wrote into the log. */
export function lineOf(record: string): string | null {
  const match = /^(\d+),\d+,(\d+),[^;]*;([^\n]*)/.exec(record);
  if (match === null) return null;
  const [, priority, microseconds, message] = match as unknown as [string, string, string, string];
  // Above the three bits of the level stands the facility; 0 is the kernel.
  if (Number.parseInt(priority, 10) >> 3 !== 0) return null;
  const seconds = (Number.parseInt(microseconds, 10) / 1e6).toFixed(6).padStart(12);
  return `[${seconds}] ${message}`;
}
