/**
 * Lines of the kernel's log: dmesg, journalctl -k, syslog. A line is the log's by its stamp, or by what it says; of those with a stamp that
 * say nothing here only the place counts.
 */

import type { CleanLine } from '../../clean/clean-line.ts';
import type { BlockResult, Reading, Recogniser, Taken } from '../../recogniser.ts';
import { aerSubject } from './aer.ts';
import { atomicsSubject, gpuFaultSubject } from './amdgpu.ts';
import { bootSubject, iommuSubject } from './boot.ts';
import { faultSubject } from './faults.ts';
import type { KernelLogItem } from './items.ts';
import type { LogMessage, LogReader } from './log-reader.ts';
import { memorySubject, storageSubject } from './memory.ts';
import { nvidiaSubject } from './nvidia.ts';
import { p2pdmaSubject } from './p2pdma.ts';
import { resourceSubject } from './resources.ts';
import { logStampOf } from './stamp.ts';

/** The first that takes a line has it. */
const SUBJECTS = [
  p2pdmaSubject,
  faultSubject,
  aerSubject,
  resourceSubject,
  bootSubject,
  iommuSubject,
  atomicsSubject,
  gpuFaultSubject,
  nvidiaSubject,
  memorySubject,
  storageSubject,
];

/** Items that a block keeps. */
const ITEMS_MAX = 5000;

/** As much of a message is kept with an item. */
const TEXT_MAX = 400;

/** Recognises and reads the kernel's log. */
export const kernelLog: Recogniser<KernelLogItem> = {
  kind: 'kernel-log',
  manner: 'log',
  words: [...new Set(SUBJECTS.flatMap(({ words }) => words))],
  open: (_line, { file }) => new KernelLogReading(file),
  bears: logStampOf,
};

/** What the messages of a log say, for lines that were taken out of it before. */
export function readMessages(messages: readonly LogMessage[], file: string): KernelLogItem[] {
  const reading = new KernelLogReading(file);
  for (const message of messages) reading.message(message);
  return reading.items();
}

/** A sentence that a mail program may have broken: what it begins with. */
const BREAKABLE =
  /Event logged \[\w{4,40}\b[^\]]{0,80}$|Request device \[\S{4,16}\](?: PASID \w{1,12})?(?: fault)?(?: addr)?$|client and provider$|kernel parameter:$|\[DMA \w{4,5}.{0,24}$/;

class KernelLogReading implements Reading<KernelLogItem> {
  readonly #file: string;
  readonly #readers: (LogReader | undefined)[] = [];
  /** A message that nobody understood and that may go on in the next line. */
  #broken: LogMessage | null = null;

  constructor(file: string) {
    this.#file = file;
  }

  take(line: CleanLine): Taken {
    const broken = this.#broken;
    this.#broken = null;
    // Another program's line, whatever it speaks of.
    if (line.program !== null && line.program !== 'kernel') return 'passed';
    const message: LogMessage = { text: line.bare, line: line.number, stamp: line.stamp };
    if (broken !== null && line.program === null) {
      if (this.message({ ...broken, text: `${broken.text} ${message.text}` })) return 'taken';
    }
    if (this.message(message)) return 'taken';
    if (!BREAKABLE.test(message.text)) return 'passed';
    this.#broken = message;
    return 'more';
  }

  /** Takes a message; false where no subject understands it. */
  message(message: LogMessage): boolean {
    for (const [index, { words, start }] of SUBJECTS.entries()) {
      if (!words.some((word) => message.text.includes(word))) continue;
      this.#readers[index] ??= start();
      if (this.#readers[index]?.take(message)) return true;
    }
    return false;
  }

  items(): KernelLogItem[] {
    const said = this.#readers.flatMap((reader) => reader?.finish() ?? []);
    return said
      .map(({ says, message: { text, line, stamp } }): KernelLogItem => {
        const shown = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}...` : text;
        return { kind: 'kernel-log', file: this.#file, line, text: shown, stamp, ...says };
      })
      .sort((a, b) => a.line - b.line);
  }

  close(): BlockResult<KernelLogItem> {
    const items = this.items();
    return { items: items.slice(0, ITEMS_MAX), leftOut: Math.max(0, items.length - ITEMS_MAX) };
  }
}
