/**
 * A large log is read in time and memory that a log may cost: 3 s and 300 MB for 100 MB, of processor time and beside the bytes of the log
 * itself. A fifth of it is read here, `P2PDMA_SOAK` reads all.
 */

import { expect, test } from 'vitest';
import { recognise } from '../../src/evidence/index.ts';
import { rounds } from '../soak.ts';

const LENGTH = rounds(20_000_000, 100_000_000);

const hex = (value: number): string => value.toString(16);

const LOGS: readonly (readonly [what: string, line: (index: number) => string, items: number])[] = [
  [
    'that says nothing',
    (n) => `[${(n / 1000).toFixed(6)}] usb 1-${n % 9}: new high-speed USB device number ${n} using xhci_hcd\n`,
    0,
  ],
  [
    'of faults',
    (n) =>
      `[${(n / 1000).toFixed(6)}] nvidia 0000:81:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x1c address=0x${hex(0x2000000000 + n * 4096)} flags=0x0020]\n`,
    3000,
  ],
  [
    'of a journal with a line about a BAR in ten',
    (n) =>
      n % 10 === 0
        ? `Sep 21 09:59:59 host kernel: pci 0000:${hex((n % 240) + 16)}:00.0: BAR 1 [mem 0xe05c0000000-0xe05cfffffff 64bit pref]: assigned\n`
        : `Sep 21 09:59:59 host systemd[1]: Started Session ${n} of some user and this goes on for a while.\n`,
    3000,
  ],
  [
    'that is none',
    (n) => `some words ${n} that no tool prints, and more of them until the line is as long as others\n`,
    0,
  ],
];

test.each(LOGS)(
  `a log of ${LENGTH / 1e6} MB %s`,
  (_what, line, items) => {
    const bytes = filled(line);
    const memory = process.memoryUsage().rss;
    const start = process.cpuUsage();
    const { blocks } = recognise(bytes, 'log');
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    const grown = (process.memoryUsage().rss - memory) / 1e6;
    const share = LENGTH / 100_000_000;
    expect(seconds).toBeLessThan(3 * share + 0.3);
    expect(grown).toBeLessThan(200);
    expect(blocks.reduce((sum, block) => sum + block.items.length, 0)).toBeGreaterThanOrEqual(items);
  },
  120_000,
);

function filled(line: (index: number) => string): Uint8Array {
  const bytes = new Uint8Array(LENGTH);
  let length = 0;
  for (let index = 0; length < LENGTH; ) {
    const piece = Buffer.from(Array.from({ length: 500 }, () => line(index++)).join(''), 'latin1');
    bytes.set(piece.subarray(0, LENGTH - length), length);
    length += piece.length;
  }
  return bytes;
}
