/**
 * Captured machines rebuilt in QEMU, and the same transfers on both engines under each setting of the IOMMU: wherever they part, the
 * table of cases says that QEMU cannot show it.
 *
 *     npm run qemu:soak     every machine under every setting; else each under one of them, by turns
 */

import { describe, expect, test } from 'vitest';
import { QemuHost } from '../../src/cli/qemu-host.ts';
import { compareReports } from '../../src/cli/run-compare.ts';
import { QEMU_CASES } from '../../src/engine/qemu/index.ts';
import type { Machine } from '../../src/machine/index.ts';
import { CLASS_NVM_EXPRESS } from '../../src/pcie/index.ts';
import type { ScenarioReport } from '../../src/scenario/report.ts';
import { readScenario, runScenario, scenarioMachine } from '../../src/scenario/run-scenario.ts';
import { SimHost } from '../../src/scenario/sim-host.ts';
import { missingQemu } from '../contract/missing-qemu.ts';
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

async function bothReports(machine: Machine, text: string, iommu: string): Promise<[ScenarioReport, ScenarioReport]> {
  const read = readScenario(text, 'captured.json');
  const captured = await scenarioMachine(read, async () => machine);
  const hasIommu = iommu !== 'off';
  const qemu = await QemuHost.start({ named: captured, iommu: hasIommu, scenario: read.scenario });
  try {
    const { named } = qemu;
    const sim = new SimHost({
      machine: named.machine,
      controllers: named.controllers,
      scenario: read.scenario,
      iommu: hasIommu,
    });
    const first = await runScenario({ read, named, host: sim });
    return [first, await runScenario({ read, named, host: qemu })];
  } finally {
    await qemu.engine.close();
  }
}

describe.skipIf(MISSING !== null)(`captured machines on both engines${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test('they part only where the table of cases says not provable here, and there by a bus address that faults', async () => {
    const counts = { machines: 0, transfers: 0, same: 0, notProvable: 0 };
    for (const [index, machine] of (await bundledMachines()).entries()) {
      for (const [which, iommu] of SETTINGS.entries()) {
        if (!IS_SOAK && which !== index % SETTINGS.length) continue;
        const text = scenarioText(machine, iommu);
        if (text === null) continue;
        const [sim, qemu] = await bothReports(machine, text, iommu);
        counts.machines++;
        for (const transfer of sim.transfers) {
          counts.transfers++;
          expect([machine.source, iommu, transfer.name, transfer.asExpected]).toEqual([
            ...[machine.source, iommu, transfer.name],
            true,
          ]);
        }
        const parted = new Set(compareReports(sim, qemu).map(({ transfer }) => transfer));
        counts.same += sim.transfers.length - parted.size;
        for (const name of parted) {
          const transfer = qemu.transfers.find((one) => one.name === name);
          for (const vector of transfer?.vectors ?? []) {
            if (vector.bytesEqual === vector.length) continue;
            const cell = QEMU_CASES.find((one) => one.case === vector.case && one.iommu === iommu);
            expect([machine.source, name, cell?.seen]).toEqual([machine.source, name, 'bus address faults']);
          }
          expect(transfer?.iommuFaults.length, `${machine.source}: ${name}`).toBeGreaterThan(0);
          counts.notProvable++;
        }
      }
    }
    console.log(`captured machines on both engines: ${JSON.stringify(counts)}`);
    expect(counts.same).toBeGreaterThan(IS_SOAK ? 300 : 100);
    expect(counts.notProvable).toBeGreaterThan(IS_SOAK ? 20 : 5);
  }, 300_000);
});
