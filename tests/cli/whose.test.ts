/** `p2pdma whose` as a user runs it: addresses, functions, fault lines on standard input. */

import { expect, test } from 'vitest';
import { jsonOf, p2pdma } from './run.ts';

const LAZY = 'example:iommu-lazy-switch4-acs-off2';
const OFFSET = 'example:bus-offset';

const read = (address: string, by: string): string =>
  `DMAR: [DMA Read NO_PASID] Request device [${by}] fault addr ${address} [fault reason 0x06] PTE Read access is not set`;

/** What one address is, for a function or for nobody. */
function whose(machine: string, address: string, by?: string): Record<string, unknown> {
  const run = p2pdma(['whose', machine, address, '--json', ...(by === undefined ? [] : ['--by', by])]);
  expect(run.stderr).toBe('');
  return (jsonOf(run)['addresses'] as Record<string, unknown>[])[0] as Record<string, unknown>;
}

test.each([
  ['0x100000', { kind: 'ram', start: '0x100000' }],
  ['0xfc800000', { kind: 'bar', function: '0000:04:00.0', bar: 2, offset: 0, space: 'phys' }],
  ['0xfcbfffff', { kind: 'bar', function: '0000:04:00.0', bar: 2, offset: 2 ** 22 - 1 }],
  ['0xfe604000', { kind: 'window', bridge: '0000:02:00.0' }],
  ['0xfee00000', { kind: 'reserved', name: 'message-signalled interrupts' }],
  ['0xfe801000', { kind: 'bar', function: '0000:07:00.0', offset: 0x1000 }],
  ['0xf0000000', { kind: 'aperture', name: 'PCI Bus 0000:00' }],
  ['0x4000000000', { kind: 'nothing' }],
])('%s is told apart', (address, wanted) => {
  expect(whose(LAZY, address)).toMatchObject({ address, by: null, ...wanted });
});

test.each([
  ['03:00.0', { type: 'busAddr', case: 'c', distance: 0 }],
  ['06:00.0', { type: 'busAddr', case: 'b2', distance: 4 }],
  ['04:00.0', { type: 'thruHostBridge', case: 'b1', distance: 4 }],
])('--by %s: the road to the BAR is that of the matrix', (by, road) => {
  expect(whose(LAZY, '0xfcc00000', by)).toMatchObject({ function: '0000:03:00.0', bar: 2, road });
  const { pairs } = jsonOf(
    p2pdma(['matrix', LAZY, '--json', '--providers', '03:00.0', '--clients', by]),
  ) as unknown as { pairs: object[] };
  expect(pairs).toMatchObject([road]);
});

test('--by: where the road is closed, RAM is the way', () => {
  const split = 'example:two-host-bridges-split';
  expect(whose(split, '0xfdc00000', '01:00.0')).toMatchObject({
    function: '0000:81:00.0',
    bar: 2,
    road: { type: 'notSupported', case: 'a' },
  });
  const { stdout } = p2pdma(['whose', split, '0xfdc00000', '--by', '01:00.0']);
  expect(stdout.replace(/\s+/g, ' ')).toContain('cannot reach it: go by way of RAM (case a). Why: p2pdma explain');
});

test('behind a host bridge with an offset an address is read both ways: what the CPU means and what a TLP carries', () => {
  expect(whose(OFFSET, '0x2000800100')).toMatchObject({ function: '0001:03:00.0', offset: 0x100, space: 'phys' });
  expect(whose(OFFSET, '0x100800100')).toMatchObject({ function: '0001:03:00.0', offset: 0x100, space: 'bus' });
  const { stdout } = p2pdma(['whose', OFFSET, '0x2000800100', '--by', '0001:05:00.0']);
  expect(stdout.replace(/\s+/g, ' ')).toContain('give it the bus address 0x100800100');
});

test('exit codes: 0 where every address belongs to something, 1 where one belongs to nothing', () => {
  expect(p2pdma(['whose', LAZY, '0x100000', '0xfc800000']).status).toBe(0);
  expect(p2pdma(['whose', LAZY, '0x100000', '0x4000000000']).status).toBe(1);
});

test.each([
  ['no hex', ['whose', LAZY, '0xzz'], 'ADDRESS', "'0xzz' is no address"],
  ['no machine, no hex', ['whose', '0xzz'], 'ADDRESS', "'0xzz' is no address"],
  ['2^53', ['whose', LAZY, '0x20000000000000'], 'ADDRESS', 'below 2^53'],
  ['--by a pattern of several', ['whose', LAZY, '0x1000', '--by', '*:00.0'], '--by', 'functions, and one is asked for'],
  ['--by nobody', ['whose', LAZY, '0x1000', '--by', '09:00.0'], '--by', 'nearest: '],
  ['--by nonsense', ['whose', LAZY, '0x1000', '--by', 'gpu'], '--by', 'is no selector'],
  ['nothing', ['whose', LAZY], 'ADDRESS', 'standard input is empty'],
  ['the machine on standard input, and no address', ['whose', '-'], 'ADDRESS', 'both the machine and the fault lines'],
])('exit 2: %s', (_, args, path, words) => {
  const run = p2pdma(args);
  expect([run.status, run.stdout]).toEqual([2, '']);
  expect(run.stderr).toContain(`${path}: `);
  expect(run.stderr).toContain(words);
  expect(jsonOf(p2pdma([...args, '--json']))).toMatchObject({ error: { path } });
});

test('exit 3: a machine that is not there', () => {
  expect(p2pdma(['whose', '/nonexistent/host.txt', '0x1000']).status).toBe(3);
});

test('fault lines: each is explained, the same one once, and what is no fault is counted on stderr', () => {
  const input = [
    '[    1.0] Linux version 6.12.117',
    `<3>[   12.3] ${read('0xfcc00000', '06:00.0')}`,
    `<3>[   12.4] ${read('0xfcc00000', '06:00.0')}`,
    `<3>[   12.5] ${read('0xfcc00000', '03:00.0')}`,
    'Nov 22 18:00:00 host kernel: nvme 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0012 address=0x100000 flags=0x0020]',
    'DMAR: [INTR-REMAP] Request device [04:00.0] fault index 0x8 [fault reason 0x22] Present field in the IRTE entry is clear',
    '',
  ].join('\n');
  const run = p2pdma(['whose', LAZY], { input });
  expect(run.status).toBe(0);
  expect(run.stderr).toBe('note: 1 other line on standard input reports no fault\n');
  const text = run.stdout.replace(/\s+/g, ' ');
  expect(text).toContain('line 2 and 1 more: DMAR fault, read of 0xfcc00000 by 0000:06:00.0: BAR2 of 0000:03:00.0');
  expect(text).toContain('raw address of a peer');
  expect(text).toContain('line 4: DMAR fault, read of 0xfcc00000 by 0000:03:00.0: BAR2 of 0000:03:00.0');
  expect(text).toContain('its own memory out on the wire');
  expect(text).toContain('line 5: AMD-Vi fault, write of 0x100000 by 0000:03:00.0: system memory');
  expect(text).toContain('line 6: DMAR fault, interrupt by 0000:04:00.0: interrupt remapping refused');
  for (const line of run.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  const { addresses } = jsonOf(p2pdma(['whose', LAZY, '--json'], { input })) as { addresses: object[] };
  expect(addresses).toMatchObject([
    { fault: { line: 2, times: 2, iommu: 'DMAR', what: 'memory', access: 'read' }, road: { case: 'b2' } },
    { fault: { line: 4 }, road: { case: 'c' } },
    { fault: { line: 5, iommu: 'AMD-Vi', access: 'write' }, kind: 'ram' },
    { fault: { line: 6, what: 'interrupt' }, kind: 'interrupt', address: null },
  ]);
});

test('fault lines: one that names no domain means the only function of that number', () => {
  const run = p2pdma(['whose', OFFSET, '--json'], { input: read('0x2000800000', '05:00.0') });
  expect(jsonOf(run)['addresses']).toMatchObject([{ by: '0001:05:00.0', function: '0001:03:00.0' }]);
});

test('fault lines: where the IOMMU knows no such requester the address is not blamed, and a stranger is called one', () => {
  const line = (by: string): string =>
    `DMAR: [DMA Read] Request device [${by}] fault addr 0x1000 [fault reason 02] Present bit in context entry is clear`;
  const said = (by: string): string => p2pdma(['whose', LAZY], { input: line(by) }).stdout.replace(/\s+/g, ' ');
  expect(said('99:00.0')).toContain('The address is not at fault: the IOMMU has nothing set up for 0000:99:00.0');
  expect(said('99:00.0')).toContain('No function 0000:99:00.0 is in this capture');
  expect(said('99:00.0')).not.toContain('never a good one');
  expect(said('03:00.0')).toContain('The address is not at fault');
  expect(said('03:00.0')).not.toContain('No function');
});

test('fault lines: --by names the function where a line names none', () => {
  const input =
    'arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0xfcc00000, fsynr=0x3, cbfrsynra=0x300, cb=1';
  const { addresses } = jsonOf(p2pdma(['whose', LAZY, '--json', '--by', '06:00.0'], { input })) as {
    addresses: object[];
  };
  expect(addresses).toMatchObject([{ by: '0000:06:00.0', fault: { iommu: 'SMMU' }, road: { case: 'b2' } }]);
});

test('fault lines: an address of 2^53 or more is nothing of this machine', () => {
  const input =
    'iommu ivhd0: AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:03:00.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a00]';
  const run = p2pdma(['whose', LAZY], { input });
  expect(run.status).toBe(1);
  expect(run.stdout).toContain('2^53');
});

test('a log without faults is a good answer, exit 0', () => {
  const run = p2pdma(['whose', LAZY], { input: '[    1.0] Linux version 6.12.117\n' });
  expect([run.status, run.stdout]).toEqual([0, 'No fault is reported.\n']);
  expect(run.stderr).toBe('note: 1 other line on standard input reports no fault\n');
});
