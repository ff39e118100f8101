/** What surrounds listings in the world: logs, prose, prompts, and lines that are broken. */

import { expect, test } from 'vitest';
import { bytesOf } from '../../../core/text.ts';
import type { MachineEvidence } from '../../build.ts';
import { readLspci } from './read-lspci.ts';

const PORT =
  '00:01.0 PCI bridge: Sample\n\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0\n\tKernel driver in use: pcieport\n\n';

function read(text: string): MachineEvidence {
  const { evidence } = readLspci(bytesOf(text), 'report.txt');
  if (evidence === null) throw new Error('no function was read');
  return evidence;
}

function notes(text: string): unknown[] {
  return (read(text).notes ?? []).map(({ code, line }) => [code, line]);
}

test('stray lines are noted with their number, neighbours in one note, and cost nothing else', () => {
  const text = `hello\nworld\n\n${PORT}and thanks\n`;
  expect(notes(text)).toEqual([
    ['STRAY_LINE', 1],
    ['STRAY_LINE', 8],
  ]);
  expect(read(text).notes?.[0]?.message).toContain('2 lines up to 2');
  const inside = PORT.replace('\n\n', '\na stray line in the middle of it all\n\tKernel modules: none\n\n');
  expect(notes(inside)).toEqual([['STRAY_LINE', 4]]);
  expect(read(inside).functions[0]?.text?.driver).toBe('pcieport');
});

test('at most a hundred notes are kept, and how many were left out is said', () => {
  const text = Array.from({ length: 250 }, (_, index) => `stray ${index}\n\n`).join('') + PORT;
  const kept = read(text).notes ?? [];
  expect(kept).toHaveLength(101);
  expect(kept[100]).toMatchObject({ code: 'NOTES_LEFT_OUT', line: null });
  expect(kept[100]?.message).toContain('150');
});

test('an address in prose is no function; a bare address with registers is one', () => {
  const prose = `${PORT}\n02:00.0 is the one that fails, and\n03:00.0 too\n`;
  expect(read(prose).functions).toHaveLength(1);
  expect(notes(prose)).toEqual([['STRAY_LINE', 6]]);
  const bare = '02:00.0\n00: 34 12 01 00 06 00 00 00 00 00 08 01 00 00 00 00\n\n';
  expect(read(bare).functions[0]?.config.u16(0)).toBe(0x1234);
});

test('lines of the kernel’s log that begin with an address are no headers', () => {
  expect(read(`${PORT}0000:02:00.0: [1234:0001] type 00 class 0x010802\n`).functions).toHaveLength(1);
});

test('a row with a token that is no byte is missing, the others are read', () => {
  const rows = [
    '00: 34 12 01 00 06 00 00 00 00 00 08 01 00 00 00 00',
    '10: 04 00 zz 80 00 00 00 00 00 00 00 00 00 00 00 00',
    '20: 11 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00',
  ];
  const text = `02:00.0 Memory controller: Sample\n${rows.join('\n')}\n`;
  const config = read(text).functions[0]?.config;
  expect([config?.u8(0), config?.u8(0x10), config?.u8(0x20)]).toEqual([0x34, undefined, 0x11]);
  expect(notes(text)).toEqual([['HEX_ROW', 3]]);
});

test('rows without a function, rows that come twice and rows beyond 4096 bytes are noted', () => {
  const row = (offset: string): string => `${offset}: ${'00 '.repeat(15)}00\n`;
  expect(notes(`${row('00')}\n${PORT}`)).toEqual([['STRAY_LINE', 1]]);
  expect(notes(`02:00.0 Memory controller: Sample\n${row('00')}${row('10')}${row('00')}`)).toEqual([['STRAY_LINE', 4]]);
  expect(notes(`02:00.0 Memory controller: Sample\n${row('00')}${row('1000')}${row('ffffffff')}`)).toEqual([
    ['STRAY_LINE', 3],
  ]);
});

test('a full space of 4096 bytes ends there, whatever stands in the place of the next offset', () => {
  const rows = Array.from(
    { length: 256 },
    (_, row) => `${(row * 16).toString(16).padStart(2, '0')}: ${'11 '.repeat(15)}11`,
  );
  for (const offset of ['00X', '0X0', 'X00', '1000', 'X0', '0X', '100']) {
    const text = `02:00.0 Memory controller: Sample\n${rows.join('\n')}\n${offset}: ${'22 '.repeat(15)}22\n\n${PORT}`;
    const { functions } = read(text);
    expect([functions.length, functions[0]?.config.length, functions[0]?.config.u8(0x100)]).toEqual([2, 4096, 0x11]);
  }
});

test('the last row may be short', () => {
  const text = '02:00.0 Memory controller: Sample\n00: 34 12 01 00 06 00 00 00 00 00 08 01 00 00 00 00\n10: 04 00 00';
  const config = read(text).functions[0]?.config;
  expect([config?.length, config?.u8(0x12), config?.u8(0x13)]).toEqual([19, 0, undefined]);
});

test('kernel, CPU, command line and memory map are taken from the text around, where they are beyond doubt', () => {
  const around = (...lines: string[]): MachineEvidence => read(`${lines.join('\n')}\n\n${PORT}`);
  expect(around('[    0.000000] Linux version 6.1.0-28-amd64 (a@b) (gcc)').kernel).toBe('6.1.0-28-amd64');
  expect(around('Linux host 5.15.0-91-generic #101-Ubuntu SMP x86_64 GNU/Linux').kernel).toBe('5.15.0-91-generic');
  expect(around('I run Linux 6.1 and kernel 5.4 too').kernel).toBeNull();
  expect(around('Linux version 6.1.0 (a)', 'Linux version 6.2.0 (a)').kernel).toBeNull();
  expect(
    around('vendor_id\t: AuthenticAMD', 'cpu family\t: 25', 'vendor_id\t: AuthenticAMD', 'cpu family\t: 25').cpu,
  ).toEqual({
    vendor: 'AuthenticAMD',
    family: 25,
  });
  expect(around('Vendor ID:               GenuineIntel', 'CPU family:              6').cpu).toEqual({
    vendor: 'GenuineIntel',
    family: 6,
  });
  expect(around('vendor_id\t: AuthenticAMD', 'vendor_id\t: GenuineIntel').cpu).toBeNull();
  expect(around('Intel(R) Xeon(R) CPU').cpu).toBeNull();
  expect(around('[    0.000000] Command line: BOOT_IMAGE=/vmlinuz iommu=pt').cmdline).toBe(
    'BOOT_IMAGE=/vmlinuz iommu=pt',
  );
  expect(around('00001000-0009ffff : System RAM', '  000a0000-000bffff : PCI Bus 0000:00').iomem).toEqual([
    { start: 0x1000, end: 0xa_0000, name: 'System RAM', depth: 0 },
    { start: 0xa_0000, end: 0xc_0000, name: 'PCI Bus 0000:00', depth: 1 },
  ]);
});

test('a hundred thousand functions with one high row each do not take 4 KiB each', () => {
  const text = Array.from({ length: 100_000 }, (_, index) => {
    const [domain, device] = [(index >> 8).toString(16).padStart(4, '0'), (index & 0xff).toString(16).padStart(2, '0')];
    return `${domain}:${device}:00.0 Memory controller: S\nff0: ${'11 '.repeat(15)}11\n`;
  }).join('');
  const { functions, notes: kept } = read(text);
  expect(functions).toHaveLength(100_000);
  const held = new Set(functions.map(({ config }) => config.bytes.buffer)).size * 4096;
  expect(held).toBeLessThan(3 * text.length);
  expect(kept?.some(({ code }) => code === 'STRAY_LINE')).toBe(true);
});
