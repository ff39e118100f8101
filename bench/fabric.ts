/**
 * What the fabric costs: transfers of 1 MiB in bulk beside a plain `Buffer.copy` of the same bytes, TLPs one by one, and routing
 * per hop in a small and in a large machine.
 *
 *   npx tsc -b && npx tsc -b bench && node dist/bench/fabric.js
 *
 * Each figure is the best of 25 short rounds. What is beside a copy alternates with it, round by round, so that both see the
 * same machine.
 */

import { cpus } from 'node:os';
import type { Iova, PhysAddr } from 'p2pdma/core';
import { DmaEngine, Fabric, IommuPort, Trace } from 'p2pdma/fabric';
import { IommuDomain, IovaAllocator } from 'p2pdma/iommu';
import { bdfKey, buildTree, type TreeDescription } from 'p2pdma/pcie';
import { hopCosts } from './fabric-hops.ts';

const MIB = 1024 * 1024;
const ROUNDS = 25;
/** Transfers a round: about a millisecond, so that some rounds meet a quiet machine. */
const RUNS = 20;
const BAR = [{ size: 16 * MIB, prefetchable: true }];

/** Below one root port, a switch: a and b; below another root port, c. */
const SWITCH: TreeDescription = {
  rootBuses: [
    {
      children: [
        {
          kind: 'rootPort',
          below: [
            {
              kind: 'switch',
              ports: [
                { below: [{ kind: 'endpoint', name: 'a', functions: [{ bars: BAR }] }] },
                { below: [{ kind: 'endpoint', name: 'b', functions: [{ bars: BAR }] }] },
              ],
            },
          ],
        },
        { kind: 'rootPort', below: [{ kind: 'endpoint', name: 'c', functions: [{ bars: BAR }] }] },
      ],
    },
  ],
};

console.log(`node ${process.version}, ${cpus()[0]?.model}, ${cpus().length} cores`);
bulk();
oneByOne();
hopCosts();

function bulk(): void {
  const { fabric, index, bus } = machine(SWITCH, true);
  const a = index('a');
  const source = Buffer.alloc(MIB, 7);
  const target = Buffer.alloc(MIB);
  const engine = new DmaEngine(fabric, a);
  const peer = { address: bus('b') as never };
  const copy = (): void => {
    source.copy(target);
  };
  console.log('\n1 MiB at once, nobody watching');
  beside('write to a peer through the switch', copy, () => fabric.memoryWrite(a, bus('b'), source), true);
  beside('read from a peer through the switch', copy, () => fabric.memoryRead(a, bus('b'), target), true);
  beside('DMA engine, own BAR to peer', copy, () =>
    engine.run({ source: { bar: 0, offset: 0 }, target: peer, length: MIB }),
  );
  beside('write to RAM', copy, () => fabric.memoryWrite(a, 16 * MIB, source));
  beside('write through the root complex to a peer', copy, () => fabric.memoryWrite(a, bus('c'), source));
  const iommu = fabric.iommu as IommuPort;
  const domain = new IommuDomain({ allocator: new IovaAllocator() });
  domain.map(0x1000_0000 as Iova, (16 * MIB) as PhysAddr, MIB, { read: true, write: true, mmio: false });
  iommu.attach(bdfKey(fabric.function(a).fn.bdf), domain);
  beside('write to RAM behind the IOMMU, page by page', copy, () => fabric.memoryWrite(a, 0x1000_0000, source));
}

/** Bandwidth of `action` beside a copy of the same 1 MiB. */
function beside(title: string, copy: () => void, action: () => unknown, isTarget = false): void {
  let ours = Number.POSITIVE_INFINITY;
  let plain = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    ours = Math.min(ours, timed(RUNS, action));
    plain = Math.min(plain, timed(RUNS, copy));
  }
  const share = (100 * plain) / ours;
  const rate = (ms: number): string => ((RUNS * MIB) / 1e6 / ms).toFixed(1);
  const verdict = isTarget ? (share >= 25 ? '  (target 25 %: met)' : '  (target 25 %: MISSED)') : '';
  console.log(`  ${title}: ${rate(ours)} GB/s, copy ${rate(plain)} GB/s: ${share.toFixed(0)} %${verdict}`);
}

function oneByOne(): void {
  const { fabric, index, bus } = machine(SWITCH, false);
  const a = index('a');
  const bytes = new Uint8Array(MIB).fill(7);
  const tlps = MIB / 256;
  console.log('\nTLP by TLP, payloads of 256 bytes');
  fabric.tlpByTlp = true;
  rate('writes to a peer through the switch', tlps, () => fabric.memoryWrite(a, bus('b'), bytes), true);
  rate('writes to a peer through the root complex', tlps, () => fabric.memoryWrite(a, bus('c'), bytes));
  // 512 bytes a request, two completions each.
  rate('reads from a peer, requests and completions', tlps / 2 + tlps, () => fabric.memoryRead(a, bus('b'), bytes));
  const trace = new Trace(0);
  const stop = fabric.watch(trace.record);
  rate('writes to a peer, watched', tlps, () => fabric.memoryWrite(a, bus('b'), bytes));
  stop();
}

function rate(title: string, tlps: number, action: () => void, isTarget = false): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, timed(5, action));
  const perSecond = (5 * tlps * 1000) / best;
  const verdict = isTarget ? (perSecond >= 1e6 ? '  (target 1,000,000: met)' : '  (target 1,000,000: MISSED)') : '';
  console.log(`  ${title}: ${Math.round(perSecond).toLocaleString('en')} TLPs/s${verdict}`);
}

function machine(description: TreeDescription, withIommu: boolean) {
  const { hierarchy, names } = buildTree(description);
  const iommu = withIommu ? new IommuPort({ otherwise: 'passthrough' }) : null;
  const fabric = new Fabric({ hierarchy, ram: [{ start: 0, end: 2 ** 30 }], iommu });
  const index = (name: string): number => hierarchy.indexOf(names.get(name) as never);
  const bus = (name: string): number => fabric.function(index(name)).bars[0]?.start as number;
  return { fabric, index, bus };
}

/** Milliseconds of `count` runs. */
function timed(count: number, action: () => void): number {
  const start = performance.now();
  for (let run = 0; run < count; run++) action();
  return performance.now() - start;
}
