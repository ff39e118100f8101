/** /proc/iomem: which physical addresses are RAM, BARs, windows. Without root all addresses are zeros. Linux kernel/resource.c. */

import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';

export interface IomemItem extends ItemPlace {
  readonly kind: 'iomem';
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** `System RAM`, `PCI Bus 0000:0a`, `0000:83:00.0`. */
  readonly name: string;
  /** Levels within other ranges, by its indentation: two blanks each. */
  readonly depth: number;
}

const LINE = /^(\s*)([0-9a-f]{4,16})-([0-9a-f]{4,16}) : (\S.{0,160})$/i;
/** Zeros: the kernel hides addresses from a reader without root. */
const HIDDEN = /^0+$/;

/** Recognises the memory map. A line alone may be an excerpt: it is one all the same. */
export const iomem: Recogniser<IomemItem> = tableOf<IomemItem>({
  kind: 'iomem',
  words: [
    'System RAM',
    ' : PCI ',
    ' : Reserved',
    ' : reserved',
    ' : 000',
    ' : 10000:',
    'ACPI ',
    'Kernel code',
    ' : nvme',
    ' : Persistent',
  ],
  begins: ({ text }) => LINE.test(text),
  continues: ({ text, isBlank, stamp }) => {
    if (isBlank) return 'ended';
    return LINE.test(text) ? 'taken' : stamp === null ? 'ended' : 'passed';
  },
  read: (lines, { file }) => {
    const margin = Math.min(...lines.map(({ indent }) => indent));
    const items: IomemItem[] = [];
    let hidden = 0;
    for (const { text, number, indent } of lines) {
      const [, , first = '', last = '', name = ''] = LINE.exec(text) ?? [];
      const [start, end] = [Number.parseInt(first, 16), Number.parseInt(last, 16) + 1];
      if (HIDDEN.test(first) && HIDDEN.test(last)) hidden++;
      else if (end > start && Number.isSafeInteger(end)) {
        items.push({ kind: 'iomem', file, line: number, start, end, name, depth: Math.floor((indent - margin) / 2) });
      }
    }
    if (items.length === 0 && hidden === 0) return null;
    return {
      items,
      isComplete: hidden === 0,
      doubt: hidden === 0 ? null : 'addresses are hidden: it was read without root',
    };
  },
});
