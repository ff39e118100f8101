/** One memory request exactly as given, as a broken or malicious device might send it: nothing is cut, nothing is corrected. */

import type { MemoryRequest } from './memory-request.ts';
import { ROOT_COMPLEX } from './outcome.ts';
import { LINK_UP, type Road, STEP_ISSUE } from './road.ts';

/** Header forms of a memory request: 32-bit and 64-bit addresses. PCIe 2.2.4.1. */
export type HeaderForm = '3DW' | '4DW';

/**
 * What a receiver finds wrong with a request before it looks where to send it, or null. The payload size is checked by each
 * receiver on the way. PCIe 2.2.7 (4 KiB; 32-bit form for addresses below 4 GiB).
 */
export function malformation(address: number, length: number, form: HeaderForm): 'crosses4KiB' | 'headerForm' | null {
  if ((address & 4095) + length > 4096) return 'crosses4KiB';
  return (form === '4DW') === address < 2 ** 32 ? 'headerForm' : null;
}

/** The way of a malformed request: to the first receiver, which discards it. */
export function stopAtFirstReceiver(request: MemoryRequest, road: Road, reason: 'crosses4KiB' | 'headerForm'): void {
  const requester = request.requester;
  const port = requester?.bus.bridge ?? null;
  road.begin(request.address);
  road.step(requester?.index ?? ROOT_COMPLEX, STEP_ISSUE);
  if (port !== null && requester?.bus.kind === 'link') road.cross(port, LINK_UP);
  road.stop(port?.index ?? ROOT_COMPLEX, 'malformed', reason);
}
