/**
 * The distance function: how far, and by which road.
 *
 *            root port                  A and A: 0 (the same function)
 *                |                      A and B: 2 (one device, common node = port above)
 *        switch upstream port           A and C: 4 (one switch, common node = its upstream port)
 *           /            \              A and a device below another root port: the lengths of both full paths
 *     downstream      downstream
 *      /      \           |
 *     A        B          C             (A, B functions of one device)
 *
 * An ACS redirect bit on any of the nodes A ... common ... C sends the traffic up to the root complex: the host bridge must
 * allow it then. Linux: calc_map_type_and_dist() in drivers/pci/p2pdma.c.
 */

import { checkObject, isObject } from '../core/argument.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { type Divergence, divergenceOf, forwardsUpstream } from './directional.ts';
import { likelyAtHostBridge } from './host-bridge.ts';
import { type JudgeContext, REDIRECT_UNKNOWN, REDIRECT_YES, redirectNames, typeOf } from './judge.ts';
import { likelyByGroups } from './likely.ts';
import type { PairVerdict, Reason } from './verdict.ts';

/** `PCI_P2PDMA_THRU_HOST_BRIDGE` of the mail: the bit beside the hops in its `int` that says that the road leads through the host bridge. */
export const PCI_P2PDMA_THRU_HOST_BRIDGE = 0x4000_0000;

/**
 * Judges one pair of functions: `pci_p2pdma_dist(provider, mapping)` of the mail, pci_p2pdma_distance() of Linux.
 *
 * Returns the map type, the distance in hops (0 for the same function; null where the tree above is not known) and the
 * reasons. The client is the function that does the DMA, the provider the one whose BAR holds the memory.
 *
 * @throws JudgeError FUNCTION_FOREIGN, ArgumentError
 */
export function p2pdmaDistance(provider: PciFunction, client: PciFunction, context: JudgeContext): PairVerdict {
  if (!isObject(context)) checkObject(context, 'machine', 'p2pdmaDistance: context', 'a JudgeContext');
  return judgePair(context, context.indexOf(provider), context.indexOf(client));
}

/**
 * The mail's `int` of a verdict: negative where P2P is not supported (or nothing is known), the hops for a bus address,
 * the hops with `PCI_P2PDMA_THRU_HOST_BRIDGE` set otherwise. Mask the flag off before distances are compared or added.
 */
export function mailDistance(verdict: Pick<PairVerdict, 'type' | 'distance'>): number {
  if (!isObject(verdict)) checkObject(verdict, 'type', 'mailDistance: verdict', 'the answer of p2pdmaDistance');
  if (verdict.type === 'notSupported' || verdict.type === 'unknown' || verdict.distance === null) return -1;
  return verdict.type === 'thruHostBridge' ? verdict.distance | PCI_P2PDMA_THRU_HOST_BRIDGE : verdict.distance;
}

/** `p2pdmaDistance` by index in `context.functions`. */
export function judgePair(context: JudgeContext, provider: number, client: number): PairVerdict {
  const common = context.commonUpstream(provider, client);
  return common >= 0 ? judgeBelow(context, provider, client, common) : judgeAcross(context, provider, client);
}

/** The paths meet at `common`. */
function judgeBelow(context: JudgeContext, provider: number, client: number, common: number): PairVerdict {
  const { depth } = context;
  const distance = (depth[provider] as number) + (depth[client] as number) - 2 * (depth[common] as number);
  const meeting: Reason =
    provider === client
      ? { code: 'SAME_FUNCTION', at: [fnAt(context, provider)], message: 'provider and client are one function' }
      : context.meetingAt(common);
  const judgement = { provider, client, common, distance, reasons: [meeting] };
  return context.policy.acsRule === 'pathWide'
    ? judgePathWide(context, judgement)
    : judgeDivergence(context, judgement);
}

interface Judgement {
  readonly provider: number;
  readonly client: number;
  readonly common: number;
  readonly distance: number;
  readonly reasons: readonly Reason[];
}

/** Linux: any redirect bit on provider ... common ... client. */
function judgePathWide(context: JudgeContext, { provider, client, common, distance, reasons }: Judgement): PairVerdict {
  const redirecting: number[] = [];
  const unknown: number[] = [];
  collectAcs(context, provider, common, true, redirecting, unknown);
  collectAcs(context, client, common, false, redirecting, unknown);
  if (redirecting.length === 0 && unknown.length === 0) return { type: 'busAddr', distance, reasons, likely: null };
  if (redirecting.length === 0) {
    const likely = likelyByGroups(context, provider, client, common);
    return { type: 'unknown', distance, reasons: [...reasons, acsUnknown(context, unknown)], likely };
  }
  const because = [...reasons, acsRedirect(context, redirecting)];
  const verdict = throughHostBridge(context, provider, client, distance, because);
  const opinion = opinionOn(context, { provider, client, common });
  return opinion === null ? verdict : { ...verdict, reasons: [...verdict.reasons, opinion] };
}

/** Our own opinion where it differs from the path-wide redirect. */
function opinionOn(
  context: JudgeContext,
  pair: { readonly provider: number; readonly client: number; readonly common: number },
): Reason | null {
  if (pair.provider === pair.client) {
    return {
      code: 'OPINION_DIFFERS',
      at: [fnAt(context, pair.provider)],
      message:
        'the kernel tests ACS before it sees that both are one function; in fact nothing leaves the device: case (c)',
    };
  }
  const divergence = divergenceOf(context, pair);
  if (divergence.route !== 'direct' || divergence.viaSharedLink) return null;
  return {
    code: 'OPINION_DIFFERS',
    at: [fnAt(context, pair.common)],
    message: `the ports where the paths part below ${name(context, pair.common)} redirect neither this request nor its completion: the fabric routes it directly`,
  };
}

/** Our own rule: requests and completions at the ports where the paths part. */
function judgeDivergence(context: JudgeContext, judgement: Judgement): PairVerdict {
  const { provider, client, common, distance, reasons } = judgement;
  const divergence = divergenceOf(context, judgement);
  if (divergence.route === 'unknown') {
    const likely = likelyByGroups(context, provider, client, common);
    return { type: 'unknown', distance, reasons: [...reasons, acsUnknown(context, divergence.at)], likely };
  }
  if (divergence.viaSharedLink) return judgeSharedLink(context, judgement, divergence);
  if (divergence.route === 'direct') return { type: 'busAddr', distance, reasons, likely: null };
  return throughHostBridge(context, provider, client, distance, [...reasons, acsRedirect(context, divergence.at)]);
}

/** Two functions of one device that reach each other only over the link: the port above must send their requests up. */
function judgeSharedLink(context: JudgeContext, judgement: Judgement, divergence: Divergence): PairVerdict {
  const { provider, client, common, distance, reasons } = judgement;
  const port = name(context, common);
  const forwards = forwardsUpstream(context, common);
  if (forwards === null) {
    return { type: 'unknown', distance, reasons: [...reasons, acsUnknown(context, [common])], likely: null };
  }
  const redirects = divergence.route === 'redirect' ? [acsRedirect(context, divergence.at)] : [];
  const why =
    redirects.length > 0 ? 'and their own ACS sends it out on that link' : 'with no known route inside the device';
  const message = forwards
    ? `both are functions behind one link, ${why}; Upstream Forwarding of ${port} sends the request up`
    : `both are functions behind one link, ${why}, and Upstream Forwarding of ${port} is off`;
  const because = [...reasons, ...redirects, { code: 'SHARED_LINK', at: [fnAt(context, common)], message } as const];
  if (!forwards) return { type: 'notSupported', distance, reasons: because, likely: null };
  return throughHostBridge(context, provider, client, distance, because);
}

function acsRedirect(context: JudgeContext, redirecting: readonly number[]): Reason {
  const at = redirecting.map((index) => fnAt(context, index));
  const withBits = at.map((fn) => `${fn.name} (${redirectNames(fn)})`);
  return { code: 'ACS_REDIRECT', at, message: `ACS redirect is set: ${withBits.join(', ')}` };
}

/** The paths do not meet below the host bridge. ACS on them does not matter then. */
function judgeAcross(context: JudgeContext, provider: number, client: number): PairVerdict {
  const { depth } = context;
  if (context.rootBus(provider).evidence === null || context.rootBus(client).evidence === null) {
    return insideOneSwitch(context, provider, client) ?? orphaned(context, provider, client);
  }
  const { type, reasons, likely } = context.across(provider, client);
  return { type, distance: (depth[provider] as number) + 1 + ((depth[client] as number) + 1), reasons, likely };
}

/**
 * Two functions below two downstream ports of one bus: such a bus is the inside of a switch, and its upstream port, which is not in the
 * capture, is where the paths meet. What ACS says on the way up to there counts; of the upstream port itself nothing is known, so that
 * the pair stays unknown, and is likely by bus address where nothing redirects. Null for any other pair.
 */
function insideOneSwitch(context: JudgeContext, provider: number, client: number): PairVerdict | null {
  const { depth, parent } = context;
  const [top, other] = [provider, client].map((from) => {
    let at = from;
    while ((parent[at] as number) >= 0) at = parent[at] as number;
    return at;
  }) as [number, number];
  const ports = [fnAt(context, top), fnAt(context, other)] as const;
  const isInside = ports.every(({ portType }) => portType === 'downstreamPort');
  if (!isInside || top === other || context.rootBusOf[provider] !== context.rootBusOf[client]) return null;
  const [redirecting, unknown]: [number[], number[]] = [[], []];
  collectAcs(context, provider, top, true, redirecting, unknown);
  collectAcs(context, client, other, true, redirecting, unknown);
  const [a, b] = ports;
  const meeting: Reason = {
    code: 'COMMON_UPSTREAM',
    at: [a, b],
    message: `${a.name} and ${b.name} are downstream ports of one switch, whose upstream port is not in this capture`,
  };
  const acs =
    redirecting.length > 0
      ? [acsRedirect(context, redirecting)]
      : unknown.length > 0
        ? [acsUnknown(context, unknown)]
        : [];
  const orphan: Reason = { code: 'ORPHAN', at: [a], message: `no bridge in this capture leads to ${a.name}` };
  const because = 'both are inside one switch, and no port of it that the capture shows redirects';
  return {
    type: 'unknown',
    distance: (depth[provider] as number) + 1 + ((depth[client] as number) + 1),
    reasons: [meeting, ...acs, orphan],
    likely: acs.length === 0 ? { type: 'busAddr', because } : null,
  };
}

function orphaned(context: JudgeContext, provider: number, client: number): PairVerdict {
  const orphans = [provider, client].filter((at) => context.rootBus(at).evidence === null);
  const at = orphans.map((index) => fnAt(context, index));
  const names = at.map((fn) => fn.name);
  const message = `no bridge in this capture leads to ${names.join(' and ')}: what stands above is not known`;
  return { type: 'unknown', distance: null, reasons: [{ code: 'ORPHAN', at, message }], likely: null };
}

function throughHostBridge(
  context: JudgeContext,
  provider: number,
  client: number,
  distance: number,
  reasons: readonly Reason[],
): PairVerdict {
  if (context.rootBus(provider).evidence === null) {
    const orphan = fnAt(context, provider);
    const message = `no bridge in this capture leads to ${orphan.name}: its host bridge is not known`;
    return {
      type: 'unknown',
      distance,
      reasons: [...reasons, { code: 'ORPHAN', at: [orphan], message }],
      likely: null,
    };
  }
  const answer = context.hostBridge(provider, client);
  const likely = likelyAtHostBridge(answer);
  return { type: typeOf(answer.allowed), distance, reasons: [...reasons, ...answer.reasons], likely };
}

function collectAcs(
  context: JudgeContext,
  from: number,
  common: number,
  inclusive: boolean,
  redirecting: number[],
  unknown: number[],
): void {
  for (let at = from; ; at = context.parent[at] as number) {
    if (at === common && !inclusive) return;
    const redirect = context.redirect[at];
    if (redirect === REDIRECT_YES) redirecting.push(at);
    else if (redirect === REDIRECT_UNKNOWN) unknown.push(at);
    if (at === common) return;
  }
}

const MISSING_TEXT: Readonly<Record<string, string>> = {
  extendedConfigNotCaptured:
    'the dump stops at 256 bytes or less, and ACS lies beyond: capture with lspci -xxxx as root',
  accessDenied: 'the dump was taken without root: capture again with sudo',
  poweredDown: 'it answered with all ones (powered down or gone): wake it and capture again',
  bitsNotPrinted: 'the text names the capability but not its bits: capture with lspci -vvv as root',
  capabilitiesNotListed: 'the capture shows no capabilities: capture with lspci -vvv or -xxxx as root',
};

function acsUnknown(context: JudgeContext, unknown: readonly number[]): Reason {
  const at = unknown.map((index) => fnAt(context, index));
  const first = at[0] as PciFunction;
  const missing = first.acs.state === 'unknown' ? first.acs.missing : 'capabilitiesNotListed';
  return {
    code: 'ACS_UNKNOWN',
    at,
    message: `ACS of ${at.map((fn) => fn.name).join(', ')} is not known; ${MISSING_TEXT[missing]}`,
  };
}

function fnAt(context: JudgeContext, index: number): PciFunction {
  return context.functions[index] as PciFunction;
}

function name(context: JudgeContext, index: number): string {
  return fnAt(context, index).name;
}
