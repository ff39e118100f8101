/** Scenarios for tests, run on the simulator: two controllers and a device below one switch, a device below another root port. */

import type { ScenarioReport, TracedHop, TransferReport } from '../../src/scenario/report.ts';
import { readScenario, runScenario, scenarioMachine } from '../../src/scenario/run-scenario.ts';
import { SimHost } from '../../src/scenario/sim-host.ts';

/** `fields` of the host bridge, and of the whole. */
export function machineText({ bridge = 'id: 8086:2020', top = 'iommu: off' } = {}): string {
  return `${top}
machine:
  kernel: 6.12.0
  hostBridges:
    - ${bridge}
      rootPorts:
        - port: rp0
          below:
            - switch: sw0
              ports:
                - { port: dn0, acs: clear, below: [{ nvme: a, cmb: 4MiB }] }
                - { port: dn1, acs: clear, below: [{ nvme: b, cmb: 4MiB }] }
                - { port: dn2, acs: clear, below: [{ device: gpu, memory: 16MiB }] }
        - { port: rp1, below: [{ device: far, memory: 16MiB }] }
`;
}

/** The report of a whole file. */
export async function runFile(text: string, trace: (hop: TracedHop) => void = () => {}): Promise<ScenarioReport> {
  const read = readScenario(text, 'it.yaml');
  const named = await scenarioMachine(read, () => Promise.reject(new Error('the machine is described')));
  const { machine, controllers } = named;
  const iommu = read.scenario.iommu !== 'off';
  return runScenario({
    read,
    named,
    host: new SimHost({ machine, controllers, scenario: read.scenario, iommu }),
    trace,
  });
}

/** Runs transfers, each its fields in one line; `name` is its number where the line has none. */
export async function runTransfers(machine: string, ...lines: readonly string[]): Promise<readonly TransferReport[]> {
  const transfers = lines.map((line, index) => `  - { ${line.includes('name:') ? '' : `name: t${index}, `}${line} }`);
  return (await runFile(`${machine}transfers:\n${transfers.join('\n')}\n`)).transfers;
}

/** What running the file throws. */
export async function refusalOf(text: string): Promise<{ path: string; message: string; hint: string }> {
  try {
    await runFile(text);
  } catch (error) {
    return error as { path: string; message: string; hint: string };
  }
  throw new Error('nothing was refused');
}
