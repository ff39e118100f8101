/** What a run took for granted: of the machine, of the IOMMU, and of the functions on the ways of its transfers. */

import { iommuModeOf } from '../machine/machine.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { NamedMachine } from './described-machine.ts';
import type { ScenarioHost } from './host.ts';
import type { TransferReport } from './report.ts';
import type { ScenarioFile } from './scenario-types.ts';

/** In words, each once. Of functions that no transfer could meet nothing is said. */
export function assumptionsOf(
  scenario: ScenarioFile,
  named: NamedMachine,
  host: ScenarioHost,
  transfers: readonly TransferReport[],
): string[] {
  const { functions } = host.machine.hierarchy;
  const taking = functionsNamed(named, functions, (report) => [report.device], transfers);
  const involved = functionsNamed(
    named,
    functions,
    (report) => [report.device, ...report.vectors.flatMap(({ owner }) => owner ?? [])],
    transfers,
  );
  const onTheWay = new Set(involved.flatMap((fn) => withThoseAbove(fn, host)).map((fn) => fn.name));
  const ofFunctions = host.assumptions
    .filter(({ at }) => onTheWay.has(at.split('/')[0] as string))
    .map(({ at, message }) => `${at}: ${message}`);
  const untold = taking.filter((fn) => iommuModeOf(host.machine, fn) === null).map((fn) => fn.name);
  const ofIommu =
    untold.length > 0 && scenario.iommu === undefined && typeof scenario.machine === 'string'
      ? [
          `the capture does not tell whether an IOMMU translates for ${untold.join(', ')}: taken as off (iommu: says otherwise)`,
        ]
      : [];
  return [...(named.assumed ?? []), ...ofIommu, ...ofFunctions];
}

/** Functions that the reports name, by the scenario's names or by address, each once. */
function functionsNamed(
  { names }: NamedMachine,
  functions: readonly PciFunction[],
  pick: (report: TransferReport) => readonly string[],
  transfers: readonly TransferReport[],
): PciFunction[] {
  const wanted = new Set(transfers.flatMap(pick));
  return functions.filter(
    (fn) => wanted.has(fn.name) || [...names].some(([name, other]) => other === fn && wanted.has(name)),
  );
}

function withThoseAbove(fn: PciFunction, { machine: { hierarchy } }: ScenarioHost): PciFunction[] {
  const way: PciFunction[] = [];
  for (let index = hierarchy.indexOf(fn.bdf); index >= 0; index = hierarchy.parent[index] as number) {
    way.push(hierarchy.functions[index] as PciFunction);
  }
  return way;
}
