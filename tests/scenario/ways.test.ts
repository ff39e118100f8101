/** The ways of a transfer, and the part of the tree that a drawing of them shows. */

import { expect, test } from 'vitest';
import type { TransferReport } from '../../src/scenario/report.ts';
import { readScenario, runScenario, scenarioMachine } from '../../src/scenario/run-scenario.ts';
import { SimHost } from '../../src/scenario/sim-host.ts';

const MACHINE = `
machine:
  cpu: AuthenticAMD:25
  hostBridges:
    - rootPorts:
        - port: rp0
          below:
            - switch: sw0
              ports:
                - { port: dn0, acs: clear, below: [{ nvme: disk, cmb: 4MiB, cdpmls: true }] }
                - { port: dn1, acs: clear, below: [{ device: near, memory: 16MiB }] }
        - { port: rp1, below: [{ device: far, memory: 16MiB }] }
`;

async function run(iommu: string, vectors: string): Promise<TransferReport> {
  const text = `${MACHINE}iommu: ${iommu}\ntransfers:\n  - { name: it, device: disk, direction: fromDevice, vectors: ${vectors} }\n`;
  const read = readScenario(text, 'it.yaml');
  const named = await scenarioMachine(read, () => Promise.reject(new Error('described')));
  const { machine, controllers } = named;
  const host = new SimHost({ machine, controllers, scenario: read.scenario, iommu: iommu === 'on' });
  const report = await runScenario({ read, named, host });
  return report.transfers[0] as TransferReport;
}

const UP = ['disk', 'dn0', 'sw0', 'rp0', 'root complex'];

test('one IOVA segment over RAM and a peer has a way for each, by vector', async () => {
  const { segments } = await run(
    'on',
    '[{ memory: ram, length: 4KiB }, { memory: far, length: 4KiB }, { memory: ram, length: 512 }, { memory: far, length: 4KiB }]',
  );
  const ways = segments.flatMap((segment) => segment.ways);
  const to = (end: string): number[] =>
    ways.filter(({ places }) => places.at(-1) === end).flatMap(({ inputs }) => inputs);
  expect(to('root complex')).toEqual([0, 2]);
  expect(to('far')).toEqual([1, 3]);
  expect(ways.every(({ stopped }) => !stopped)).toBe(true);
  expect(ways.find(({ inputs }) => inputs.includes(1))?.places).toEqual([...UP, 'rp1', 'far']);
});

test('a way inside a switch shows the switch, and nothing above it', async () => {
  const { segments, tree } = await run('off', '[{ memory: near, length: 64KiB }]');
  expect(segments.map(({ ways }) => ways)).toEqual([
    [{ inputs: [0], places: ['disk', 'dn0', 'dn1', 'near'], stopped: false }],
  ]);
  expect(tree).toEqual([
    { name: 'sw0', depth: 0 },
    { name: 'dn0', depth: 1 },
    { name: 'disk', depth: 2 },
    { name: 'dn1', depth: 1 },
    { name: 'near', depth: 2 },
  ]);
});

test('own memory has no way, and the tree shows what the other vectors touch', async () => {
  const { segments, tree } = await run('off', '[{ memory: self, length: 4KiB }, { memory: ram, length: 4KiB }]');
  expect(segments.map(({ ways }) => ways.map(({ places }) => places))).toEqual([[], [UP]]);
  expect(tree.map(({ name, depth }) => `${depth} ${name}`)).toEqual([
    '0 root complex',
    '1 rp0',
    '2 sw0',
    '3 dn0',
    '4 disk',
  ]);
});
