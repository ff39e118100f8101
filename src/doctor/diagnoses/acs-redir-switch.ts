/**
 * Two devices below one switch, and ACS on the way sends their traffic up to the root complex: through the host bridge where it
 * is allowed, nowhere where not. However many ports and switches do so, it is one cause. PCIe 6.12.3; Linux calc_map_type_and_dist().
 */

import { listed, plural } from '../../core/words.ts';
import { type DoctorContext, namesOf, pairsOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { acsEvidence } from '../facts/evidence.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import { examplesOf, redirectingIn } from '../facts/redirecting.ts';
import type { Finding } from '../finding.ts';
import { NOTHING } from '../finding.ts';
import { acsRemedy } from '../remedy/acs-remedy.ts';
import { redirectListHazard } from '../remedy/redirect-list.ts';
import { severityOf } from '../severity.ts';
import { unknownCases } from './unknown-cases.ts';

export const ACS_REDIR_SWITCH: Diagnosis = {
  id: 'ACS-REDIR-SWITCH',
  aliases: [],
  meaning: 'ACS on a switch sends traffic between its devices up to the host bridge',
  symptom: 'NCCL hangs between GPUs on one switch, copies return all ones, bandwidth is half of the link’s',
  needs: 'ACS Control of every bridge between the two: 4096 bytes of configuration space, or lspci -vvv as root',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  // Inside a switch whose upstream port is not in the capture the ways meet as well.
  const below = context.cases.filter((item) => item.common >= 0 || item.codes.has('COMMON_UPSTREAM'));
  const redirected = below.filter((item) => item.codes.has('ACS_REDIRECT') && item.type !== 'busAddr');
  const unknown = below.filter((item) => item.codes.has('ACS_UNKNOWN') && item.type === 'unknown');
  const words = {
    id: 'ACS-REDIR-SWITCH',
    what: 'whether ACS redirects between them is not in this capture',
    why: 'ACS decides whether devices of one switch talk directly, and only root can read it.',
  } as const;
  return [
    ...(redirected.length === 0 ? [] : [findingOf(context, redirected)]),
    ...unknownCases(context, unknown, words),
  ];
}

/** As many registers are shown. */
const EVIDENCE_MAX = 64;

function findingOf(context: DoctorContext, cases: readonly PairCase[]): Finding {
  const redirecting = redirectingIn(cases);
  const refused = cases.filter((item) => item.type === 'notSupported');
  const worst = refused[0] ?? (cases[0] as PairCase);
  const concerned = new Set(refused.flatMap((item) => [...item.functions]));
  const names = namesOf(context, new Set(cases.flatMap((item) => [...item.functions])));
  const at = redirecting.map(({ name }) => name);
  const meetings = namesOf(context, new Set(cases.map((item) => item.common).filter((common) => common >= 0)));
  const where = meetings.length === 0 ? 'inside one switch' : `below ${listed(meetings)}`;
  const pairs = cases.reduce((sum, item) => sum + item.pairs, 0);
  return {
    ...NOTHING,
    id: 'ACS-REDIR-SWITCH',
    severity:
      refused.length === 0
        ? severityOf('ACS-REDIR-SWITCH', 'detour')
        : severityOf('ACS-REDIR-SWITCH', 'refused', context, concerned),
    sure: 'certain',
    title: `${listed(names)} meet ${where}, but ACS redirects at ${listed(at)}: ${consequenceOf(cases)}`,
    at,
    functions: names,
    pairs: pairsOf(context, worst, pairs),
    evidence: redirecting.slice(0, EVIDENCE_MAX).map(acsEvidence),
    why: `Request Redirect, Completion Redirect or Egress Control at a port sends what could turn round in the switch up to the root complex. There it shares one link with everything else, and an IOMMU translates it; drivers that put raw BAR addresses on the wire then hang or read all ones.${hazardOf(context, cases)}`,
    fixes: acsRemedy(context, redirecting, examplesOf(context, cases)).fixes,
  };
}

/** What becomes of the pairs, by verdict. */
function consequenceOf(cases: readonly PairCase[]): string {
  const pairsBy = (type: PairCase['type']): number =>
    cases.filter((item) => item.type === type).reduce((sum, item) => sum + item.pairs, 0);
  const [refused, through, open] = [pairsBy('notSupported'), pairsBy('thruHostBridge'), pairsBy('unknown')];
  const parts = [
    refused === 0
      ? ''
      : `${plural(refused, 'pair')} of them cannot do P2P at all, since the kernel does not trust the host bridge above with peer traffic`,
    through === 0
      ? ''
      : `${plural(through, 'pair')} of them ${through === 1 ? 'takes' : 'take'} the detour through the host bridge`,
    open === 0
      ? ''
      : `whether the host bridge lets ${plural(open, 'pair')} of them through is not in this capture, and once the redirects are off it does not matter`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** A sentence more where the kernel's own question about such a pair is dangerous. */
function hazardOf({ machine }: DoctorContext, cases: readonly PairCase[]): string {
  for (const { verdict } of cases) {
    const redirecting = verdict.reasons.filter(({ code }) => code === 'ACS_REDIRECT').flatMap(({ at }) => at);
    const hazard = redirectListHazard(machine, redirecting);
    if (hazard !== null) return ` ${hazard}`;
  }
  return '';
}
