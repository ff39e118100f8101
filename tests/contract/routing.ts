/** Rules of the RegisterEngine contract: the road that transactions take. Only an engine that shows hops can pass them. */

import { expect } from 'vitest';
import { busAddr } from '../../src/core/index.ts';
import { type Bed, MIB, PAGE, pattern, switchTree } from './bed.ts';
import { Host } from './host.ts';
import { OK, type Suite } from './suite.ts';

/** Registers the rules. */
export function routingRules(suite: Suite): void {
  suite.rule('between peers below one switch nothing reaches the root port', async () => {
    await suite.with({ tree: switchTree() }, async (bed) => {
      const { ports, rootComplex } = await roadOfPeerTransfer(bed);
      expect(ports).toContain(bed.fn('portB').name);
      expect(rootComplex).toBe(false);
    });
  });

  suite.rule('request redirect sends it up to the root complex and back', async () => {
    await suite.with({ tree: switchTree(['RR', 'CR', 'UF']) }, async (bed) => {
      const { rootComplex } = await roadOfPeerTransfer(bed);
      expect(rootComplex).toBe(true);
    });
  });

  suite.rule('IOMMU on: a bus address below the same switch is reached without translation', async () => {
    await suite.with({ tree: switchTree(), iommuLevels: 4 }, async (bed) => {
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
async function roadOfPeerTransfer(bed: Bed): Promise<{ ports: string[]; rootComplex: boolean }> {
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
