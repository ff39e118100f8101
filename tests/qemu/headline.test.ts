/**
 * The mail's idea on a controller that others wrote: RAM pages and a peer's memory folded into one IOVA, moved by one SGL
 * descriptor. And the trap beside it: case (c) recognised by address may swallow traffic that was meant for RAM.
 */

import { describe, expect, test } from 'vitest';
import { type Range, rangesOverlap } from '../../src/core/index.ts';
import { reservedWindows } from '../../src/dma/index.ts';
import { SGL_TYPE, STATUS, sglLength, sglType } from '../../src/nvme/spec/index.ts';
import { formatBdf } from '../../src/pcie/index.ts';
import { type Bed, equalBytes, MIB, newQemuBed, newSimBed, PAGE, pattern, switchTree } from '../contract/bed.ts';
import { Host, type Piece } from '../contract/host.ts';
import { missingQemu } from '../contract/missing-qemu.ts';

const MISSING = missingQemu();
const OK = { kind: 'completed', status: STATUS.SUCCESS, commands: 1 } as const;

async function withBed(levels: 3 | 4 | null, body: (bed: Bed) => Promise<void>): Promise<void> {
  const bed = await newQemuBed({ tree: switchTree(), ...(levels === null ? {} : { iommuLevels: levels }) });
  try {
    await body(bed);
  } finally {
    await bed.engine.close();
  }
}

/** 16 scattered pages by turns of RAM and of the peer's buffer. */
function pages(host: Host): Piece[] {
  return Array.from({ length: 16 }, (_, index) =>
    index % 2 === 0 ? { ...host.ramPiece(3 * PAGE), length: PAGE } : host.piece('b', (40 - index) * PAGE * 3, PAGE),
  );
}

async function equalIn(host: Host, pieces: readonly Piece[], bytes: Uint8Array): Promise<number> {
  let equal = 0;
  for (const [index, piece] of pieces.entries()) {
    equal += equalBytes(await host.read(piece), bytes.subarray(index * PAGE, (index + 1) * PAGE));
  }
  return equal;
}

describe.skipIf(MISSING !== null)(`RAM and a peer in one IOVA${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test('16 pages, 2 memories, 1 IOVA, 1 SGL descriptor, 65536 of 65536 bytes equal; after unmap: fault with the requester', async () => {
    await withBed(4, async (bed) => {
      const host = new Host(bed, { levels: 4 });
      const a = await host.controller('a', { depth: 4 });
      const pieces = pages(host);
      const bytes = pattern(16 * PAGE, 1);
      a.put(0, bytes);

      const mapping = a.map(pieces, 'bidirectional');
      expect(mapping.count).toBe(1);
      expect(mapping.iovaSize).toBe(16 * PAGE);
      const segments = a.segmentsOf(mapping, pieces);
      const requests = [{ kind: 'read', namespace: 1, block: 0, segments, format: 'sgl' } as const];
      expect(a.queue.plan(requests[0] as (typeof requests)[0])).toEqual([
        { format: 'sgl', lengthBytes: 16 * PAGE, segment: 0, offset: 0 },
      ]);
      const [read] = await a.execute(requests);
      expect(read).toMatchObject(OK);
      expect(await equalIn(host, pieces, bytes)).toBe(65536);
      // The one descriptor, as it lies in the queue: a Data Block of all bytes at the IOVA.
      const entry = await submittedEntry(host, mapping.iovaBase);
      expect([sglType(entry, 24), sglLength(entry, 24)]).toEqual([SGL_TYPE.DATA_BLOCK, 65536]);

      a.put(4096, new Uint8Array(bytes.length));
      const [write] = await a.execute([{ kind: 'write', namespace: 1, block: 4096, segments, format: 'sgl' }]);
      expect(write).toMatchObject(OK);
      expect(equalBytes(a.stored(4096, bytes.length), bytes)).toBe(65536);
      expect(await bed.engine.takeFaults()).toEqual([]);

      a.unmap(mapping);
      await a.execute(requests);
      const [fault] = await bed.engine.takeFaults();
      expect(fault).toMatchObject({ address: mapping.iovaBase, access: 'write', reason: 'notMapped', code: 5 });
      expect(formatBdf(fault?.requester ?? a.fn.bdf)).toBe(a.fn.name);
      expect(a.fn.name).toBe('0000:03:00.0');
    });
  });

  test('the same list on the simulator: the same segments, statuses and bytes', async () => {
    const outcomes: object[] = [];
    for (const newBed of [newSimBed, newQemuBed]) {
      const bed = await newBed({ tree: switchTree(), iommuLevels: 4 });
      const host = new Host(bed, { levels: 4 });
      const a = await host.controller('a');
      const pieces = pages(host);
      const bytes = pattern(16 * PAGE, 2);
      a.put(0, bytes);
      const mapping = a.map(pieces, 'fromDevice');
      const segments = a.segmentsOf(mapping, pieces);
      const [outcome] = await a.execute([{ kind: 'read', namespace: 1, block: 0, segments, format: 'sgl' }]);
      const layout = mapping.segments().map(({ space, length, firstInput, lastInput }) => {
        return { space, length, firstInput, lastInput };
      });
      outcomes.push({ outcome, layout, equal: await equalIn(host, pieces, bytes) });
      await bed.engine.close();
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  test('what each way of the IOMMU shows of a peer’s buffer: off and pass-through take bus addresses, on takes only what is mapped', async () => {
    const shown: Record<string, string> = {};
    for (const way of ['off', 'pass-through', 'on'] as const) {
      await withBed(way === 'off' ? null : 4, async (bed) => {
        const host = new Host(bed, way === 'off' ? {} : { levels: 4, passthrough: way === 'pass-through' });
        const a = await host.controller('a');
        const piece = host.piece('b', MIB, PAGE);
        const bytes = pattern(PAGE, 3);
        a.put(0, bytes);
        const byBus = { kind: 'bus', address: piece.address as never, length: PAGE } as const;
        expect((await a.move('read', 0, [byBus])).status).toBe(0);
        const faults = await bed.engine.takeFaults();
        const arrived = equalBytes(await host.read(piece), bytes) === PAGE;
        await host.fill(piece, new Uint8Array(PAGE));
        await a.transfer('read', 0, [piece]);
        const mapped = equalBytes(await host.read(piece), bytes) === PAGE;
        shown[way] =
          `bus address ${arrived ? 'arrives' : 'is lost'}, ${faults.length} fault; mapped ${mapped ? 'arrives' : 'is lost'}`;
      });
    }
    expect(shown).toEqual({
      off: 'bus address arrives, 0 fault; mapped arrives',
      'pass-through': 'bus address arrives, 0 fault; mapped arrives',
      on: 'bus address is lost, 1 fault; mapped arrives',
    });
  });
});

/** The submission queue entry whose data pointer has `address`: looked for in all RAM that is in use. */
async function submittedEntry(host: Host, address: number): Promise<Uint8Array> {
  const { start } = host.bed.machine.ram[0] as Range;
  const bytes = new Uint8Array(4 * MIB);
  await host.bed.engine.readMemory(start as never, bytes);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 64) {
    const isRead = bytes[at] === 2 && bytes[at + 1] === 0x40;
    if (isRead && view.getUint32(at + 24, true) === address % 2 ** 32) return bytes.subarray(at, at + 64);
  }
  throw new Error('no such entry');
}

describe.skipIf(MISSING !== null)(`the price of (c) in disguise${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test('a CMB base address equal to a live IOVA swallows RAM traffic with status 0; the bytes are in the buffer', async () => {
    await withBed(4, async (bed) => {
      const host = new Host(bed, { levels: 4 });
      // The first IOVA after the queues: a second bring-up over a domain of its own hands out the same.
      const probe = await host.controller('b');
      const page = host.ramPiece(PAGE);
      const mapping = probe.map([page], 'fromDevice');
      const live = mapping.iovaBase;
      probe.unmap(mapping);

      // The buffer ends with that page: the queues, which lie above, are spared.
      const b = await host.controller('b', { cmb: { base: (live + PAGE - 16 * MIB) as never } });
      const again = b.map([page], 'fromDevice');
      expect(rangesOverlap(cmbRange(b.facts.cmb), { start: again.iovaBase, end: again.iovaBase + PAGE })).toBe(true);
      const bytes = pattern(PAGE, 4);
      b.put(0, bytes);
      await host.fill(page, new Uint8Array(PAGE));
      const segments = b.segmentsOf(again, [page]);
      const [outcome] = await b.execute([{ kind: 'read', namespace: 1, block: 0, segments }]);
      expect(outcome).toMatchObject(OK);
      expect(await bed.engine.takeFaults()).toEqual([]);
      expect(await host.read(page)).toEqual(new Uint8Array(PAGE));
      const swallowed = host.piece('b', again.iovaBase - cmbRange(b.facts.cmb).start, PAGE);
      expect(equalBytes(await host.read(swallowed), bytes)).toBe(PAGE);
    });
  });

  test('reserved windows prevent it: no IOVA ever equals the bus address at which the buffer answers', async () => {
    await withBed(4, async (bed) => {
      const host = new Host(bed, { levels: 4 });
      const b = await host.controller('b');
      const own = cmbRange(b.facts.cmb);
      expect(reservedWindows(bed.machine, b.fn).some((range) => range.start <= own.start && own.end <= range.end)).toBe(
        true,
      );
      for (let round = 0; round < 64; round++) {
        const page = host.ramPiece(PAGE);
        const bytes = pattern(PAGE, 5 + round);
        b.put(0, bytes);
        const mapping = b.map([page], 'fromDevice');
        expect(rangesOverlap(own, { start: mapping.iovaBase, end: mapping.iovaBase + mapping.iovaSize })).toBe(false);
        const segments = b.segmentsOf(mapping, [page]);
        const [outcome] = await b.execute([{ kind: 'read', namespace: 1, block: 0, segments }]);
        expect(outcome).toMatchObject(OK);
        expect(equalBytes(await host.read(page), bytes)).toBe(PAGE);
      }
      const domain = b.device.domain;
      expect(domain?.allocator.reserved.some((range) => range.start <= own.start && own.end <= range.end)).toBe(true);
    });
  });
});

function cmbRange(cmb: { readonly base: number; readonly sizeBytes: number } | null): Range {
  if (cmb === null) throw new Error('the controller has a buffer');
  return { start: cmb.base, end: cmb.base + cmb.sizeBytes };
}
