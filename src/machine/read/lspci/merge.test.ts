/** Functions that are listed more than once, and rows whose owner is in doubt. */

import { expect, test } from 'vitest';
import { bytesOf } from '../../../core/text.ts';
import type { FunctionFacts } from '../../../pcie/function-facts.ts';
import type { MachineEvidence } from '../../build.ts';
import { readLspci } from './read-lspci.ts';

const ROW0 = '00: 34 12 01 00 06 04 10 00 00 00 04 06 00 00 01 00';
const ROW1 = '10: 00 00 00 00 00 00 00 00 00 01 02 00 f1 01 00 20';
const ROW2 = '20: f0 ff 00 00 f1 ff 01 00 00 00 00 00 00 00 00 00';
const ROW3 = '30: 00 00 00 00 00 00 00 00 00 00 00 00 ff 01 00 00';
const PORT = '00:01.0 PCI bridge [0604]: Sample [1234:0001]';

function read(...lines: string[]): MachineEvidence {
  const { evidence } = readLspci(bytesOf(`${lines.join('\n')}\n`), 'dump.txt');
  if (evidence === null) throw new Error('no function was read');
  return evidence;
}

function only(evidence: MachineEvidence): FunctionFacts {
  expect(evidence.functions).toHaveLength(1);
  return evidence.functions[0] as FunctionFacts;
}

const codes = (evidence: MachineEvidence): unknown[] => (evidence.notes ?? []).map(({ code, line }) => [code, line]);

test('of registers listed twice the longer space counts, and its missing rows come from the other', () => {
  const { config, configSource } = only(read(PORT, ROW0, ROW1, '', PORT, ROW0, ROW2, ROW3, ''));
  expect([config.length, config.u8(0x18), config.u8(0x19), config.u8(0x3c)]).toEqual([64, 0, 1, 0xff]);
  expect(configSource?.line).toBe(6);
});

test('listings that contradict each other are told: registers', () => {
  const other = ROW0.replace('34 12', '99 12');
  const evidence = read(PORT, ROW0, ROW1, '', PORT, other, '');
  expect(only(evidence).config.u16(0)).toBe(0x1234);
  expect(codes(evidence)).toEqual([['LISTINGS_DIFFER', 6]]);
  const buses = read(PORT, ROW0, ROW1, '', PORT, ROW0, ROW1.replace('01 02 00', '05 06 00'), '');
  expect(only(buses).config.u8(0x19)).toBe(1);
  expect(codes(buses)).toEqual([['LISTINGS_DIFFER', 6]]);
});

test('listings that contradict each other are told: text; nothing is taken from another device', () => {
  const body = ['\tControl: I/O- Mem+', '\tIOMMU group: 3', '\tKernel driver in use: first'];
  const other = ['03:00.0 Audio device [0403]: Other [5678:0002]', '\tControl: I/O- Mem+', '\tNUMA node: 1', ''];
  const evidence = read('03:00.0 Audio device [0403]: Sample [1234:0001]', ...body, '', ...other);
  const { text } = only(evidence);
  expect(text).toMatchObject({ vendorId: 0x1234, iommuGroup: 3, driver: 'first' });
  expect(text?.numaNode).toBeUndefined();
  expect(codes(evidence)).toEqual([['LISTINGS_DIFFER', 6]]);
});

test('ACS that was changed between two listings is told, and the first is believed', () => {
  const listing = (control: string): string[] => [
    PORT,
    '\tControl: I/O- Mem+',
    '\tCapabilities: [100 v1] Access Control Services',
    '\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans+',
    `\t\tACSCtl:\t${control}`,
    '',
  ];
  const on = 'SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-';
  const evidence = read(...listing(on), ...listing(on.replaceAll('+', '-')));
  expect(only(evidence).text?.acs).toMatchObject({ control: 0x1d });
  expect(codes(evidence)).toEqual([['LISTINGS_DIFFER', 7]]);
  expect(codes(read(...listing(on), ...listing(on)))).toEqual([]);
});

test('the line of an identity is the line that told the numbers', () => {
  const { text } = only(read('00:01.0 PCI bridge: Sample', '', PORT, ''));
  expect([text?.vendorId, text?.lines.identity]).toEqual([0x1234, 3]);
});

test('rows behind an empty line go to the function above only if they are of its device', () => {
  const own = only(read(PORT, '\tControl: I/O- Mem+', '', ROW0, ROW1));
  expect(own.config.length).toBe(32);
  const evidence = read(PORT, '\tControl: I/O- Mem+', '', ROW0.replace('34 12', '99 12'), ROW1);
  expect(only(evidence).config.length).toBe(0);
  expect(codes(evidence)).toEqual([['ROWS_CONTRADICT', 4]]);
});

test('hard blanks and entities of a web page are read', () => {
  for (const blank of ['\u00c2\u00a0', '\u00a0']) {
    const web = [PORT, '    Control: I/O- Mem+', '    Bus: primary=00, secondary=01, subordinate=02, sec-latency=0'];
    const { text } = only(read(...web.map((line) => line.replaceAll(' ', blank).replace(`0${blank}`, '0 '))));
    expect(text).toMatchObject({ command: 2, busNumbers: { primary: 0, secondary: 1, subordinate: 2 } });
  }
  const { text } = only(read(PORT, '\tControl: I/O- Mem+', '\tCapabilities: &lt;access denied&gt;'));
  expect([text?.capabilitiesDenied, text?.capabilitiesListed]).toEqual([true, undefined]);
});

test('where a line of the list of capabilities cannot be read, nothing is said to be absent', () => {
  const { text } = only(
    read(PORT, '\tControl: I/O- Mem+', '\tCapabilities: [4', '\tCapabilities: [40] Power Management', ''),
  );
  expect(text?.capabilitiesListed).toBeUndefined();
});

test('the rest of a wrapped line is taken though it is indented', () => {
  const { text } = only(
    read(
      PORT,
      '        Capabilities: [100 v1] Access Control Services',
      '                ACSCap: SrcValid+ TransBlk+ ReqRedir+ CmpltRedir+',
      '                UpstreamFwd+ EgressCtrl- DirectTrans+',
      '                ACSCtl: SrcValid+ TransBlk- ReqRedir+ CmpltRedir+',
      '                UpstreamFwd+ EgressCtrl- DirectTrans-',
      '',
    ),
  );
  expect(text?.acs).toMatchObject({ capability: 0x5f, control: 0x1d });
});

/** A port with Express at 40h, ACS at 100h and its control as given; all other registers are zeros. */
function portWithAcs(control: number): string[] {
  const bytes = new Uint8Array(0x110);
  bytes.set([0x34, 0x12, 1, 0, 6, 4, 0x10, 0, 0, 0, 4, 6]);
  bytes[0x0e] = 1;
  bytes[0x34] = 0x40;
  bytes.set([0x10, 0, 0x62], 0x40);
  bytes.set([0x0d, 0, 1, 0, 0x5f, 0, control, 0], 0x100);
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  return Array.from(
    { length: 0x11 },
    (_, row) => `${row.toString(16)}0: ${pairs.slice(row * 16, row * 16 + 16).join(' ')}`,
  );
}

test('decoded ACS that the registers of the same function contradict is told, and the registers are believed', () => {
  const text = (sign: '+' | '-'): string[] => [
    PORT,
    '\tControl: I/O- Mem+',
    '\tCapabilities: [100 v1] Access Control Services',
    `\t\tACSCtl:\tSrcValid- TransBlk- ReqRedir${sign} CmpltRedir- UpstreamFwd- EgressCtrl- DirectTrans-`,
  ];
  const evidence = read(...text('+'), ...portWithAcs(0x00), '');
  expect(only(evidence).config.u16(0x106)).toBe(0);
  expect(evidence.notes).toMatchObject([
    { code: 'TEXT_CONTRADICTS', line: 4, message: expect.stringContaining('says RR, and its registers say none') },
  ]);
  expect(codes(read(...text('+'), ...portWithAcs(0x04), ''))).toEqual([]);
  expect(codes(read(...text('-'), ...portWithAcs(0x00), ''))).toEqual([]);
});

const whole = (head: string): string[] => [head, ROW0, ROW1, ROW2, ROW3, ''];

test.each([
  ['in the registers of the last function', ['00:02.0 PCI bridge [0604]: x [1234:0001]', ROW0, ROW1], true],
  ['in the middle of a row', ['00:02.0 PCI bridge [0604]: x [1234:0001]', ROW0, ROW1.slice(0, 30)], true],
  ['before its registers', ['00:02.0 PCI bridge [0604]: x [1234:0001]', '\tControl: I/O- Mem+'], true],
  ['behind a whole function', whole('00:02.0 PCI bridge [0604]: x [1234:0001]'), false],
])('a listing that ends %s', (_, end, isCut) => {
  const evidence = read(...whole('00:00.0 PCI bridge [0604]: x [1234:0001]'), ...whole(PORT), ...end);
  expect(codes(evidence)).toEqual(isCut ? [['DUMP_CUT', 13]] : []);
});
