/**
 * Captured machines rebuilt in QEMU, and the same transfers on both engines under each setting of the IOMMU: wherever they part, the
 * table of cases says that QEMU cannot show it.
 *
 *     npm run qemu:soak     every machine under every setting; else each under one of them, by turns
 */

import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/machine/index.ts';
import { CLASS_NVM_EXPRESS } from '../../src/pcie/index.ts';
import { readScenario } from '../../src/scenario/run-scenario.ts';
import { missingQemu } from '../contract/missing-qemu.ts';
import { runBoth } from './both-engines.ts';
import { bundledMachines } from './bundled.ts';

const MISSING = missingQemu();
const IS_SOAK = process.env['P2PDMA_SOAK'] === '1';
const SETTINGS = ['off', 'on', 'passthrough'] as const;

/** Transfers of each of the first controllers with RAM, and with RAM and each of the first memories; null without a controller. */
function scenarioText(machine: Machine, iommu: (typeof SETTINGS)[number]): string | null {
  const endpoints = machine.hierarchy.functions.filter((fn) => !fn.isBridge && (fn.classCode ?? 0) >>> 8 !== 6);
  const controllers = endpoints.filter((fn) => fn.classCode === CLASS_NVM_EXPRESS).slice(0, 2);
  const memories = endpoints.filter((fn) =>
    fn.bars.some((bar) => bar.space === 'memory' && (bar.size ?? 0) >= 2 ** 20),
  );
  if (controllers.length === 0) return null;
  const transfers = controllers.flatMap((fn) =>
    [null, ...memories.slice(0, 4)].map((memory, index) => {
      const peer = memory === null ? [] : [{ memory: memory === fn ? 'self' : memory.name, length: 16384 }];
      const direction = index % 2 === 0 ? 'fromDevice' : 'toDevice';
      const vectors = [{ memory: 'ram', length: 8192 }, ...peer];
      return { name: `${fn.name} ${direction} ${memory?.name ?? 'ram'}`, device: fn.name, direction, vectors };
    }),
  );
  return JSON.stringify({ machine: machine.source, iommu, transfers });
}

describe.skipIf(MISSING !== null)(`captured machines on both engines${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test('they part only where the table of cases says not provable here, and there by a bus address that faults', async () => {
    const counts = { machines: 0, transfers: 0, same: 0, notProvable: 0 };
    for (const [index, machine] of (await bundledMachines()).entries()) {
      for (const [which, iommu] of SETTINGS.entries()) {
        if (!IS_SOAK && which !== index % SETTINGS.length) continue;
        const text = scenarioText(machine, iommu);
        if (text === null) continue;
        const { sim, differences, unexplained } = await runBoth(
          readScenario(text, 'captured.json'),
          machine,
          iommu !== 'off',
        );
        counts.machines++;
        counts.transfers += sim.transfers.length;
        const where = `${machine.source}, IOMMU ${iommu}`;
        expect(sim.transfers.filter(({ asExpected }) => !asExpected).map(({ name }) => `${where}: ${name}`)).toEqual(
          [],
        );
        expect(unexplained.map((one) => ({ where, ...one }))).toEqual([]);
        const parted = new Set(differences.map(({ transfer }) => transfer)).size;
        counts.same += sim.transfers.length - parted;
        counts.notProvable += parted;
      }
    }
    console.log(`captured machines on both engines: ${JSON.stringify(counts)}`);
    expect(counts.same).toBeGreaterThan(IS_SOAK ? 300 : 100);
    expect(counts.notProvable).toBeGreaterThan(IS_SOAK ? 20 : 5);
  }, 300_000);
});
