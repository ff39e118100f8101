/** Ways of the IOMMU that only a QEMU machine can be described with: fewer levels than there are, and a bridge that bypasses it. */

import { describe, expect, test } from 'vitest';
import { physAddr } from '../../src/core/index.ts';
import { QemuEngine, type QemuMachineDescription } from '../../src/engine/qemu/index.ts';
import { VTD_BASE } from '../../src/engine/qemu/vtd-registers.ts';
import type { PciFunction } from '../../src/pcie/index.ts';
import { type Bed, equalBytes, MIB, PAGE, pattern } from '../contract/bed.ts';
import { dmaSegment, Host, type HostOptions } from '../contract/host.ts';
import { missingQemu } from '../contract/missing-qemu.ts';
import { othersDisagree } from './two-others.ts';

const MISSING = missingQemu();

const MACHINE: QemuMachineDescription = {
  iommuLevels: 4,
  rootBuses: [
    {
      bus: 0,
      children: [
        { kind: 'rootPort', below: [{ kind: 'nvme', name: 'a' }] },
        { kind: 'rootPort', below: [{ kind: 'nvme', name: 'b' }] },
      ],
    },
    {
      bus: 64,
      bypassIommu: true,
      children: [
        { kind: 'rootPort', below: [{ kind: 'nvme', name: 'past' }] },
        { kind: 'rootPort', below: [{ kind: 'memory', name: 'm', bytes: MIB }] },
      ],
    },
  ],
};

async function withHost(options: HostOptions, body: (host: Host, engine: QemuEngine) => Promise<void>): Promise<void> {
  const engine = await QemuEngine.start({ machine: MACHINE });
  try {
    const machine = await engine.machine();
    expect(await othersDisagree(engine, machine)).toEqual([]);
    const bed: Bed = {
      engine,
      machine,
      limits: engine.envelope.limits,
      pid: engine.pid,
      fn: (name) => machine.hierarchy.at(engine.locate(name)) as PciFunction,
      attachIommu: (fn, context) => engine.attachIommu(fn.bdf, context),
      readMedium: (name, offset, into) => engine.readMedium(name, offset, into),
      writeMedium: (name, offset, from) => engine.writeMedium(name, offset, from),
      unplug: (name) => engine.unplug(name),
      watch: () => null,
    };
    await body(new Host(bed, options), engine);
  } finally {
    await engine.close();
  }
}

describe.skipIf(MISSING !== null)(`the IOMMU of QEMU${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test('a domain of three levels works on a unit of four', async () => {
    await withHost({ levels: 3 }, async (host, engine) => {
      const a = await host.controller('a');
      expect(a.device.domain?.levels).toBe(3);
      expect(engine.iommu?.levels).toBe(4);
      const pieces = [host.ramPiece(PAGE), host.piece('m', 0, PAGE)];
      const bytes = pattern(2 * PAGE, 1);
      a.put(0, bytes);
      expect(await a.transfer('read', 0, pieces, { format: 'sgl' })).toMatchObject({ status: 0, commands: 1 });
      const got = await Promise.all(pieces.map((piece) => host.read(piece)));
      expect(equalBytes(Buffer.concat(got), bytes)).toBe(2 * PAGE);
      expect(await engine.takeFaults()).toEqual([]);
    });
  });

  test('below a bridge that bypasses the IOMMU, physical addresses work without any mapping', async () => {
    await withHost({}, async (host, engine) => {
      const past = await host.controller('past');
      const pieces = [host.ramPiece(PAGE), host.piece('m', 0, PAGE)];
      const bytes = pattern(2 * PAGE, 2);
      past.put(0, bytes);
      expect(await past.transfer('read', 0, pieces)).toMatchObject({ status: 0 });
      const got = await Promise.all(pieces.map((piece) => host.read(piece)));
      expect(equalBytes(Buffer.concat(got), bytes)).toBe(2 * PAGE);
      expect(await engine.takeFaults()).toEqual([]);
    });
  });

  test('two domains are apart: what one function has mapped faults for the other', async () => {
    await withHost({ levels: 4 }, async (host, engine) => {
      const a = await host.controller('a');
      const page = host.ramPiece(PAGE);
      const mapping = a.map([page], 'bidirectional');
      a.put(0, pattern(PAGE, 3));
      expect(await a.move('read', 0, [dmaSegment(mapping.iovaBase, PAGE)])).toMatchObject({ status: 0 });
      expect(await host.read(page)).toEqual(pattern(PAGE, 3));
      const b = await host.controller('b');
      b.put(0, pattern(PAGE, 4));
      await b.move('read', 0, [dmaSegment(mapping.iovaBase, PAGE)]);
      const faults = await engine.takeFaults();
      expect(faults).toMatchObject([{ address: mapping.iovaBase, reason: 'notMapped', requester: b.fn.bdf }]);
      expect(await host.read(page)).toEqual(pattern(PAGE, 3));
    });
  });

  test('the unit’s own registers are device registers like any other', async () => {
    await withHost({}, async (_host, engine) => {
      // Version 1.0, and translation is on.
      expect(await engine.read32(physAddr(VTD_BASE))).toBe(0x10);
      expect(await engine.read32(physAddr(VTD_BASE + 0x1c))).toBe(0xc0000000);
    });
  });
});
