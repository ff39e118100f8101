/** A short run of the fuzzer, and the machines that are made to be slow. `npm run fuzz` runs the long one. */

import { expect, test } from 'vitest';
import { bytesOf } from '../../src/core/text.ts';
import { kernelMessages } from '../../src/doctor/log/kernel-message.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { fuzz } from './fuzz.ts';
import { hexDump, textDump } from './sample-dumps.ts';

const SEED = Number(process.env['P2PDMA_FUZZ_SEED'] ?? 1);
const INPUTS = Number(process.env['P2PDMA_FUZZ_INPUTS'] ?? 2000);

test(`readers, ${INPUTS} damaged inputs from seed ${SEED}: a machine or a refusal, never an exception, in linear time`, async () => {
  const { inputs, bytes, outcomes } = await fuzz(SEED, INPUTS);
  console.log(`seed ${SEED}: ${inputs} inputs, ${bytes} bytes: ${JSON.stringify(outcomes)}`);
  expect((outcomes['machine'] ?? 0) > inputs / 4 || inputs < 1000).toBe(true);
  expect(Object.keys(outcomes).length > 2 || inputs < 1000).toBe(true);
}, 3_600_000);

/** Repeats a piece until it fills about `length` bytes, with a number in each. */
function repeated(length: number, piece: (index: number) => string): string {
  const parts: string[] = [];
  for (let index = 0, size = 0; size < length; index++) {
    const part = piece(index);
    parts.push(part);
    size += part.length;
  }
  return parts.join('');
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

const SLOW_IF_QUADRATIC: Record<string, (length: number) => string> = {
  'one function listed again and again': (length) => repeated(length, () => `${textDump().split('\n\n')[3]}\n\n`),
  'registers listed again and again': (length) => repeated(length, () => hexDump(256)),
  'functions without end': (length) =>
    repeated(length, (index) => `${hex(index >> 8, 4)}:${hex(index & 255, 2)}:00.0 PCI bridge: x\n`),
  'bridges that all lead to one bus': (length) =>
    repeated(
      length,
      (index) =>
        `${hex(index >> 13, 4)}:${hex((index >> 5) & 255, 2)}:${hex(index & 31, 2)}.0 PCI bridge: x\n\tBus: primary=00, secondary=07, subordinate=07, sec-latency=0\n`,
    ),
  'a chain of bridges in every domain': (length) =>
    repeated(
      length,
      (index) =>
        `${hex(index >> 8, 4)}:${hex(index & 255, 2)}:00.0 PCI bridge: x\n\tBus: primary=00, secondary=${hex((index + 1) & 255, 2)}, subordinate=ff, sec-latency=0\n`,
    ),
  'functions that claim 65,535 Virtual Functions each': (length) =>
    repeated(
      length,
      (index) =>
        `${hex(index >> 13, 4)}:${hex((index >> 5) & 255, 2)}:${hex(index & 31, 2)}.0 Ethernet controller: x\n\tFlags: fast devsel\n\tCapabilities: [100] Single Root I/O Virtualization (SR-IOV)\n\t\tIOVCtl: Enable+\n\t\tInitial VFs: 65535, Total VFs: 65535, Number of VFs: 65535, F\n\t\tVF offset: 1, stride: 1\n`,
    ),
  'paths below one bridge of a long text': (length) =>
    `00:01.0 PCI bridge: x\n${'\tFlags: fast devsel\n'.repeat(length / 40)}\tBus: primary=00, secondary=01, subordinate=ff, sec-latency=0\n\n${repeated(length / 2, (index) => `00:01.0/${hex((index >> 3) & 31, 2)}.${index & 7} Ethernet controller: x\n`)}`,
  'lines at the margin': (length) =>
    `00:01.0 PCI bridge: (x\n\tFlags: fast devsel\n${'stray line at the margin\n'.repeat(length / 25)}`,
  'blanks before a colon': (length) => repeated(length, () => `00:01.0 PCI bridge${' '.repeat(2000)}: x\n`),
  'rows out of order': (length) =>
    `00:01.0 PCI bridge: x\n${repeated(length, (index) => `${hex(((index * 37) % 256) * 16, 2)}: ${'11 '.repeat(16)}\n`)}`,
  'quotes of quotes': (length) => repeated(length, () => `${'>'.repeat(500)} 00:01.0 PCI bridge: x\n`),
  'brackets of a log': (length) =>
    `00:01.0 PCI bridge: x\n\n${repeated(length, () => `[ 1.0] pci 0000:00:01.0: BAR 0 ${'[mem '.repeat(700)}\n`)}`,
  'addresses of a log': (length) =>
    `00:01.0 PCI bridge: x\n\n${repeated(length, () => `[ 1.0] DMAR: ${'0000:00:01.0: ACS redirect is set between '.repeat(60)}\n`)}`,
  'one line of a log without end': (length) =>
    `00:01.0 PCI bridge: x\n\n[ 1.0] AMD-Vi: IO_PAGE_FAULT ${'device=00:01.0 address=0x1000 '.repeat(length / 30)}\n`,
  'stamps of a log': (length) =>
    `00:01.0 PCI bridge: x\n\n${repeated(length, () => `${'x kernel: '.repeat(300)}DMAR\n`)}`,
  'banners of a kernel': (length) => repeated(length, () => `${'Linux version 1.1'.repeat(200)}\n`),
};

for (const [name, make] of Object.entries(SLOW_IF_QUADRATIC)) {
  test(`linear: ${name}`, async () => {
    const time = async (length: number): Promise<number> => {
      const input = bytesOf(make(length));
      let fastest = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < 3; attempt++) {
        const start = performance.now();
        const machine = await readMachine(input, name).catch(() => null);
        // Text is decoded when it is asked for, and that counts.
        for (const fn of machine?.hierarchy.functions ?? []) void fn.facts.text;
        kernelMessages(machine?.host?.kernelLog ?? []);
        fastest = Math.min(fastest, performance.now() - start);
      }
      return fastest;
    };
    const [small, large] = [await time(125_000), await time(1_000_000)];
    // Eight times as much: linear is 8, quadratic 64. Half a second of noise is forgiven.
    expect(large, `${small.toFixed(1)} ms, then ${large.toFixed(1)} ms`).toBeLessThan(24 * small + 500);
  }, 120_000);
}
