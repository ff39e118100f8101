/**
 * Tables that measure each pair with peer access and without: p2pBandwidthLatencyTest and what prints like it. What the two columns say
 * together: used or not, faster or slower.
 */

import { groupedBy, listed, plural } from '../../../core/words.ts';
import type { MeasuredItem, MeasurementItem } from '../../../evidence/measured/items.ts';
import { type Evidence, type Finding, LOOK, NOTHING } from '../../finding.ts';
import { severityOf } from '../../severity.ts';
import { NEXT } from '../next-commands.ts';
import type { CaseContext, Reading, Said, Statement } from '../reading.ts';
import { isMeasurement, isPair, measuredOf, median, rate, unordered } from './measured-items.ts';

export const PEER_BANDWIDTH: Reading = { kind: 'p2p-bandwidth', read };

/** Within this ratio two bandwidths are the same. */
const SAME = 0.05;
/** Below this ratio peers are slower than copying through memory. */
const SLOWER = 0.8;
/** Microseconds: a peer answers in one to three; a copy that is staged through memory takes ten and more. */
const STAGED_US = 8;

/** What was measured of one pair, in GB/s and microseconds; null where it was not. */
interface Compared {
  readonly pair: string;
  readonly without: number | null;
  readonly with: number | null;
  readonly latencyWithout: number | null;
  readonly latencyWith: number | null;
  readonly place: MeasurementItem;
}

function read({ given }: CaseContext): Said {
  const items = measuredOf(given.blocks, 'p2p-bandwidth');
  const [first] = items;
  if (first === undefined) return {};
  const statements: Statement[] = [];
  const say = (sure: Statement['sure'], text: string): void => {
    statements.push({ sure, text, kind: 'p2p-bandwidth', source: first.file, line: first.line });
  };
  const access = items
    .filter(isPair)
    .filter(({ relation, from, to }) => relation === 'access' && from.label !== to.label);
  const cannot = [...new Set(access.filter(({ value }) => value === 'no').map(unordered))];
  const can = [...new Set(access.filter(({ value }) => value === 'yes').map(unordered))];
  if (can.length > 0 && cannot.length > 0)
    say('certain', `CUDA allows peers for ${listed(can)}, not for ${listed(cannot)}`);
  else if (can.length > 0)
    say('certain', `CUDA allows peers for ${can.length === 1 ? listed(can) : `all ${can.length} pairs`}`);
  const compared = comparisons(items);
  for (const text of rateSentences(compared)) say('certain', text);
  const refusedAll = cannot.length > 0 && can.length === 0;
  const allowed = compared.filter(({ pair }) => !cannot.includes(pair));
  const findings = [
    ...(refusedAll ? [cannotFinding(cannot, access[0] ?? null)] : []),
    ...notUsed(allowed),
    ...slower(allowed),
  ];
  const used = allowed.filter(({ latencyWith }) => latencyWith !== null && latencyWith <= STAGED_US);
  if (findings.length === 0 && used.length > 0 && used.length === allowed.length) {
    say('certain', 'Peers are used: a copy that is staged through memory takes ten microseconds and more');
    return { statements };
  }
  return { statements, findings, next: [NEXT.groupTypes, NEXT.acsByPort, NEXT.driverStatus] };
}

function comparisons(items: readonly MeasuredItem[]): Compared[] {
  const measured = items
    .filter(isMeasurement)
    .filter(({ from, to, value }) => from.label !== to.label && value !== null);
  return groupedBy(measured, unordered).map((ofPair) => {
    const of = (quantity: MeasurementItem['quantity'], enabled: boolean): number | null => {
      const values = ofPair
        .filter((item) => item.quantity === quantity && item.peerEnabled === enabled && item.direction === 'uni')
        .flatMap(({ value }) => value ?? []);
      return values.length === 0 ? null : median(values);
    };
    const place = ofPair[0] as MeasurementItem;
    return {
      pair: unordered(place),
      without: of('bandwidth', false),
      with: of('bandwidth', true),
      latencyWithout: of('latency', false),
      latencyWith: of('latency', true),
      place,
    };
  });
}

function rateSentences(compared: readonly Compared[]): string[] {
  const values = (of: (one: Compared) => number | null): number[] => compared.flatMap((one) => of(one) ?? []);
  const range = (numbers: readonly number[]): string => {
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    return high - low <= SAME * high ? rate(median(numbers)) : `${rate(low)} to ${rate(high)}`;
  };
  const without = values((one) => one.without);
  const peers = values((one) => one.with);
  const sentences: string[] = [];
  if (without.length > 0 && peers.length > 0) {
    sentences.push(`One way: ${range(without)} without peers, ${range(peers)} with`);
  } else if (without.length > 0)
    sentences.push(`One way: ${range(without)} without peers; the table with peers is not in the paste`);
  else if (peers.length > 0)
    sentences.push(`One way: ${range(peers)} with peers; the table without is not in the paste`);
  const latency = values((one) => one.latencyWith);
  if (latency.length > 0) {
    const [low, high] = [Math.min(...latency), Math.max(...latency)];
    sentences.push(`Latency with peers: ${low.toFixed(1)} to ${high.toFixed(1)} us`);
  }
  return sentences;
}

/** Pairs that are the same with and without peers: the traffic went another way. */
function notUsed(compared: readonly Compared[]): Finding[] {
  const same = compared.filter((one) => {
    if (one.with === null || one.without === null) return false;
    if (Math.abs(one.with / one.without - 1) > SAME) return false;
    // A switch as fast as memory gives equal bandwidth, but a latency that staging does not have.
    return one.latencyWith === null || one.latencyWith > STAGED_US;
  });
  const staged = compared.filter(
    (one) => !same.includes(one) && one.latencyWith !== null && one.latencyWith > STAGED_US && isUnchanged(one),
  );
  const all = [...same, ...staged];
  if (all.length === 0) return [];
  return [
    {
      ...NOTHING,
      id: 'P2P-NOT-USED',
      severity: severityOf('P2P-NOT-USED', 'notUsed'),
      sure: 'likely',
      title: `${pairWords(all, compared.length)} ${same.length > 0 ? 'measure the same with and without peers' : `take more than ${STAGED_US} us with peers`}: the traffic was copied through memory`,
      functions: addressesOf(all),
      evidence: all.slice(0, EVIDENCE_MAX).map((one) => evidenceOf(one, 'no gain from peers')),
      why: 'With peer access the bytes go from card to card and arrive in one to three microseconds. Equal figures mean that the driver staged them in system memory.',
      fixes: [{ ...LOOK, what: 'Ask the driver what it grants', commands: [NEXT.driverStatus.command] }],
    },
  ];
}

/** Where the table without peers is not in the paste, the latency alone says it. */
function isUnchanged({ latencyWith, latencyWithout }: Compared): boolean {
  return latencyWith !== null && (latencyWithout === null || latencyWith > 0.7 * latencyWithout);
}

/** Pairs that are slower with peers than without. */
function slower(compared: readonly Compared[]): Finding[] {
  const slow = compared.filter((one) => one.with !== null && one.without !== null && one.with < SLOWER * one.without);
  if (slow.length === 0) return [];
  const worst = slow.reduce((a, b) => ((a.with ?? 0) / (a.without ?? 1) <= (b.with ?? 0) / (b.without ?? 1) ? a : b));
  return [
    {
      ...NOTHING,
      id: 'PEER-SLOW',
      severity: severityOf('PEER-SLOW', 'slow'),
      sure: 'certain',
      title: `${pairWords(slow, compared.length)} are slower with peers than without: ${worst.pair} ${rate(worst.with ?? 0)} instead of ${rate(worst.without ?? 0)}`,
      functions: addressesOf(slow),
      evidence: slow.slice(0, EVIDENCE_MAX).map((one) => evidenceOf(one, 'slower with peers')),
      why: 'The path from card to card is worse than the way through memory: redirected by ACS, translated by the IOMMU, across sockets, or through a root complex that handles peers badly.',
      fixes: [
        {
          ...LOOK,
          what: 'See what the path is: ACS of the ports, type of the IOMMU groups',
          commands: [NEXT.acsByPort.command, NEXT.groupTypes.command],
        },
      ],
    },
  ];
}

function cannotFinding(
  pairs: readonly string[],
  place: { readonly file: string; readonly line: number } | null,
): Finding {
  return {
    ...NOTHING,
    id: 'P2P-NOT-USED',
    severity: severityOf('P2P-NOT-USED', 'notUsed'),
    sure: 'certain',
    title: `No pair has peer access (${plural(pairs.length, 'pair')} CANNOT): everything measured went through memory`,
    evidence: [
      {
        at: null,
        register: 'peer access',
        offset: null,
        value: 'CANNOT',
        meaning: 'the driver does not grant peers',
        source: place?.file ?? null,
        line: place?.line ?? null,
      },
    ],
    why: 'cudaDeviceCanAccessPeer is the driver’s decision: by model, driver and where the cards stand. The kernel is not asked.',
    fixes: [{ ...LOOK, what: 'Ask the driver why', commands: [NEXT.driverStatus.command] }],
  };
}

const EVIDENCE_MAX = 6;

function evidenceOf({ pair, with: peers, without, place }: Compared, meaning: string): Evidence {
  const value = `${peers === null ? '?' : rate(peers)} with, ${without === null ? '?' : rate(without)} without`;
  return { at: null, register: pair, offset: null, value, meaning, source: place.file, line: place.line };
}

function pairWords(some: readonly Compared[], all: number): string {
  if (some.length === all && all > 1) return `All ${all} pairs`;
  return `${some.length} of ${plural(all, 'pair')} (${listed(some.map(({ pair }) => pair))})`;
}

function addressesOf(some: readonly Compared[]): string[] {
  const all = some.flatMap(({ place }) => [place.from.address, place.to.address]);
  return [...new Set(all.flatMap((address) => address ?? []))].sort();
}
