/** The kernel's log as evidence: what it said about functions and pairs of this machine. */

import { hostEvidenceOf, type Machine } from '../../machine/machine.ts';
import { parseBdf } from '../../pcie/bdf.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DiagnosisId, Evidence, Finding } from '../finding.ts';
import { type KernelMessage, kernelMessages, type LoggedMessage } from '../log/kernel-message.ts';

/** As much of a line as is shown. */
const SHOWN = 160;

/** All messages of the machine's log that say something; none where it was not captured. */
export function messagesOf(machine: Machine): readonly LoggedMessage[] {
  const { kernelLog } = hostEvidenceOf(machine);
  return kernelLog === null ? [] : kernelMessages(kernelLog);
}

/** A message of one kind and its line. */
export interface Logged<K extends KernelMessage['kind']> {
  readonly message: Extract<KernelMessage, { readonly kind: K }>;
  readonly line: LoggedMessage['line'];
}

/** The messages of one kind. */
export function loggedOf<K extends KernelMessage['kind']>(machine: Machine, kind: K): Logged<K>[] {
  return messagesOf(machine).filter((logged): logged is Logged<K> => logged.message.kind === kind);
}

/** A line of the log as it stands, cut where it is long. `at` is the function that it is about. */
export function logEvidence(line: LoggedMessage['line'], at: string | null, meaning: string): Evidence {
  const text = line.text.length > SHOWN ? `${line.text.slice(0, SHOWN)}...` : line.text;
  return { at, register: 'kernel log', offset: null, value: text, meaning, source: line.file, line: line.line };
}

/** The function of a name in the log; undefined where the machine has none by that name. */
export function functionNamed(machine: Machine, name: string | null): PciFunction | undefined {
  const bdf = name === null ? null : parseBdf(name);
  return bdf === null ? undefined : machine.hierarchy.at(bdf);
}

/** Something that the log, or a register that keeps errors, says, and which findings it is about. */
export interface Statement {
  readonly id: DiagnosisId;
  readonly isAbout: (finding: Finding) => boolean;
  readonly evidence: Evidence;
  /** Whether it says what the finding says; else it stands beside it, and the finding is as sure as it was. */
  readonly confirms: boolean;
  /** The finding that it makes where there is none; null where it makes none. */
  readonly alone: (() => Finding) | null;
}
