/** The envelope is what this QEMU really does: each limit and each silent loss is shown by stepping over it. */

import { describe, expect, test } from 'vitest';
import { type PhysAddr, physAddr } from '../../src/core/index.ts';
import { QemuEngine, versionNotes } from '../../src/engine/qemu/index.ts';
import { type DriverLimits, NvmeError } from '../../src/nvme/driver/index.ts';
import { REGISTERS, STATUS } from '../../src/nvme/spec/index.ts';
import { COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from '../../src/pcie/registers.ts';
import { type Bed, equalBytes, MIB, newQemuBed, PAGE, pattern, switchTree } from '../contract/bed.ts';
import { type Controller, dmaSegment, Host, type Piece } from '../contract/host.ts';
import { missingQemu } from '../contract/missing-qemu.ts';

const MISSING = missingQemu();

async function withBed(body: (bed: Bed, host: Host, engine: QemuEngine) => Promise<void>, levels?: 4): Promise<void> {
  const bed = await newQemuBed({ tree: switchTree(), ...(levels === undefined ? {} : { iommuLevels: levels }) });
  try {
    if (!(bed.engine instanceof QemuEngine)) throw new Error('a QEMU engine is wanted');
    await body(bed, new Host(bed, levels === undefined ? {} : { levels }), bed.engine);
  } finally {
    await bed.engine.close();
  }
}

/** A controller whose driver knows nothing of this machine's limits. */
function unlimited(host: Host, name: string, limits: Partial<DriverLimits> = {}): Promise<Controller> {
  return host.controller(name, { limits: { timeoutNs: 2e9, ...limits } });
}

describe.skipIf(MISSING !== null)(`the envelope of QEMU${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test('mmioGranuleBytes: pieces of other lengths into a peer’s buffer arrive damaged with status 0, or never end', async () => {
    let [damaged, lost, right] = [0, 0, 0];
    for (let machine = 0; machine < 4 && damaged + lost < 2; machine++) {
      await withBed(async (_bed, host) => {
        const a = await unlimited(host, 'a');
        for (let round = 0; round < 6; round++) {
          const pieces = [host.piece('b', round * 4 * PAGE, 1000), host.piece('b', round * 4 * PAGE + 2 * PAGE, 3096)];
          const bytes = pattern(PAGE, round);
          for (const piece of pieces) await host.fill(piece, new Uint8Array(piece.length));
          a.put(0, bytes);
          const outcome = await a.transfer('read', 0, pieces, { format: 'sgl' });
          if (outcome.kind !== 'completed') {
            lost++;
            return;
          }
          const got = [await host.read(pieces[0] as Piece), await host.read(pieces[1] as Piece)];
          const equal = equalBytes(Buffer.concat(got), bytes);
          if (outcome.status === 0 && equal < PAGE) damaged++;
          else right++;
        }
      });
    }
    console.log(`odd pieces: ${right} right, ${damaged} damaged with status 0, ${lost} never completed`);
    expect(damaged + lost).toBeGreaterThan(0);
  });

  test('mmioGranuleBytes: the driver that was handed the limits refuses them', async () => {
    await withBed(async (_bed, host) => {
      const a = await host.controller('a');
      const pieces = [host.piece('b', 0, 1000), host.piece('b', 2 * PAGE, 3096)];
      const refused = a.transfer('read', 0, pieces, { format: 'sgl' });
      await expect(refused).rejects.toBeInstanceOf(NvmeError);
      await expect(refused).rejects.toMatchObject({ code: 'NVME_PIECE_GRANULE' });
    });
  });

  test('mmioGranuleBytes: RAM and plain device memory take any length', async () => {
    await withBed(async (_bed, host) => {
      const a = await unlimited(host, 'a');
      for (let round = 0; round < 8; round++) {
        const pieces = [host.piece('m', round * PAGE, 1000), { ...host.ramPiece(PAGE), length: 3096 }];
        const bytes = pattern(PAGE, round);
        a.put(0, bytes);
        expect(await a.transfer('read', 0, pieces, { format: 'sgl' })).toMatchObject({ kind: 'completed', status: 0 });
        const got = [await host.read(pieces[0] as Piece), await host.read(pieces[1] as Piece)];
        expect(equalBytes(Buffer.concat(got), bytes)).toBe(PAGE);
      }
    });
  });

  test('mixing: data in the own buffer and elsewhere is refused with the status of the envelope, in any order', async () => {
    await withBed(async (_bed, host, engine) => {
      const b = await host.controller('b');
      const own = host.piece('b', MIB, PAGE);
      const ram = host.ramPiece(PAGE);
      // As plain addresses: the driver cannot know that one of them is its own buffer.
      const segments = [own, ram].map(({ address }) => dmaSegment(address, PAGE));
      for (const list of [segments, segments.toReversed()]) {
        for (const format of ['prp', 'sgl'] as const) {
          const outcome = await b.move('read', 0, list, { format });
          expect(outcome).toMatchObject({ kind: 'completed', status: engine.envelope.mixedStatus });
        }
      }
    });
  });

  test('sglSegments: a valid list of three segments is refused with 0x0d, of two it works', async () => {
    await withBed(async (_bed, host, engine) => {
      const count = 600;
      const whole = host.ramPiece(2 * count * PAGE);
      const pieces = Array.from({ length: count }, (_, index): Piece => {
        return { address: physAddr(whole.address + 2 * index * PAGE), length: PAGE, owner: null };
      });
      const three = await unlimited(host, 'a', { sglSegments: 3 });
      expect(await three.transfer('read', 0, pieces, { format: 'sgl' })).toMatchObject({ status: 0x0d, commands: 1 });
      const within = await unlimited(host, 'a', { sglSegments: engine.envelope.limits.sglSegments });
      within.put(0, pattern(count * PAGE, 1));
      expect(await within.transfer('read', 0, pieces, { format: 'sgl' })).toMatchObject({ status: 0, commands: 1 });
      const last = pieces[count - 1] as Piece;
      expect(await host.read(last)).toEqual(pattern(count * PAGE, 1).subarray((count - 1) * PAGE));
    });
  });

  test('ownSglLists: two descriptors of the own buffer behind a list in RAM are refused, one descriptor and PRPs work', async () => {
    await withBed(async (_bed, host, engine) => {
      const pieces = [host.piece('b', MIB, PAGE), host.piece('b', 2 * MIB, PAGE)];
      const listed = await unlimited(host, 'b', { ownSglLists: true });
      const refused = await listed.transfer('read', 0, pieces, { format: 'sgl' });
      expect(refused).toMatchObject({ status: engine.envelope.mixedStatus, commands: 1 });
      const b = await host.controller('b');
      const bytes = pattern(2 * PAGE, 7);
      b.put(0, bytes);
      for (const [format, commands] of [
        ['sgl', 2],
        ['prp', 1],
      ] as const) {
        for (const piece of pieces) await host.fill(piece, new Uint8Array(PAGE));
        expect(await b.transfer('read', 0, pieces, { format })).toMatchObject({ status: 0, commands });
        const got = await Promise.all(pieces.map((piece) => host.read(piece)));
        expect(equalBytes(Buffer.concat(got), bytes)).toBe(2 * PAGE);
      }
    });
  });

  test('cmbmscLatchesLow: written low half first, the buffer answers at the low 32 bits of its base and swallows RAM', async () => {
    await withBed(async (bed, host, engine) => {
      expect(engine.envelope.cmbmscLatchesLow).toBe(true);
      const b = await host.controller('b');
      const page = host.ramPiece(PAGE);
      const registers = bed.fn('b').bars.find(({ index }) => index === 0)?.cpuAddress as PhysAddr;
      const cmbmsc = physAddr(registers + REGISTERS.CMBMSC.offset);
      // Base 64 GiB above the page: enabled, and both bits on.
      const base = { high: 16, low: page.address + 3 };
      const bytes = pattern(PAGE, 2);
      b.put(0, bytes);

      await bed.engine.write32(physAddr(cmbmsc + 4), base.high);
      await bed.engine.write32(cmbmsc, base.low);
      await host.fill(page, new Uint8Array(PAGE));
      expect(await b.move('read', 0, [dmaSegment(page.address, PAGE)])).toMatchObject({ status: STATUS.SUCCESS });
      expect(equalBytes(await host.read(page), bytes)).toBe(PAGE);

      await bed.engine.write32(cmbmsc, 0);
      await bed.engine.write32(physAddr(cmbmsc + 4), 0);
      await bed.engine.write64(cmbmsc, base);
      expect(await bed.engine.read64(cmbmsc)).toEqual(base);
      await host.fill(page, new Uint8Array(PAGE));
      expect(await b.move('read', 0, [dmaSegment(page.address, PAGE)])).toMatchObject({ status: STATUS.SUCCESS });
      expect(await host.read(page)).toEqual(new Uint8Array(PAGE));
    });
  });

  test('silent loss: to an address that nobody decodes, status 0, and from it zeros', async () => {
    await withBed(async (_bed, host) => {
      const a = await host.controller('a');
      a.put(0, pattern(PAGE, 3));
      const hole = 2 ** 38;
      expect(await a.move('read', 0, [dmaSegment(hole, PAGE)])).toMatchObject({ kind: 'completed', status: 0 });
      expect(await a.move('write', 0, [dmaSegment(hole, PAGE)])).toMatchObject({ kind: 'completed', status: 0 });
      expect(a.stored(0, PAGE)).toEqual(new Uint8Array(PAGE));
    });
  });

  test('silent loss: a page that the IOMMU does not map, in the middle of a range, and only that', async () => {
    await withBed(async (bed, host) => {
      const a = await host.controller('a');
      const pieces = [host.ramPiece(PAGE), host.ramPiece(PAGE), host.ramPiece(PAGE)];
      const bytes = pattern(3 * PAGE, 4);
      a.put(0, bytes);
      const mapping = a.map(pieces, 'fromDevice');
      const { domain } = a.device;
      domain?.unmap((mapping.iovaBase + PAGE) as never, PAGE);
      for (const piece of pieces) await host.fill(piece, new Uint8Array(PAGE));
      const segments = a.segmentsOf(mapping, pieces);
      const [outcome] = await a.execute([{ kind: 'read', namespace: 1, block: 0, segments, format: 'sgl' }]);
      expect(outcome).toMatchObject({ kind: 'completed', status: 0 });
      const got = await Promise.all(pieces.map((piece) => host.read(piece)));
      expect(
        got.map((page, index) => equalBytes(page, bytes.subarray(index * PAGE, (index + 1) * PAGE)) === PAGE),
      ).toEqual([true, false, true]);
      expect(await bed.engine.takeFaults()).toMatchObject([{ address: mapping.iovaBase + PAGE, reason: 'notMapped' }]);
    }, 4);
  });

  test('silent loss: a controller that reads its own buffer over the bus gets nothing, and QEMU says so on stderr', async () => {
    await withBed(async (_bed, host, engine) => {
      const b = await host.controller('b', { cmb: 'off' });
      const own = host.piece('b', MIB, PAGE);
      await host.fill(own, pattern(PAGE, 5));
      b.put(0, pattern(PAGE, 6));
      expect(await b.move('write', 0, [dmaSegment(own.address, PAGE)])).toMatchObject({ kind: 'completed', status: 0 });
      expect(equalBytes(b.stored(0, PAGE), pattern(PAGE, 5))).toBeLessThan(PAGE / 4);
      expect(engine.stderr).toContain('Blocked re-entrant IO');
    });
  });

  test('silent loss: to and from a disabled BAR, and one behind a disabled port, status 0', async () => {
    await withBed(async (bed, host) => {
      const a = await host.controller('a');
      const piece = host.piece('m', MIB, PAGE);
      for (const [round, name] of ['m', 'portM'].entries()) {
        const kept = pattern(PAGE, 10 + round);
        await host.fill(piece, kept);
        a.put(0, pattern(PAGE, 20 + round));
        a.put(64, pattern(PAGE, 30 + round));
        const { bdf } = bed.fn(name);
        const command = await bed.engine.readConfig(bdf, COMMAND, 2);
        await bed.engine.writeConfig(bdf, COMMAND, 2, command & ~COMMAND_MEMORY_SPACE);
        expect(await a.transfer('read', 0, [piece])).toMatchObject({ kind: 'completed', status: 0 });
        expect(await a.transfer('write', 64, [piece])).toMatchObject({ kind: 'completed', status: 0 });
        await bed.engine.writeConfig(bdf, COMMAND, 2, command);
        expect(await host.read(piece), name).toEqual(kept);
        expect(equalBytes(a.stored(64, PAGE), kept), name).toBeLessThan(PAGE / 4);
      }
    });
  });

  test('silent loss: bus mastering off at bridges has no effect, at the controller the queues stop', async () => {
    await withBed(async (bed, host) => {
      const piece = host.piece('m', 0, PAGE);
      const off = async (name: string): Promise<void> => {
        const { bdf } = bed.fn(name);
        const command = await bed.engine.readConfig(bdf, COMMAND, 2);
        await bed.engine.writeConfig(bdf, COMMAND, 2, command & ~COMMAND_BUS_MASTER);
      };
      const a = await host.controller('a', { limits: { ...bed.limits, timeoutNs: 300e6 } });
      await off('portA');
      a.put(0, pattern(PAGE, 40));
      expect(await a.transfer('read', 0, [piece])).toMatchObject({ kind: 'completed', status: 0 });
      expect(await host.read(piece)).toEqual(pattern(PAGE, 40));
      await off('a');
      a.put(0, pattern(PAGE, 41));
      expect(await a.transfer('read', 0, [piece])).toMatchObject({ kind: 'fatal' });
      expect(await host.read(piece)).toEqual(pattern(PAGE, 40));
    });
  });

  test('every silent loss of the envelope is a sentence for the report', async () => {
    await withBed(async (_bed, _host, engine) => {
      expect(engine.envelope.silentLosses.length).toBe(5);
      expect(engine.notes).toEqual(versionNotes(engine.version));
    });
  });
});
