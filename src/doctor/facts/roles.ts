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
export function roleOf(fn: PciFunction, builtIn: (fn: PciFunction) => boolean): Role | null {
  if (fn.isBridge) return null;
  // The kernel itself says that it provides memory.
  if (fn.facts.sysfs?.p2pmem !== undefined) return byClass(fn) ?? 'memory';
  const type = fn.portType;
  if (type === 'conventional' || type === 'rcIntegratedEndpoint' || type === 'rcEventCollector') return null;
  if (builtIn(fn)) return null;
  const role = byClass(fn);
  switch (role) {
    case 'gpu':
      // A graphics unit that is part of the board's controller has no memory of its own to offer.
      return hasMemory(fn, 64 * MIB) ? role : null;
    case 'accelerator':
      // Many a co-processor (0b40) is an engine for encryption or compression in the processor’s own package, without memory of its own.
      return hasMemory(fn, (fn.classCode ?? 0) >> 8 === 0x0b ? 64 * MIB : MIB) ? role : null;
    case 'memory':
      // By their class these may be anything, a board's management controller too; memory that peers may have is prefetchable.
      return ((fn.classCode ?? 0) >> 8 === 0x05 ? hasMemory(fn, MIB) : hasPrefetchable(fn, MIB)) ? role : null;
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

function hasPrefetchable(fn: PciFunction, least: number): boolean {
  return fn.bars.some((bar) => bar.space === 'memory' && bar.prefetchable && (bar.size === null || bar.size >= least));
}

function isFast(fn: PciFunction): boolean {
  if (fn.classCode === 0x0207) return true;
  const { link } = fn;
  const speed = link?.maxSpeedGts ?? link?.speedGts ?? null;
  const width = link?.maxWidth ?? link?.width ?? null;
  // A Virtual Function has no link registers of its own. A dump of 64 bytes shows neither link nor sizes: no guess then.
  if (speed === null || width === null || width === 0) return fn.bars.some((bar) => (bar.size ?? 0) >= MIB);
  return speed * width >= FAST_LINK;
}

/** Whether a function offers memory to peers: by its own memory, or because the kernel says so. */
export function isProvider(fn: PciFunction, role: Role): boolean {
  return role === 'gpu' || role === 'accelerator' || role === 'memory' || fn.facts.sysfs?.p2pmem !== undefined;
}

/**
 * The roles of all functions, by index. What shares its device with a processor's own functions is built in and has no memory of its own:
 * beside a graphics unit, an encryption controller (0x10) is found in processors only.
 */
export function rolesOf(functions: readonly PciFunction[]): (Role | null)[] {
  const graphics = new Set(functions.filter((fn) => (fn.classCode ?? 0) >> 8 === 0x03).map(deviceKey));
  const ofProcessor = new Set(functions.filter((fn) => (fn.classCode ?? 0) >> 8 === 0x10).map(deviceKey));
  const builtIn = (fn: PciFunction): boolean => {
    const key = deviceKey(fn);
    return (graphics.has(key) && ofProcessor.has(key)) || isIntelGraphics(fn);
  };
  return functions.map((fn) => roleOf(fn, builtIn));
}

/** A device that somebody may pair, by its class alone. */
export interface UnseenDevice {
  readonly fn: PciFunction;
  readonly role: Role;
}

/** ASPEED and Matrox: the picture of a board's management controller, a display by its class. */
const MANAGEMENT_DISPLAYS: ReadonlySet<number | null> = new Set([0x1a03, 0x102b]);

/** GPUs and accelerators of which the capture shows no BARs, so that it cannot be told whether they are more than a display. */
export function unseenDevices(functions: readonly PciFunction[]): UnseenDevice[] {
  return functions.flatMap((fn) => {
    const role = byClass(fn);
    if ((role !== 'gpu' && role !== 'accelerator') || !isUnseen(fn)) return [];
    return MANAGEMENT_DISPLAYS.has(fn.vendorId) || isIntelGraphics(fn) ? [] : [{ fn, role }];
  });
}

/** Whether the capture shows no BARs of a function. A verbose listing that prints none says that it has none. */
export function isUnseen(fn: PciFunction): boolean {
  const { config, text, sysfs } = fn.facts;
  if (fn.isBridge || config.length > 0 || sysfs?.resources !== undefined) return false;
  return text === null || (text.command === undefined && (text.bars ?? []).length === 0);
}

/** Intel's own graphics unit is 00:02.0 ever since; without privileges its port type is not to be read. */
function isIntelGraphics({ vendorId, classCode, portType, bdf }: PciFunction): boolean {
  const isThere = bdf.domain === 0 && bdf.bus === 0 && bdf.device === 2;
  return isThere && portType === null && (classCode ?? 0) >> 8 === 0x03 && (vendorId === 0x8086 || vendorId === null);
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
