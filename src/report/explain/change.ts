/** What would change the verdict on one pair, in the fixes that `check` prints too. */

import { redirectListHazard } from '../../doctor/remedy/redirect-list.ts';
import type { PairVerdict } from '../../p2p/verdict.ts';
import { fixLines } from '../words/fix-lines.ts';
import { wrap } from '../words/style.ts';
import type { Explanation } from './explanation.ts';
import { type ExplainView, TYPE_WORDS } from './view.ts';

/** What would change the verdict as asked, below a heading. */
export function* changeLines(explanation: Explanation, view: ExplainView): Generator<string> {
  const { remedy, missing, verdict, shut } = explanation;
  if (missing !== null) {
    yield* wrap(`  ${missing.what}`, view.columns, '    ');
    yield `  The one command that tells:  ${missing.command}`;
    yield `  then ${missing.next}`;
    if (remedy.fixes.length === 0) return;
    yield '';
    yield view.style.bold('What is certain without it');
  } else if (verdict.type === 'busAddr') {
    if (shut.length === 0) yield '  None is needed: this is the shortest road.';
    else yield '  This is the shortest road; p2pdma check tells how to open it.';
    return;
  }
  yield* remedyLines(explanation, view);
}

function* remedyLines({ remedy, judge, verdict, redirecting }: Explanation, view: ExplainView): Generator<string> {
  const { change, after, fixes } = remedy;
  if (after !== null) {
    yield* wrap(`  Without the ACS redirects named here the pair is ${typeWords(after)}.`, view.columns, '    ');
    const hazard = redirectListHazard(judge.machine, redirecting);
    if (hazard !== null) yield* wrap(`  ${hazard}`, view.columns, '    ');
  } else if (change.settings === null) {
    yield* wrap(`  No change of settings will do: ${whyNot(verdict)}.`, view.columns, '    ');
    if (change.moves.length === 0) yield '  Nor does another slot of this machine give a better road.';
  }
  const number = (index: number): string => (fixes.length === 1 ? 'Fix' : `Fix ${index + 1}`);
  for (const [index, fix] of fixes.entries()) yield* fixLines(fix, number(index), { ...view, verbose: true });
}

function typeWords(verdict: PairVerdict): string {
  const unknown = verdict.reasons.find(({ code }) => code === 'ACS_UNKNOWN');
  const because = unknown === undefined ? '' : `: ${unknown.message}`;
  return `${TYPE_WORDS[verdict.type]}${verdict.distance === null ? '' : `, distance ${verdict.distance}`}${because}`;
}

function whyNot(verdict: PairVerdict): string {
  return verdict.type === 'notSupported'
    ? 'nothing that ACS does decides here'
    : 'the paths do not meet below the host bridge, whatever ACS does';
}
