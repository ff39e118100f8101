/** How lines of a function's body begin, in every version of lspci. */

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
export const KEYWORD_LENGTH = 34;

/** Whether a line of lspci's decoded text can begin like this, without its indentation. */
export function isBodyText(text: string): boolean {
  const colon = text.indexOf(':');
  const isKeyword = colon > 0 && colon < KEYWORD_LENGTH && KEYWORDS.has(text.slice(0, colon));
  return isKeyword || BEGINNINGS.some((beginning) => text.startsWith(beginning));
}
