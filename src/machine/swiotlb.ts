/**
 * Whether RAM that a device cannot reach is bounced. On x86 the kernel sets a pool aside where RAM lies above 4 GiB;
 * `swiotlb=force` bounces everything, `swiotlb=noforce` nothing. Linux: Documentation/admin-guide/kernel-parameters,
 * pci_swiotlb_detect().
 */

import type { Machine } from './machine.ts';

/** `none`: RAM above the mask fails; `available`: it is bounced; `force`: all RAM is. */
export function swiotlbOf(machine: Machine): 'none' | 'available' | 'force' {
  const tokens = (machine.cmdline ?? '').split(/\s+/);
  let mode: 'none' | 'available' | 'force' = machine.ram.some((range) => range.end > 2 ** 32) ? 'available' : 'none';
  for (const token of tokens) {
    const match = /^swiotlb=(.*)$/.exec(token);
    if (!match) continue;
    const words = (match[1] as string).split(',');
    if (words.includes('force')) mode = 'force';
    else if (words.includes('noforce')) mode = 'none';
  }
  return mode;
}
