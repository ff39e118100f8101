/** All that a case says: the findings of its machine, where there is one, and what each piece of evidence says by itself. */

import { type Case, kindsOf } from '../case/case.ts';
import type { Policy } from '../p2p/policy.ts';
import { byWeight, type CheckOptions, type CheckResult, checkContext } from './check-machine.ts';
import { doctorContext } from './context.ts';
import type { DiagnosisId, Finding } from './finding.ts';
import type { NextCommand, Said, Statement } from './readings/reading.ts';
import { READINGS } from './readings/table.ts';

export interface CaseResult extends CheckResult {
  readonly statements: readonly Statement[];
  /** The most telling first, each command once. */
  readonly next: readonly NextCommand[];
}

/** As many commands are worth typing. */
const NEXT_MAX = 3;

const NO_MACHINE: CheckResult = {
  findings: [],
  pairs: { busAddr: 0, thruHostBridge: 0, notSupported: 0, unknown: 0 },
  unseen: [],
  rules: [],
};

/** Findings by severity, then by how sure they are; statements in the order of the readings. Nothing is thrown. */
export function checkCase(given: Case, policy: Policy, options: CheckOptions = {}): CaseResult {
  const doctor = given.machine === null ? null : doctorContext(given.machine, policy, options.asked ?? null);
  const result = doctor === null ? NO_MACHINE : checkContext(doctor, options);
  const kinds = kindsOf(given.blocks);
  const said = READINGS.filter(({ kind }) => kinds.has(kind)).map((reading) => reading.read({ given, doctor }));
  const isWanted = (id: DiagnosisId): boolean => options.only?.has(id) ?? true;
  const findings = withTold(
    result.findings,
    said.flatMap((one) => one.findings ?? []).filter(({ id }) => isWanted(id)),
  );
  return {
    ...result,
    findings: findings.sort(byWeight),
    statements: said.flatMap((one) => one.statements ?? []),
    next: nextOf(said),
  };
}

/** One cause is one finding: what evidence says of a cause that the machine shows already is evidence of that finding. */
function withTold(found: readonly Finding[], told: readonly Finding[]): Finding[] {
  const all = [...found];
  for (const finding of told) {
    const at = all.findIndex(
      (other) => other.id === finding.id && other.sure !== 'open' && concernsSame(other, finding),
    );
    const known = all[at];
    if (known === undefined) all.push(finding);
    else all[at] = { ...known, evidence: [...known.evidence, ...finding.evidence] };
  }
  return all;
}

function concernsSame(one: Finding, other: Finding): boolean {
  if (one.functions.length === 0 || other.functions.length === 0) return true;
  return one.functions.some((name) => other.functions.includes(name));
}

function nextOf(said: readonly Said[]): NextCommand[] {
  const byCommand = new Map<string, NextCommand>();
  for (const one of said.flatMap(({ next }) => next ?? [])) {
    const known = byCommand.get(one.command);
    if (known === undefined || known.worth < one.worth) byCommand.set(one.command, one);
  }
  return [...byCommand.values()].sort((a, b) => b.worth - a.worth).slice(0, NEXT_MAX);
}
