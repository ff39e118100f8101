/** Rules of the RegisterEngine contract: single accesses, their order, time, and what an engine says of itself. */

import { describe, expect } from 'vitest';
import { physAddr } from '../../src/core/index.ts';
import type { Provable } from '../../src/engine/register.ts';
import type { Bdf } from '../../src/pcie/index.ts';
import { COMMAND } from '../../src/pcie/registers.ts';
import { bytesAt, equalBytes, KIB, MIB, PAGE, pattern, switchTree } from './bed.ts';
import { ALL_ONES, type Suite } from './suite.ts';

/** An address where no machine of the tests has anything: above all BARs, below 2^39. */
const HOLE = physAddr(2 ** 38 + 2 ** 37);

/** Registers the rules. */
export function accessRules(suite: Suite): void {
  describe('accesses', () => {
    const shared = suite.shared({ tree: switchTree() });

    suite.rule('a function that is not there reads all ones, and takes writes in silence', async () => {
      const { engine } = shared().host.bed;
      const nobody: Bdf = { domain: 0, bus: 77, device: 3, function: 0 };
      expect(await engine.readConfig(nobody, 0, 4)).toBe(ALL_ONES);
      expect(await engine.readConfig(nobody, 2, 2)).toBe(0xffff);
      expect(await engine.readConfig(nobody, 9, 1)).toBe(0xff);
      await engine.writeConfig(nobody, COMMAND, 2, 6);
      expect(await engine.readConfig(nobody, COMMAND, 2)).toBe(0xffff);
    });

    suite.rule('an address that nobody decodes reads all ones, and takes writes in silence', async () => {
      const { engine } = shared().host.bed;
      await engine.write32(HOLE, 1);
      await engine.write64(HOLE, { high: 1, low: 2 });
      await engine.writeMemory(HOLE, Uint8Array.of(1, 2, 3));
      expect(await engine.read32(HOLE)).toBe(ALL_ONES);
      expect(await engine.read64(HOLE)).toEqual({ high: ALL_ONES, low: ALL_ONES });
      expect(await bytesAt(shared().host.bed, HOLE, 3)).toEqual(Uint8Array.of(0xff, 0xff, 0xff));
    });

    suite.rule('zeros in RAM and in device memory are zeros', async () => {
      const { host } = shared();
      const pieces = [host.ramPiece(PAGE), host.piece('m', MIB, PAGE), host.piece('b', MIB, PAGE)];
      for (const piece of pieces) {
        await host.fill(piece, new Uint8Array(PAGE));
        expect(await host.bed.engine.read32(piece.address)).toBe(0);
        expect(await host.read(piece)).toEqual(new Uint8Array(PAGE));
      }
    });

    suite.rule('calls take effect in the order in which they are made, awaited or not', async () => {
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

    suite.rule('bytes handed to a write are taken before the call returns', async () => {
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

    suite.rule('registers of 32 and 64 bits agree: a 64-bit one may be read as two', async () => {
      const { host, a } = shared();
      const registers = physAddr(a.fn.bars[0]?.cpuAddress ?? 0);
      const { high, low } = await host.bed.engine.read64(registers);
      expect(await host.bed.engine.read32(registers)).toBe(low);
      expect(await host.bed.engine.read32(physAddr(registers + 4))).toBe(high);
      expect(low).not.toBe(0);
    });

    suite.rule('time never falls, and a run that did nothing has let its time pass', async () => {
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

    suite.rule('without an IOMMU there are no faults', async () => {
      expect(await shared().host.bed.engine.takeFaults()).toEqual([]);
    });

    suite.rule('capabilities name each kind of evidence once, with a reason, and never change', async () => {
      const { engine } = shared().host.bed;
      const kinds: Provable[] = ['data', 'registers', 'translation', 'routing', 'acs', 'loss'];
      const said = engine.capabilities();
      expect(said.map(({ what }) => what).sort()).toEqual([...kinds].sort());
      for (const { reason } of said) expect(reason.length).toBeGreaterThan(10);
      expect(engine.capabilities()).toEqual(said);
    });
  });
}
