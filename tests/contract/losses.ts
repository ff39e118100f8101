/** Rules of the RegisterEngine contract: what is lost is found by comparison, and what is gone is said to be gone. */

import { expect } from 'vitest';
import { COMMAND_MEMORY_SPACE } from '../../src/pcie/index.ts';
import { COMMAND } from '../../src/pcie/registers.ts';
import { equalBytes, MIB, PAGE, pattern, switchTree } from './bed.ts';
import { Host } from './host.ts';
import { ALL_ONES, OK, type Suite } from './suite.ts';

/** Registers the rules. */
export function lossRules(suite: Suite): void {
  suite.rule(
    'memory space switched off at the target: the loss is found by comparison, whatever the status says',
    async () => {
      await suite.with({ tree: switchTree() }, async (bed) => {
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

  suite.rule('an unplugged memory is gone for CPU and controllers, and what was meant for it is lost', async () => {
    await suite.with({ tree: switchTree() }, async (bed) => {
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

  suite.rule('an unplugged controller is gone: its driver is told, and does not wait', async () => {
    await suite.with({ tree: switchTree() }, async (bed) => {
      const host = new Host(bed);
      const b = await host.controller('b');
      const piece = host.ramPiece(PAGE);
      await bed.unplug('b');
      expect(await b.transfer('read', 0, [piece])).toMatchObject({ kind: 'gone' });
      expect(await b.driver.bringUp()).toMatchObject({ kind: 'gone' });
    });
  });

  suite.rule('bus mastering switched off at a controller stops it, and bringing it up again helps', async () => {
    await suite.with({ tree: switchTree() }, async (bed) => {
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
