/** Pairs whose verdict is not known, as one question with the command that answers it. */

import { listed } from '../../core/words.ts';
import type { Likely } from '../../p2p/verdict.ts';
import { type DoctorContext, namesOf, pairsOf } from '../context.ts';
import { missingEvidence } from '../facts/missing-evidence.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import { type Finding, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';

const LIKELY_WORDS: Readonly<Record<Likely['type'], string>> = {
  busAddr: 'Probably they reach each other below the switch',
  thruHostBridge: 'Probably the host bridge lets them through',
  notSupported: 'Probably the kernel refuses them',
};

function likelyWords({ type, because }: Likely): string {
  return `${LIKELY_WORDS[type]}: ${because}.`;
}

/** The question of a diagnosis; none where there is no case. `what` follows the names and a colon. */
export function unknownCases(
  context: DoctorContext,
  cases: readonly PairCase[],
  words: { readonly id: 'ACS-REDIR-SWITCH' | 'HB-NOT-LISTED'; readonly what: string; readonly why: string },
): Finding[] {
  const [first] = cases;
  if (first === undefined) return [];
  const missing = missingEvidence(context.machine, first.verdict);
  const names = namesOf(context, new Set(cases.flatMap((item) => [...item.functions])));
  const pairs = cases.reduce((sum, item) => sum + item.pairs, 0);
  return [
    {
      ...NOTHING,
      id: words.id,
      severity: severityOf(words.id, 'open'),
      sure: 'open',
      title: `${listed(names)}: ${words.what}`,
      functions: names,
      pairs: pairsOf(context, first, pairs),
      why: first.verdict.likely === null ? words.why : `${words.why} ${likelyWords(first.verdict.likely)}`,
      missing: missing === null ? null : { what: missing.what, command: missing.command },
    },
  ];
}
