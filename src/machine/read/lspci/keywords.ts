/** How lines of a function's body begin, in every version of lspci. */

import { latin1 } from '../../../core/text.ts';

const KEYWORDS: ReadonlySet<string> = new Set([
  'Subsystem',
  'DeviceName',
  'Physical Slot',
  'Device tree node',
  'Control',
  'Flags',
  'Status',
  'Latency',
  'Interrupt',
  'BIST is running',
  'NUMA node',
  'IOMMU group',
  'Bus',
  'I/O behind bridge',
  'Memory behind bridge',
  'Prefetchable memory behind bridge',
  'Secondary status',
  'BridgeCtl',
  'Capabilities',
  'Kernel driver in use',
  'Kernel modules',
  'DevCap',
  'DevCtl',
  'DevSta',
  'LnkCap',
  'LnkCtl',
  'LnkSta',
  'SltCap',
  'SltCtl',
  'SltSta',
  'RootCap',
  'RootCtl',
  'RootSta',
  'DevCap2',
  'DevCtl2',
  'DevSta2',
  'LnkCap2',
  'LnkCtl2',
  'LnkSta2',
  'ACSCap',
  'ACSCtl',
  'ARICap',
  'ARICtl',
  'ATSCap',
  'ATSCtl',
  'IOVCap',
  'IOVCtl',
  'IOVSta',
  'Initial VFs',
  'VF offset',
  'UESta',
  'UEMsk',
  'UESvrt',
  'CESta',
  'CEMsk',
  'AERCap',
  'HeaderLog',
  'Address',
  'Memory window 0',
  'Memory window 1',
]);

const BEGINNINGS: readonly string[] = ['Region ', 'Memory at ', 'I/O ports at ', 'Expansion ROM at ', '!!! '];

/** Longest keyword and its colon. */
const LONGEST = 34;

/** Whether a line of lspci's decoded text can begin as the one at `start` does. */
export function isBodyKeyword(bytes: Uint8Array, start: number, end: number): boolean {
  const head = latin1(bytes, start, Math.min(end, start + LONGEST)).replace(/\u00c2?\u00a0/g, ' ');
  const colon = head.indexOf(':');
  return (colon > 0 && KEYWORDS.has(head.slice(0, colon))) || BEGINNINGS.some((text) => head.startsWith(text));
}
