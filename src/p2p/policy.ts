/**
 * Which kernel judges. What Linux decides depends on its release; the differences are data. Sources: drivers/pci/p2pdma.c
 * of each release (the host bridge allow-list there is pci_p2pdma_whitelist).
 */

import { checkText } from '../core/argument.ts';
import { isAtLeast, kernelKnows, type Numbers, parseRelease, sinceRelease } from '../machine/kernel-release.ts';

export type PolicyName = 'linux-6.1' | 'linux-6.12' | 'linux-7.0' | 'directional';

/** An entry of the host bridge allow-list, matched against the first device of a root bus. */
export interface AllowedHostBridge {
  readonly vendor: number;
  /** null matches every device of the vendor. */
  readonly device: number | null;
  /** REQ_SAME_HOST_BRIDGE: both devices must be below this one host bridge. */
  readonly sameRequired: boolean;
}

export interface Policy {
  readonly name: PolicyName;
  /** Scanned in order, the first match decides. */
  readonly allowList: readonly AllowedHostBridge[];
  /** Which ACS rule: any redirect bit on the path, or requests and completions where the paths part. */
  readonly acsRule: 'pathWide' | 'divergence';
}

const INTEL = 0x8086;
const GOOGLE = 0x1ae0;

const entry = (vendor: number, device: number | null, sameRequired: boolean): AllowedHostBridge => ({
  vendor,
  device,
  sameRequired,
});

const LIST_6_1: readonly AllowedHostBridge[] = [
  entry(INTEL, 0x3c00, true),
  entry(INTEL, 0x3c01, true),
  entry(INTEL, 0x2f00, true),
  entry(INTEL, 0x2f01, true),
  entry(INTEL, 0x2030, false),
  entry(INTEL, 0x2031, false),
  entry(INTEL, 0x2032, false),
  entry(INTEL, 0x2033, false),
  entry(INTEL, 0x2020, false),
  entry(INTEL, 0x09a2, false),
];

const LIST_7_0: readonly AllowedHostBridge[] = [...LIST_6_1, entry(GOOGLE, null, false)];

/** The rule sets by name. `directional` is our own opinion: the 2026 correction of the ACS rule over the newest list. */
export const POLICIES: Readonly<Record<PolicyName, Policy>> = {
  'linux-6.1': { name: 'linux-6.1', allowList: LIST_6_1, acsRule: 'pathWide' },
  'linux-6.12': { name: 'linux-6.12', allowList: LIST_6_1, acsRule: 'pathWide' },
  'linux-7.0': { name: 'linux-7.0', allowList: LIST_7_0, acsRule: 'pathWide' },
  directional: { name: 'directional', allowList: LIST_7_0, acsRule: 'divergence' },
};

/** All names, in the order in which they are listed to users. */
export const POLICY_NAMES: readonly PolicyName[] = ['linux-6.1', 'linux-6.12', 'linux-7.0', 'directional'];

const NEWEST = POLICIES['linux-7.0'];

/** The releases that `--policy linux-X.Y` may name, both included. */
export const POLICY_RELEASES: { readonly oldest: string; readonly newest: string } = { oldest: '6.1', newest: '7.3' };

/** The rules of Linux with the release that each begins with, oldest first. */
const BY_RELEASE: readonly { readonly since: Numbers; readonly policy: Policy }[] = [
  { since: [6, 1], policy: POLICIES['linux-6.1'] },
  { since: [6, 12], policy: POLICIES['linux-6.12'] },
  { since: [7, 0], policy: NEWEST },
];

/**
 * The policy for a kernel release: the newest `linux-*` not newer than it. `linux-7.0` where the release is not known or older than
 * all: see `olderThanPolicies`.
 */
export function policyForKernel(release: string | null): Policy {
  if (release !== null) checkText(release, 'policyForKernel: release', 'a kernel release such as 6.12.0, or null');
  const parsed = parseRelease(release);
  return (parsed && BY_RELEASE.findLast(({ since }) => isAtLeast(parsed, since))?.policy) ?? NEWEST;
}

/** The policy that `name` names: one of `POLICY_NAMES`, or `linux-X.Y[.Z]` within `POLICY_RELEASES`; null for any other. */
export function policyNamed(name: string): Policy | null {
  if (POLICY_NAMES.includes(name as PolicyName)) return POLICIES[name as PolicyName];
  const number = /^linux-(\d+\.\d+(?:\.\d+)?)$/.exec(name)?.[1];
  const release = parseRelease(number ?? null);
  const newest = parseRelease(POLICY_RELEASES.newest);
  if (release === null || newest === null || !isAtLeast(release, [6, 1])) return null;
  return isAtLeast(newest, [release.major, release.minor]) ? policyForKernel(release.text) : null;
}

/**
 * What to know of a kernel that is older than the oldest rules; null for all others. The walk up the tree and the rule of ACS are those
 * of 4.20; the way through a host bridge came about 5.4, and its list has grown since.
 */
export function olderThanPolicies(release: string | null): string | null {
  const parsed = parseRelease(release);
  if (parsed === null || isAtLeast(parsed, [6, 1])) return null;
  if (kernelKnows(release, 'peerToPeer') === false) {
    return `Linux ${release} has no peer-to-peer DMA, which came with ${sinceRelease('peerToPeer')}; judged as ${NEWEST.name} would`;
  }
  const carries = parsed.backports === 'features' ? ', but for what its distribution has carried back' : '';
  const missing =
    kernelKnows(release, 'hostBridgeList') === true
      ? 'may list fewer host bridges'
      : 'may know no way through a host bridge';
  return `Linux ${release} is older than all rules known here and is judged by those of ${NEWEST.name}; it ${missing}${carries}: --policy linux-6.1 is nearer`;
}
