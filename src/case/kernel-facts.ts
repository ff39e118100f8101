/** What files and logs of the kernel say of a machine, where the listing that it was made from does not: release, command line, CPU, groups. */

import type { KernelLogItem } from '../evidence/kernel/log/items.ts';
import type { LogLine } from '../evidence/kernel/log/telling.ts';
import type { IommuGroupItem } from '../evidence/pci/iommu-groups.ts';
import { recognise } from '../evidence/recognise.ts';
import type { SourceBlock } from '../evidence/source-block.ts';
import type { MachineEvidence } from '../machine/build.ts';
import { type HostEvidence, NO_HOST_EVIDENCE } from '../machine/host-evidence.ts';
import { type Cpu, hostEvidenceOf, type IomemEntry, type Machine } from '../machine/machine.ts';
import { bdfKey, parseBdf } from '../pcie/bdf.ts';
import type { FunctionFacts, TextFacts } from '../pcie/function-facts.ts';
import { itemsOf } from './case.ts';

/** `evidence` with what the blocks say and it does not. */
export function withKernelFacts(evidence: MachineEvidence, blocks: readonly SourceBlock[]): MachineEvidence {
  const log = itemsOf(blocks, 'kernel-log');
  const groups = itemsOf(blocks, 'iommu-groups');
  return {
    ...evidence,
    functions: withGroups(evidence.functions, groups, log),
    kernel: evidence.kernel ?? releaseOf(log),
    cmdline: evidence.cmdline ?? commandLineOf(blocks, log),
    cpu: evidence.cpu ?? cpuOf(blocks),
    architecture: evidence.architecture ?? architectureOf(blocks),
    host: withHypervisor(evidence.host ?? null, blocks) ?? undefined,
    iomem: evidence.iomem !== undefined && evidence.iomem.length > 0 ? evidence.iomem : iomemOf(blocks),
    iommuGroupTypes: typesOf(evidence.iommuGroupTypes, groups),
  };
}

/** A machine that was captured, with what the blocks beside the capture say and it does not. Its registers are never changed. */
export function besideCapture(machine: Machine, blocks: readonly SourceBlock[]): Machine {
  if (blocks.length === 0) return machine;
  const log = itemsOf(blocks, 'kernel-log');
  const host = hostEvidenceOf(machine);
  const lines = log.map(({ text, file, line }) => ({ text, file, line }));
  return {
    ...machine,
    kernel: machine.kernel ?? releaseOf(log),
    cmdline: machine.cmdline ?? commandLineOf(blocks, log),
    cpu: machine.cpu ?? cpuOf(blocks),
    architecture: machine.architecture ?? architectureOf(blocks),
    iommuGroupTypes: typesOf(machine.iommuGroupTypes, itemsOf(blocks, 'iommu-groups')),
    host:
      withHypervisor(
        lines.length === 0 ? (machine.host ?? null) : { ...host, kernelLog: [...(host.kernelLog ?? []), ...lines] },
        blocks,
      ) ?? undefined,
  };
}

/** The lines of the log that a capture holds itself, recognised as a pasted log is; each item keeps the file and line of the capture. */
export function logOfCapture(machine: Machine): SourceBlock[] {
  const lines = hostEvidenceOf(machine).kernelLog ?? [];
  if (lines.length === 0) return [];
  const { blocks } = recognise(lines.map(({ text }) => text).join('\n'), machine.source);
  return blocks
    .filter(({ kind }) => kind === 'kernel-log')
    .map((block) => ({
      ...block,
      file: placeOf(lines, block.fromLine).file,
      fromLine: placeOf(lines, block.fromLine).line,
      toLine: placeOf(lines, block.toLine).line,
      items: block.items.map((item) => ({ ...item, ...placeOf(lines, item.line) })),
    }));
}

function placeOf(lines: readonly LogLine[], number: number): { readonly file: string; readonly line: number } {
  const { file, line } = lines[number - 1] as LogLine;
  return { file, line };
}

function releaseOf(log: readonly KernelLogItem[]): string | null {
  return only(log.flatMap((item) => (item.what === 'kernel' ? [item.release] : [])));
}

/** The one value of all; null where there is none, or they differ: two machines, or two boots. */
function only(values: readonly string[]): string | null {
  const [first] = values;
  return first !== undefined && values.every((value) => value === first) ? first : null;
}

/** The command line of the kernel that ran, from a copy of it or from the log; null where neither was given. */
export function commandLineOf(blocks: readonly SourceBlock[], log: readonly KernelLogItem[]): string | null {
  const running = itemsOf(blocks, 'kernel-cmdline').filter((item) => item.of === 'running');
  const logged = log.flatMap((item) => (item.what === 'commandLine' ? [item.parameters] : []));
  return running.at(-1)?.text ?? logged.at(-1) ?? null;
}

function cpuOf(blocks: readonly SourceBlock[]): Cpu | null {
  const items = itemsOf(blocks, 'cpuinfo').filter(({ vendor }) => vendor !== null);
  const [first] = items;
  if (first === undefined || first.vendor === null) return null;
  return items.every(({ vendor }) => vendor === first.vendor) ? { vendor: first.vendor, family: first.family } : null;
}

/** What lscpu calls the architecture. */
function architectureOf(blocks: readonly SourceBlock[]): string | null {
  return itemsOf(blocks, 'cpuinfo').find(({ architecture }) => architecture !== null)?.architecture ?? null;
}

/** `host` with the hypervisor that lscpu or a flag of the processor tells of. */
function withHypervisor(host: HostEvidence | null, blocks: readonly SourceBlock[]): HostEvidence | null {
  const item = itemsOf(blocks, 'cpuinfo').find(({ hypervisor }) => hypervisor !== null);
  if (item === undefined || item.hypervisor === null || (host?.hypervisor ?? null) !== null) return host;
  const value = item.hypervisor === 'unknown' ? 'an unnamed hypervisor' : item.hypervisor;
  return { ...(host ?? NO_HOST_EVIDENCE), hypervisor: { value, file: item.file, line: item.line } };
}

function iomemOf(blocks: readonly SourceBlock[]): IomemEntry[] {
  return itemsOf(blocks, 'iomem').map(({ start, end, name, depth }) => ({ start, end, name, depth }));
}

function typesOf(
  known: ReadonlyMap<number, string> | undefined,
  groups: readonly IommuGroupItem[],
): ReadonlyMap<number, string> {
  const types = new Map(groups.flatMap((item) => (item.what === 'type' ? [[item.group, item.type] as const] : [])));
  return new Map([...types, ...(known ?? [])]);
}

/** Group numbers of functions that no other source gives. */
function withGroups(
  functions: readonly FunctionFacts[],
  groups: readonly IommuGroupItem[],
  log: readonly KernelLogItem[],
): readonly FunctionFacts[] {
  const byKey = new Map<number, { readonly group: number; readonly file: string; readonly line: number }>();
  const add = (name: string, group: number, file: string, line: number): void => {
    const bdf = parseBdf(name);
    if (bdf !== null) byKey.set(bdfKey(bdf), { group, file, line });
  };
  for (const item of log) if (item.what === 'iommuGroup') add(item.at, item.group, item.file, item.line);
  for (const item of groups) if (item.what === 'member') add(item.function, item.group, item.file, item.line);
  if (byKey.size === 0) return functions;
  return functions.map((facts) => {
    const found = byKey.get(bdfKey(facts.bdf));
    if (found === undefined || facts.sysfs?.iommuGroup !== undefined || facts.text?.iommuGroup !== undefined)
      return facts;
    const text: TextFacts = { ...(facts.text ?? { lines: {}, file: found.file }), iommuGroup: found.group };
    text.lines = { ...text.lines, iommuGroup: found.line };
    return { ...facts, text };
  });
}
