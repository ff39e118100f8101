/**
 * Where the kernel's rule and the fabric differ, on the smallest trees. The table is what we say of them; a test searches all
 * shapes and finds these and no others. `docs/FINDINGS.md` is written from it: npm run agree -- --findings
 */

import type { PolicyName } from 'p2pdma/p2p';
import { type Case, formatCase, parseCase } from './case.ts';
import { draw } from './draw.ts';
import type { Difference } from './examine.ts';
import { LegRunner } from './legs.ts';
import { simpleCases, smallestDifferences } from './shrink.ts';

export interface Finding {
  readonly name: string;
  readonly title: string;
  readonly difference: Difference;
  /** The smallest cases; the first is drawn. */
  readonly cases: readonly string[];
  /** Smallest cases that take the registers of two nodes: the search does not come to them. */
  readonly further?: readonly string[];
  readonly why: string;
  /** What the directional rule says of it. */
  readonly ours: string;
}

/** Legs of the trees that are searched. */
export const LONGEST = 4;

const each = (bits: string, prefix: string, suffix = ''): string[] =>
  bits.split(' ').map((bit) => `${prefix}=${bit}${suffix}`);

export const FINDINGS: readonly Finding[] = [
  {
    name: 'own-function',
    title: 'a function whose own ACS redirects is kept from its own memory',
    difference: 'tooStrict',
    cases: each('RR CR EC', 'function / top'),
    why: 'The walk tests the provider for redirect bits before it sees that provider and client are one function. Nothing leaves the device: case (c).',
    ours: 'busAddr: identity is decided first',
  },
  {
    name: 'client-port-completion',
    title: 'Completion Redirect on the port above the client',
    difference: 'tooStrict',
    cases: ['switch de/de c1=CR'],
    why: 'Completions come from the provider: the port above the client never receives them from below, and Completion Redirect is asked of nothing else.',
    ours: 'busAddr',
  },
  {
    name: 'provider-port-request',
    title: 'Request Redirect or Egress Control on the port above the provider',
    difference: 'tooStrict',
    cases: each('RR EC', 'switch de/de p1'),
    why: 'Requests come from the client: the port above the provider sends them down, and ACS is not asked on the way down.',
    ours: 'busAddr',
  },
  {
    name: 'leaf-port',
    title: 'redirect on a leaf port below the port where the paths part',
    difference: 'tooStrict',
    cases: [...each('RR CR EC', 'switch dude/de c3'), ...each('RR CR EC', 'switch de/dude p3')],
    why: 'The address is in no other window of the inner switch: the only way out of it is up, with or without redirect.',
    ours: 'busAddr: only the ports where the paths part are asked',
  },
  {
    name: 'upstream-port',
    title: 'redirect bits in the upstream port of a switch',
    difference: 'tooStrict',
    cases: [
      ...each('RR CR EC', 'switch de/de top'),
      ...each('RR CR EC', 'switch dude/de c2'),
      ...each('RR CR EC', 'switch de/dude p2'),
    ],
    why: 'ACS is asked of what a port receives from below on its link. An upstream port has such a capability only as a function of a device with several, and then for its siblings.',
    ours: 'busAddr',
  },
  {
    name: 'endpoint-own-acs',
    title: 'redirect bits of the endpoint itself',
    difference: 'tooStrict',
    cases: [...each('RR CR EC', 'switch de/de c2'), ...each('RR CR EC', 'switch de/de p2')],
    why: 'ACS of a function says where requests for its siblings go. What is for another device leaves on the link anyway.',
    ours: 'busAddr',
  },
  {
    name: 'egress-vector-clear',
    title: 'Egress Control on the port above the client, its vector clear',
    difference: 'tooStrict',
    cases: ['switch de/de c1=EC', 'rootPort f/f c1=EC internal'],
    why: 'The vector says which egress is meant. The kernel does not read it.',
    ours: 'thruHostBridge, as the kernel: our rule does not read the vector either',
  },
  {
    name: 'direct-translated',
    title: 'Direct Translated beside Request Redirect, for a client with an address translation cache',
    difference: 'tooStrict',
    cases: ['switch de/de c1=RR+DT translated', 'rootPort f/f c1=RR+DT translated internal'],
    why: 'Direct Translated frees translated requests from Request Redirect. The kernel gives one answer for all requests of a client.',
    ours: 'busAddr for translated requests, thruHostBridge for all others',
  },
  {
    name: 'siblings-port-above',
    title: 'redirect on the port above two functions that reach each other inside their device',
    difference: 'tooStrict',
    cases: each('RR CR EC', 'rootPort f/f top', ' internal'),
    why: 'What stays inside a device does not come to the port above it.',
    ours: 'busAddr, where both functions show by an ACS capability that the device routes between them',
  },
  {
    name: 'siblings-own-acs',
    title: 'the wrong redirect bit on one of two functions that reach each other inside their device',
    difference: 'tooStrict',
    cases: ['rootPort f/f c1=CR internal', ...each('RR EC', 'rootPort f/f p1', ' internal')],
    why: 'As on the ports of a switch: the client decides over requests, the provider over completions.',
    ours: 'busAddr',
  },
  {
    name: 'siblings-no-route',
    title: 'two functions of one device without a route between them',
    difference: 'tooLax',
    cases: ['rootPort f/f'],
    why: 'The request leaves on the link; its address lies in the window of the very port that receives it. Without Upstream Forwarding the specification does not say what happens then; this fabric answers Unsupported Request.',
    ours: 'notSupported (SHARED_LINK)',
  },
  {
    name: 'siblings-upstream-forwarding',
    title: 'two functions of one device below a port with Upstream Forwarding',
    difference: 'tooLax',
    cases: ['rootPort f/f top=UF', 'rootPort f/f top=UF iommu=on'],
    why: 'Upstream Forwarding sends the request up: to the root complex, with a bus address. With an IOMMU that is an address nobody mapped.',
    ours: 'thruHostBridge (SHARED_LINK), where the host bridge is allowed',
  },
  {
    name: 'translation-blocking',
    title: 'Translation Blocking on the way of a client with an address translation cache',
    difference: 'tooLax',
    cases: ['switch de/de c1=TB translated', 'switch dude/de c3=TB translated', 'rootPort f/f top=TB translated'],
    why: 'Every port above the client blocks its translated requests. The kernel does not look at Translation Blocking.',
    ours: 'notSupported for translated requests',
  },
  {
    name: 'same-port',
    title: 'redirect inside a switch, below a port without Upstream Forwarding',
    difference: 'deadEnd',
    cases: ['switch de/de c1=RR', 'switch de/de p1=CR'],
    why: 'What is redirected comes to a port whose own window holds the address (or whose buses hold the requester): the root port, or the downstream port above an inner switch. Without Upstream Forwarding that is undefined; this fabric answers Unsupported Request, and with its rule samePort: upstream it arrives. With an IOMMU the request carries an IOVA and passes, while a completion that is redirected below an inner switch still comes back to its own port. Linux turns Upstream Forwarding on where it turns an IOMMU on.',
    ours: 'thruHostBridge, as the kernel: it depends on the ports above',
  },
  {
    name: 'siblings-same-port',
    title: 'two functions of one device, sent through the host bridge, below a port without Upstream Forwarding',
    difference: 'deadEnd',
    cases: [
      ...each('RR CR EC', 'rootPort f/f top'),
      'rootPort f/f c1=RR internal',
      'rootPort f/f p1=CR internal',
      'downstreamPort f/f c1=EC+EV iommu=on internal',
    ],
    why: 'A redirect bit makes the kernel name the road through the host bridge, but nothing sends the TLPs up: the port that they share has the address in its own window. Below a switch the completion comes back to its own port even where the request carries an IOVA.',
    ours: 'notSupported (SHARED_LINK)',
  },
  {
    name: 'egress-control-blocks',
    title: 'Egress Control without Request Redirect',
    difference: 'deadEnd',
    cases: ['switch de/de c1=EC+EV', 'rootPort f/f c1=EC+EV internal', 'hostBridge re/re c1=EC+EV'],
    why: 'A set bit of the vector blocks the request where Request Redirect is off: an ACS Violation, and no redirect. The physical address of the road through the host bridge is the bus address here, so it is blocked as well; with an IOMMU the IOVA passes.',
    ours: 'thruHostBridge, as the kernel: our rule counts Egress Control as redirect',
  },
  {
    name: 'translation-blocking-dead-end',
    title: 'Translation Blocking on the road through the host bridge, for a client with an address translation cache',
    difference: 'deadEnd',
    cases: ['hostBridge re/re c1=TB translated'],
    further: ['switch de/de rp=TB c1=RR translated', 'downstreamPort f/f rp=TB top=UF translated'],
    why: 'Translated requests are blocked on this road as on the direct one, here by every port up to the root complex.',
    ours: 'notSupported for translated requests',
  },
];

/** The policies that are kernels. Their ACS rule is one and the same; their allow-lists differ. */
export const KERNELS: readonly PolicyName[] = ['linux-6.1', 'linux-6.12', 'linux-7.0'];

/** The finding with a name, or null. */
export function findingOf(name: string): Finding | null {
  return FINDINGS.find((finding) => finding.name === name) ?? null;
}

/** What a search over all trees with endpoints found. */
export interface Search {
  readonly cases: number;
  readonly differences: Readonly<Record<Difference, number>>;
  /** The line of each smallest case, and how many cases shrank to it. */
  readonly smallest: ReadonlyMap<string, number>;
}

/** Searches the trees of `simpleCases`. Always the same. */
export function search(): Search {
  const runner = new LegRunner((complaint) => {
    throw new Error(complaint);
  });
  const differences = { tooStrict: 0, tooLax: 0, deadEnd: 0 };
  let cases = 0;
  const counted = function* (): Generator<Case> {
    for (const one of simpleCases(LONGEST)) {
      cases++;
      const { difference } = runner.run(one);
      if (difference !== null) differences[difference]++;
      yield one;
    }
  };
  const smallest = new Map<string, number>();
  for (const [line, { seen }] of smallestDifferences(runner, counted())) smallest.set(line, seen);
  runner.putAway();
  return { cases, differences, smallest };
}

const HEADINGS: readonly (readonly [Difference, string, string])[] = [
  [
    'tooStrict',
    'Too strict',
    'The kernel says `thruHostBridge` or `notSupported`; request and completion go straight to the peer and back.',
  ],
  [
    'tooLax',
    'Too lax',
    'The kernel says `busAddr`; sent to the bus address, the request or its completion comes to a root port, or dies.',
  ],
  [
    'deadEnd',
    'Dead ends',
    'The kernel says `thruHostBridge`; what is sent in the address form of that road dies, although the root complex forwards.',
  ],
];

/** What a reader should know of our own rule. */
const CAUTIONS: readonly string[] = [
  '',
  '## Where our own rule is stricter than the fabric',
  '',
  'The directional rule never says `busAddr` where the fabric sends anything up (the tests hold that over every case). It says less than',
  'the fabric can do in three places:',
  '',
  '- Egress Control on the port above the client counts as redirect, whatever its vector says, as in the kernel: `egress-vector-clear`.',
  '- Where client or provider is itself a port of the common switch, that port’s bits count although no TLP enters it from a link:',
  "  `npm run agree -- --case 'switch d/de c1=RR'`.",
  '- Two functions of one device without an ACS capability may have a route inside the device all the same: nothing shows it, and the',
  '  rule takes it that there is none. `siblings-no-route` is the other side of that.',
  '',
  'And where the road through the host bridge is named, three dead ends are ours as well as the kernel’s: `same-port`,',
  '`egress-control-blocks`, and a root complex that does not forward.',
];

/** `docs/FINDINGS.md`. */
export function renderFindings(found: Search): string {
  const { cases, differences } = found;
  const total = differences.tooStrict + differences.tooLax + differences.deadEnd;
  const lines = [
    '# Findings: where the kernel’s rule and the fabric differ',
    '',
    'Written by `npm run -s agree -- --findings > docs/FINDINGS.md`; a test compares. Each finding is run again by the command under it.',
    '',
    'What this is: the map type that Linux gives a pair of devices (`linux-6.1`, `linux-6.12` and `linux-7.0`, whose ACS rule is one and',
    'the same) against what request and completion do on our transaction-level fabric, which follows the PCI Express rules and knows',
    'nothing of the prediction. What it is not: a measurement of hardware. “Seen” means seen here; some of it is known to the kernel’s',
    'developers (the correction of autumn 2026 mends several), and nothing is claimed to be new.',
    '',
    `Searched: every tree with a pair of endpoints, functions or PCI devices whose legs have up to ${LONGEST} nodes, with no ACS bit set and with the`,
    'bits of one node set, one or two at a time; requests untranslated and translated, IOMMU off and on, host bridge allowed, root',
    `complex forwarding, Memory Space and Bus Master Enable on. ${cases} cases: ${differences.tooStrict} too strict, ${differences.tooLax} too lax, ${differences.deadEnd} dead ends,`,
    `${cases - total} agree. Each difference was shrunk until nothing could be taken away; ${found.smallest.size} smallest trees are left, ${FINDINGS.length} findings.`,
    '',
    'How a case is read: `switch de/de c1=RR` is a switch with two legs, each a downstream port (d) and an endpoint (e); client side first;',
    '`c1` is the first node below the common one on the client’s side; RR is set there. Letters: r root port, u and d switch ports, e endpoint,',
    'f function of one device. EV is the egress control vector, all bits set. `internal`: the device routes between its functions.',
    '`translated`: the client sends with AT = translated.',
  ];
  for (const [difference, heading, says] of HEADINGS) {
    lines.push('', `## ${heading}`, '', says);
    for (const finding of FINDINGS) if (finding.difference === difference) lines.push(...renderFinding(finding, found));
  }
  lines.push(...CAUTIONS);
  return `${lines.join('\n')}\n`;
}

function renderFinding(finding: Finding, found: Search): string[] {
  const first = parseCase(finding.cases[0] as string);
  return [
    '',
    `### ${finding.name}: ${finding.title}`,
    '',
    '```',
    ...draw(first),
    '```',
    '',
    `Run again: \`npm run agree -- --finding ${finding.name}\``,
    '',
    finding.why,
    '',
    `Our rule: ${finding.ours}.`,
    '',
    '| smallest case | cases that shrank to it |',
    '|---|---|',
    ...finding.cases.map((line) => `| \`${formatCase(parseCase(line))}\` | ${found.smallest.get(line) ?? 0} |`),
    ...(finding.further ?? []).map((line) => `| \`${formatCase(parseCase(line))}\` | two registers: not searched |`),
  ];
}
