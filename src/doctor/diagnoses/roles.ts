/**
 * Whom users want to pair: GPUs, accelerators, fast network cards, NVMe drives, cards with memory. Nobody pairs a sound
 * card, and a machine whose sound card cannot reach a peer is healthy. PCI Code and ID Assignment Specification, section 1.
 */

import type { PciFunction } from '../../pcie/pci-function.ts';

export type Role = 'gpu' | 'accelerator' | 'nic' | 'nvme' | 'memory';

const MIB = 2 ** 20;
/** Lanes times GT/s from which a network card is worth a peer's memory: x4 at 8 GT/s, a 25 Gbit/s port. */
const FAST_LINK = 32;

/** The role of a function, or null where nobody would pair it. */
export function roleOf(fn: PciFunction, sibling: (fn: PciFunction) => boolean): Role | null {
  if (fn.isBridge) return null;
  // The kernel itself says that it provides memory.
  if (fn.facts.sysfs?.p2pmem !== undefined) return byClass(fn) ?? 'memory';
  const type = fn.portType;
  if (type === 'conventional' || type === 'rcIntegratedEndpoint' || type === 'rcEventCollector') return null;
  const role = byClass(fn);
  switch (role) {
    case 'gpu':
      // A graphics unit that is part of the processor, or of its board's controller, has no memory of its own to offer.
      return sibling(fn) || !hasMemory(fn, 64 * MIB) ? null : role;
    case 'accelerator':
    case 'memory':
      return hasMemory(fn, MIB) ? role : null;
    case 'nic':
      return isFast(fn) ? role : null;
    case 'nvme':
    case null:
      return role;
  }
}

function byClass(fn: PciFunction): Role | null {
  const code = fn.classCode;
  if (code === null) return null;
  const base = code >> 8;
  if (code === 0x0108) return 'nvme';
  if (base === 0x03) return 'gpu';
  if (base === 0x12 || base === 0x0b) return 'accelerator';
  // 0280, "network controller", is what wireless cards are.
  if (base === 0x02) return code === 0x0280 ? null : 'nic';
  if (base === 0x05) return 'memory';
  return code === 0x0880 || base === 0x11 || base === 0xff ? 'memory' : null;
}

function hasMemory(fn: PciFunction, least: number): boolean {
  return fn.bars.some((bar) => {
    if (bar.space !== 'memory') return false;
    return bar.size === null ? bar.prefetchable : bar.size >= least;
  });
}

function isFast(fn: PciFunction): boolean {
  if (fn.classCode === 0x0207) return true;
  const { link } = fn;
  const speed = link?.maxSpeedGts ?? link?.speedGts ?? null;
  const width = link?.maxWidth ?? link?.width ?? null;
  // A Virtual Function has no link registers of its own.
  if (speed === null || width === null || width === 0) return hasMemory(fn, MIB);
  return speed * width >= FAST_LINK;
}

/** Whether a function offers memory to peers: by its own memory, or because the kernel says so. */
export function isProvider(fn: PciFunction, role: Role): boolean {
  return role === 'gpu' || role === 'accelerator' || role === 'memory' || fn.facts.sysfs?.p2pmem !== undefined;
}

/**
 * The roles of all functions, by index. A GPU that shares its device with the processor's own functions (AMD: USB, encryption)
 * is built in.
 */
export function rolesOf(functions: readonly PciFunction[]): (Role | null)[] {
  const builtIn = new Set<number>();
  for (const fn of functions) {
    const isAmd = fn.vendorId === 0x1022 && (fn.classCode === 0x0c03 || (fn.classCode ?? 0) >> 8 === 0x10);
    if (isAmd) builtIn.add(deviceKey(fn));
  }
  const sibling = (fn: PciFunction): boolean => builtIn.has(deviceKey(fn));
  return functions.map((fn) => roleOf(fn, sibling));
}

/** One number for a device: all functions of one slot have the same. */
export function deviceKey({ bdf }: PciFunction): number {
  return bdf.domain * 0x2000 + bdf.bus * 32 + bdf.device;
}

/** In a sentence. */
export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  gpu: 'GPU',
  accelerator: 'accelerator',
  nic: 'network card',
  nvme: 'NVMe drive',
  memory: 'memory card',
};
