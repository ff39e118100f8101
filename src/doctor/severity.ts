/**
 * How bad each finding is: one table, by diagnosis and by what was found. `error` is reserved for pairs that the user named and for what the
 * hardware is clearly built for: memory that a driver has published and no device reaches, compute accelerators below one switch.
 */

import { present } from '../core/assert.ts';
import { REDIRECT_NO } from '../p2p/judge.ts';
import { type DoctorContext, slotsOf } from './context.ts';
import { type DiagnosisId, SEVERITIES, type Severity } from './finding.ts';

/** The situations that a diagnosis tells apart, each with its severity, or with the rule that decides it. */
const TABLE = {
  'ACS-REDIR-SWITCH': {
    refused: 'belowSwitch',
    /** Said by a log or by lines without a tree. */
    told: 'warning',
    detour: 'warning',
    blocked: 'warning',
    recorded: 'note',
    open: 'note',
  },
  'HB-NOT-LISTED': { refused: 'atHostBridge', told: 'warning', open: 'note' },
  'HB-SPLIT': { refused: 'atHostBridge' },
  'BAD-CMDLINE': {
    /** A word about ACS has no effect. */
    ineffective: 'redirects',
    /** A word about the IOMMU has none, or leaves it at its default. */
    ineffectiveIommu: 'warning',
    defaultIommu: 'note',
    partlyEffective: 'warning',
    defaultsLost: 'note',
  },
  'IOMMU-TRANSLATED': {
    translated: 'detour',
    /** All drivers here map with the DMA API. */
    unhurt: 'note',
    faulted: 'warning',
    told: 'warning',
    open: 'note',
  },
  MPS: { longPackets: 'warning', longTags: 'warning', recorded: 'note' },
  'NOT-DECODING': {
    bridgeOff: 'asked',
    driven: 'asked',
    undriven: 'askedOnly',
    driverNotKnown: 'askedOnly',
    outsideWindow: 'asked',
    overlap: 'asked',
  },
  'DEVICE-LOST': {
    lostMeant: 'error',
    lost: 'warning',
    lostUndriven: 'note',
    silent: 'meantOrAsked',
    asleep: 'meantOrAsked',
    linkDown: 'asked',
  },
  'BAR-SMALL': { unplaced: 'meant', part: 'intent', noSpace: 'warning', open: 'note' },
  'LINK-DEGRADED': { fewLanes: 'warning', narrowPath: 'note', open: 'note' },
  'ADDR-MASK': { aboveMask: 'warning', aboveUnit: 'warning', openGuest: 'warning', open: 'note' },
  'FALSE-GRANT': { guest: 'detour', open: 'note' },
  'KCONFIG-MISSING': {
    missing: 'intended',
    missingUseless: 'note',
    amd: 'warning',
    hotplug: 'warning',
    mapping: 'note',
    open: 'note',
  },
  'NO-PROVIDER': { unpublished: 'note', exhausted: 'warning', none: 'note', open: 'note' },
  'CROSS-SOCKET': { crossing: 'intent' },
  'VM-TOPOLOGY': { several: 'warning', told: 'note', alone: 'intent' },
  'GDS-COMPAT': { driver: 'intent', told: 'warning', failed: 'intent', open: 'note' },
  'WRONG-MEMORY': { overlapWanted: 'error', overlap: 'warning', fault: 'warning', open: 'note' },
  'HIDDEN-LINK': { sameChip: 'note' },
  'VMD-DOMAIN': { behind: 'intent' },
  'GROUP-LIE': { joined: 'warning' },
  'PARTIAL-LISTING': { partial: 'note' },
  'PCIE-ERRORS': { fatal: 'error', uncorrected: 'warning', corrected: 'note' },
  ATOMICS: { rejected: 'warning', notRouted: 'warning' },
  'DRIVER-REFUSES': { refused: 'warning' },
  'MAPPING-REFUSED': { refused: 'error' },
  'P2P-NOT-USED': { notUsed: 'warning' },
  'PEER-SLOW': { slow: 'warning' },
} as const;

/** What the table names for one diagnosis. */
export type Situation<Id extends DiagnosisId> = keyof (typeof TABLE)[Id] & string;

/** Those of them that have one severity on every machine. */
export type PlainSituation<Id extends DiagnosisId> = {
  [S in Situation<Id>]: (typeof TABLE)[Id][S] extends Severity ? S : never;
}[Situation<Id>];

interface Rule {
  /** The worst that it can give. */
  readonly worst: Severity;
  readonly of: (context: DoctorContext, functions: ReadonlySet<number>) => Severity;
}

/** Severities that depend on the machine and on the functions concerned. */
const RULES: Readonly<Record<string, Rule>> = {
  asked: { worst: 'error', of: ({ asked }) => (asked === null ? 'warning' : 'error') },
  askedOnly: { worst: 'warning', of: ({ asked }) => (asked === null ? 'note' : 'warning') },
  intent: { worst: 'warning', of: ({ intent }) => (intent === null ? 'note' : 'warning') },
  intended: { worst: 'error', of: ({ intent }) => (intent === null ? 'warning' : 'error') },
  meant: { worst: 'error', of: (context, functions) => (isMeant(context, functions) ? 'error' : 'warning') },
  /** Sleep is the business of the device's own driver, unless peers are meant to reach it. */
  meantOrAsked: {
    worst: 'warning',
    of: (context, functions) => (context.asked !== null || isMeant(context, functions) ? 'warning' : 'note'),
  },
  /** Nothing but ACS parts the pairs. */
  belowSwitch: {
    worst: 'error',
    of: (context, functions) => {
      const compute = [...functions].filter((index) => context.compute.has(index));
      const publishes = [...functions].some((index) => context.publishers.has(index));
      const isBuiltForIt = publishes || slotsOf(context.judge, compute) >= 2 || context.opensAcs;
      return context.asked !== null || isBuiltForIt ? 'error' : 'warning';
    },
  },
  /** Pairs that meet in a host bridge only: no board is built for that. */
  atHostBridge: {
    worst: 'error',
    of: (context, functions) => {
      if (context.asked !== null) return 'error';
      const lonely = [...functions].some((index) => context.publishers.has(index) && !hasPeer(context, index));
      if (lonely) return 'error';
      return context.intent !== null || hasTwoGpus(context, functions) ? 'warning' : 'note';
    },
  },
  /** A path that exists and does not serve every driver: a desktop's one GPU and one drive do not ask for it. */
  detour: {
    worst: 'warning',
    of: (context, functions) => (context.intent !== null || hasTwoGpus(context, functions) ? 'warning' : 'note'),
  },
  /** Where every register is known and none redirects, a word about ACS that does nothing does no harm. */
  redirects: {
    worst: 'error',
    of: ({ judge }) => (judge.redirect.every((redirect) => redirect === REDIRECT_NO) ? 'warning' : 'error'),
  },
};

/** How bad a finding is; `functions` are the indices concerned, which some rules ask for. */
export function severityOf<Id extends DiagnosisId>(id: Id, situation: PlainSituation<Id>): Severity;
export function severityOf<Id extends DiagnosisId>(
  id: Id,
  situation: Situation<Id>,
  context: DoctorContext,
  functions?: Iterable<number>,
): Severity;
export function severityOf(
  id: DiagnosisId,
  situation: string,
  context?: DoctorContext,
  functions: Iterable<number> = [],
): Severity {
  const entries: Readonly<Record<string, string>> = TABLE[id];
  const entry = present(entries[situation], `${id} has an entry for ${situation}`);
  const rule = RULES[entry];
  return rule === undefined
    ? (entry as Severity)
    : rule.of(present(context, `${entry} is given the machine`), new Set(functions));
}

/** The worst that a diagnosis can be. */
export function worstSeverity(id: DiagnosisId): Severity {
  const worst = new Set(Object.values(TABLE[id]).map((entry) => RULES[entry]?.worst ?? (entry as Severity)));
  return SEVERITIES.find((severity) => worst.has(severity)) ?? 'note';
}

/** A device that is made to compute, that publishes memory, or that the user named, is of no use without its memory. */
function isMeant({ asked, publishers, compute }: DoctorContext, functions: ReadonlySet<number>): boolean {
  return [...functions].some(
    (index) => asked?.includes(index) === true || publishers.has(index) || (compute.has(index) && compute.size >= 2),
  );
}

/** Where a pair is not known, it is not known that the memory is out of reach. */
function hasPeer({ cases }: DoctorContext, index: number): boolean {
  return cases.some((item) => item.type !== 'notSupported' && item.functions.has(index));
}

function hasTwoGpus({ roles, judge }: DoctorContext, functions: ReadonlySet<number>): boolean {
  const gpus = [...functions].filter((index) => roles[index] === 'gpu' || roles[index] === 'accelerator');
  return slotsOf(judge, gpus) >= 2;
}
