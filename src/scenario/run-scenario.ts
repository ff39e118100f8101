/** Runs a scenario on an engine and reports. */

import { POLICIES, policyForKernel } from '../p2p/policy.ts';
import { assumptionsOf } from './assumptions.ts';
import { withRam } from './captured-machine.ts';
import { describedMachine, type NamedMachine } from './described-machine.ts';
import { readDocument } from './document.ts';
import type { Place } from './errors.ts';
import type { ScenarioHost } from './host.ts';
import type { ScenarioReport, TracedHop, TransferReport } from './report.ts';
import { scenarioSchema } from './scenario-schema.ts';
import type { ScenarioFile } from './scenario-types.ts';
import { runTransfer } from './transfer.ts';
import { World } from './world.ts';

/** A scenario with its file, so that complaints can name the line. */
export interface ReadScenario {
  readonly scenario: ScenarioFile;
  readonly place: Place;
}

/** Reads a scenario file. Throws `ScenarioError` with line and field. */
export function readScenario(text: string, file: string): ReadScenario {
  const { data, lineOf } = readDocument(text, scenarioSchema, file, 'docs/SCENARIOS.md');
  return { scenario: data, place: { file, lineOf } };
}

/** The machine of a scenario, built where it is described; `load` reads one by its name. RAM that nobody tells of is assumed. */
export async function scenarioMachine(
  { scenario, place }: ReadScenario,
  load: (name: string) => Promise<NamedMachine['machine']>,
): Promise<NamedMachine> {
  if (typeof scenario.machine !== 'string') return describedMachine(scenario.machine, place);
  return { ...withRam(await load(scenario.machine), scenario.ram ?? []), names: new Map(), controllers: new Map() };
}

export interface RunOptions {
  readonly read: ReadScenario;
  readonly named: NamedMachine;
  readonly host: ScenarioHost;
  /** Called for every hop of every transfer. */
  readonly trace?: (hop: TracedHop) => void;
  /** Called after each transfer: for progress. */
  readonly done?: (report: TransferReport, index: number) => void;
}

/** Runs all transfers in their order on one host. */
export async function runScenario(options: RunOptions): Promise<ScenarioReport> {
  const { read, host, named } = options;
  const { scenario, place } = read;
  const policy = scenario.policy === undefined ? policyForKernel(host.machine.kernel) : POLICIES[scenario.policy];
  const world = new World({ host, names: named.names, policy, scenario, place });
  const transfers: TransferReport[] = [];
  for (const [index, transfer] of scenario.transfers.entries()) {
    const report = await runTransfer(world, transfer, index, options.trace ?? (() => {}));
    transfers.push(report);
    options.done?.(report, index);
  }
  return {
    about: scenario.about ?? null,
    source: host.machine.source,
    policy: policy.name,
    engine: host.engine.name,
    capabilities: host.engine.capabilities(),
    cases: host.cases,
    assumed: assumptionsOf(scenario, named, host, transfers),
    prepared: world.prepared,
    transfers,
  };
}
