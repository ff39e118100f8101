/** All findings about a machine, worst first. */

import type { Machine } from '../machine/machine.ts';
import type { Policy } from '../p2p/policy.ts';
import type { MapType } from '../p2p/verdict.ts';
import { type DoctorContext, doctorContext } from './context.ts';
import { type UnseenDevice, unseenDevices } from './facts/roles.ts';
import { type Certainty, type DiagnosisId, type Finding, SEVERITIES, type Severity } from './finding.ts';
import { DIAGNOSES } from './table.ts';
import { type KindOpinion, rulesByKind } from './whose-rule/kinds.ts';
import { withKernelLog } from './with-kernel-log.ts';

export interface CheckOptions {
  /** Only these diagnoses; all where it is left out. */
  readonly only?: ReadonlySet<DiagnosisId> | undefined;
  /** Indices of functions all of whose pairs are wanted; where left out, those that users pair. */
  readonly asked?: readonly number[] | undefined;
}

const SURE_ORDER: readonly Certainty[] = ['certain', 'likely', 'open'];

export interface CheckResult {
  /** Worst first. */
  readonly findings: readonly Finding[];
  /** Ordered pairs that somebody would want, by verdict. */
  readonly pairs: Readonly<Record<MapType, number>>;
  /** Devices that may be paired and are in none of these pairs, since the capture shows nothing of their memory. */
  readonly unseen: readonly UnseenDevice[];
  /** Kinds of pairs about which somebody besides the kernel decides, and what they say. */
  readonly rules: readonly KindOpinion[];
}

/** Findings by severity, then by how sure we are, then in the order of the table. Nothing is thrown. */
export function checkMachine(machine: Machine, policy: Policy, options: CheckOptions = {}): CheckResult {
  return checkContext(doctorContext(machine, policy, options.asked ?? null), options);
}

/** `checkMachine` of a context that was made before. */
export function checkContext(context: DoctorContext, options: CheckOptions): CheckResult {
  const isWanted = (id: DiagnosisId): boolean => options.only?.has(id) ?? true;
  const decided = DIAGNOSES.filter(({ id }) => isWanted(id)).flatMap((diagnosis) => diagnosis.diagnose(context));
  // The sort is stable: what is equal stays in the order of the table.
  const findings = withKernelLog(context, decided, isWanted).sort(byWeight);
  const pairs: Record<MapType, number> = { busAddr: 0, thruHostBridge: 0, notSupported: 0, unknown: 0 };
  for (const item of context.cases) pairs[item.type] += item.pairs;
  return { findings, pairs, unseen: unseenDevices(context.functions), rules: rulesByKind(context) };
}

/** Worst first, then surest first. */
export function byWeight(a: Finding, b: Finding): number {
  return (
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    SURE_ORDER.indexOf(a.sure) - SURE_ORDER.indexOf(b.sure)
  );
}

/** Whether a finding is at or above a level: an error is above a warning. A note that only asks is below all of them. */
export function isAtLeast(finding: Finding, level: Severity): boolean {
  if (finding.sure === 'open' && finding.severity === 'note') return false;
  return SEVERITIES.indexOf(finding.severity) <= SEVERITIES.indexOf(level);
}
