/** Rules of the RegisterEngine contract: IOVAs, faults, stale translations, pass-through. */

import { describe, expect } from 'vitest';
import { busAddr, iova, physAddr } from '../../src/core/index.ts';
import { NvmeDriver } from '../../src/nvme/driver/index.ts';
import { type Bdf, bdfKey } from '../../src/pcie/index.ts';
import { equalBytes, MIB, PAGE, pattern, switchTree } from './bed.ts';
import { dmaSegment, Host, type Piece } from './host.ts';
import { gathered, scatter } from './pieces.ts';
import { OK, type Suite } from './suite.ts';

/** Registers the rules. */
export function translationRules(suite: Suite): void {
  for (const levels of [3, 4] as const) {
    describe(`an IOMMU with tables of ${levels} levels`, () => {
      const shared = suite.shared({ tree: switchTree(), iommuLevels: levels }, { levels });

      suite.rule(
        `levels ${levels}: scattered RAM and peer pages become one IOVA, moved by PRPs and by one SGL descriptor`,
        async () => {
          const { host, a } = shared();
          const pieces = foldedPieces(host);
          const bytes = pattern(16 * PAGE, 50);
          for (const format of ['prp', 'sgl'] as const) {
            const mapping = a.map(pieces, 'bidirectional');
            expect(mapping.segments()).toMatchObject([{ space: 'iova', length: 16 * PAGE }]);
            const segments = a.segmentsOf(mapping, pieces);
            a.put(0, bytes);
            const [read] = await a.execute([{ kind: 'read', namespace: 1, block: 0, segments, format }]);
            expect(read).toMatchObject({ ...OK, commands: 1 });
            expect(await gathered(host, pieces)).toEqual(bytes);
            a.put(4096, new Uint8Array(bytes.length));
            const [write] = await a.execute([{ kind: 'write', namespace: 1, block: 4096, segments, format }]);
            expect(write).toMatchObject(OK);
            expect(equalBytes(a.stored(4096, bytes.length), bytes)).toBe(bytes.length);
            a.unmap(mapping);
          }
          expect(await host.bed.engine.takeFaults()).toEqual([]);
        },
      );

      suite.rule(`levels ${levels}: a mapping of several MiB uses large pages, and every byte arrives`, async () => {
        const { host, a } = shared();
        const domain = a.device.domain;
        const piece = host.piece('far', 0, 4 * MIB);
        const mapping = a.map([piece], 'fromDevice');
        const leaves = [...(domain?.leaves() ?? [])].filter(({ phys }) => phys >= piece.address);
        expect(leaves.some(({ length }) => length === 2 * MIB)).toBe(true);
        const bytes = pattern(4 * MIB, 51);
        a.put(0, bytes);
        const segments = a.segmentsOf(mapping, [piece]);
        const [outcome] = await a.execute([{ kind: 'read', namespace: 1, block: 0, segments }]);
        expect(outcome).toMatchObject(OK);
        expect(equalBytes(await host.read(piece), bytes)).toBe(bytes.length);
        a.unmap(mapping);
      });

      suite.rule(`levels ${levels}: its own buffer needs no mapping (c), also beside RAM that has one`, async () => {
        const { host, b } = shared();
        const pieces = [host.piece('b', 2 * MIB, 2 * PAGE), host.ramPiece(PAGE)];
        const bytes = pattern(3 * PAGE, 52);
        b.put(0, bytes);
        expect(await b.transfer('read', 0, pieces)).toMatchObject({ ...OK, commands: 2 });
        expect(await gathered(host, pieces)).toEqual(bytes);
      });

      suite.rule(
        `levels ${levels}: an IOVA that is not mapped is a fault with requester, address and reason`,
        async () => {
          const { host, a } = shared();
          const nowhere = iova(0x7654_3000);
          const bytes = pattern(PAGE, 53);
          a.put(0, bytes);
          a.put(4096, bytes);
          await a.move('read', 0, [dmaSegment(nowhere, PAGE)]);
          const [write] = await host.bed.engine.takeFaults();
          expect(write).toMatchObject({ address: nowhere, access: 'write', reason: 'notMapped' });
          expect(bdfKey(write?.requester as Bdf)).toBe(a.fn.key);
          await a.move('write', 4096, [dmaSegment(nowhere, PAGE)]);
          const [read] = await host.bed.engine.takeFaults();
          expect(read).toMatchObject({ address: nowhere, access: 'read', reason: 'notMapped' });
          expect(await host.bed.engine.takeFaults()).toEqual([]);
        },
      );

      suite.rule(
        `levels ${levels}: a mapping for the other direction only is a fault, and memory keeps its bytes`,
        async () => {
          const { host, a } = shared();
          const piece = host.ramPiece(PAGE);
          const kept = pattern(PAGE, 54);
          await host.fill(piece, kept);
          a.put(0, pattern(PAGE, 55));
          const mapping = a.map([piece], 'toDevice');
          await a.move('read', 0, [dmaSegment(mapping.iovaBase, PAGE)]);
          const [fault] = await host.bed.engine.takeFaults();
          expect(fault).toMatchObject({ address: mapping.iovaBase, access: 'write', reason: 'writeNotAllowed' });
          expect(equalBytes(await host.read(piece), kept)).toBe(PAGE);
          a.unmap(mapping);
        },
      );

      suite.rule(`levels ${levels}: after unmap the IOVA faults, and memory keeps its bytes`, async () => {
        const { host, a } = shared();
        const pieces = foldedPieces(host);
        a.put(0, pattern(16 * PAGE, 56));
        const mapping = a.map(pieces, 'fromDevice');
        const base = mapping.iovaBase;
        const segments = a.segmentsOf(mapping, pieces);
        await a.execute([{ kind: 'read', namespace: 1, block: 0, segments, format: 'sgl' }]);
        a.unmap(mapping);
        for (const piece of pieces) await host.fill(piece, new Uint8Array(PAGE).fill(0xee));
        await a.execute([{ kind: 'read', namespace: 1, block: 0, segments, format: 'sgl' }]);
        const [fault] = await host.bed.engine.takeFaults();
        expect(fault).toMatchObject({ address: base, access: 'write', reason: 'notMapped' });
        expect(await gathered(host, pieces)).toEqual(new Uint8Array(16 * PAGE).fill(0xee));
      });
    });
  }

  suite.rule('a stale translation is used until it is invalidated', async () => {
    await suite.with({ tree: switchTree(), iommuLevels: 4 }, async (bed) => {
      const host = new Host(bed, { levels: 4, lazy: true });
      const a = await host.controller('a');
      const { domain } = a.device;
      const [before, after] = [host.ramPiece(PAGE), host.ramPiece(PAGE)];
      const at = iova(0x4000_0000);
      const rights = { read: true, write: true, mmio: false };
      const bytes = pattern(PAGE, 60);
      a.put(0, bytes);
      domain?.map(at, before.address, PAGE, rights);
      await a.move('read', 0, [dmaSegment(at, PAGE)]);
      expect(await host.read(before)).toEqual(bytes);

      domain?.unmap(at, PAGE);
      domain?.map(at, after.address, PAGE, rights);
      await host.fill(before, new Uint8Array(PAGE));
      await a.move('read', 0, [dmaSegment(at, PAGE)]);
      expect(await host.read(before)).toEqual(bytes);
      expect(await host.read(after)).toEqual(new Uint8Array(PAGE));

      domain?.flush();
      await host.fill(before, new Uint8Array(PAGE));
      await a.move('read', 0, [dmaSegment(at, PAGE)]);
      expect(await host.read(after)).toEqual(bytes);
      expect(await host.read(before)).toEqual(new Uint8Array(PAGE));
    });
  });

  suite.rule('pass-through: physical addresses of RAM and bus addresses of peers reach their target', async () => {
    await suite.with({ tree: switchTree(), iommuLevels: 4 }, async (bed) => {
      const host = new Host(bed, { levels: 4, passthrough: true });
      const a = await host.controller('a');
      const pieces = [host.ramPiece(PAGE), host.piece('b', MIB, PAGE), host.piece('m', MIB, PAGE)];
      await scatter(host, a, pieces, ['prp', 'sgl']);
      expect(await bed.engine.takeFaults()).toEqual([]);
    });
  });

  suite.rule(
    'a function that nobody attached cannot fetch its queues: the controller says so, and the fault names it',
    async () => {
      await suite.with({ tree: switchTree(), iommuLevels: 4 }, async (bed) => {
        const host = new Host(bed, { levels: 4 });
        const fn = bed.fn('a');
        const driver = new NvmeDriver({
          engine: bed.engine,
          fn: {
            name: fn.name,
            registers: physAddr(fn.bars[0]?.cpuAddress ?? 0),
            busAddress: (bar) => busAddr(fn.bars.find((one) => one.index === bar)?.busAddress ?? 0),
            resolveOwnBar: () => null,
          },
          memory: {
            allocate: (lengthBytes) => {
              const { address } = host.ramPiece(lengthBytes);
              return {
                phys: address,
                dma: dmaSegment(address, 1).kind === 'dma' ? (address as never) : (0 as never),
                lengthBytes,
              };
            },
            free: ({ phys }) => host.ram.free(phys),
          },
          limits: { ...bed.limits, timeoutNs: 1e9 },
        });
        expect(await driver.bringUp()).toMatchObject({ kind: 'fatal' });
        const [fault] = await bed.engine.takeFaults();
        expect(fault).toMatchObject({ reason: 'noContext', access: 'read' });
        expect(bdfKey(fault?.requester as Bdf)).toBe(fn.key);
      });
    },
  );
}

/** 16 pages, RAM and a peer's buffer by turns, none beside another. */
function foldedPieces(host: Host): Piece[] {
  return Array.from({ length: 16 }, (_, index) =>
    index % 2 === 0 ? { ...host.ramPiece(2 * PAGE), length: PAGE } : host.piece('b', (31 - index) * 2 * PAGE, PAGE),
  );
}
