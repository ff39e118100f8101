/**
 * Commands a second of the NVMe driver over the simulator: driver, fabric and controller of a machine with a switch, each command
 * through doorbell, queue fetch, data and completion. Each figure is the best of seven rounds, beside a plain copy of the same
 * bytes.
 *
 *   npm run bench -- nvme
 */

import { type DmaAddr, physAddr } from 'p2pdma/core';
import { busAddrInBar } from 'p2pdma/dma';
import { SimEngine } from 'p2pdma/engine/sim';
import { prepare } from 'p2pdma/fabric';
import type { Machine } from 'p2pdma/machine';
import { DataSegments, type DmaBuffer, type IoRequest, NvmeDriver } from 'p2pdma/nvme/driver';
import { buildTree, type PciFunction } from 'p2pdma/pcie';
import { Bounds, platformLine, printTable } from './harness.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const ROUNDS = 7;
const CLASS_NVME = 0x010802;
/** Where data lies; queues come before it. */
const DATA = 64 * MIB;
const SPAN = 16 * MIB;

const { engine, fn } = switchWithTwoControllers();
let nextPage = MIB;
const driver = new NvmeDriver({
  engine,
  fn: {
    name: fn.name,
    registers: physAddr(fn.bars[0]?.cpuAddress ?? 0),
    busAddress: (bar) => fn.bars.find((one) => one.index === bar)?.busAddress ?? null,
    resolveOwnBar: (address, length) => busAddrInBar(fn, address, length),
  },
  memory: {
    allocate: (lengthBytes): DmaBuffer => {
      const phys = physAddr(nextPage);
      nextPage += Math.ceil(lengthBytes / 4096) * 4096;
      return { phys, dma: phys as number as DmaAddr, lengthBytes };
    },
    free: () => {},
  },
});
const up = await driver.bringUp();
if (up.kind !== 'up') throw new Error(up.kind);

console.log(platformLine());
const bounds = new Bounds();
const rows: string[][] = [['NVMe over the simulator', 'commands/s', 'MiB/s', 'of a copy', '']];
await measure({
  title: '4 KiB reads into RAM, depth 16',
  depth: 16,
  length: 4 * KIB,
  count: 20_000,
  kind: 'read',
  where: 'ram',
  least: 100_000,
});
await measure({
  title: '4 KiB writes from RAM, depth 16',
  depth: 16,
  length: 4 * KIB,
  count: 20_000,
  kind: 'write',
  where: 'ram',
  least: 100_000,
});
await measure({
  title: '4 KiB reads into a peer, depth 16',
  depth: 16,
  length: 4 * KIB,
  count: 20_000,
  kind: 'read',
  where: 'peer',
});
await measure({
  title: '4 KiB reads into own memory, depth 16',
  depth: 16,
  length: 4 * KIB,
  count: 20_000,
  kind: 'read',
  where: 'own',
});
await measure({
  title: '4 KiB reads into RAM, depth 1',
  depth: 1,
  length: 4 * KIB,
  count: 10_000,
  kind: 'read',
  where: 'ram',
});
await measure({
  title: '1 MiB reads into RAM, depth 4',
  depth: 4,
  length: MIB,
  count: 200,
  kind: 'read',
  where: 'ram',
});
printTable(rows);
bounds.end();

interface Case {
  readonly title: string;
  readonly depth: number;
  readonly length: number;
  readonly count: number;
  readonly kind: 'read' | 'write';
  readonly where: 'ram' | 'peer' | 'own';
  /** Commands a second that must be reached. */
  readonly least?: number;
}

async function measure({ title, depth, length, count, kind, where, least }: Case): Promise<void> {
  const made = await driver.createIoQueue(1, { depth });
  if (made.kind !== 'made') throw new Error(made.kind);
  const lanes = SPAN / length;
  const requests = Array.from({ length: count }, (_, index): IoRequest => {
    const offset = (index % lanes) * length;
    const segments = new DataSegments();
    if (where === 'ram') segments.addDma((DATA + offset) as DmaAddr, length);
    else if (where === 'own') segments.addBar(2, offset, length);
    else segments.addBus((peerBus() + offset) as never, length);
    return { kind, namespace: 1, block: offset / 512, segments };
  });
  let bestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const outcomes = await made.queue.execute(requests);
    bestMs = Math.min(bestMs, performance.now() - start);
    if (outcomes.some((outcome) => outcome.status !== 0 || outcome.kind !== 'completed'))
      throw new Error('a command failed');
  }
  await driver.deleteIoQueue(made.queue);
  const perSecond = Math.round(count / (bestMs / 1000));
  const rate = (count * length) / MIB / (bestMs / 1000);
  const share = (100 * plainCopyMs(length, count)) / bestMs;
  const verdict = least === undefined ? '' : bounds.checkLeast(perSecond, least);
  rows.push([title, perSecond.toLocaleString('en'), rate.toFixed(0), `${share.toFixed(0)} %`, verdict]);
}

/** The same bytes, copied from one array to another. */
function plainCopyMs(length: number, count: number): number {
  const source = Buffer.alloc(SPAN, 1);
  const target = Buffer.alloc(SPAN);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let index = 0; index < count; index++) {
      const offset = (index % (SPAN / length)) * length;
      source.copy(target, offset, offset, offset + length);
    }
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Bus address of the other controller's buffer. */
function peerBus(): number {
  const peer = engine.machine.hierarchy.functions.find((one) => one.classCode === fn.classCode && one !== fn);
  return peer?.bars.find((bar) => bar.index === 2)?.busAddress ?? 0;
}

function switchWithTwoControllers(): { engine: SimEngine; fn: PciFunction } {
  const controller = (name: string) =>
    ({
      kind: 'endpoint',
      functions: [
        {
          name,
          classCode: CLASS_NVME,
          bars: [
            { index: 0, size: 16 * KIB },
            { index: 2, size: SPAN, prefetchable: true },
          ],
        },
      ],
    }) as const;
  const tree = buildTree({
    rootBuses: [
      {
        children: [
          {
            kind: 'rootPort',
            below: [{ kind: 'switch', ports: [{ below: [controller('a')] }, { below: [controller('b')] }] }],
          },
        ],
      },
    ],
  });
  const machine: Machine = {
    source: 'bench',
    hierarchy: tree.hierarchy,
    ram: [{ start: 0, end: 256 * MIB }],
    iomem: [],
    cpu: null,
    kernel: null,
    cmdline: null,
    iommuGroupTypes: new Map(),
    notes: [],
  };
  const made = new SimEngine({ machine });
  prepare(
    made.fabric,
    machine.hierarchy.functions.map((_, index) => index),
  );
  const bdf = tree.names.get('a');
  const first = bdf === undefined ? undefined : machine.hierarchy.at(bdf);
  if (first === undefined) throw new Error('the machine has it');
  return { engine: made, fn: first };
}
