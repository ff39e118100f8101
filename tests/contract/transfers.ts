/** Rules of the RegisterEngine contract: bytes move between controllers, RAM, peers and own buffers, by PRPs and by SGLs. */

import { describe, expect } from 'vitest';
import { physAddr } from '../../src/core/index.ts';
import { STATUS } from '../../src/nvme/spec/index.ts';
import { BLOCK, equalBytes, KIB, MIB, PAGE, pattern, switchTree } from './bed.ts';
import { dmaSegment, Host, type Piece } from './host.ts';
import { gathered, scatter } from './pieces.ts';
import { OK, type Suite } from './suite.ts';

const SIZES: readonly number[] = [4 * KIB, 64 * KIB, MIB, 4 * MIB];

/** Registers the rules. */
export function transferRules(suite: Suite): void {
  describe('transfers', () => {
    const shared = suite.shared({ tree: switchTree() });

    suite.rule(
      'bring-up finds version, namespace, SGLs and the buffer, and gives memory back at shutdown',
      async () => {
        const { a, b } = shared();
        expect(a.facts).toMatchObject({ version: 0x10400, sglGranularity: 1, cmb: null, maxTransferBytes: 4 * MIB });
        expect(a.facts.namespaces).toEqual([{ id: 1, blocks: 65536, blockBytes: BLOCK }]);
        expect(b.facts.cmb).toMatchObject({ bar: 2, sizeBytes: 16 * MIB, rds: true, wds: true, mixedData: false });
        await suite.with({ tree: switchTree() }, async (bed) => {
          const host = new Host(bed);
          const free = host.ram.available;
          const controller = await host.controller('b');
          expect(host.ram.available).toBeLessThan(free);
          expect(await controller.driver.shutdown()).toBeNull();
          expect(host.ram.available).toBe(free);
          const again = await host.controller('b');
          expect(again.facts.namespaces.length).toBe(1);
        });
      },
    );

    const places: readonly [what: string, who: 'a' | 'b', place: (host: Host, length: number) => Piece][] = [
      ['RAM', 'a', (host, length) => host.ramPiece(length)],
      ['a peer’s buffer below the same switch (b2)', 'a', (host, length) => host.piece('b', MIB, length)],
      ['its own buffer (c)', 'b', (host, length) => host.piece('b', 8 * MIB, length)],
      ['memory below the same switch (b2)', 'a', (host, length) => host.piece('m', MIB, length)],
      ['memory below another root port (b1)', 'a', (host, length) => host.piece('far', MIB, length)],
    ];
    for (const [what, who, place] of places) {
      suite.rule(`4 KiB to 4 MiB move between a controller and ${what}, both ways, by PRPs and by an SGL`, async () => {
        const { host, [who]: controller } = shared();
        for (const [index, length] of SIZES.entries()) {
          const piece = place(host, length);
          for (const format of ['prp', 'sgl'] as const) {
            const there = pattern(length, index * 2 + 1);
            controller.put(0, there);
            expect(await controller.transfer('read', 0, [piece], { format })).toMatchObject(OK);
            expect(equalBytes(await host.read(piece), there)).toBe(length);

            const back = pattern(length, index * 2 + 100);
            await host.fill(piece, back);
            const block = 8 * 2048;
            controller.put(block, new Uint8Array(length));
            expect(await controller.transfer('write', block, [piece], { format })).toMatchObject(OK);
            expect(equalBytes(controller.stored(block, length), back)).toBe(length);
          }
          if (piece.owner === null) host.ram.free(piece.address);
        }
      });
    }

    suite.rule('a transfer touches nothing beside its bytes', async () => {
      const { host, a } = shared();
      for (const around of [host.ramPiece(3 * PAGE), host.piece('b', 0, 3 * PAGE), host.piece('m', 0, 3 * PAGE)]) {
        const guard = pattern(3 * PAGE, 9);
        await host.fill(around, guard);
        const inner: Piece = { ...around, address: physAddr(around.address + PAGE), length: PAGE };
        a.put(0, pattern(PAGE, 10));
        expect(await a.transfer('read', 0, [inner])).toMatchObject(OK);
        const expected = guard.slice();
        expected.set(pattern(PAGE, 10), PAGE);
        expect(equalBytes(await host.read(around), expected)).toBe(3 * PAGE);
      }
    });

    suite.rule('PRP lists chain over several pages, SGLs over several segments: one command each', async () => {
      const { host, a } = shared();
      const count = 600;
      const whole = host.ramPiece(2 * count * PAGE);
      const pieces = Array.from({ length: count }, (_, index): Piece => {
        // Every other page, last first: nothing can merge.
        const address = physAddr(whole.address + 2 * (count - 1 - index) * PAGE);
        return { address, length: PAGE, owner: null };
      });
      for (const format of ['prp', 'sgl'] as const) {
        const bytes = pattern(count * PAGE, 11);
        a.put(0, bytes);
        await host.fill(whole, new Uint8Array(whole.length));
        expect(await a.transfer('read', 0, pieces, { format })).toMatchObject({ ...OK, commands: 1 });
        const got = await host.read(whole);
        for (const [index, { address }] of pieces.entries()) {
          const at = address - whole.address;
          const page = bytes.subarray(index * PAGE, (index + 1) * PAGE);
          expect(equalBytes(got.subarray(at, at + PAGE), page)).toBe(PAGE);
          expect(got.subarray(at + PAGE, at + 2 * PAGE).every((byte) => byte === 0)).toBe(true);
        }
        a.put(8192, new Uint8Array(bytes.length));
        expect(await a.transfer('write', 8192, pieces, { format })).toMatchObject({ ...OK, commands: 1 });
        expect(equalBytes(a.stored(8192, bytes.length), bytes)).toBe(bytes.length);
      }
      host.ram.free(whole.address);
    });

    suite.rule('one command mixes RAM, a peer’s buffer and plain device memory', async () => {
      const { host, a } = shared();
      const pieces = [
        host.ramPiece(PAGE),
        host.piece('b', 2 * MIB, 2 * PAGE),
        host.piece('m', 3 * MIB, PAGE),
        host.ramPiece(3 * PAGE),
        host.piece('far', 0, PAGE),
        host.piece('b', 5 * MIB, PAGE),
      ];
      await scatter(host, a, pieces, ['prp', 'sgl']);
    });

    suite.rule('pieces of whole blocks that are no pages go by an SGL', async () => {
      const { host, a } = shared();
      const pieces = [
        host.piece('b', 2 * MIB + 512, 512),
        { ...host.ramPiece(PAGE), length: 1536 },
        host.piece('m', 3 * MIB + 1024, 3 * 512),
        host.piece('b', 3 * MIB, 5 * 512),
      ];
      await scatter(host, a, pieces, ['sgl']);
    });

    suite.rule('a mixed request on the owner of a buffer is split where the memory changes, and arrives', async () => {
      const { host, b } = shared();
      const pieces = [
        host.ramPiece(2 * PAGE),
        host.piece('b', 4 * MIB, PAGE),
        host.piece('b', 4 * MIB + 8 * PAGE, PAGE),
        host.piece('m', MIB, PAGE),
        host.ramPiece(PAGE),
      ];
      const bytes = pattern(6 * PAGE, 21);
      b.put(0, bytes);
      expect(await b.transfer('read', 0, pieces)).toMatchObject({ ...OK, commands: 3 });
      expect(await gathered(host, pieces)).toEqual(bytes);
      expect(await b.transfer('write', 4096, pieces)).toMatchObject({ ...OK, commands: 3 });
      expect(equalBytes(b.stored(4096, bytes.length), bytes)).toBe(bytes.length);
    });

    suite.rule('32 commands in flight from two controllers into one buffer, each byte right', async () => {
      const { host, a } = shared();
      const { b } = shared();
      const perController = 64;
      const initiators = [a, b];
      const runs = initiators.map((controller, which) => {
        const bytes = pattern(perController * PAGE, 30 + which);
        controller.put(0, bytes);
        const requests = Array.from({ length: perController }, (_, index) => {
          const piece = host.piece('b', which * 4 * MIB + index * PAGE, PAGE);
          const mapping = controller.map([piece], 'fromDevice');
          const segments = controller.segmentsOf(mapping, [piece]);
          return { kind: 'read' as const, namespace: 1, block: index * 8, segments };
        });
        return { bytes, which, run: controller.queue.begin(requests) };
      });
      for (let round = 0; runs.some(({ run }) => !run.isDone); round++) {
        expect(round).toBeLessThan(20_000);
        for (const { run } of runs) await run.submit();
        await host.bed.engine.run(50_000);
        for (const { run } of runs) await run.collect();
      }
      for (const { bytes, which, run } of runs) {
        expect(run.outcomes(null).every(({ status }) => status === 0)).toBe(true);
        const got = await host.read(host.piece('b', which * 4 * MIB, bytes.length));
        expect(equalBytes(got, bytes)).toBe(bytes.length);
      }
    });

    suite.rule('a command that the controller refuses ends with its status, and the next one works', async () => {
      const { host, b } = shared();
      const [own, ram] = [host.piece('b', MIB, PAGE), host.ramPiece(PAGE)];
      // As plain addresses: the driver cannot know that one of them is the controller's own buffer.
      const mixed = [own, ram].map(({ address }) => dmaSegment(address, PAGE));
      const status = STATUS.INVALID_USE_OF_CMB;
      expect(await b.move('read', 0, mixed)).toMatchObject({ kind: 'completed', status });
      b.put(0, pattern(PAGE, 31));
      expect(await b.move('read', 0, [dmaSegment(ram.address, PAGE)])).toMatchObject(OK);
      expect(equalBytes(await host.read(ram), pattern(PAGE, 31))).toBe(PAGE);
    });

    suite.rule(
      'a block behind the end of the namespace never reaches the controller, and the next one works',
      async () => {
        const { host, a } = shared();
        const piece = host.ramPiece(PAGE);
        const segments = [dmaSegment(piece.address, PAGE)];
        const beyond = a.facts.namespaces[0]?.blocks ?? 0;
        await expect(a.move('read', beyond, segments)).rejects.toMatchObject({ code: 'NVME_LENGTH' });
        a.put(0, pattern(PAGE, 32));
        expect(await a.move('read', 0, segments)).toMatchObject(OK);
        expect(equalBytes(await host.read(piece), pattern(PAGE, 32))).toBe(PAGE);
      },
    );

    suite.rule('the controller was written by others', async () => {
      expect(shared().a.facts.model).toBe('QEMU NVMe Ctrl');
    });
  });
}
