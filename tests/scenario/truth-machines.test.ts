/**
 * The machines of tests/truth as scenario files: prepared as drivers would, with a root complex that forwards. Every pair that the
 * kernel mapped by bus address or through the host bridge moves its bytes, both ways, by the road that the kernel chose.
 */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import type { TransferReport } from '../../src/scenario/report.ts';
import { readScenario, runScenario, scenarioMachine } from '../../src/scenario/run-scenario.ts';
import { SimHost } from '../../src/scenario/sim-host.ts';
import { readTruth, type TruthCase, truthType } from '../kernel/truth.ts';

const TRUTH = new URL('../truth/', import.meta.url);
const cases = await readTruth();

interface Wanted {
  readonly name: string;
  readonly case: 'b1' | 'b2' | 'c';
  readonly lines: string;
}

/** A transfer for each pair and direction that the kernel supports, among those whose client it mapped for. */
function transfersOf({ truth }: TruthCase): Wanted[] {
  const clients = new Set(truth.mappings.map(({ c }) => c));
  return truth.distance.flatMap((pair) => {
    const { p, c } = pair;
    const type = truthType(truth, pair);
    if (type === 'notSupported' || !clients.has(c) || !truth.providers.some(({ bdf }) => bdf === p)) return [];
    const road = type === 'thruHostBridge' ? 'b1' : p === c ? 'c' : 'b2';
    return ['toDevice', 'fromDevice'].map((direction): Wanted => {
      const name = `${c} ${direction} ${p}`;
      const vector = `{ memory: "${p}", length: 16KiB }`;
      const lines = `  - { name: "${name}", device: "${c}", direction: ${direction}, vectors: [${vector}] }`;
      return { name, case: road, lines };
    });
  });
}

async function run(item: TruthCase, wanted: readonly Wanted[], more: readonly string[]): Promise<TransferReport[]> {
  const { name } = item.truth;
  const text = [
    `machine: ${name}.tar.gz`,
    'prepare: true',
    'rootComplex: forward',
    ...more,
    'transfers:',
    ...wanted.map(({ lines }) => lines),
  ].join('\n');
  const read = readScenario(text, `${name}.yaml`);
  const named = await scenarioMachine(read, (file) => readMachine(readFileSync(new URL(file, TRUTH)), file));
  const host = new SimHost({
    machine: named.machine,
    controllers: named.controllers,
    scenario: read.scenario,
    iommu: true,
  });
  const report = await runScenario({ read, named, host });
  return [...report.transfers];
}

test('every pair that the kernel supports moves its bytes in a scenario with prepare and a root complex that forwards', async () => {
  const counts = { b1: 0, b2: 0, c: 0 };
  const wrong: string[] = [];
  let bytes = 0;
  for (const item of cases) {
    const wanted = transfersOf(item);
    if (wanted.length === 0) continue;
    const reports = await run(item, wanted, []);
    for (const [index, report] of reports.entries()) {
      const { name, case: road } = wanted[index] as Wanted;
      const taken = report.vectors[0]?.case;
      counts[road]++;
      bytes += report.bytesEqual;
      if (taken !== road || report.bytesEqual !== 16384 || report.errors.length > 0) {
        wrong.push(
          `${item.truth.name} ${name}: ${taken}, ${report.bytesEqual} bytes equal, ${report.errors.join('; ')}`,
        );
      }
    }
  }
  console.log(`${cases.length} machines, ${bytes} bytes: ${JSON.stringify(counts)} transfers`);
  expect(wrong).toEqual([]);
  expect(Math.min(counts.b1, counts.b2, counts.c)).toBeGreaterThan(0);
}, 120_000);

test('without a way inside the device, functions of one device do not reach each other by bus address', async () => {
  const item = cases.find(({ truth }) => truth.name === 'zen-multifn') as TruthCase;
  const device = (name: string): string => name.slice(0, name.lastIndexOf('.'));
  const siblings = transfersOf(item).filter(({ name, case: road }) => {
    const [client, , provider] = name.split(' ') as [string, string, string];
    return road === 'b2' && device(client) === device(provider);
  });
  expect(siblings.length).toBeGreaterThan(0);
  const dead = await run(item, siblings, ['internalPeerRoute: false']);
  for (const { bytesEqual, segments } of dead) {
    expect(bytesEqual).toBe(0);
    expect(segments.map(({ fate }) => fate)).toEqual(segments.map(() => expect.stringMatching(/^unsupportedRequest/)));
  }
  const reflected = await run(item, siblings, ['internalPeerRoute: false', 'samePort: reflect']);
  expect(reflected.map(({ bytesEqual }) => bytesEqual)).toEqual(siblings.map(() => 16384));
});

test('a word for samePort that is none is refused with its line', () => {
  expect(() => readScenario('machine: m\nsamePort: sideways\ntransfers: []\n', 'it.yaml')).toThrow(
    expect.objectContaining({ path: 'it.yaml:2: samePort', message: expect.stringContaining('upstream') }),
  );
});
