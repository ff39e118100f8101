/**
 * The same random machines and transfers on both engines: driver, mapping and page tables are the same code, controller and
 * IOMMU are ours on one side and QEMU's on the other. Statuses, commands, segments and every byte must be equal.
 *
 *     P2PDMA_SEEDS=100:200 npx vitest run tests/qemu/agreement     other seeds
 */

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/core/index.ts';
import { ENVELOPES, type QemuEnvelope } from '../../src/engine/qemu/index.ts';
import type { Bed } from '../contract/bed.ts';
import { BLOCK, MIB, newQemuBed, newSimBed, PAGE, pattern } from '../contract/bed.ts';
import { type Controller, Host, type Piece } from '../contract/host.ts';
import { missingQemu } from '../contract/missing-qemu.ts';
import { type RandomTree, randomTree } from './random-tree.ts';

const MISSING = missingQemu();
const [FIRST, LAST] = (process.env['P2PDMA_SEEDS'] ?? '1:12').split(':').map(Number) as [number, number];
const TRANSFERS = 20;

/** A piece of a transfer, before anybody has placed it. */
interface PlannedPiece {
  /** Name of the function, null for RAM. */
  readonly owner: string | null;
  readonly offset: number;
  readonly length: number;
}

interface PlannedTransfer {
  readonly controller: string;
  readonly kind: 'read' | 'write';
  readonly block: number;
  readonly format: 'prp' | 'sgl' | null;
  readonly pieces: readonly PlannedPiece[];
  readonly seed: number;
}

interface Plan {
  readonly random: RandomTree;
  readonly iommu: 'off' | 'on3' | 'on4' | 'lazy' | 'passthrough';
  readonly transfers: readonly PlannedTransfer[];
}

/** Chance decides everything before an engine is there. */
function planOf(seed: number): Plan {
  const prng = new Prng(seed);
  const random = randomTree(prng);
  const iommu = prng.pick(['off', 'on3', 'on4', 'lazy', 'passthrough'] as const);
  const transfers = Array.from({ length: TRANSFERS }, (_, index): PlannedTransfer => {
    const format = prng.pick(['prp', 'sgl', null] as const);
    const inPages = format === 'prp' || prng.chance(0.5);
    const count = prng.chance(0.1) ? prng.between(100, 300) : prng.between(1, 12);
    const controller = prng.pick(random.controllers);
    const pieces: PlannedPiece[] = [];
    for (let piece = 0; piece < count; piece++) {
      const owner = prng.chance(0.4) || random.memories.length === 0 ? null : prng.pick(random.memories);
      // Pages for PRPs; whole blocks at whole blocks for SGLs: the envelope.
      const unit = inPages ? PAGE : BLOCK;
      const length = unit * prng.between(1, count > 12 ? 2 : 8);
      const offset = unit * prng.below((MIB - length) / unit);
      pieces.push({ owner, offset, length });
    }
    // Now and then a step outside, which both engines' drivers must refuse alike: odd pieces into device memory.
    if (prng.chance(0.05) && random.memories.length > 0) {
      const owner = prng.pick(random.memories);
      pieces.push({ owner, offset: 0, length: 1000 }, { owner, offset: 4 * PAGE, length: 3096 });
    }
    const kind = prng.pick(['read', 'write'] as const);
    return { controller, kind, block: 8 * prng.below(1000), format, pieces, seed: seed * 1000 + index };
  });
  return { random, iommu, transfers };
}

/** What one transfer came to, in a form that compares. */
interface Result {
  readonly outcome: string;
  readonly segments: string;
  /** Hash of everything that the transfer could have touched: the pieces with a page around them, the blocks of the medium. */
  readonly bytes: string;
  /** Whether the bytes are those that were sent: the status is not believed. */
  readonly equal: boolean;
  readonly faults: number;
}

/** Pieces of one transfer in memory of one engine, none overlapping another. */
function place(host: Host, planned: PlannedTransfer): Piece[] {
  const taken: { owner: string; start: number; end: number }[] = [];
  return planned.pieces.map(({ owner, offset, length }): Piece => {
    if (owner === null) return { ...host.ramPiece(length + PAGE), length };
    let start = offset;
    // Moved on until nothing is under it: the same on both engines.
    for (let moved = true; moved; ) {
      moved = false;
      for (const other of taken) {
        if (other.owner !== owner || start + length <= other.start || start >= other.end) continue;
        start = other.end;
        moved = true;
      }
    }
    if (start + length > MIB) return { ...host.ramPiece(length + PAGE), length };
    taken.push({ owner, start, end: start + length });
    return host.piece(owner, start, length);
  });
}

async function run(bed: Bed, plan: Plan): Promise<Result[]> {
  const { iommu } = plan;
  const levels = iommu === 'off' ? undefined : iommu === 'on3' ? 3 : 4;
  const host = new Host(bed, {
    ...(levels === undefined ? {} : { levels }),
    lazy: iommu === 'lazy',
    passthrough: iommu === 'passthrough',
  });
  const controllers = new Map<string, Controller>();
  const results: Result[] = [];
  for (const planned of plan.transfers) {
    let controller = controllers.get(planned.controller);
    if (controller === undefined) {
      // Both engines get QEMU's limits, so that both are told the same commands.
      const { limits } = ENVELOPES[0] as QemuEnvelope;
      controller = await host.controller(planned.controller, { limits });
      controllers.set(planned.controller, controller);
    }
    results.push(await runOne(host, controller, planned));
  }
  return results;
}

async function runOne(host: Host, controller: Controller, planned: PlannedTransfer): Promise<Result> {
  const pieces = place(host, planned);
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const sent = pattern(length, planned.seed);
  if (planned.kind === 'read') {
    controller.put(planned.block, sent);
    for (const piece of pieces) await host.fill(piece, new Uint8Array(piece.length).fill(0xa5));
  } else {
    controller.put(planned.block, new Uint8Array(length).fill(0x5a));
    let at = 0;
    for (const piece of pieces) {
      await host.fill(piece, sent.subarray(at, at + piece.length));
      at += piece.length;
    }
  }
  const mapping = controller.map(pieces, planned.kind === 'read' ? 'fromDevice' : 'toDevice');
  const segments = controller.segmentsOf(mapping, pieces);
  const layout = mapping.segments().map((segment) => {
    return `${segment.space}:${segment.length}:${segment.firstInput}-${segment.lastInput}`;
  });
  const { kind, block, format } = planned;
  const request = { kind, namespace: 1, block, segments, ...(format === null ? {} : { format }) };
  let outcome: string;
  try {
    outcome = JSON.stringify((await controller.execute([request]))[0]);
  } catch (error) {
    outcome = (error as { code: string }).code;
  }
  controller.unmap(mapping);
  const hash = createHash('sha256');
  const received: Uint8Array[] = [];
  for (const piece of pieces) {
    received.push(await host.read(piece));
    hash.update(received[received.length - 1] as Uint8Array);
  }
  const stored = controller.stored(planned.block, length);
  hash.update(stored);
  // A block on either side of what was written on the medium.
  hash.update(controller.stored(planned.block + length / BLOCK, BLOCK));
  for (const piece of pieces) if (piece.owner === null) host.ram.free(piece.address);
  const arrived = kind === 'read' ? Buffer.concat(received) : Buffer.from(stored);
  return {
    outcome,
    segments: layout.join(' '),
    bytes: hash.digest('hex'),
    equal: arrived.equals(sent),
    faults: (await host.bed.engine.takeFaults()).length,
  };
}

describe.skipIf(MISSING !== null)(`both engines agree${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test(`seeds ${FIRST} to ${LAST}: random machines and mixed transfers, every status, segment and byte`, async () => {
    const counts = { transfers: 0, right: 0, refused: 0, split: 0, peers: 0 };
    for (let seed = FIRST; seed <= LAST; seed++) {
      const plan = planOf(seed);
      const levels = plan.iommu === 'off' ? {} : { iommuLevels: plan.iommu === 'on3' ? (3 as const) : (4 as const) };
      const answers: Result[][] = [];
      for (const newBed of [newSimBed, newQemuBed]) {
        const bed = await newBed({ tree: plan.random.tree, ...levels });
        try {
          answers.push(await run(bed, plan));
        } finally {
          await bed.engine.close();
        }
      }
      const [sim, qemu] = answers as [Result[], Result[]];
      qemu.forEach((result, index) => {
        const told = plan.transfers[index] as PlannedTransfer;
        expect(result, `seed ${seed}, iommu ${plan.iommu}, transfer ${index}: ${JSON.stringify(told)}`).toEqual(
          sim[index],
        );
        counts.transfers++;
        if (result.equal) counts.right++;
        if (!result.outcome.startsWith('{')) counts.refused++;
        else if (JSON.parse(result.outcome).commands > 1) counts.split++;
        if (told.pieces.some(({ owner }) => owner !== null)) counts.peers++;
        // Whatever was not refused arrived.
        expect(result.equal, `seed ${seed}, transfer ${index}`).toBe(result.outcome.startsWith('{'));
      });
    }
    console.log(`seeds ${FIRST} to ${LAST}: ${JSON.stringify(counts)}`);
    expect(counts.transfers).toBe((LAST - FIRST + 1) * TRANSFERS);
    expect(counts.right).toBeGreaterThan(counts.transfers * 0.8);
    expect(counts.peers).toBeGreaterThan(counts.transfers / 2);
  }, 110_000);
});
