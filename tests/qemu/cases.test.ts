/** The table of what QEMU shows of each case (src/engine/qemu/cases.ts): each cell demonstrated, or the reason why it cannot be. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { QEMU_CASES } from '../../src/engine/qemu/index.ts';
import { COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from '../../src/pcie/registers.ts';
import { type Bed, equalBytes, MIB, newQemuBed, PAGE, pattern, switchTree } from '../contract/bed.ts';
import { type Controller, dmaSegment, Host, type Piece } from '../contract/host.ts';
import { missingQemu } from '../contract/missing-qemu.ts';

const MISSING = missingQemu();
const SETTINGS = ['off', 'on', 'passthrough'] as const;
type Setting = (typeof SETTINGS)[number];

/** Cells whose words have been demonstrated. */
const demonstrated = new Set<string>();

function cellOf(name: string, iommu: Setting) {
  const cell = QEMU_CASES.find((one) => one.case === name && one.iommu === iommu);
  if (cell === undefined) throw new Error(`no cell for (${name}), IOMMU ${iommu}`);
  return cell;
}

test('the table has each case under each setting once', () => {
  const keys = QEMU_CASES.map((cell) => `${cell.case} ${cell.iommu}`);
  expect([...keys].sort()).toEqual(['a', 'b1', 'b2', 'c'].flatMap((name) => SETTINGS.map((one) => `${name} ${one}`)));
});

for (const setting of SETTINGS) {
  describe.skipIf(MISSING !== null)(`VT-d ${setting}${MISSING === null ? '' : ` (${MISSING})`}`, () => {
    let bed: Bed;
    let host: Host;
    let a: Controller;
    let b: Controller;
    let seed = 1;

    beforeAll(async () => {
      bed = await newQemuBed({ tree: switchTree(), ...(setting === 'off' ? {} : { iommuLevels: 4 as const }) });
      host = new Host(bed, setting === 'off' ? {} : { levels: 4, passthrough: setting === 'passthrough' });
      a = await host.controller('a');
      b = await host.controller('b');
    });
    afterAll(async () => {
      await bed?.engine.close();
    });

    /** Whether a page read from the medium of `who` to `address` arrives in `piece`, and the requests that faulted. */
    async function arrives(who: Controller, piece: Piece, address: number): Promise<{ ok: boolean; faults: number }> {
      const bytes = pattern(PAGE, seed++);
      who.put(0, bytes);
      await host.fill(piece, new Uint8Array(PAGE));
      expect(await who.move('read', 0, [dmaSegment(address, PAGE)])).toMatchObject({ kind: 'completed', status: 0 });
      const faults = await bed.engine.takeFaults();
      return { ok: equalBytes(await host.read(piece), bytes) === PAGE, faults: faults.length };
    }

    /** The same to the IOVA, or whatever else a mapping of the piece gives. */
    async function arrivesMapped(who: Controller, piece: Piece): Promise<{ ok: boolean; space: string }> {
      const bytes = pattern(PAGE, seed++);
      who.put(0, bytes);
      await host.fill(piece, new Uint8Array(PAGE));
      const mapping = who.map([piece], 'fromDevice');
      const space = mapping.segments()[0]?.space ?? 'none';
      const segments = who.segmentsOf(mapping, [piece]);
      await who.execute([{ kind: 'read', namespace: 1, block: 0, segments }]);
      who.unmap(mapping);
      return { ok: equalBytes(await host.read(piece), bytes) === PAGE, space };
    }

    /** The bit of a function's Command register off while `body` runs. */
    async function withoutBit<T>(name: string, bit: number, body: () => Promise<T>): Promise<T> {
      const { bdf } = bed.fn(name);
      const command = await bed.engine.readConfig(bdf, COMMAND, 2);
      await bed.engine.writeConfig(bdf, COMMAND, 2, command & ~bit);
      const result = await body();
      await bed.engine.writeConfig(bdf, COMMAND, 2, command);
      return result;
    }

    for (const [name, place] of [
      ['a', () => host.ramPiece(PAGE)],
      ['b1', () => host.piece('far', MIB, PAGE)],
    ] as const) {
      test(`(${name}): ${cellOf(name, setting).seen}`, async () => {
        const piece = place();
        const byAddress = await arrives(a, piece, piece.address);
        if (setting === 'on') {
          expect(cellOf(name, setting).seen).toBe('arrives by IOVA');
          // Physical it is not mapped: the IOVA is what does it.
          expect(byAddress).toEqual({ ok: false, faults: 1 });
          expect(await arrivesMapped(a, piece)).toEqual({ ok: true, space: 'iova' });
        } else {
          expect(cellOf(name, setting).seen).toBe('arrives by address');
          expect(byAddress).toEqual({ ok: true, faults: 0 });
        }
        expect(cellOf(name, setting).notProvable).toBeNull();
        demonstrated.add(`${name} ${setting}`);
      });
    }

    test(`(b2): ${cellOf('b2', setting).seen}, and why no more: ${cellOf('b2', setting).notProvable}`, async () => {
      const { seen, notProvable } = cellOf('b2', setting);
      const peers = [host.piece('b', MIB, PAGE), host.piece('m', MIB, PAGE)];
      for (const piece of peers) {
        const byAddress = await arrives(a, piece, piece.address);
        if (setting === 'on') {
          expect(seen).toBe('bus address faults');
          expect(byAddress).toEqual({ ok: false, faults: 1 });
          // Mapped as (b1) the same memory is reached.
          expect(await arrivesMapped(a, piece)).toEqual({ ok: true, space: 'iova' });
          expect(notProvable).toMatch(/translates every peer transaction, also below one switch/);
          continue;
        }
        expect(seen).toBe('arrives, road unseen');
        expect(byAddress).toEqual({ ok: true, faults: 0 });
        // A bridge without Bus Master Enable forwards nothing upwards (PCIe 6.0, 7.5.1.1.3); QEMU's have no part in it.
        const through = await withoutBit('portA', COMMAND_BUS_MASTER, () => arrives(a, piece, piece.address));
        expect(through).toEqual({ ok: true, faults: 0 });
        expect(notProvable).toMatch(/no switch routes it/);
      }
      demonstrated.add(`b2 ${setting}`);
    });

    test(`(c): ${cellOf('c', setting).seen}`, async () => {
      const own = host.piece('b', 2 * MIB, PAGE);
      const { seen, notProvable } = cellOf('c', setting);
      expect(seen).toBe(setting === 'on' ? 'stays inside, unmapped' : 'stays inside');
      expect(notProvable).toBeNull();
      // By its CBA, which is mapped nowhere: no fault.
      const bytes = pattern(PAGE, seed++);
      b.put(0, bytes);
      b.put(64, new Uint8Array(PAGE));
      await host.fill(own, new Uint8Array(PAGE));
      const inside = [dmaSegment(own.address, PAGE)];
      expect(await b.move('read', 0, inside)).toMatchObject({ kind: 'completed', status: 0 });
      // Over the bus QEMU drops a read of a controller’s own buffer: that it comes back shows the inner road.
      expect(await b.move('write', 64, inside)).toMatchObject({ kind: 'completed', status: 0 });
      expect(equalBytes(b.stored(64, PAGE), bytes)).toBe(PAGE);
      expect(equalBytes(await host.read(own), bytes)).toBe(PAGE);
      expect(await bed.engine.takeFaults()).toEqual([]);
      demonstrated.add(`c ${setting}`);
    });

    test('a target that does not decode is not reached: what arrives above goes to the BAR', async () => {
      const piece = host.piece('far', 2 * MIB, PAGE);
      const mapped =
        setting === 'on'
          ? (): Promise<{ ok: boolean }> => arrivesMapped(a, piece)
          : () => arrives(a, piece, piece.address);
      expect((await mapped()).ok).toBe(true);
      expect((await withoutBit('far', COMMAND_MEMORY_SPACE, mapped)).ok).toBe(false);
    });
  });
}

test.skipIf(MISSING !== null)('every cell of the table was demonstrated', () => {
  expect([...demonstrated].sort()).toEqual(QEMU_CASES.map((cell) => `${cell.case} ${cell.iommu}`).sort());
});
