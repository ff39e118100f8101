/** `p2pdma run`: a scenario on an engine, every byte compared. */

import { writeFileSync } from 'node:fs';
import { hex } from '../core/hex.ts';
import { iommuModeOf, type Machine } from '../machine/machine.ts';
import type { ScenarioReport, TracedHop } from '../scenario/report.ts';
import { readScenario, runScenario, scenarioMachine } from '../scenario/run-scenario.ts';
import { SimHost } from '../scenario/sim-host.ts';
import { type Invocation, textOption } from './context.ts';
import { UsageError } from './errors.ts';
import { EXIT_DONE, EXIT_MISMATCH, type ExitCode } from './exit-codes.ts';
import { readMachineArgument } from './machine-argument.ts';
import { readText } from './read-text.ts';
import { runText } from './run-text.ts';
import { traceJson } from './trace-file.ts';

/** Runs the command. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context, args } = invocation;
  const engine = textOption(invocation, 'engine') ?? 'sim';
  if (engine !== 'sim') {
    throw new UsageError({
      code: 'USAGE_OPTION_VALUE',
      path: '--engine',
      message: `there is no engine '${engine}'`,
      hint: 'engines: sim',
    });
  }
  const file = args[0] as string;
  const read = readScenario(readText(file), file);
  const { scenario } = read;
  const named = await scenarioMachine(read, (name) => readMachineArgument(name));
  const host = new SimHost({
    machine: named.machine,
    controllers: named.controllers,
    scenario,
    iommu: hasIommu(named.machine, scenario.iommu),
  });
  const tracePath = textOption(invocation, 'trace');
  const steps = invocation.options['step'] === true;
  const hops: TracedHop[] = [];
  const report = await runScenario({
    read,
    named,
    host,
    ...(tracePath !== undefined || steps ? { trace: (hop: TracedHop) => hops.push(hop) } : {}),
    done: (_transfer, index) => {
      if (scenario.transfers.length > 20) context.note(`${index + 1} of ${scenario.transfers.length} transfers`);
    },
  });
  if (tracePath !== undefined) writeFileSync(tracePath, traceJson(hops));
  if (context.json) await context.out.json({ schemaVersion: 1, command: 'run', ...jsonReport(report) });
  else {
    if (steps) for (const hop of hops) await context.out.write(`${stepLine(hop)}\n`);
    await context.out.write(runText(report));
  }
  return report.transfers.every((transfer) => transfer.asExpected) ? EXIT_DONE : EXIT_MISMATCH;
}

function hasIommu(machine: Machine, setting: 'on' | 'off' | 'passthrough' | undefined): boolean {
  if (setting !== undefined) return setting !== 'off';
  return machine.hierarchy.functions.some((fn) => (iommuModeOf(machine, fn) ?? 'off') !== 'off');
}

/** Addresses as hex text, as everywhere in our JSON. */
function jsonReport(report: ScenarioReport): object {
  return {
    ...report,
    transfers: report.transfers.map((transfer) => ({
      ...transfer,
      iova: transfer.iova === null ? null : { base: hex(transfer.iova.base), size: transfer.iova.size },
      vectors: transfer.vectors.map((vector) => ({ ...vector, address: hex(vector.address) })),
      segments: transfer.segments.map((segment) => ({
        ...segment,
        address: segment.address === null ? null : hex(segment.address),
      })),
    })),
  };
}

function stepLine(hop: TracedHop): string {
  const fate = hop.fate === 'delivered' ? '' : `  ${hop.fate}`;
  return `TLP ${hop.tlp}  ${hop.kind.padEnd(11)}  ${hop.name.padEnd(14)}  ${hop.action.padEnd(18)}  ${hex(hop.address)} + ${hop.length}${fate}`;
}
