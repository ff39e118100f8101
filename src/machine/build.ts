/** Joins what the readers found into a machine. */

import { busKey } from '../pcie/bdf.ts';
import type { FunctionFacts } from '../pcie/function-facts.ts';
import { Hierarchy } from '../pcie/hierarchy.ts';
import { observedBusOffset, PciFunction } from '../pcie/pci-function.ts';
import type { HostEvidence } from './host-evidence.ts';
import type { Cpu, IomemEntry, Machine, ReadNote } from './machine.ts';
import { NoteList } from './note-list.ts';
import { ramOf } from './proc.ts';

/** What a reader found, each address once. */
export interface MachineEvidence {
  readonly source: string;
  readonly functions: readonly FunctionFacts[];
  readonly iomem?: readonly IomemEntry[] | undefined;
  readonly cpu?: Cpu | null | undefined;
  readonly kernel?: string | null | undefined;
  readonly cmdline?: string | null | undefined;
  readonly architecture?: string | null | undefined;
  readonly iommuGroupTypes?: ReadonlyMap<number, string> | undefined;
  /** Whether text names any extended capability; left out, the functions' own text is asked. */
  readonly extendedListed?: boolean | undefined;
  /** Bus minus CPU address by `busKey` of the root bus, where the reader saw it otherwise than in sysfs. */
  readonly busOffsets?: ReadonlyMap<number, number> | undefined;
  readonly host?: HostEvidence | undefined;
  readonly notes?: readonly ReadNote[] | undefined;
}

/** The machine that the evidence shows. Problems of the tree become notes; nothing is thrown. */
export function buildMachine(evidence: MachineEvidence): Machine {
  const offsets = busOffsets(evidence.functions);
  // A listing that shows no extended capability at all was made where they cannot be seen.
  const extendedVisible =
    evidence.extendedListed ?? evidence.functions.some((facts) => facts.text?.extendedListed === true);
  const functions = evidence.functions.map(
    (facts) =>
      new PciFunction(facts, {
        busOffset:
          observedBusOffset(facts) ?? offsets.get(rootKey(facts)) ?? evidence.busOffsets?.get(rootKey(facts)) ?? 0,
        extendedVisible,
      }),
  );
  const hierarchy = new Hierarchy(functions);
  const treeNotes = new NoteList(evidence.source);
  for (const { code, message } of hierarchy.problems) treeNotes.add(code, null, message);
  const iomem = evidence.iomem ?? [];
  return {
    source: evidence.source,
    hierarchy,
    ram: ramOf(iomem),
    iomem,
    cpu: evidence.cpu ?? null,
    kernel: evidence.kernel ?? null,
    cmdline: evidence.cmdline ?? null,
    architecture: evidence.architecture ?? null,
    iommuGroupTypes: evidence.iommuGroupTypes ?? new Map(),
    host: evidence.host,
    notes: [...(evidence.notes ?? []), ...treeNotes.finish()],
  };
}

function rootKey(facts: FunctionFacts): number {
  return busKey(facts.bdf.domain, facts.sysfs?.rootBus ?? 0);
}

/** The offset of each host bridge: what most of the BARs below it show. */
function busOffsets(functions: readonly FunctionFacts[]): Map<number, number> {
  const votes = new Map<number, Map<number, number>>();
  for (const facts of functions) {
    const offset = observedBusOffset(facts);
    if (offset === null) continue;
    const key = rootKey(facts);
    const tally = votes.get(key) ?? new Map<number, number>();
    tally.set(offset, (tally.get(offset) ?? 0) + 1);
    votes.set(key, tally);
  }
  const winners = new Map<number, number>();
  for (const [key, tally] of votes) {
    const [winner] = [...tally].sort((a, b) => b[1] - a[1]);
    if (winner) winners.set(key, winner[0]);
  }
  return winners;
}
