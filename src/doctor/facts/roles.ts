/** Roles in a sentence, and devices of which a capture shows too little to tell their role. */

import { isPictureOnly, type Role, rolesOf } from '../../machine/roles.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

const VENDOR_INTEL = 0x8086;

/** A device that somebody may pair, by its class alone. */
export interface UnseenDevice {
  readonly fn: PciFunction;
  readonly role: Role;
}

/** GPUs and accelerators of which the capture shows no BARs, so that it cannot be told whether they are more than a display. */
export function unseenDevices(functions: readonly PciFunction[]): UnseenDevice[] {
  const roles = rolesOf(functions);
  return functions.flatMap((fn, index): UnseenDevice[] => {
    const base = (fn.classCode ?? 0) >> 8;
    if (roles[index] !== null || !isUnseen(fn)) return [];
    // A display of a maker that is not known; a co-processor may be an engine of the processor, or a card with memory.
    if (base === 0x03 && fn.vendorId !== VENDOR_INTEL && !isPictureOnly(fn)) return [{ fn, role: 'gpu' }];
    return base === 0x0b ? [{ fn, role: 'accelerator' }] : [];
  });
}

/** Whether the capture shows no BARs of a function. A verbose listing that prints none says that it has none. */
export function isUnseen(fn: PciFunction): boolean {
  const { config, text, sysfs } = fn.facts;
  if (fn.isBridge || config.length > 0 || sysfs?.resources !== undefined) return false;
  return text === null || (text.command === undefined && (text.bars ?? []).length === 0);
}

/** In a sentence. */
export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  gpu: 'GPU',
  accelerator: 'accelerator',
  nic: 'network card',
  nvme: 'NVMe drive',
  memory: 'memory card',
};
