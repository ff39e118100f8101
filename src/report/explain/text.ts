/** The explanation of one pair for people: the road hop by hop, the verdict both ways, and what would change it. */

import { hex, hexDigits } from '../../core/hex.ts';
import { gateWords } from '../../doctor/facts/closed-gate.ts';
import { type Link, loadWords } from '../../doctor/facts/road-links.ts';
import { mailDistance, PCI_P2PDMA_THRU_HOST_BRIDGE } from '../../p2p/distance.ts';
import { mailCase, type PairVerdict } from '../../p2p/verdict.ts';
import type { LinkFacts } from '../../pcie/express.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { machineLine } from '../matrix/text.ts';
import { acsAsLspci, acsWords, linkWords, portWords } from '../words/fact-words.ts';
import { fullName, idsText } from '../words/names.ts';
import { wrap } from '../words/style.ts';
import { changeLines } from './change.ts';
import { type Explanation, explain, type Hop } from './explanation.ts';
import { ruleLines } from './rules.ts';
import { type ExplainView, KERNEL_MAP_TYPES, TYPE_WORDS } from './view.ts';

/** The lines of the screen, one by one. */
export function* explainLines(explanation: Explanation, view: ExplainView): Generator<string> {
  const { judge, provider, client } = explanation;
  yield* wrap(machineLine(judge), view.columns, '  ');
  for (const [role, fn] of [
    ['Provider', provider],
    ['Client  ', client],
  ] as const) {
    const text = `${role} ${fn.name}  ${fullName(fn, view.names)}`;
    yield* wrap(text, view.columns, '         ');
  }
  yield '';
  yield view.style.bold('Road');
  yield* roadLines(explanation, view);
  yield '';
  yield view.style.bold('Verdict');
  yield* verdictLines(explanation, view);
  for (const gate of explanation.shut)
    yield* wrap(`  but now nothing passes: ${gateWords(gate)}`, view.columns, '    ');
  if (explanation.opinions.length > 0) {
    yield '';
    yield view.style.bold('Whose rule');
    yield* ruleLines(explanation.opinions, view);
  }
  yield '';
  yield view.style.bold(explanation.missing === null ? 'Smallest change' : 'What is missing');
  yield* changeLines(explanation, view);
  if (explanation.reverse.type === explanation.verdict.type) return;
  yield '';
  yield view.style.bold(`For ${provider.name} reading and writing memory of ${client.name}`);
  yield* changeLines(explain(judge, judge.indexOf(client), judge.indexOf(provider)), view);
}

function* roadLines(explanation: Explanation, view: ExplainView): Generator<string> {
  for (const hop of explanation.providerLeg) yield* hopLines(hop, '↑', view);
  if (explanation.common === null) yield* hostBridgeLines(explanation, view);
  for (const hop of [...explanation.clientLeg].reverse()) yield* hopLines(hop, '↓', view);
  const redirected = explanation.verdict.reasons.some(({ code }) => code === 'ACS_REDIRECT' || code === 'SHARED_LINK');
  if (explanation.common !== null && redirected) {
    yield '  What is redirected goes up to';
    yield* hostBridgeLines(explanation, view);
  }
  const { narrowest } = explanation;
  if (narrowest === null) return;
  const text = `  Narrowest link: ${loadWords(narrowest)}, above ${narrowest.lower.name}`;
  yield* wrap(text, view.columns, '      ');
}

function linkFacts({ now, can }: Link): LinkFacts {
  return { maxSpeedGts: can.speed, maxWidth: can.width, speedGts: now.speed, width: now.width, active: null };
}

function* hopLines(hop: Hop, arrow: string, { style, columns }: ExplainView): Generator<string> {
  const { fn } = hop;
  const turn = hop.role === 'common' ? '╮' : hop.role === 'bridge' ? arrow : '●';
  const role =
    hop.role === 'bridge' ? '' : hop.role === 'common' ? ', where the paths meet' : `, ${ROLE_WORDS[hop.role]}`;
  const text = `  ${turn} ${fn.name}  ${portWords(fn)}${role}; ${hop.link === null ? '' : `${linkWords(linkFacts(hop.link))}; `}${acsWords(fn)}${effectOf(hop)}`;
  yield* wrap(text, columns, '      ').map((line, index) =>
    index === 0 ? line.replace(fn.name, style.bold(fn.name)) : line,
  );
  if (hop.redirects !== null && !hop.decides) return;
  for (const line of evidenceLines(hop)) yield* wrap(`      ${line}`, columns, '        ').map(style.dim);
}

function effectOf(hop: Hop): string {
  if (hop.redirects === true) {
    if (hop.decides) return ': redirects, which decides';
    // A root port that is passed, and is not where the ways meet: the kernel's rule does not ask it, the root complex obeys it.
    const isTop = hop.role === 'bridge' && hop.fn.portType === 'rootPort';
    return isTop ? ': redirects, so peers meet the IOMMU if it translates' : ': redirects, but not on this way';
  }
  return hop.redirects === null && hop.decides ? '; it would decide' : '';
}

const ROLE_WORDS = { provider: 'the provider', client: 'the client', same: 'provider and client in one' } as const;

/** The register or the line of the dump that decided. */
export function evidenceLines(hop: Hop): string[] {
  const { acs } = hop.fn;
  const source = hop.acsSource;
  if (acs.state !== 'present') return [];
  const place = source === null ? 'no source' : source.line === null ? source.file : `${source.file}:${source.line}`;
  const register = acs.offset === null ? '' : ` at offset ${hex(acs.offset + 6)}`;
  return [`ACS Control${register} is ${hex(acs.control, 4)}: ${acsAsLspci(acs.control)} (${place})`];
}

function* hostBridgeLines({ judge, provider, client }: Explanation, { columns }: ExplainView): Generator<string> {
  const ids = new Set([provider, client].map((fn) => judge.rootBusOf[judge.indexOf(fn)] as number));
  for (const id of ids) {
    const root = judge.machine.hierarchy.rootBuses[id];
    if (root === undefined) continue;
    const bus = `${hexDigits(root.domain, 4)}:${hexDigits(root.bus, 2)}`;
    const first = judge.functions[root.first] as PciFunction;
    const text =
      root.evidence === null
        ? `? bus ${bus}: what stands above is not in the capture`
        : `╮ host bridge of root bus ${bus}; its first device is ${`${first.name} ${idsText(first)}`.trimEnd()}`;
    yield* wrap(`  ${text}`, columns, '      ');
  }
}

function* verdictLines(explanation: Explanation, view: ExplainView): Generator<string> {
  const { provider, client, verdict, reverse } = explanation;
  const same = provider === client;
  yield* oneVerdict({ owner: provider.name, master: client.name, verdict, same }, view);
  if (same) return;
  if (reverse.type === verdict.type && reverse.distance === verdict.distance) {
    yield `  the other way round, ${client.name} providing: the same`;
    return;
  }
  yield* oneVerdict({ owner: client.name, master: provider.name, verdict: reverse, same }, view);
}

interface Told {
  readonly owner: string;
  readonly master: string;
  readonly verdict: PairVerdict;
  readonly same: boolean;
}

function* oneVerdict({ owner, master, verdict, same }: Told, { style, columns }: ExplainView): Generator<string> {
  const found = mailCase(verdict.type, same);
  const words = found === 'c' ? 'its own BAR, nothing goes on the wire' : TYPE_WORDS[verdict.type];
  const hops = verdict.distance === null ? 'distance not known' : `distance ${verdict.distance}`;
  const head = `  ${master} reads and writes memory of ${owner}: `;
  yield* wrap(`${head}${words} (${found}), ${hops}`, columns, '    ').map((line) => style.ofCase(line, found));
  for (const { code, message } of verdict.reasons) {
    const whose = code === 'OPINION_DIFFERS' ? 'our own opinion differs: ' : '';
    yield* wrap(`    - ${whose}${message}`, columns, '      ');
  }
  if (verdict.likely !== null) {
    const { type, because } = verdict.likely;
    yield* wrap(`    - probably ${TYPE_WORDS[type]}: ${because}`, columns, '      ');
  }
  yield* wrap(`    in the kernel's terms: ${kernelWords(verdict)}`, columns, '      ').map(style.dim);
}

/** `PCI_P2PDMA_MAP_BUS_ADDR, pci_p2pdma_distance() = 4, the mail's pci_p2pdma_dist() = 4`. */
export function kernelWords(verdict: PairVerdict): string {
  if (verdict.type === 'unknown') return `${KERNEL_MAP_TYPES.unknown}, as far as this capture goes`;
  const distance = verdict.type === 'notSupported' ? -1 : (verdict.distance ?? -1);
  const mail = mailDistance(verdict);
  const flagged = mail >= 0 && (mail & PCI_P2PDMA_THRU_HOST_BRIDGE) !== 0;
  const mailText = flagged ? `${verdict.distance} | PCI_P2PDMA_THRU_HOST_BRIDGE` : `${mail}`;
  return `${KERNEL_MAP_TYPES[verdict.type]}, pci_p2pdma_distance() = ${distance}, the mail's pci_p2pdma_dist() = ${mailText}`;
}
