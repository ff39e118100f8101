/** What every diagnosis reads: the machine, its judge, who would be paired with whom, and what the kernel was told. */

import type { Machine } from '../../machine/machine.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import type { Policy } from '../../p2p/policy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type CommandLine, parseCommandLine } from '../command-line.ts';
import { type PairCase, pairCases } from './pair-cases.ts';
import { isProvider, type Role, rolesOf } from './roles.ts';

export interface DoctorContext {
  readonly machine: Machine;
  readonly policy: Policy;
  readonly judge: JudgeContext;
  readonly functions: readonly PciFunction[];
  /** By index: what a function is to somebody who pairs devices; null for all others. */
  readonly roles: readonly (Role | null)[];
  /** Indices that the user named, or null where he named none. */
  readonly asked: readonly number[] | null;
  /**
   * What tells that P2P is meant to work here: the user named functions, memory is published, the command line opens roads,
   * or several compute accelerators stand in one machine. A refusal is an error then, else something to know.
   */
  readonly intent: string | null;
  readonly cases: readonly PairCase[];
  /** The command line, token by token; null where it is not known. */
  readonly commandLine: CommandLine | null;
}

/** Makes the context; `asked` are the functions all of whose pairs are wanted. */
export function doctorContext(machine: Machine, policy: Policy, asked: readonly number[] | null): DoctorContext {
  const judge = new JudgeContext(machine, policy);
  const { functions } = judge;
  const roles = rolesOf(functions);
  const chosen = asked === null ? null : new Set(asked);
  const wanted = functions.map((fn, index) => {
    if (chosen !== null) return chosen.has(index) ? { provider: true, client: true } : null;
    const role = roles[index] ?? null;
    return role === null ? null : { provider: isProvider(fn, role), client: true };
  });
  const commandLine = machine.cmdline === null ? null : parseCommandLine(machine.cmdline);
  return {
    machine,
    policy,
    judge,
    functions,
    roles,
    asked,
    intent: intentOf(functions, roles, asked, commandLine),
    cases: pairCases(judge, wanted),
    commandLine,
  };
}

function intentOf(
  functions: readonly PciFunction[],
  roles: readonly (Role | null)[],
  asked: readonly number[] | null,
  commandLine: CommandLine | null,
): string | null {
  if (asked !== null) return 'you asked for these';
  const publisher = functions.find((fn) => fn.facts.sysfs?.p2pmem?.published === true);
  if (publisher !== undefined) return `${publisher.name} publishes peer-to-peer memory`;
  if (commandLine?.pci.some((option) => option.key === 'disable_acs_redir' || option.key === 'config_acs')) {
    return 'the kernel command line opens ACS';
  }
  // 0302 and 12: made to compute, not to show a picture.
  const compute = functions.filter(
    (fn, index) => roles[index] !== null && (fn.classCode === 0x0302 || (fn.classCode ?? 0) >> 8 === 0x12),
  );
  return compute.length >= 2 ? `${compute.length} compute accelerators stand in this machine` : null;
}

/** Names of functions by index, sorted by address. */
export function namesOf(context: DoctorContext, indices: Iterable<number>): string[] {
  return [...indices].sort((a, b) => a - b).map((index) => (context.functions[index] as PciFunction).name);
}

/** The `pairs` of a finding. */
export function pairsOf(
  context: DoctorContext,
  pairCase: PairCase,
  count: number = pairCase.pairs,
): { readonly count: number; readonly provider: string; readonly client: string } {
  const name = (index: number): string => (context.functions[index] as PciFunction).name;
  return { count, provider: name(pairCase.provider), client: name(pairCase.client) };
}
