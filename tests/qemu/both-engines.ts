/** One scenario on both engines, on the machine that QEMU enumerated. */

import { QemuHost } from '../../src/cli/qemu-host.ts';
import { QEMU_CASES } from '../../src/engine/qemu/index.ts';
import type { Machine } from '../../src/machine/index.ts';
import { compareReports, type Difference } from '../../src/report/run/compare.ts';
import type { ScenarioReport, TransferReport } from '../../src/scenario/report.ts';
import { type ReadScenario, runScenario, scenarioMachine } from '../../src/scenario/run-scenario.ts';
import { SimHost } from '../../src/scenario/sim-host.ts';

export interface BothReports {
  readonly sim: ScenarioReport;
  readonly qemu: ScenarioReport;
  /** Where they part. */
  readonly differences: readonly Difference[];
  /** Of those, what the table of cases does not explain by a bus address that QEMU's VT-d does not know. */
  readonly unexplained: readonly Difference[];
}

/** `machine`: the captured one that the scenario names, where it describes none. */
export async function runBoth(read: ReadScenario, machine: Machine | null, hasIommu: boolean): Promise<BothReports> {
  const wanted = await scenarioMachine(read, async () => machine as Machine);
  const { scenario } = read;
  const host = await QemuHost.start({ named: wanted, iommu: hasIommu, scenario });
  try {
    const { named } = host;
    const { machine: built, controllers } = named;
    const simHost = new SimHost({ machine: built, controllers, scenario, iommu: hasIommu });
    const sim = await runScenario({ read, named, host: simHost });
    const qemu = await runScenario({ read, named, host });
    const differences = compareReports(sim, qemu);
    const unexplained = differences.filter(({ transfer }) => {
      const report = qemu.transfers.find(({ name }) => name === transfer);
      return report === undefined || !isExplained(report);
    });
    return { sim, qemu, differences, unexplained };
  } finally {
    await host.engine.close();
  }
}

/** Every vector that was lost is of a case whose bus address faults under this setting, and a fault was recorded. */
function isExplained({ vectors, iommu, iommuFaults }: TransferReport): boolean {
  const lost = vectors.filter(({ bytesEqual, length }) => bytesEqual < length);
  const faults = (name: string): boolean =>
    QEMU_CASES.some((cell) => cell.case === name && cell.iommu === iommu && cell.seen === 'bus address faults');
  return lost.length > 0 && lost.every((vector) => faults(vector.case)) && iommuFaults.length > 0;
}
