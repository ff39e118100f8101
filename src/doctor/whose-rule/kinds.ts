/**
 * Whose rule each kind of pair in a machine stands under: GPU and GPU, GPU and network card, GPU and drive, by their makers. A machine of a
 * thousand pairs has a handful of kinds, and of each as many pairs are asked as it takes to hear all answers.
 */

import { deviceKey, isProvider, type Role } from '../../machine/roles.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from '../context.ts';
import { ROLE_WORDS } from '../facts/roles.ts';
import type { Answer, Opinion } from './opinion.ts';
import { whoseRule } from './whose-rule.ts';

/** What the judge of a kind of pair answers, with one pair that it answers so. */
export interface KindOpinion {
  /** `NVIDIA GPU and NVMe drive`. */
  readonly kind: string;
  /** Who decides. */
  readonly opinion: Opinion;
  /** What is decided on top of it, where that says no. */
  readonly onTop: Opinion | null;
  readonly provider: string;
  readonly client: string;
}

/** Makers that have rules of their own, by vendor. */
const MAKERS: ReadonlyMap<number | null, string> = new Map([
  [0x10de, 'NVIDIA'],
  [0x1002, 'AMD'],
  [0x8086, 'Intel'],
]);

/** Pairs of one kind that are asked. */
const PAIRS_MAX = 64;
/** Functions of one maker and role that take part: of equals the first ones speak for all. */
const MEMBERS_MAX = 9;

/** The kinds of pairs that a judge besides the kernel has a say in, each answer once. */
export function rulesByKind(context: DoctorContext): KindOpinion[] {
  const groups = groupsOf(context);
  const seen = new Set<string>();
  const found: KindOpinion[] = [];
  for (const [owner, owners] of groups) {
    for (const [master, masters] of groups) {
      const kind = [owner, master].sort((a, b) => rank(a) - rank(b)).join(' and ');
      const pairs = pairsOf(context, owners, masters);
      for (const [provider, client] of pairs) {
        const one = kindOpinion(context, kind, provider, client);
        if (one === null) continue;
        const key = `${kind} ${one.opinion.decider} ${one.opinion.answer} ${one.onTop?.answer ?? ''}`;
        if (seen.has(key)) continue;
        seen.add(key);
        found.push(one);
      }
    }
  }
  return found;
}

/** GPUs first, so that a kind is named one way. */
function rank(name: string): number {
  return name.includes('GPU') || name.includes('accelerator') ? 0 : name.includes('network') ? 1 : 2;
}

function groupsOf({ functions, roles }: DoctorContext): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  roles.forEach((role, index) => {
    if (role === null) return;
    const name = kindName(functions[index] as PciFunction, role);
    const members = groups.get(name) ?? [];
    if (members.length < MEMBERS_MAX) members.push(index);
    groups.set(name, members);
  });
  return groups;
}

/** Makers count for GPUs only: drives and network cards of all makers go by the same rules. */
function kindName({ vendorId }: PciFunction, role: Role): string {
  const maker = role === 'gpu' || role === 'accelerator' ? MAKERS.get(vendorId) : undefined;
  return maker === undefined ? ROLE_WORDS[role] : `${maker} ${ROLE_WORDS[role]}`;
}

function pairsOf(
  { functions, roles }: DoctorContext,
  owners: readonly number[],
  masters: readonly number[],
): (readonly [provider: number, client: number])[] {
  const pairs = owners.flatMap((provider) => {
    const fn = functions[provider] as PciFunction;
    if (!isProvider(fn, roles[provider] as Role)) return [];
    return masters
      .filter((client) => deviceKey(functions[client] as PciFunction) !== deviceKey(fn))
      .map((client) => [provider, client] as const);
  });
  return pairs.slice(0, PAIRS_MAX);
}

/** Answers that a reader of the kernel's verdict would not expect. */
const CONTRADICTING: ReadonlySet<Answer> = new Set<Answer>(['no', 'writesOnly']);

/** Null where the kernel alone decides. */
function kindOpinion(context: DoctorContext, kind: string, provider: number, client: number): KindOpinion | null {
  const opinions = whoseRule(context, provider, client);
  const [opinion] = opinions;
  if (opinion === undefined || opinion.decider === 'kernelP2pdma') return null;
  const onTop = opinions.find(({ decider, answer }) => decider === 'nccl' && CONTRADICTING.has(answer)) ?? null;
  const name = (index: number): string => (context.functions[index] as PciFunction).name;
  return {
    kind,
    opinion,
    onTop: opinion.answer === 'no' ? null : onTop,
    provider: name(provider),
    client: name(client),
  };
}
