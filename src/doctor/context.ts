/** What every diagnosis reads: the machine, its judge, who would be paired with whom, and what the kernel was told. */

import type { Machine } from '../machine/machine.ts';
import { deviceKey, isProvider, type Role, rolesOf } from '../machine/roles.ts';
import { JudgeContext } from '../p2p/judge.ts';
import type { Policy } from '../p2p/policy.ts';
import { REDIRECT_BITS } from '../pcie/acs.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { ACS_OPTIONS, acsEntries, acsOption } from './command-line/acs-parameter.ts';
import { type CommandLine, parseCommandLine } from './command-line/command-line.ts';
import { type PairCase, pairCases } from './facts/pair-cases.ts';

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
   * or several compute accelerators stand in one machine.
   */
  readonly intent: string | null;
  /** Indices of functions whose memory a driver has published. */
  readonly publishers: ReadonlySet<number>;
  /** Indices of functions that are made to compute, not to show a picture. */
  readonly compute: ReadonlySet<number>;
  /** The command line opens ACS. */
  readonly opensAcs: boolean;
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
  const publishers = new Set(indicesOf(functions, (fn) => fn.facts.sysfs?.p2pmem?.published === true));
  const compute = new Set(indicesOf(functions, (fn, index) => roles[index] !== null && isCompute(fn)));
  const opensAcs = commandLine !== null && opensRedirects(commandLine);
  return {
    machine,
    policy,
    judge,
    functions,
    roles,
    asked,
    intent: intentOf(judge, { asked, publishers, compute, opensAcs }),
    publishers,
    compute,
    opensAcs,
    cases: pairCases(judge, wanted, asked !== null),
    commandLine,
  };
}

function indicesOf(functions: readonly PciFunction[], wanted: (fn: PciFunction, index: number) => boolean): number[] {
  return functions.flatMap((fn, index) => (wanted(fn, index) ? [index] : []));
}

/** Whether a line is meant to clear redirects: config_acs= may as well set them. */
function opensRedirects(line: CommandLine): boolean {
  return ACS_OPTIONS.some((key) => {
    const option = acsOption(line, key);
    const entries = option === null ? [] : acsEntries(option);
    return entries.some(({ mask, value }) => (mask & REDIRECT_BITS & ~value) !== 0);
  });
}

/** 0302, "3D controller", and 12, "processing accelerator". */
function isCompute({ classCode }: PciFunction): boolean {
  return classCode === 0x0302 || (classCode ?? 0) >> 8 === 0x12;
}

/** How many slots the functions stand in: the Virtual Functions of one card are one card. */
export function slotsOf({ functions, parent }: JudgeContext, indices: Iterable<number>): number {
  const slots = new Set<number>();
  for (const index of indices) {
    const above = parent[index] as number;
    slots.add(above >= 0 ? above : -1 - deviceKey(functions[index] as PciFunction));
  }
  return slots.size;
}

function intentOf(
  judge: JudgeContext,
  found: Pick<DoctorContext, 'asked' | 'publishers' | 'compute' | 'opensAcs'>,
): string | null {
  if (found.asked !== null) return 'you asked for these';
  const [publisher] = found.publishers;
  if (publisher !== undefined) return `${judge.functions[publisher]?.name} publishes peer-to-peer memory`;
  if (found.opensAcs) return 'the kernel command line opens ACS';
  const cards = slotsOf(judge, found.compute);
  return cards >= 2 ? `${cards} compute accelerators stand in this machine` : null;
}

/** Names of functions by index, sorted by address. */
export function namesOf(context: DoctorContext, indices: Iterable<number>): string[] {
  return [...indices].sort((a, b) => a - b).map((index) => (context.functions[index] as PciFunction).name);
}

/** Names of functions, sorted by address, each once. */
export function namesOfAll(functions: Iterable<PciFunction>): string[] {
  return [...new Set(functions)].sort((a, b) => a.key - b.key).map(({ name }) => name);
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
