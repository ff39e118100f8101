/** `p2pdma run`: a scenario on an engine, every byte compared. */

import { iommuModeOf, type Machine } from '../machine/machine.ts';
import { compareReports, differenceText } from '../report/run/compare.ts';
import { stepLines } from '../report/run/steps.ts';
import { runText } from '../report/run/text.ts';
import { traceJson } from '../report/run/trace.ts';
import type { NamedMachine } from '../scenario/described-machine.ts';
import type { ScenarioHost } from '../scenario/host.ts';
import type { ScenarioReport, TracedHop } from '../scenario/report.ts';
import { type ReadScenario, readScenario, runScenario, scenarioMachine } from '../scenario/run-scenario.ts';
import type { ScenarioFile } from '../scenario/scenario-types.ts';
import { SimHost } from '../scenario/sim-host.ts';
import { type Invocation, textOption } from './context.ts';
import { UsageError } from './errors.ts';
import { EXIT_DONE, EXIT_MISMATCH, type ExitCode } from './exit-codes.ts';
import { readMachineArgument } from './machine-argument.ts';
import { archiveBytes, isCompressedArchive, writeOutput } from './output-file.ts';
import type { QemuHost } from './qemu-host.ts';
import { readText } from './read-text.ts';
import { machineNear, scenarioFile } from './scenario-argument.ts';

/** Runs the command. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { args } = invocation;
  const engine = textOption(invocation, 'engine') ?? 'sim';
  if (engine !== 'sim' && engine !== 'qemu' && engine !== 'both') {
    const hint = 'engines: sim, qemu, or both to compare them';
    throw new UsageError({
      code: 'USAGE_OPTION_VALUE',
      path: '--engine',
      message: `there is no engine '${engine}'`,
      hint,
    });
  }
  const saveTo = textOption(invocation, 'saveMachine');
  if (saveTo !== undefined && engine === 'sim') {
    throw new UsageError({
      code: 'USAGE_OPTION_VALUE',
      path: '--save-machine',
      message: 'the simulator enumerates no machine: it runs on the one that the scenario names',
      hint: 'run with --engine qemu or --engine both',
    });
  }
  const isCompressed =
    saveTo !== undefined &&
    isCompressedArchive(saveTo, '--save-machine', 'p2pdma run FILE --engine qemu --save-machine machine.tar.gz');
  const file = scenarioFile(args[0] as string);
  const read = readScenario(readText(file), file);
  const named = await scenarioMachine(read, (name) => readMachineArgument(machineNear(file, name)));
  const iommu = hasIommu(named.machine, read.scenario.iommu);
  if (engine === 'sim') {
    const report = await runOn(invocation, read, named, simHost(read, named, iommu));
    return show(invocation, [report], []);
  }
  const qemu = await startQemu(named, iommu, read.scenario);
  try {
    if (saveTo !== undefined) {
      writeOutput(saveTo, archiveBytes(await qemu.engine.captureTar(qemu.machine.kernel), isCompressed));
      const functions = qemu.engine.functions.length;
      invocation.context.note(`${saveTo}: the machine that QEMU enumerated, ${functions} functions`);
    }
    // Both run on the machine that QEMU enumerated: the same addresses, the same registers.
    const simulated =
      engine === 'both' ? await runOn(invocation, read, qemu.named, simHost(read, qemu.named, iommu)) : null;
    const emulated = await runOn(invocation, read, qemu.named, qemu);
    return await show(invocation, simulated === null ? [emulated] : [simulated, emulated], qemu.notes);
  } finally {
    await qemu.engine.close();
  }
}

async function startQemu(named: NamedMachine, iommu: boolean, scenario: ScenarioFile): Promise<QemuHost> {
  const { QemuHost: Host } = await import('./qemu-host.ts');
  return Host.start({ named, iommu, scenario });
}

function simHost(read: ReadScenario, named: NamedMachine, iommu: boolean): SimHost {
  return new SimHost({ machine: named.machine, controllers: named.controllers, scenario: read.scenario, iommu });
}

/** One run, with its trace where one is wanted. */
async function runOn(
  invocation: Invocation,
  read: ReadScenario,
  named: NamedMachine,
  host: ScenarioHost,
): Promise<ScenarioReport> {
  const { context } = invocation;
  const tracePath = textOption(invocation, 'trace');
  const steps = invocation.options['step'] === true;
  const hops: TracedHop[] = [];
  const total = read.scenario.transfers.length;
  const report = await runScenario({
    read,
    named,
    host,
    ...(tracePath !== undefined || steps ? { trace: (hop: TracedHop) => hops.push(hop) } : {}),
    done: (_transfer, index) => context.progress(index + 1, total, 'transfers'),
  });
  if (host.showsHops) {
    if (tracePath !== undefined) writeOutput(tracePath, traceJson(hops));
  } else if (tracePath !== undefined || steps) {
    context.note(`${host.engine.name} shows no hops: --trace and --step have none of its run`);
  }
  if (steps && host.showsHops && !context.json)
    for (const line of stepLines(report, hops)) await context.out.write(`${line}\n`);
  return report;
}

/** Prints one report, or two with where they part. */
async function show(
  invocation: Invocation,
  reports: readonly [ScenarioReport, ScenarioReport?],
  notes: readonly string[],
): Promise<ExitCode> {
  const { context } = invocation;
  const [first, second] = reports;
  const differences = second === undefined ? [] : compareReports(first, second);
  if (context.json) {
    const { runDocument } = await import('../report/run/json.ts');
    await context.out.json(runDocument(reports, differences, notes));
  } else {
    // The last report is QEMU's wherever there are notes.
    await context.out.write(runText(first, second === undefined ? notes : [], context.columns));
    if (second !== undefined) {
      await context.out.write(`\n${runText(second, notes, context.columns)}`);
      await context.out.write(`\n${differenceText(differences, first.engine, second.engine)}`);
    }
  }
  const transfers = [...first.transfers, ...(second?.transfers ?? [])];
  return differences.length === 0 && transfers.every(({ asExpected }) => asExpected) ? EXIT_DONE : EXIT_MISMATCH;
}

function hasIommu(machine: Machine, setting: 'on' | 'off' | 'passthrough' | undefined): boolean {
  if (setting !== undefined) return setting !== 'off';
  return machine.hierarchy.functions.some((fn) => (iommuModeOf(machine, fn) ?? 'off') !== 'off');
}
