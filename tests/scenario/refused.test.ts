/** Files that are refused in the words of the file: its own fields, what is missing, what was meant. */

import { describe, expect, test } from 'vitest';
import { parseSize } from '../../src/scenario/size.ts';
import { machineText, refusalOf, runTransfers } from './bed.ts';

const VECTOR = '{ memory: b, length: 4KiB }';
const file = (transfer: string, machine = machineText()): string => `${machine}transfers:\n  - { ${transfer} }\n`;
const good = `name: it, device: a, direction: fromDevice, vectors: [${VECTOR}]`;

describe('a field that is left out is missing, and the hint names those that must be there', () => {
  test.each([
    ['direction', good.replace('direction: fromDevice, ', ''), 'transfers[0].direction', 'name, device, direction'],
    ['length', good.replace(', length: 4KiB', ''), 'transfers[0].vectors[0].length', 'memory, length'],
  ])('%s', async (_what, transfer, field, needed) => {
    const { path, message, hint } = await refusalOf(file(transfer));
    expect([path, message, hint]).toEqual([
      `it.yaml:16: ${field}`,
      'is missing',
      `these fields must be there: ${needed}`,
    ]);
  });
  test('a fault’s time, the size of RAM', async () => {
    const late = await refusalOf(file(`${good}, faults: [{ unplug: b }]`));
    expect(late.message).toBe('is missing');
    const sized = await refusalOf(file(good, machineText().replace('  kernel', '  ram: [{ start: 1MiB }]\n  kernel')));
    expect([sized.path, sized.message]).toEqual(['it.yaml:3: machine.ram[0].size', 'is missing']);
  });
});

describe('a word that is none is answered with what was meant', () => {
  const cases: [what: string, text: string, path: RegExp, hint: RegExp][] = [
    [
      'a field of the file',
      `${file(good)}polcy: linux-6.1\n`,
      /:17: polcy$/,
      /^did you mean policy\? the fields here: about/,
    ],
    [
      'a field of a transfer',
      file(`${good}, expct: equal`),
      /\.expct$/,
      /^did you mean expect\? the fields here: name, device/,
    ],
    [
      'a field of a vector',
      file(good.replace(' }', ', ofset: 0 }')),
      /\.ofset$/,
      /^did you mean offset\? .* memory, length, offset, flags$/,
    ],
    [
      'a field of a port',
      file(good, machineText().replace('port: dn1', 'prt: dn1')),
      /\.prt$/,
      /^did you mean port\? .* port, acs, link, below$/,
    ],
    [
      'a field that must be there, written wrong',
      file(good.replace('direction', 'directoin')),
      /\.directoin$/,
      /^did you mean direction\?/,
    ],
    ['nothing like a field', `${file(good)}zzzz: 1\n`, /: zzzz$/, /^the fields here: about, machine/],
    ['a word of a list', file(good.replace('fromDevice', 'fromDevise')), /\.direction$/, /^did you mean fromDevice\?$/],
    [
      'a word far from the list',
      file(good.replace('fromDevice', 'sideways')),
      /\.direction$/,
      /^docs\/SCENARIOS\.md says what direction takes$/,
    ],
  ];
  test.each(cases)('%s', async (_what, text, path, hint) => {
    const refusal = await refusalOf(text);
    expect(refusal.path).toMatch(path);
    expect(refusal.hint).toMatch(hint);
  });
});

describe('a name used twice is a complaint about the field that the file has it in', () => {
  const cases: [what: string, from: string, to: string, field: string][] = [
    ['a port', 'port: dn1', 'port: dn0', 'rootPorts[0].below[0].ports[1].port'],
    ['a root port', 'port: rp1', 'port: rp0', 'rootPorts[1].port'],
    ['a controller', 'nvme: b', 'nvme: a', 'rootPorts[0].below[0].ports[1].below[0].nvme'],
    ['a device', 'device: gpu', 'device: a', 'rootPorts[0].below[0].ports[2].below[0].device'],
    ['a switch', 'switch: sw0', 'switch: rp0', 'rootPorts[0].below[0].switch'],
  ];
  test.each(cases)('%s', async (_what, from, to, field) => {
    const { path, message } = await refusalOf(file(good, machineText().replace(from, to)));
    expect(path.replace(/^it\.yaml:\d+: machine\.hostBridges\[0\]\./, '')).toBe(field);
    expect(message).toMatch(/names two functions$/);
  });
  test('where windows do not fit, the host bridge is named', async () => {
    const machine = machineText({ bridge: 'busOffset: 4KiB' });
    expect((await refusalOf(file(good, machine))).path).toBe('it.yaml:5: machine.hostBridges[0].busOffset');
  });
});

describe('an offset is for the memory of devices', () => {
  test('offset on RAM is refused with its line', async () => {
    const { path, message } = await refusalOf(file(good.replace('memory: b', 'memory: ram, offset: 1MiB')));
    expect(path).toBe('it.yaml:16: transfers[0].vectors[0].offset');
    expect(message).toContain('machine.ram');
  });
  test('offset on a device is its byte', async () => {
    const [one] = await runTransfers(
      machineText({ bridge: 'busOffset: 0' }),
      good.replace('memory: b', 'memory: gpu, offset: 1MiB'),
    );
    const [two] = await runTransfers(machineText(), good.replace('memory: b', 'memory: gpu, offset: 0'));
    expect((one?.vectors[0]?.address ?? 0) - (two?.vectors[0]?.address ?? 0)).toBe(2 ** 20);
  });
});

describe('a bridge does no DMA', () => {
  test.each(['device: rp1', 'device: sw0', 'device: dn0', 'askedFor: rp0, device: a'])('%s', async (who) => {
    const { path, message, hint } = await refusalOf(file(good.replace('device: a', who)));
    expect(path).toBe(`it.yaml:16: transfers[0].${who.split(':')[0]}`);
    expect(message).toMatch(/is a bridge \((rootPort|upstreamPort|downstreamPort)\)/);
    expect(hint).toContain('endpoint');
  });
});

describe('a CPU has the vendor that CPUID says', () => {
  const machineOf = (cpu: string): string => machineText().replace('  kernel', `  cpu: '${cpu}'\n  kernel`);
  test.each([
    ['Intel:6', 'GenuineIntel'],
    ['AMD:23', 'AuthenticAMD'],
    ['GenuineIntl:6', 'GenuineIntel'],
    ['AuthenticAmd:25', 'AuthenticAMD'],
    ['Hygon:24', 'HygonGenuine'],
    ['VIA:6', 'CentaurHauls'],
  ])('%s is refused', async (cpu, meant) => {
    const { path, message } = await refusalOf(file(good, machineOf(cpu)));
    expect(path).toBe('it.yaml:3: machine.cpu');
    expect(message).toContain('is no vendor that CPUID says');
    expect(message).toContain(meant);
  });
  test.each([
    'GenuineIntel:6',
    'AuthenticAMD:0x19',
    'HygonGenuine:24',
    'CentaurHauls:7',
    'Shanghai:7',
    'GenuineTMx86:15',
  ])('%s is taken, known or not', async (cpu) => {
    const [one] = await runTransfers(machineOf(cpu), good);
    expect(one?.bytesEqual).toBe(4096);
  });
});

test('sizes have a sign where one makes sense: busOffset takes every form', async () => {
  const texts: [string, number | null][] = [
    ['-16TiB', -(2 ** 44)],
    ['-0x100000', -(2 ** 20)],
    ['+1MiB', 2 ** 20],
    ['-0', 0],
    ['--1', null],
    ['- 1', null],
  ];
  expect(texts.map(([text]) => parseSize(text))).toEqual(texts.map(([, bytes]) => bytes));
  const offsets = ['-16TiB', '-0x100000000000', '-17592186044416', '"-17592186044416"'];
  for (const offset of offsets) {
    const [one] = await runTransfers(machineText({ bridge: `busOffset: ${offset}` }), `${good}, classify: lookup`);
    expect((one?.segments[0]?.address ?? 0) - (one?.vectors[0]?.address ?? 0)).toBe(-(2 ** 44));
  }
  const { message } = await refusalOf(file(good.replace('4KiB', '-4KiB')));
  expect(message).toContain('is no size');
});

describe('memory that could not be had is RAM, and the report says why', () => {
  test('memory: find without a provider for all', async () => {
    const machine = machineText({ bridge: 'id: 1234:5678' });
    const [one] = await runTransfers(
      machine,
      'device: a, direction: fromDevice, clients: [b, far], vectors: [{ memory: find, length: 4KiB }]',
    );
    expect(one?.vectors[0]).toMatchObject({ owner: null, why: 'no memory serves all of a, b, far: RAM instead' });
  });
  test('a transfer longer than the disk is refused in its own words', async () => {
    const [one] = await runTransfers(machineText(), good.replace('4KiB', '128MiB'));
    expect(one?.vectors[0]?.why).toBe('the pool of b has no 134217728 bytes left: RAM instead');
    expect(one?.refusal?.message).toMatch(/a read of 134217728 bytes at block 0/);
  });
  test('RAM that is too small for the road beside is refused with the field', async () => {
    const machine = machineText().replace('  kernel', '  ram: [{ start: 1MiB, size: 2MiB }]\n  kernel');
    const { path, hint } = await refusalOf(
      file(good.replace('memory: b, length: 4KiB', 'memory: ram, length: 1MiB'), machine),
    );
    expect(path).toBe('it.yaml:17: transfers[0].vectors');
    expect(hint).toContain('more RAM');
  });
});
