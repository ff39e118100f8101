/** What root complexes pass between their ports, whatever software allows. */

import { isDrawn } from '../../machine/infer/host-bridges.ts';
import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import { type Opinion, type RulePair, VENDOR_INTEL } from './opinion.ts';
import { sureOfRules } from './rules.ts';

/** Host bridges at 00:00.0 that are on no list of the kernel and belong to no client processor: servers, small servers, hubs. */
const NOT_CLIENT: readonly (readonly [first: number, last: number])[] = [
  [0x0e00, 0x0e0f],
  [0x1980, 0x199f],
  [0x1f00, 0x1f0f],
  [0x3400, 0x3407],
  [0x3c00, 0x3c0f],
  [0x6f00, 0x6f0f],
];

const CLASS_HOST_BRIDGE = 0x0600;

/** Intel's client processors pass writes of peers and no reads; null for all other machines, and for pairs that meet below a root port. */
export function rootComplexOpinion({ judge, provider, client }: RulePair): Opinion | null {
  if (judge.commonUpstream(provider, client) >= 0 || hypervisorOf(judge.machine) !== null) return null;
  const root = judge.rootBus(provider);
  if (root.id !== judge.rootBus(client).id || root.evidence === null) return null;
  const first = judge.functions[root.first];
  if (first === undefined || first.vendorId !== VENDOR_INTEL || first.classCode !== CLASS_HOST_BRIDGE) return null;
  const id = first.deviceId;
  if (
    id === null ||
    isDrawn(first) ||
    first.portType === 'rootPort' ||
    NOT_CLIENT.some(([from, to]) => id >= from && id <= to)
  )
    return null;
  const isListed = judge.policy.allowList.some(({ vendor, device }) => vendor === VENDOR_INTEL && device === id);
  if (isListed) return null;
  return {
    decider: 'rootComplex',
    decides: 'what passes between two root ports',
    answer: 'writesOnly',
    words: 'Root ports of Intel’s client processors pass writes of peers; reads fail or return ones, without an error.',
    sure: sureOfRules(['intel-client-writes']),
    ask: 'copy both ways and compare every byte',
    settings: [{ setting: 'both devices below one switch', effect: 'keeps the traffic out of the root complex' }],
    rules: ['intel-client-writes'],
    held: null,
  };
}
