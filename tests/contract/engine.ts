/**
 * The Engine contract as one suite: whatever runs machines must pass it. What an engine cannot show is declared with the reason,
 * and becomes a test of its own that holds the engine to saying so; nothing is skipped.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { busAddr, iova, physAddr } from '../../src/core/index.ts';
import type { Provable } from '../../src/engine/contract.ts';
import { NvmeDriver } from '../../src/nvme/driver/index.ts';
import { STATUS } from '../../src/nvme/spec/index.ts';
import { type Bdf, bdfKey, COMMAND_MEMORY_SPACE } from '../../src/pcie/index.ts';
import {
  type Bed,
  type BedOptions,
  BLOCK,
  bytesAt,
  equalBytes,
  KIB,
  MIB,
  type NewBed,
  PAGE,
  pattern,
  switchTree,
} from './bed.ts';
import { type Controller, dmaSegment, Host, type HostOptions, type Piece } from './host.ts';

/** A rule that an engine cannot show. */
export interface NotProvable {
  /** Title of the rule. */
  readonly test: string;
  /** The capability that the engine must deny. */
  readonly what: Provable;
  readonly reason: string;
}

export interface ContractOptions {
  readonly name: string;
  readonly newBed: NewBed;
  readonly notProvable: readonly NotProvable[];
  /** Why the engine is not here at all, or null. */
  readonly missing?: string | null;
}

const OK = { kind: 'completed', status: STATUS.SUCCESS } as const;
const COMMAND = 4;
const ALL_ONES = 0xffffffff;
const SIZES: readonly number[] = [4 * KIB, 64 * KIB, MIB, 4 * MIB];
/** An address where no machine of the tests has anything: above all BARs, below 2^39. */
const HOLE = physAddr(2 ** 38 + 2 ** 37);
const TIMEOUT_MS = 30_000;

/** Registers the suite for one engine. */
export function engineContract(options: ContractOptions): void {
  const title = `engine ${options.name}`;
  const missing = options.missing ?? null;
  describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
    const suite = new Suite(options);
    suite.accesses();
    suite.transfers();
    suite.translation();
    suite.losses();
    suite.routing();
    suite.finish();
  });
}

class Suite {
  readonly #options: ContractOptions;
  readonly #titles = new Set<string>();

  constructor(options: ContractOptions) {
    this.#options = options;
  }

  /** A rule, or the statement that it cannot be shown here. */
  #rule(title: string, body: () => Promise<void>): void {
    this.#titles.add(title);
    const exception = this.#options.notProvable.find((one) => one.test === title);
    if (exception === undefined) test(title, body, TIMEOUT_MS);
    else {
      const { name } = this.#options;
      test(`engine ${name}: not provable here: ${exception.reason} (${title})`, async () => {
        await this.#with({ tree: switchTree() }, async (bed) => {
          const capability = bed.engine.capabilities().find(({ what }) => what === exception.what);
          expect(capability?.shown).toBe(false);
          expect(capability?.reason).not.toBe('');
        });
      });
    }
  }

  async #with(options: BedOptions, body: (bed: Bed) => Promise<void>): Promise<void> {
    const bed = await this.#options.newBed(options);
    try {
      await body(bed);
    } finally {
      await bed.engine.close();
    }
  }

  /** A machine that the rules of a group share, with its two controllers up. */
  #shared(options: BedOptions, host: HostOptions = {}): () => { host: Host; a: Controller; b: Controller } {
    let made: { host: Host; a: Controller; b: Controller } | null = null;
    let bed: Bed | null = null;
    beforeAll(async () => {
      bed = await this.#options.newBed(options);
      const on = new Host(bed, host);
      made = { host: on, a: await on.controller('a'), b: await on.controller('b') };
    }, TIMEOUT_MS);
    afterAll(async () => {
      await bed?.engine.close();
    });
    return () => {
      if (made === null) throw new Error('the machine did not come up');
      return made;
    };
  }

  accesses(): void {
    describe('accesses', () => {
      const shared = this.#shared({ tree: switchTree() });

      this.#rule('a function that is not there reads all ones, and takes writes in silence', async () => {
        const { engine } = shared().host.bed;
        const nobody: Bdf = { domain: 0, bus: 77, device: 3, function: 0 };
        expect(await engine.readConfig(nobody, 0, 4)).toBe(ALL_ONES);
        expect(await engine.readConfig(nobody, 2, 2)).toBe(0xffff);
        expect(await engine.readConfig(nobody, 9, 1)).toBe(0xff);
        await engine.writeConfig(nobody, COMMAND, 2, 6);
        expect(await engine.readConfig(nobody, COMMAND, 2)).toBe(0xffff);
      });

      this.#rule('an address that nobody decodes reads all ones, and takes writes in silence', async () => {
        const { engine } = shared().host.bed;
        await engine.write32(HOLE, 1);
        await engine.write64(HOLE, { high: 1, low: 2 });
        await engine.writeMemory(HOLE, Uint8Array.of(1, 2, 3));
        expect(await engine.read32(HOLE)).toBe(ALL_ONES);
        expect(await engine.read64(HOLE)).toEqual({ high: ALL_ONES, low: ALL_ONES });
        expect(await bytesAt(shared().host.bed, HOLE, 3)).toEqual(Uint8Array.of(0xff, 0xff, 0xff));
      });

      this.#rule('zeros in RAM and in device memory are zeros', async () => {
        const { host } = shared();
        const pieces = [host.ramPiece(PAGE), host.piece('m', MIB, PAGE), host.piece('b', MIB, PAGE)];
        for (const piece of pieces) {
          await host.fill(piece, new Uint8Array(PAGE));
          expect(await host.bed.engine.read32(piece.address)).toBe(0);
          expect(await host.read(piece)).toEqual(new Uint8Array(PAGE));
        }
      });

      this.#rule('calls take effect in the order in which they are made, awaited or not', async () => {
        const { host } = shared();
        const { engine } = host.bed;
        const places = [host.ramPiece(PAGE), host.piece('m', 0, PAGE), host.piece('b', 0, PAGE)];
        const answers: Promise<unknown>[] = [];
        const seen: Uint8Array[] = [];
        for (let round = 0; round < 20; round++) {
          for (const { address } of places) {
            const into = new Uint8Array(8);
            seen.push(into);
            answers.push(Promise.resolve(engine.write32(address, round)));
            answers.push(Promise.resolve(engine.writeMemory(physAddr(address + 4), Uint8Array.of(round, 1, 2, 3))));
            answers.push(Promise.resolve(engine.readMemory(address, into)));
          }
        }
        await Promise.all(answers);
        seen.forEach((bytes, index) => {
          const round = Math.floor(index / places.length);
          expect([...bytes]).toEqual([round, 0, 0, 0, round, 1, 2, 3]);
        });
      });

      this.#rule('bytes handed to a write are taken before the call returns', async () => {
        const { host } = shared();
        for (const piece of [host.ramPiece(64 * KIB), host.piece('m', 0, 64 * KIB)]) {
          const bytes = pattern(piece.length, 5);
          const expected = bytes.slice();
          const before = host.bed.engine.read32(piece.address);
          const answer = host.bed.engine.writeMemory(piece.address, bytes);
          bytes.fill(0);
          await before;
          await answer;
          expect(equalBytes(await host.read(piece), expected)).toBe(piece.length);
        }
      });

      this.#rule('registers of 32 and 64 bits agree: a 64-bit one may be read as two', async () => {
        const { host, a } = shared();
        const registers = physAddr(a.fn.bars[0]?.cpuAddress ?? 0);
        const { high, low } = await host.bed.engine.read64(registers);
        expect(await host.bed.engine.read32(registers)).toBe(low);
        expect(await host.bed.engine.read32(physAddr(registers + 4))).toBe(high);
        expect(low).not.toBe(0);
      });

      this.#rule('time never falls, and a run that did nothing has let its time pass', async () => {
        const { engine } = shared().host.bed;
        const start = engine.nowNs;
        for (const ns of [1000, 200_000, 3_000_000]) {
          const before = engine.nowNs;
          const worked = await engine.run(ns);
          // Timers may fire a fraction of a millisecond early.
          if (!worked) expect(engine.nowNs - before).toBeGreaterThanOrEqual(ns * 0.5);
        }
        expect(engine.nowNs).toBeGreaterThan(start);
      });

      this.#rule('without an IOMMU there are no faults', async () => {
        expect(await shared().host.bed.engine.takeFaults()).toEqual([]);
      });

      this.#rule('capabilities name each kind of evidence once, with a reason, and never change', async () => {
        const { engine } = shared().host.bed;
        const kinds: Provable[] = ['data', 'registers', 'translation', 'routing', 'acs', 'loss'];
        const said = engine.capabilities();
        expect(said.map(({ what }) => what).sort()).toEqual([...kinds].sort());
        for (const { reason } of said) expect(reason.length).toBeGreaterThan(10);
        expect(engine.capabilities()).toEqual(said);
      });
    });
  }

  transfers(): void {
    describe('transfers', () => {
      const shared = this.#shared({ tree: switchTree() });

      this.#rule(
        'bring-up finds version, namespace, SGLs and the buffer, and gives memory back at shutdown',
        async () => {
          const { a, b } = shared();
          expect(a.facts).toMatchObject({ version: 0x10400, sglGranularity: 1, cmb: null, maxTransferBytes: 4 * MIB });
          expect(a.facts.namespaces).toEqual([{ id: 1, blocks: 65536, blockBytes: BLOCK }]);
          expect(b.facts.cmb).toMatchObject({ bar: 2, sizeBytes: 16 * MIB, rds: true, wds: true, mixedData: false });
          await this.#with({ tree: switchTree() }, async (bed) => {
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
        this.#rule(
          `4 KiB to 4 MiB move between a controller and ${what}, both ways, by PRPs and by an SGL`,
          async () => {
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
          },
        );
      }

      this.#rule('a transfer touches nothing beside its bytes', async () => {
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

      this.#rule('PRP lists chain over several pages, SGLs over several segments: one command each', async () => {
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

      this.#rule('one command mixes RAM, a peer’s buffer and plain device memory', async () => {
        const { host, a } = shared();
        const pieces = [
          host.ramPiece(PAGE),
          host.piece('b', 2 * MIB, 2 * PAGE),
          host.piece('m', 3 * MIB, PAGE),
          host.ramPiece(3 * PAGE),
          host.piece('far', 0, PAGE),
          host.piece('b', 5 * MIB, PAGE),
        ];
        await this.#scatter(host, a, pieces, ['prp', 'sgl']);
      });

      this.#rule('pieces of whole blocks that are no pages go by an SGL', async () => {
        const { host, a } = shared();
        const pieces = [
          host.piece('b', 2 * MIB + 512, 512),
          { ...host.ramPiece(PAGE), length: 1536 },
          host.piece('m', 3 * MIB + 1024, 3 * 512),
          host.piece('b', 3 * MIB, 5 * 512),
        ];
        await this.#scatter(host, a, pieces, ['sgl']);
      });

      this.#rule(
        'a mixed request on the owner of a buffer is split where the memory changes, and arrives',
        async () => {
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
        },
      );

      this.#rule('32 commands in flight from two controllers into one buffer, each byte right', async () => {
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

      this.#rule('a command that the controller refuses ends with its status, and the next one works', async () => {
        const { host, a } = shared();
        const piece = host.ramPiece(PAGE);
        const address = piece.address;
        // Not through the driver's checks: a block behind the end, in a request that claims another namespace size.
        const beyond = a.facts.namespaces[0]?.blocks ?? 0;
        await expect(a.move('read', beyond, [dmaSegment(address, PAGE)])).rejects.toMatchObject({
          code: 'NVME_LENGTH',
        });
        a.put(0, pattern(PAGE, 31));
        expect(await a.move('read', 0, [dmaSegment(address, PAGE)])).toMatchObject(OK);
        expect(equalBytes(await host.read(piece), pattern(PAGE, 31))).toBe(PAGE);
      });

      this.#rule('the controller was written by others', async () => {
        expect(shared().a.facts.model).toBe('QEMU NVMe Ctrl');
      });
    });
  }

  /** Reads into pieces and writes from them, by each format; every byte is compared. */
  async #scatter(
    host: Host,
    controller: Controller,
    pieces: Piece[],
    formats: readonly ('prp' | 'sgl')[],
  ): Promise<void> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    for (const [index, format] of formats.entries()) {
      const bytes = pattern(length, 40 + index);
      controller.put(0, bytes);
      expect(await controller.transfer('read', 0, pieces, { format })).toMatchObject({ ...OK, commands: 1 });
      expect(await gathered(host, pieces)).toEqual(bytes);
      controller.put(4096, new Uint8Array(length));
      expect(await controller.transfer('write', 4096, pieces, { format })).toMatchObject({ ...OK, commands: 1 });
      expect(equalBytes(controller.stored(4096, length), bytes)).toBe(length);
    }
  }

  translation(): void {
    for (const levels of [3, 4] as const) {
      describe(`an IOMMU with tables of ${levels} levels`, () => {
        const shared = this.#shared({ tree: switchTree(), iommuLevels: levels }, { levels });

        this.#rule(
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

        this.#rule(`levels ${levels}: a mapping of several MiB uses large pages, and every byte arrives`, async () => {
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

        this.#rule(`levels ${levels}: its own buffer needs no mapping (c), also beside RAM that has one`, async () => {
          const { host, b } = shared();
          const pieces = [host.piece('b', 2 * MIB, 2 * PAGE), host.ramPiece(PAGE)];
          const bytes = pattern(3 * PAGE, 52);
          b.put(0, bytes);
          expect(await b.transfer('read', 0, pieces)).toMatchObject({ ...OK, commands: 2 });
          expect(await gathered(host, pieces)).toEqual(bytes);
        });

        this.#rule(
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

        this.#rule(
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

        this.#rule(`levels ${levels}: after unmap the IOVA faults, and memory keeps its bytes`, async () => {
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

    this.#rule('a stale translation is used until it is invalidated', async () => {
      await this.#with({ tree: switchTree(), iommuLevels: 4 }, async (bed) => {
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

    this.#rule('pass-through: physical addresses of RAM and bus addresses of peers reach their target', async () => {
      await this.#with({ tree: switchTree(), iommuLevels: 4 }, async (bed) => {
        const host = new Host(bed, { levels: 4, passthrough: true });
        const a = await host.controller('a');
        const pieces = [host.ramPiece(PAGE), host.piece('b', MIB, PAGE), host.piece('m', MIB, PAGE)];
        await this.#scatter(host, a, pieces, ['prp', 'sgl']);
        expect(await bed.engine.takeFaults()).toEqual([]);
      });
    });

    this.#rule(
      'a function that nobody attached cannot fetch its queues: the controller says so, and the fault names it',
      async () => {
        await this.#with({ tree: switchTree(), iommuLevels: 4 }, async (bed) => {
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

  losses(): void {
    this.#rule(
      'memory space switched off at the target: the loss is found by comparison, whatever the status says',
      async () => {
        await this.#with({ tree: switchTree() }, async (bed) => {
          const host = new Host(bed);
          const a = await host.controller('a');
          const piece = host.piece('m', MIB, PAGE);
          const kept = pattern(PAGE, 70);
          await host.fill(piece, kept);
          a.put(0, pattern(PAGE, 71));
          const { bdf } = bed.fn('m');
          const command = await bed.engine.readConfig(bdf, COMMAND, 2);
          await bed.engine.writeConfig(bdf, COMMAND, 2, command & ~COMMAND_MEMORY_SPACE);
          expect(await bed.engine.read32(piece.address)).toBe(ALL_ONES);
          const outcome = await a.transfer('read', 0, [piece]);
          expect(outcome.kind).toBe('completed');
          await bed.engine.writeConfig(bdf, COMMAND, 2, command);
          expect(await host.read(piece)).toEqual(kept);
          expect(await a.transfer('read', 0, [piece])).toMatchObject(OK);
          expect(await host.read(piece)).toEqual(pattern(PAGE, 71));
        });
      },
    );

    this.#rule('an unplugged memory is gone for CPU and controllers, and what was meant for it is lost', async () => {
      await this.#with({ tree: switchTree() }, async (bed) => {
        const host = new Host(bed);
        const a = await host.controller('a');
        const piece = host.piece('m', 0, PAGE);
        const { bdf } = bed.fn('m');
        a.put(0, pattern(PAGE, 72));
        expect(await a.transfer('read', 0, [piece])).toMatchObject(OK);
        expect(await host.read(piece)).toEqual(pattern(PAGE, 72));
        await bed.unplug('m');
        expect(await bed.engine.readConfig(bdf, 0, 2)).toBe(0xffff);
        expect(await host.read(piece)).toEqual(new Uint8Array(PAGE).fill(0xff));
        const outcome = await a.transfer('read', 0, [piece]);
        expect(outcome.kind).toBe('completed');
        expect(equalBytes(await host.read(piece), pattern(PAGE, 72))).toBeLessThan(PAGE / 4);
      });
    });

    this.#rule('an unplugged controller is gone: its driver is told, and does not wait', async () => {
      await this.#with({ tree: switchTree() }, async (bed) => {
        const host = new Host(bed);
        const b = await host.controller('b');
        const piece = host.ramPiece(PAGE);
        await bed.unplug('b');
        expect(await b.transfer('read', 0, [piece])).toMatchObject({ kind: 'gone' });
        expect(await b.driver.bringUp()).toMatchObject({ kind: 'gone' });
      });
    });

    this.#rule('bus mastering switched off at a controller stops it, and bringing it up again helps', async () => {
      await this.#with({ tree: switchTree() }, async (bed) => {
        const host = new Host(bed);
        const a = await host.controller('a', { limits: { ...bed.limits, timeoutNs: 300e6 } });
        const piece = host.ramPiece(PAGE);
        const kept = pattern(PAGE, 73);
        await host.fill(piece, kept);
        a.put(0, pattern(PAGE, 74));
        const command = await bed.engine.readConfig(a.fn.bdf, COMMAND, 2);
        await bed.engine.writeConfig(a.fn.bdf, COMMAND, 2, command & ~4);
        const outcome = await a.transfer('read', 0, [piece]);
        expect(['fatal', 'timeout']).toContain(outcome.kind);
        expect(await host.read(piece)).toEqual(kept);
        await bed.engine.writeConfig(a.fn.bdf, COMMAND, 2, command);
        const again = await host.controller('a');
        expect(await again.transfer('read', 0, [piece])).toMatchObject(OK);
        expect(await host.read(piece)).toEqual(pattern(PAGE, 74));
      });
    });
  }

  routing(): void {
    this.#rule('between peers below one switch nothing reaches the root port', async () => {
      await this.#with({ tree: switchTree() }, async (bed) => {
        const { ports, rootComplex } = await this.#roadOfPeerTransfer(bed);
        expect(ports).toContain(bed.fn('portB').name);
        expect(rootComplex).toBe(false);
      });
    });

    this.#rule('request redirect sends it up to the root complex and back', async () => {
      await this.#with({ tree: switchTree(['RR', 'CR', 'UF']) }, async (bed) => {
        const { rootComplex } = await this.#roadOfPeerTransfer(bed);
        expect(rootComplex).toBe(true);
      });
    });

    this.#rule('IOMMU on: a bus address below the same switch is reached without translation', async () => {
      await this.#with({ tree: switchTree(), iommuLevels: 4 }, async (bed) => {
        const host = new Host(bed, { levels: 4 });
        const a = await host.controller('a');
        const piece = host.piece('b', MIB, PAGE);
        a.put(0, pattern(PAGE, 80));
        const address = busAddr(piece.address);
        expect(await a.move('read', 0, [{ kind: 'bus', address, length: PAGE }])).toMatchObject(OK);
        expect(await host.read(piece)).toEqual(pattern(PAGE, 80));
        expect(await bed.engine.takeFaults()).toEqual([]);
      });
    });
  }

  /** Names of the functions that a transfer of `a` into the buffer of `b` passes, and whether it reaches the root complex. */
  async #roadOfPeerTransfer(bed: Bed): Promise<{ ports: string[]; rootComplex: boolean }> {
    const host = new Host(bed);
    const a = await host.controller('a');
    const piece = host.piece('b', MIB, PAGE);
    a.put(0, pattern(PAGE, 81));
    const watched = bed.watch();
    if (watched === null) throw new Error('the engine shows no hops');
    expect(await a.transfer('read', 0, [piece])).toMatchObject(OK);
    const hops = watched().filter(({ address }) => address >= piece.address && address < piece.address + PAGE);
    expect(hops.length).toBeGreaterThan(0);
    const names = hops.map(({ at }) => bed.machine.hierarchy.functions[at]?.name ?? 'root complex');
    return { ports: [...new Set(names)], rootComplex: names.includes('root complex') };
  }

  finish(): void {
    test('every exception names a rule of the suite', () => {
      for (const { test: title } of this.#options.notProvable) expect([...this.#titles]).toContain(title);
    });
  }
}

/** 16 pages, RAM and a peer's buffer by turns, none beside another. */
function foldedPieces(host: Host): Piece[] {
  return Array.from({ length: 16 }, (_, index) =>
    index % 2 === 0 ? { ...host.ramPiece(2 * PAGE), length: PAGE } : host.piece('b', (31 - index) * 2 * PAGE, PAGE),
  );
}

/** The bytes of all pieces, in their order. */
async function gathered(host: Host, pieces: readonly Piece[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const piece of pieces) parts.push(await host.read(piece));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
