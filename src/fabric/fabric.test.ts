import { expect, test } from 'vitest';
import { busAddr, dmaAddr } from '../core/address.ts';
import { buildTree } from '../pcie/build-tree.ts';
import type { AcsDescription } from '../pcie/describe.ts';
import { DmaEngine } from './dma-engine.ts';
import { Fabric } from './fabric.ts';
import type { Hop } from './hop.ts';

function switchWithTwoEndpoints(options: { acs?: AcsDescription } = {}) {
  const acs = options.acs ?? 'clear';
  const tree = buildTree({
    rootBuses: [
      {
        children: [
          {
            kind: 'rootPort',
            name: 'rp',
            below: [
              {
                kind: 'switch',
                name: 'usp',
                ports: [
                  {
                    name: 'dspA',
                    acs,
                    below: [
                      { kind: 'endpoint', name: 'a', functions: [{ bars: [{ size: 2 ** 22, prefetchable: true }] }] },
                    ],
                  },
                  {
                    name: 'dspB',
                    acs,
                    below: [{ kind: 'endpoint', name: 'b', functions: [{ bars: [{ size: 2 ** 22 }] }] }],
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  });
  const fabric = new Fabric({ hierarchy: tree.hierarchy, ram: [{ start: 0, end: 2 ** 30 }] });
  const index = (name: string): number => tree.hierarchy.indexOf(tree.names.get(name) as never);
  const busOf = (name: string): number => fabric.function(index(name)).bars[0]?.start as number;
  return { tree, fabric, index, busOf };
}

test('E4: below one switch with ACS clear a write turns round in the switch and lands in the peer', () => {
  const { fabric, index, busOf } = switchWithTwoEndpoints();
  const hops: Hop[] = [];
  const stop = fabric.watch((hop) => hops.push(hop));
  const answer = fabric.memoryWrite(index('a'), busOf('b') + 5, Uint8Array.of(1, 2, 3));
  stop();
  expect(answer).toMatchObject({ status: 'posted', fate: 'delivered' });
  expect(hops.map((hop) => [hop.at, hop.action])).toEqual([
    [index('a'), 'issue'],
    [index('dspA'), 'peer'],
    [index('dspB'), 'downstream'],
    [index('b'), 'accept'],
  ]);
  const back = new Uint8Array(5);
  expect(fabric.memoryRead(index('a'), busOf('b') + 4, back)).toMatchObject({ status: 'SC' });
  expect([...back]).toEqual([0, 1, 2, 3, 0]);
  expect(fabric.counters.requestsAtRootComplex).toBe(0);
});

test('a DMA engine moves from RAM into a peer, and inside its own BAR without any TLP', () => {
  const { fabric, index, busOf } = switchWithTwoEndpoints();
  const pattern = Uint8Array.from({ length: 10000 }, (_, at) => at % 251);
  fabric.ram.write(0x1234, pattern);
  const engine = new DmaEngine(fabric, index('a'));
  const target = { address: dmaAddr(busAddr(busOf('b') + 77)) };
  expect(engine.run({ source: { address: dmaAddr(busAddr(0x1234)) }, target, length: 10000 }).ok).toBe(true);
  const landed = new Uint8Array(10000);
  fabric.barMemory(index('b'), 0).read(77, landed);
  expect(landed).toEqual(pattern);
  const { memoryWrites, memoryReads } = fabric.counters;
  fabric.barMemory(index('a'), 0).write(0, pattern);
  expect(engine.run({ source: { bar: 0, offset: 0 }, target: { bar: 0, offset: 20000 }, length: 10000 }).ok).toBe(true);
  expect(fabric.counters).toMatchObject({ memoryWrites, memoryReads });
});
