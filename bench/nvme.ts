/**
 * Commands a second of the NVMe driver against the simulated controller over the flat test machine: what driver and device cost
 * by themselves, before a fabric routes anything. Each figure is the best of five rounds, beside a plain copy of the same bytes.
 *
 *   npx rolldown bench/nvme.ts --platform node --format esm --file nvme-bench.tmp.mjs && node nvme-bench.tmp.mjs
 */

import { cpus } from 'node:os';
import type { DmaAddr } from '../src/core/index.ts';
import type { IoRequest } from '../src/nvme/driver/index.ts';
import { DataSegments, NvmeDriver } from '../src/nvme/driver/index.ts';
import { DATA, FlatEngine } from '../tests/nvme/flat-engine.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const ROUNDS = 5;

const engine = new FlatEngine();
engine.notes = false;
const { fn } = engine.add({ cmb: { sizeBytes: 16 * MIB } });
const driver = new NvmeDriver({ engine, memory: engine, fn });
const up = await driver.bringUp();
if (up.kind !== 'up') throw new Error(up.kind);

console.log(`node ${process.version}, ${cpus()[0]?.model}, ${cpus().length} cores`);
await measure('4 KiB reads into RAM, queue depth 16', 16, 4 * KIB, 100_000, 'read', 'ram');
await measure('4 KiB writes from RAM, queue depth 16', 16, 4 * KIB, 100_000, 'write', 'ram');
await measure('4 KiB reads into RAM, queue depth 1', 1, 4 * KIB, 50_000, 'read', 'ram');
await measure('4 KiB reads into own buffer, queue depth 16', 16, 4 * KIB, 100_000, 'read', 'own');
await measure('1 MiB reads into RAM, queue depth 4', 4, MIB, 400, 'read', 'ram');

async function measure(
  title: string,
  depth: number,
  length: number,
  count: number,
  kind: 'read' | 'write',
  where: 'ram' | 'own',
): Promise<void> {
  const made = await driver.createIoQueue(1, { depth });
  if (made.kind !== 'made') throw new Error(made.kind);
  const { queue } = made;
  const lanes = (16 * MIB) / length;
  const requests = Array.from({ length: count }, (_, index): IoRequest => {
    const offset = (index % lanes) * length;
    const segments = new DataSegments();
    if (where === 'ram') segments.addDma((DATA + offset) as DmaAddr, length);
    else segments.addBar(2, offset, length);
    return { kind, namespace: 1, block: offset / 512, segments };
  });
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const outcomes = await queue.execute(requests);
    best = Math.min(best, performance.now() - start);
    if (outcomes.some(({ status, kind: end }) => status !== 0 || end !== 'completed'))
      throw new Error('a command failed');
  }
  await driver.deleteIoQueue(queue);
  const copied = plainCopyMs(length, count);
  const perSecond = Math.round(count / (best / 1000)).toLocaleString('en');
  const rate = ((count * length) / MIB / (best / 1000)).toFixed(0);
  const copyRate = ((count * length) / MIB / (copied / 1000)).toFixed(0);
  console.log(`${title}: ${perSecond} commands/s, ${rate} MiB/s (plain copy: ${copyRate} MiB/s)`);
}

/** The same bytes, copied from one array to another. */
function plainCopyMs(length: number, count: number): number {
  const source = Buffer.alloc(16 * MIB, 1);
  const target = Buffer.alloc(16 * MIB);
  const lanes = (16 * MIB) / length;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let index = 0; index < count; index++) {
      const offset = (index % lanes) * length;
      source.copy(target, offset, offset, offset + length);
    }
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
