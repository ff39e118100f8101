/**
 * Both engines side by side under the same driver: time from nothing to the first finished command, and commands a second. QEMU's
 * figures say how fast this program can drive QEMU; they say nothing of how fast peer-to-peer transfers are.
 *
 *   npx tsc -b && npx tsc -b bench && node dist/bench/qemu.js
 */

import type { DmaAddr, PhysAddr } from 'p2pdma/core';
import { busAddrInBar } from 'p2pdma/dma';
import type { RegisterEngine } from 'p2pdma/engine';
import { QemuEngine, type QemuMachineDescription, rebuildMachine } from 'p2pdma/engine/qemu';
import { SimEngine } from 'p2pdma/engine/sim';
import { type Machine, RamAllocator } from 'p2pdma/machine';
import { DataSegments, type DmaMemory, type IoQueue, type IoRequest, NvmeDriver } from 'p2pdma/nvme/driver';
import { type BarDescription, buildTree, type PciFunction } from 'p2pdma/pcie';
import { Bounds, platformLine, printTable } from './harness.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const STARTS = 15;
const BLOCK = 512;

const bars = (bytes: number): BarDescription[] => [
  { index: 0, size: 16 * KIB },
  { index: 2, size: bytes, prefetchable: true },
];
const { hierarchy, names } = buildTree({
  rootBuses: [
    {
      children: [
        {
          kind: 'rootPort',
          below: [
            {
              kind: 'switch',
              ports: [
                {
                  below: [{ kind: 'endpoint', name: 'a', functions: [{ classCode: 0x010802, bars: bars(16 * MIB) }] }],
                },
                {
                  below: [{ kind: 'endpoint', name: 'b', functions: [{ classCode: 0x010802, bars: bars(16 * MIB) }] }],
                },
                {
                  below: [{ kind: 'endpoint', name: 'm', functions: [{ classCode: 0x050000, bars: bars(16 * MIB) }] }],
                },
              ],
            },
          ],
        },
      ],
    },
  ],
});
const described: Machine = {
  source: 'bench',
  hierarchy,
  ram: [{ start: MIB, end: 96 * MIB }],
  iomem: [],
  cpu: null,
  kernel: null,
  cmdline: null,
  iommuGroupTypes: new Map(),
  notes: [],
};

/** An engine with its machine and the functions that the bench uses. */
interface Running {
  readonly engine: RegisterEngine;
  readonly machine: Machine;
  readonly fn: (name: string) => PciFunction;
  readonly limits: object;
}

function named(name: string): PciFunction {
  const bdf = names.get(name);
  const fn = bdf === undefined ? undefined : hierarchy.at(bdf);
  if (fn === undefined) throw new Error(`${name} is not in the tree`);
  return fn;
}

const ENGINES: Readonly<Record<'sim' | 'qemu', () => Promise<Running>>> = {
  sim: async () => ({ engine: new SimEngine({ machine: described }), machine: described, fn: named, limits: {} }),
  qemu: async () => {
    const description: QemuMachineDescription = rebuildMachine(described, { iommuLevels: null }).description;
    const engine = await QemuEngine.start({ machine: description });
    const machine = await engine.machine();
    const fn = (name: string): PciFunction => machine.hierarchy.at(engine.locate(named(name).name)) ?? named(name);
    return { engine, machine, fn, limits: engine.envelope.limits };
  },
};

/** Brings controller `a` up. */
async function controller({
  engine,
  machine,
  fn,
  limits,
}: Running): Promise<{ driver: NvmeDriver; ram: RamAllocator }> {
  const ram = new RamAllocator(machine.ram);
  const memory: DmaMemory = {
    allocate: (lengthBytes) => {
      const phys = ram.kmalloc(lengthBytes) as PhysAddr;
      return { phys, dma: phys as number as DmaAddr, lengthBytes };
    },
    free: ({ phys }) => ram.free(phys),
  };
  const a = fn('a');
  const driver = new NvmeDriver({
    engine,
    fn: {
      name: a.name,
      registers: a.bars.find(({ index }) => index === 0)?.cpuAddress as PhysAddr,
      busAddress: (bar) => a.bars.find(({ index }) => index === bar)?.busAddress ?? null,
      resolveOwnBar: (address, length) => busAddrInBar(a, address, length),
    },
    memory,
    limits,
  });
  const up = await driver.bringUp();
  if (up.kind !== 'up') throw new Error(up.kind);
  return { driver, ram };
}

async function queueOf(driver: NvmeDriver, depth: number): Promise<IoQueue> {
  const made = await driver.createIoQueue(1, { depth });
  if (made.kind !== 'made') throw new Error(made.kind);
  return made.queue;
}

/** Milliseconds from nothing to the first finished command, the median. */
async function startMs(kind: keyof typeof ENGINES): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < STARTS; round++) {
    const start = performance.now();
    const running = await ENGINES[kind]();
    const { driver, ram } = await controller(running);
    const queue = await queueOf(driver, 1);
    const segments = DataSegments.of([
      { kind: 'dma', address: (ram.kmalloc(4096) ?? 0) as number as DmaAddr, length: 4096 },
    ]);
    await queue.execute([{ kind: 'read', namespace: 1, block: 0, segments }]);
    taken.push(performance.now() - start);
    await running.engine.close();
  }
  return taken.sort((x, y) => x - y)[Math.floor(STARTS / 2)] as number;
}

type Target = 'RAM' | 'peer CMB' | 'device memory' | 'own CMB';

/** Commands a second: the best of three. */
async function commandsPerSecond(
  running: Running,
  driver: NvmeDriver,
  ram: RamAllocator,
  target: Target,
  depth: number,
  count: number,
): Promise<number> {
  const queue = await queueOf(driver, depth);
  const lanes = 256;
  const base = target === 'RAM' ? (ram.kmalloc(lanes * 4096) as number) : baseOf(running, target);
  const requests = Array.from({ length: count }, (_, index): IoRequest => {
    const address = base + (index % lanes) * 4096;
    const segments = DataSegments.of([
      target === 'RAM'
        ? { kind: 'dma', address: address as DmaAddr, length: 4096 }
        : { kind: 'bus', address: address as never, length: 4096 },
    ]);
    return { kind: 'read', namespace: 1, block: (index % lanes) * (4096 / BLOCK), segments };
  });
  let best = 0;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    const outcomes = await queue.execute(requests);
    best = Math.max(best, count / ((performance.now() - start) / 1000));
    if (outcomes.some(({ kind, status }) => kind !== 'completed' || status !== 0)) throw new Error('a command failed');
  }
  await driver.deleteIoQueue(queue);
  return best;
}

function baseOf({ fn }: Running, target: Exclude<Target, 'RAM'>): number {
  const name = target === 'own CMB' ? 'a' : target === 'peer CMB' ? 'b' : 'm';
  return fn(name).bars.find(({ index }) => index === 2)?.busAddress as number;
}

console.log(platformLine());
const bounds = new Bounds();
const startRows = [['start to first command', `median of ${STARTS}`]];
for (const kind of ['sim', 'qemu'] as const) {
  const ms = await startMs(kind);
  startRows.push([kind, `${ms.toFixed(1)} ms`]);
  if (kind === 'qemu') startRows.push(['', bounds.check(Math.round(ms), 500)]);
}
printTable(startRows);
console.log('');

const rows: string[][] = [['4 KiB reads, commands/s', 'sim depth 1', 'sim depth 16', 'qemu depth 1', 'qemu depth 16']];
const cells = new Map<Target, string[]>();
for (const kind of ['sim', 'qemu'] as const) {
  const running = await ENGINES[kind]();
  const { driver, ram } = await controller(running);
  for (const target of ['RAM', 'peer CMB', 'device memory', 'own CMB'] as const) {
    for (const depth of [1, 16]) {
      const count = kind === 'sim' ? 4000 : 1500;
      const rate = await commandsPerSecond(running, driver, ram, target, depth, count);
      cells.set(target, [...(cells.get(target) ?? []), Math.round(rate).toLocaleString('en')]);
    }
  }
  await running.engine.close();
}
for (const [target, figures] of cells) rows.push([`into ${target}`, ...figures]);
printTable(rows);
bounds.end();
