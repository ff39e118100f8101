/** Faults of IOMMUs at addresses that lie in a BAR of another function: somebody sent a raw BAR address through the IOMMU. */

import { hex } from '../../core/hex.ts';
import type { Range } from '../../core/range.ts';
import type { Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { Evidence } from '../finding.ts';
import { faultRequester } from '../log/fault-requester.ts';
import { logEvidence, loggedOf } from './log-evidence.ts';

/** A fault of `client` in the memory of `peer`. */
export interface PeerFault {
  readonly client: PciFunction;
  readonly peer: PciFunction;
  readonly evidence: Evidence;
}

interface Place extends Range {
  readonly fn: PciFunction;
  readonly bar: number;
}

/** All of the machine's log, in order. A fault that names a function which is not here, or at an address in no BAR, is none. */
export function peerFaults(machine: Machine): PeerFault[] {
  const faults = loggedOf(machine, 'fault');
  const places = faults.length === 0 ? [] : placesOf(machine);
  return faults.flatMap(({ message, line }): PeerFault[] => {
    const { address, what } = message.fault;
    const client = faultRequester(machine.hierarchy, message.fault);
    if (client === null || address === null || what !== 'memory') return [];
    const place = places.find(({ start, end }) => address >= start && address < end);
    if (place === undefined || place.fn === client) return [];
    const meaning = `${hex(address)} is in BAR${place.bar} of ${place.fn.name}`;
    return [{ client, peer: place.fn, evidence: logEvidence(line, client.name, meaning) }];
  });
}

/** Where memory BARs are, on the bus and for the CPU. */
function placesOf({ hierarchy }: Machine): Place[] {
  return hierarchy.functions.flatMap((fn) => {
    if (fn.isBridge) return [];
    return fn.bars.flatMap(({ space, busAddress, cpuAddress, size, index }) => {
      if (space !== 'memory' || size === null) return [];
      return [...new Set<number | null>([busAddress, cpuAddress])].flatMap((start) =>
        start === null || start === 0 ? [] : [{ start, end: start + size, fn, bar: index }],
      );
    });
  });
}
