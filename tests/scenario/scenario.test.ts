/** Scenarios end to end on the simulator: what the examples promise, what hazards do, and how bad files are refused. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { ScenarioError } from '../../src/scenario/errors.ts';
import type { ScenarioReport } from '../../src/scenario/report.ts';
import { readScenario, runScenario, scenarioMachine } from '../../src/scenario/run-scenario.ts';
import { SimHost } from '../../src/scenario/sim-host.ts';

const EXAMPLES = new URL('../../examples/', import.meta.url);

async function runText(text: string, file = 'test.yaml'): Promise<ScenarioReport> {
  const read = readScenario(text, file);
  const named = await scenarioMachine(read, async (name) => {
    const example = name.replace('example:', '');
    return readMachine(readFileSync(new URL(`machines/${example}.tar.gz`, EXAMPLES)), name);
  });
  const iommu =
    read.scenario.iommu !== 'off' && (read.scenario.iommu !== undefined || typeof read.scenario.machine === 'string');
  const host = new SimHost({ machine: named.machine, controllers: named.controllers, scenario: read.scenario, iommu });
  return runScenario({ read, named, host });
}

const examples = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));

test.each(examples)('every transfer of the example %s comes out as it says', async (name) => {
  const report = await runText(readFileSync(new URL(name, EXAMPLES), 'utf8'), name);
  expect(report.transfers.filter((transfer) => !transfer.asExpected).map((transfer) => transfer.name)).toEqual([]);
});

const SWITCH = `
machine:
  cpu: AuthenticAMD:23
  kernel: 6.12.0
  hostBridges:
    - rootPorts:
        - port: rp0
          below:
            - switch: sw0
              ports:
                - { port: dn0, acs: clear, below: [{ nvme: nvme0, cmb: 4MiB, cdpmls: true, relativeSgl: true }] }
                - { port: dn1, acs: clear, below: [{ nvme: nvme1, cmb: 4MiB }] }
                - { port: dn2, acs: [RR], below: [{ device: gpu, memory: 16MiB }] }
`;

const one = (fields: string, top = ''): string => `${SWITCH}${top}
transfers:
  - name: it
${fields
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
`;

describe('four cases in one request, by both engines and in both directions', () => {
  const vectors =
    'vectors: [{ memory: ram, length: 8KiB }, { memory: nvme1, length: 4KiB }, { memory: gpu, length: 4KiB }, { memory: self, length: 4KiB }]';
  for (const engine of ['dma', 'nvme']) {
    for (const direction of ['toDevice', 'fromDevice']) {
      for (const iommu of ['on', 'off', 'passthrough']) {
        test(`${engine}, ${direction}, IOMMU ${iommu}`, async () => {
          const report = await runText(
            one(`device: nvme0\nengine: ${engine}\ndirection: ${direction}\n${vectors}`, `iommu: ${iommu}\n`),
          );
          const [transfer] = report.transfers;
          expect(transfer?.vectors.map((vector) => vector.case)).toEqual(['a', 'b2', 'b1', 'c']);
          expect(transfer?.bytesEqual).toBe(20480);
          expect(transfer?.segments.find((segment) => segment.space === 'bar')?.road).toEqual([]);
          expect(transfer?.segments.find((segment) => segment.space === 'bus')?.road).not.toContain('root complex');
        });
      }
    }
  }
});

test('the designs agree: flags, lookup and page map and move alike', async () => {
  const results = [];
  for (const classify of ['flags', 'lookup', 'page']) {
    const fields = `device: nvme0\nclassify: ${classify}\ndirection: fromDevice\nvectors: [{ memory: ram, length: 4KiB }, { memory: nvme1, length: 64KiB }, { memory: gpu, length: 4KiB }]`;
    const [transfer] = (await runText(one(fields, 'iommu: on\n'))).transfers;
    results.push({ segments: transfer?.segments, equal: transfer?.bytesEqual });
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
  expect(results[0]?.equal).toBe(4096 + 65536 + 4096);
});

test('case (c) by the vendor extension moves the same bytes as by CMB address', async () => {
  for (const relative of [false, true]) {
    const fields = `device: nvme0\ndirection: toDevice\nrelativeSgl: ${relative}\nvectors: [{ memory: self, length: 64KiB }]`;
    const [transfer] = (await runText(one(fields))).transfers;
    expect([transfer?.bytesEqual, transfer?.segments[0]?.space, transfer?.status]).toEqual([65536, 'bar', null]);
  }
});

test('E50: a flag set for another mapper, trusted, loses the data; by lookup it arrives', async () => {
  const base =
    'device: gpu\naskedFor: nvme0\ndirection: fromDevice\nengine: dma\nvectors: [{ memory: nvme1, length: 4KiB }]';
  const trusted = await runText(one(`${base}\ntrust: true\nexpect: damaged`, 'iommu: on\n'));
  const lookup = await runText(one(`${base}\nclassify: lookup`, 'iommu: on\n'));
  expect(trusted.transfers[0]?.asExpected).toBe(true);
  expect(lookup.transfers[0]?.bytesEqual).toBe(4096);
});

test.each([
  ['drop', 'damaged'],
  ['unsupportedRequest', 'damaged'],
  ['corrupt', 'damaged'],
  ['forward', 'equal'],
])('a root complex that does %s leaves the bytes of (b1) %s', async (behaviour, expected) => {
  const fields = `device: nvme0\nengine: dma\ndirection: fromDevice\nexpect: ${expected}\nvectors: [{ memory: far, length: 4KiB }]`;
  const machine = SWITCH.replace(
    '        - port: rp0',
    '        - port: rp1\n          below: [{ device: far, memory: 1MiB }]\n        - port: rp0',
  );
  const report = await runText(one(fields, `rootComplex: ${behaviour}\n`).replace(SWITCH, machine));
  expect(report.transfers[0]?.vectors[0]?.case).toBe('b1');
  expect(report.transfers[0]?.asExpected).toBe(true);
});

describe('the same addresses once more after unmap', () => {
  const vectors = 'vectors: [{ memory: ram, length: 8KiB }, { memory: gpu, length: 4KiB }]';
  const cases: [engine: string, iommu: string, lazy: boolean, outcome: string, requesters: number][] = [
    ['nvme', 'on', false, 'stopped', 1],
    ['dma', 'on', false, 'stopped', 1],
    // The hazard of lazy invalidation: the IOTLB still knows the pages.
    ['nvme', 'on', true, 'moved', 0],
    ['nvme', 'off', false, 'moved', 0],
    ['dma', 'passthrough', false, 'moved', 0],
  ];
  test.each(cases)('%s, IOMMU %s, lazy %s: %s', async (engine, iommu, lazy, outcome, requesters) => {
    for (const expected of ['stopped', 'moved']) {
      const fields = `device: nvme0\nengine: ${engine}\ndirection: fromDevice\nrepeatAfterUnmap: ${expected}\n${vectors}`;
      const [transfer] = (await runText(one(fields, `iommu: ${iommu}\nlazy: ${lazy}\n`))).transfers;
      expect(transfer?.repeat?.outcome).toBe(outcome);
      expect(transfer?.repeat?.requesters.length).toBe(requesters);
      expect(transfer?.repeat?.bytesArrived).toBe(outcome === 'moved' ? 12288 : 0);
      expect(transfer?.bytesEqual).toBe(12288);
      expect(transfer?.asExpected).toBe(expected === outcome);
    }
  });
  test('a transfer that does not ask for it is not repeated', async () => {
    const [transfer] = (await runText(one(`device: nvme0\ndirection: fromDevice\n${vectors}`))).transfers;
    expect(transfer?.repeat).toBeNull();
  });
});

describe('E52: what a CMB base address covers, the controller keeps to itself', () => {
  const covering = (text: string, fields: string): string =>
    text.replace('{ nvme: nvme1, cmb: 4MiB }', `{ nvme: nvme1, cmb: 4MiB, ${fields} }`);
  // Without an IOMMU: 64 KiB of RAM at 16 MiB, where the buffer answers. The queues lie above.
  const ram = SWITCH.replace('  cpu', '  ram: [{ start: 16MiB, size: 64KiB }, { start: 64MiB, size: 64MiB }]\n  cpu');
  for (const direction of ['fromDevice', 'toDevice']) {
    test(`without an IOMMU RAM there is shadowed, ${direction}: detected, whatever the status says`, async () => {
      const fields = `device: nvme1\ndirection: ${direction}\nexpect: damaged\nvectors: [{ memory: ram, length: 64KiB }]`;
      const text = covering(one(fields, 'iommu: off\n').replace(SWITCH, ram), 'cba: 16MiB');
      const [transfer] = (await runText(text)).transfers;
      expect(transfer).toMatchObject({ status: null, swallowedBytes: 65536, bytesEqual: 0, asExpected: true });
    });
  }
  test('a buffer at its own bus address swallows nothing', async () => {
    const fields =
      'device: nvme1\ndirection: fromDevice\nvectors: [{ memory: ram, length: 64KiB }, { memory: self, length: 4KiB }]';
    const [transfer] = (await runText(one(fields, 'iommu: on\n'))).transfers;
    expect(transfer).toMatchObject({ swallowedBytes: 0, bytesEqual: 65536 + 4096 });
  });
});

describe('a bad scenario is refused with file, line, field and remedy', () => {
  const good = 'transfers: [{ name: a, device: nvme0, direction: toDevice, vectors: [{ memory: ram, length: 4KiB }] }]';
  const cases: [what: string, text: string, place: RegExp, message: RegExp][] = [
    [
      'an unknown device',
      `${SWITCH}${good.replace('nvme0', 'nvme9')}`,
      /^test\.yaml:13: transfers\[0\]\.device$/,
      /'nvme9' is no device/,
    ],
    [
      'unknown memory',
      `${SWITCH}${good.replace('memory: ram', 'memory: gup')}`,
      /:13: transfers\[0\]\.vectors\[0\]\.memory$/,
      /'gup'/,
    ],
    [
      'a size that is no power of two',
      `${SWITCH.replace('16MiB', '15MiB')}${good}`,
      /:12: machine\.hostBridges.*memory$/,
      /no power of two/,
    ],
    [
      'an impossible link',
      `${SWITCH.replace('acs: [RR]', 'link: { speedGts: 8, width: 5 }')}${good}`,
      /:12: .*link\.width$/,
      /no link width/,
    ],
    [
      'an impossible speed',
      `${SWITCH.replace('acs: [RR]', 'link: { speedGts: 7, width: 4 }')}${good}`,
      /:12: .*link\.speedGts$/,
      /no PCIe speed/,
    ],
    [
      'an unknown ACS bit',
      `${SWITCH.replace('[RR]', '[XX]')}${good}`,
      /:12: .*acs/,
      /absent, clear, or a list|is none of/,
    ],
    [
      'two devices on one link',
      `${SWITCH.replace('[{ device: gpu, memory: 16MiB }]', '[{ device: a }, { device: b }]')}${good}`,
      /:12: .*below$/,
      /more than one device/,
    ],
    [
      'a name used twice',
      `${SWITCH.replace('nvme: nvme1', 'nvme: nvme0')}${good}`,
      /^test\.yaml:\d+: machine\./,
      /nvme0/,
    ],
    [
      'RAM over a BAR',
      `${SWITCH.replace('  cpu', '  ram: [{ start: 1MiB, size: 4095MiB }]\n  cpu')}${good}`,
      /:2: machine\.ram\[0\]$/,
      /overlaps BAR/,
    ],
    [
      'RAM over RAM',
      `${SWITCH.replace('  cpu', '  ram: [{ start: 1MiB, size: 2MiB }, { start: 2MiB, size: 2MiB }]\n  cpu')}${good}`,
      /:2: machine\.ram\[1\]$/,
      /overlaps the RAM/,
    ],
    [
      'a transfer past the end',
      `${SWITCH}${good.replace('memory: ram', 'memory: gpu, offset: 16MiB')}`,
      /vectors\[0\]\.offset$/,
      /end behind/,
    ],
    [
      'a fabric that contains itself',
      `machine:\n  hostBridges:\n    - rootPorts:\n        - port: rp0\n          below: &x\n            - { switch: s, ports: [{ below: *x }] }\n${good}`,
      /:6: /,
      /contains itself/,
    ],
    [
      'a device without memory',
      `${SWITCH.replace('{ nvme: nvme1, cmb: 4MiB }', '{ nvme: nvme1 }')}${good.replace('memory: ram', 'memory: nvme1')}`,
      /transfers\[0\]/,
      /has no memory/,
    ],
    ['a field that nobody knows', `${SWITCH}${good}\nspeed: 9`, /:14: speed$/, /is not a field/],
    [
      'a field of another kind of device',
      `${SWITCH.replace('{ device: gpu', '{ device: gpu, cdpmls: true')}${good}`,
      /:12: .*cdpmls$/,
      /no field of a device/,
    ],
    ['blocks cut in two', `${SWITCH}${good.replace('4KiB', '100')}`, /transfers\[0\]\.vectors$/, /not whole blocks/],
    [
      'a transfer that continues nothing',
      `${SWITCH}transfers: [{ name: a, device: nvme0, direction: toDevice, continues: b }]`,
      /continues$/,
      /not an earlier transfer/,
    ],
    [
      'neither vectors nor continues',
      `${SWITCH}transfers: [{ name: a, device: nvme0, direction: toDevice }]`,
      /transfers\[0\]/,
      /either vectors/,
    ],
    ['no transfer', `${SWITCH}transfers: []`, /transfers$/, /has no transfer/],
    [
      'a base address without a buffer',
      `${SWITCH.replace('{ nvme: nvme1, cmb: 4MiB }', '{ nvme: nvme1, cba: 0x1000 }')}${good}`,
      /:11: .*cba$/,
      /says nothing without cmb/,
    ],
    [
      'a base address between pages',
      `${SWITCH.replace('{ nvme: nvme1, cmb: 4MiB }', '{ nvme: nvme1, cmb: 4MiB, cba: 0x1004 }')}${good}`,
      /:11: .*cba$/,
      /no CMB base address/,
    ],
    [
      'a base address above all addresses',
      `${SWITCH.replace('{ nvme: nvme1, cmb: 4MiB }', '{ nvme: nvme1, cmb: 4MiB, cba: 4096TiB }')}${good}`,
      /:11: .*cba$/,
      /no CMB base address/,
    ],
    [
      'a base address that is reserved and not there',
      `${SWITCH.replace('{ nvme: nvme1, cmb: 4MiB }', '{ nvme: nvme1, cmb: 4MiB, reserveCba: false }')}${good}`,
      /:11: .*reserveCba$/,
      /says nothing without cba/,
    ],
    [
      'a base address of a device that is no controller',
      `${SWITCH.replace('{ device: gpu', '{ device: gpu, cba: 0')}${good}`,
      /:12: .*cba$/,
      /no field of a device/,
    ],
    [
      'a repetition of another outcome',
      `${SWITCH}${good.replace('vectors', 'repeatAfterUnmap: faulted, vectors')}`,
      /:13: .*repeatAfterUnmap$/,
      /none of stopped, moved/,
    ],
    [
      'a repetition that memory could not show',
      `${SWITCH}${good.replace('vectors', 'repeatAfterUnmap: stopped, vectors')}`,
      /:13: .*repeatAfterUnmap$/,
      /needs direction fromDevice/,
    ],
    [
      'a repetition of what is refused',
      `${SWITCH}${good.replace('toDevice', 'fromDevice, expect: refused, repeatAfterUnmap: stopped')}`,
      /:13: .*repeatAfterUnmap$/,
      /cannot be, where the mapping is expected to be refused/,
    ],
    [
      'a repetition after an unmap that comes first',
      `${SWITCH}${good.replace('toDevice', 'fromDevice, faults: [{ at: afterMap, unmap: true }], repeatAfterUnmap: stopped')}`,
      /:13: .*repeatAfterUnmap$/,
      /cannot be, where a fault unmaps/,
    ],
    ['broken YAML', `${SWITCH}transfers: [`, /^test\.yaml:\d+$/, /neither JSON nor YAML/],
    ['an empty file', '', /^test\.yaml:1$/, /holds nothing/],
  ];
  test.each(cases)('%s', async (_what, text, place, message) => {
    const error = await runText(text.trimStart().length === 0 ? text : text.replace(/^\n/, '')).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ScenarioError);
    const refusal = error as ScenarioError;
    expect(refusal.path).toMatch(place);
    expect(refusal.message).toMatch(message);
    expect(refusal.hint.length).toBeGreaterThan(5);
  });
});
