/**
 * Two devices below one switch, and ACS on the way sends their traffic up to the root complex: through the host bridge where it
 * is allowed, nowhere where not. PCIe 6.12.3; Linux calc_map_type_and_dist().
 */

import { groupedBy, listed, plural } from '../../core/words.ts';
import { REDIRECT_BITS } from '../../pcie/acs.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type IsolationCost, isolationCost } from '../change/isolation.ts';
import { type DoctorContext, namesOf, pairsOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { acsEvidence } from '../facts/evidence.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { Finding } from '../finding.ts';
import { NOTHING } from '../finding.ts';
import { type PortChange, portChange } from '../port-change.ts';
import { type RedirectGroup, redirectFixes } from '../remedy/acs-redir-fixes.ts';
import { overrunsRedirectList } from '../remedy/redirect-list.ts';
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
  const below = context.cases.filter((item) => item.common >= 0);
  const redirected = below.filter((item) => item.codes.has('ACS_REDIRECT') && item.type !== 'busAddr');
  const groups: RedirectGroup[] = groupedBy(redirected, (item) => item.common).map((cases) => ({
    cases,
    ports: portsBetween(context, cases),
  }));
  // Groups are formed once, for the changes of all switches: what joins below one leaves the others alone.
  const cost = isolationCost(
    context.machine,
    groups.flatMap(({ ports }) => ports),
  );
  const findings = groups.map((group) => findingOf(context, group, groups, cost));
  const unknown = below.filter((item) => item.codes.has('ACS_UNKNOWN') && item.type === 'unknown');
  const words = {
    id: 'ACS-REDIR-SWITCH',
    what: 'whether ACS redirects between them is not in this capture',
    why: 'ACS decides whether devices of one switch talk directly, and only root can read it.',
  } as const;
  return [...findings, ...unknownCases(context, unknown, words)];
}

/** Every redirecting function on the ways of the cases, with what it would be. */
function portsBetween(context: DoctorContext, cases: readonly PairCase[]): PortChange[] {
  const { hierarchy } = context.machine;
  const redirecting = new Set(cases.flatMap((item) => [...(item.named.get('ACS_REDIRECT') ?? [])]));
  return [...redirecting]
    .sort((a, b) => a.key - b.key)
    .map((fn) => portChange(hierarchy, hierarchy.indexOf(fn.bdf), (control) => control & ~REDIRECT_BITS));
}

function findingOf(
  context: DoctorContext,
  group: RedirectGroup,
  groups: readonly RedirectGroup[],
  cost: IsolationCost,
): Finding {
  const { cases, ports } = group;
  const refused = cases.find((item) => item.type === 'notSupported');
  const worst = refused ?? (cases[0] as PairCase);
  const functions = new Set(cases.flatMap((item) => [...item.functions]));
  const concerned = new Set(
    cases.filter((item) => item.type === 'notSupported').flatMap((item) => [...item.functions]),
  );
  const names = namesOf(context, functions);
  const at = ports.map((port) => port.at.name);
  const meeting = (context.functions[worst.common] as PciFunction).name;
  const pairs = cases.reduce((sum, item) => sum + item.pairs, 0);
  const consequence =
    refused === undefined
      ? `${plural(pairs, 'pair')} of them ${pairs === 1 ? 'takes' : 'take'} the detour through the host bridge`
      : `${plural(pairs, 'pair')} of them cannot do P2P at all, since the kernel does not trust the host bridge above with peer traffic`;
  return {
    ...NOTHING,
    id: 'ACS-REDIR-SWITCH',
    severity:
      refused === undefined
        ? severityOf('ACS-REDIR-SWITCH', 'detour')
        : severityOf('ACS-REDIR-SWITCH', 'refused', context, concerned),
    sure: 'certain',
    title: `${listed(names)} meet below ${meeting}, but ACS redirects at ${listed(at)}: ${consequence}`,
    at,
    functions: names,
    pairs: pairsOf(context, worst, pairs),
    evidence: ports.map((port) => acsEvidence(port.at)),
    why: `Request Redirect, Completion Redirect or Egress Control at a port sends what could turn round in the switch up to the root complex. There it shares one link with everything else, and an IOMMU translates it; drivers that put raw BAR addresses on the wire then hang or read all ones.${hazardOf(context, cases)}`,
    fixes: redirectFixes(context, group, groups, cost),
  };
}

/** A sentence more where the kernel's own question about such a pair is dangerous. */
function hazardOf({ machine }: DoctorContext, cases: readonly PairCase[]): string {
  const lists = cases.map(({ verdict }) =>
    verdict.reasons.filter(({ code }) => code === 'ACS_REDIRECT').flatMap(({ at }) => at),
  );
  const longest = lists.find((functions) => overrunsRedirectList(machine, functions));
  if (longest === undefined) return '';
  return ` Beware: ${longest.length} functions on one way redirect, more than the kernel's message about it has room for: Linux 6.12 was seen to crash when it was first asked about such a pair. Clear the bits before the pair is used.`;
}
