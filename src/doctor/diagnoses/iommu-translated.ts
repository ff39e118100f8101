/**
 * Peer traffic that passes the root complex meets an IOMMU that translates, whatever the kernel's list says of the pair: drivers that map
 * with the kernel's DMA API are served, those that hand raw BAR addresses to a peer fault. Inside a switch nothing meets it.
 */

import { listed } from '../../core/words.ts';
import { ACS_REQUEST_REDIRECT } from '../../pcie/acs.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type DoctorContext, namesOf, pairsOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { acsEvidence } from '../facts/evidence.ts';
import { type TranslationState, TranslationStates } from '../facts/iommu-state.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import { type PeerFault, peerFaults } from '../facts/peer-faults.ts';
import type { Certainty, Evidence, Finding } from '../finding.ts';
import { NOTHING } from '../finding.ts';
import { iommuFixes } from '../remedy/iommu-fixes.ts';
import { type Situation, severityOf } from '../severity.ts';
import { type RawAddressUsers, rawAddressUsers } from './raw-address-users.ts';

export const IOMMU_TRANSLATED: Diagnosis = {
  id: 'IOMMU-TRANSLATED',
  aliases: [],
  meaning: 'the IOMMU translates peer traffic that some drivers send with raw BAR addresses',
  symptom: 'AllReduce hangs, IO_PAGE_FAULT or DMAR faults, tensors full of zeros',
  needs:
    'IOMMU group of each function and its type, ACS Control of the root ports; or the kernel’s log and command line',
  diagnose,
};

/** Evidence of a kind that is shown: one line for each of a thousand functions tells no more. */
const EVIDENCE_MAX = 12;
const FAULTS_MAX = 4;

function diagnose(context: DoctorContext): Finding[] {
  const faults = peerFaults(context.machine);
  const states = new TranslationStates(context.machine, context.commandLine);
  const cases = context.cases.filter(({ type }) => type !== 'busAddr');
  const users = rawAddressUsers(context, cases);
  const concerned = new Set(users?.functions);
  for (const { client, peer } of faults) for (const fn of [client, peer]) concerned.add(context.judge.indexOf(fn));
  const byIndex = new Map([...concerned].map((index) => [index, states.of(context.functions[index] as PciFunction)]));
  const mine = cases.filter(({ functions }) => [...concerned].some((index) => functions.has(index)));
  const modes = [...byIndex.values()].map(({ mode }) => mode);
  if (faults.length > 0 || modes.includes('translated'))
    return [translatedFinding(context, { cases: mine, byIndex, users, faults })];
  return modes.includes('unknown') ? [openFinding(context, mine, byIndex)] : [];
}

interface Found {
  readonly cases: readonly PairCase[];
  readonly byIndex: ReadonlyMap<number, TranslationState>;
  readonly users: RawAddressUsers | null;
  readonly faults: readonly PeerFault[];
}

function translatedFinding(context: DoctorContext, { cases, byIndex, users, faults }: Found): Finding {
  const faulted = new Set(
    faults.flatMap(({ client, peer }) => [context.judge.indexOf(client), context.judge.indexOf(peer)]),
  );
  const translated = new Set(
    [...byIndex].filter(([index, { mode }]) => mode === 'translated' || faulted.has(index)).map(([index]) => index),
  );
  const names = namesOf(context, translated);
  const roots = rootPortsOf(context, cases, translated);
  const isCertain = [...translated].every((index) => byIndex.get(index)?.sure === 'certain') || faults.length > 0;
  const sure: Certainty = faults.length > 0 ? 'certain' : 'likely';
  const [first] = faults;
  const verb = isCertain ? 'translates' : 'likely translates';
  return {
    ...NOTHING,
    id: 'IOMMU-TRANSLATED',
    severity: severityOf('IOMMU-TRANSLATED', situationOf(users, faults), context, translated),
    sure,
    title:
      first === undefined
        ? `The IOMMU ${verb} what ${listed(names)} send each other through the root complex: a driver that hands out raw BAR addresses hangs or faults there`
        : `${first.client.name} was given the raw address of memory of ${first.peer.name}, and its IOMMU refused it`,
    at:
      first === undefined
        ? names
        : namesOf(context, new Set(faults.map(({ client }) => context.judge.indexOf(client)))),
    functions: names,
    pairs: pairsOfCases(context, cases),
    evidence: [
      ...evidenceOf(byIndex, translated),
      ...roots.map(acsEvidence),
      ...faults.slice(0, FAULTS_MAX).map(({ evidence }) => evidence),
    ],
    why: whyOf(users),
    fixes: iommuFixes(context, translated, roots),
  };
}

function situationOf(users: RawAddressUsers | null, faults: readonly PeerFault[]): Situation<'IOMMU-TRANSLATED'> {
  if (faults.length > 0) return 'faulted';
  return users?.hurt.length === 0 ? 'unhurt' : 'translated';
}

function pairsOfCases(context: DoctorContext, cases: readonly PairCase[]): Finding['pairs'] {
  const [first] = cases;
  return first === undefined
    ? null
    : pairsOf(
        context,
        first,
        cases.reduce((sum, item) => sum + item.pairs, 0),
      );
}

/** What shows it for each function, then what shows it for all; each line once. */
function evidenceOf(byIndex: ReadonlyMap<number, TranslationState>, translated: ReadonlySet<number>): Evidence[] {
  const all = [...translated].sort((a, b) => a - b).flatMap((index) => byIndex.get(index)?.evidence ?? []);
  const once = new Map(
    all.map((evidence) => [`${evidence.at} ${evidence.register} ${evidence.value} ${evidence.line}`, evidence]),
  );
  return [...once.values()].slice(0, EVIDENCE_MAX);
}

function whyOf(users: RawAddressUsers | null): string {
  const hurt = users?.hurt ?? [];
  const served = users?.served ?? [];
  const who = hurt.length === 0 ? '' : ` Hurt: ${hurt.join('; ')}.`;
  const whoNot = served.length === 0 ? '' : ` Not hurt: ${served.join('; ')}.`;
  return `A raw BAR address is in no table: its writes are dropped, its reads return ones or fault.${who}${whoNot} Inside a switch nothing meets the IOMMU.`;
}

/** Root ports that redirect requests, above functions whose ways meet in no bridge: they send all of it to the IOMMU. */
function rootPortsOf(
  context: DoctorContext,
  cases: readonly PairCase[],
  translated: ReadonlySet<number>,
): PciFunction[] {
  const { hierarchy } = context.machine;
  const apart = new Set(cases.filter(({ common }) => common < 0).flatMap((item) => [...item.functions]));
  const tops = new Set(
    [...translated].filter((index) => apart.has(index)).map((index) => hierarchy.chainOf(index).at(-1) as number),
  );
  return [...tops]
    .sort((a, b) => a - b)
    .map((index) => context.functions[index] as PciFunction)
    .filter(
      ({ acs, portType }) =>
        portType === 'rootPort' && acs.state === 'present' && (acs.control & ACS_REQUEST_REDIRECT) !== 0,
    );
}

function openFinding(
  context: DoctorContext,
  cases: readonly PairCase[],
  byIndex: ReadonlyMap<number, TranslationState>,
): Finding {
  const unknown = new Set([...byIndex].filter(([, { mode }]) => mode === 'unknown').map(([index]) => index));
  const names = namesOf(context, unknown);
  return {
    ...NOTHING,
    id: 'IOMMU-TRANSLATED',
    severity: severityOf('IOMMU-TRANSLATED', 'open'),
    sure: 'open',
    title: `Whether an IOMMU translates what ${listed(names)} send each other through the root complex is not in this capture`,
    functions: names,
    pairs: pairsOfCases(context, cases),
    evidence: evidenceOf(byIndex, unknown),
    why: 'Through the root complex, a translating IOMMU breaks drivers that use raw BAR addresses.',
    missing: {
      what: 'whether an IOMMU translates',
      command: 'cat /proc/cmdline; grep . /sys/kernel/iommu_groups/*/type',
    },
  };
}
