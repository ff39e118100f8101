/**
 * Whom users want to pair: GPUs, accelerators, fast network cards, NVMe drives, cards with memory. Nobody pairs a sound card, and a
 * machine whose sound card cannot reach a peer is healthy. A GPU is one by its class and its maker, whatever its BARs show: one that found
 * no room for its memory is what a user asks about. PCI Code and ID Assignment Specification, section 1.
 */

import type { PciFunction } from '../pcie/pci-function.ts';

export type Role = 'gpu' | 'accelerator' | 'nic' | 'nvme' | 'memory';

const MIB = 2 ** 20;
/** Lanes times GT/s from which a network card is worth a peer's memory: x4 at 8 GT/s, a 25 Gbit/s port. */
const FAST_LINK = 32;

const VENDOR_AMD_GRAPHICS = 0x1002;
const VENDOR_INTEL = 0x8086;

/** Makers whose display functions are GPUs wherever they stand: NVIDIA, AMD, Moore Threads, Jingjia, Iluvatar. */
const GPU_MAKERS: ReadonlySet<number | null> = new Set([0x10de, VENDOR_AMD_GRAPHICS, 0x1ed5, 0x0731, 0x1e3e]);

/**
 * Makers of displays that only show a picture: a board's management controller (ASPEED, Matrox, Silicon Motion, XGI, HiSilicon, Nuvoton),
 * what hypervisors draw (QEMU, virtio, VMware, VirtualBox, Hyper-V, Parallels, Cirrus), graphics of chipsets (VIA, SiS, Zhaoxin, Loongson).
 */
const PICTURE_ONLY: ReadonlySet<number | null> = new Set([
  0x1a03, 0x102b, 0x126f, 0x18ca, 0x19e5, 0x1050, 0x1234, 0x1af4, 0x1b36, 0x15ad, 0x80ee, 0x1414, 0x1ab8, 0x1013,
  0x1106, 0x1039, 0x1d17, 0x0014, 0x5333,
]);

/** Intel's GPUs on cards, which a hypervisor shows as integrated: DG1, Arc, Flex, Max, Battlemage. Device ids as Linux's i915 and xe list them. */
const INTEL_CARDS: readonly (readonly [first: number, last: number])[] = [
  [0x0bd0, 0x0bdf],
  [0x0b69, 0x0b6e],
  [0x4905, 0x4909],
  [0x5690, 0x56ff],
  [0xe202, 0xe223],
];

/** Makers of PCIe switches that have functions to manage them: Microchip, Broadcom, PLX, IDT, Pericom, ASMedia. */
const SWITCH_MAKERS: ReadonlySet<number | null> = new Set([0x11f8, 0x1000, 0x10b5, 0x111d, 0x12d8, 0x1b21]);
/** What such functions are by their class, 0680 being a bridge that is none of the known kinds. */
const MANAGEMENT_CLASSES: ReadonlySet<number | null> = new Set([0x0580, 0x0680, 0x0880, 0x1180]);
const MANAGEMENT_DRIVERS: ReadonlySet<string | null> = new Set(['switchtec', 'ntb_hw_switchtec', 'plx_dma']);

/** What stands in one slot: its functions' classes and port types. */
interface Device {
  hasDisplay: boolean;
  hasEncryption: boolean;
  hasUpstreamPort: boolean;
  hasFirstDisplay: boolean;
}

/** The roles of all functions, by index; null where nobody would pair it. */
export function rolesOf(functions: readonly PciFunction[]): (Role | null)[] {
  const devices = new Map<number, Device>();
  for (const fn of functions) {
    const key = deviceKey(fn);
    let device = devices.get(key);
    if (device === undefined) {
      device = { hasDisplay: false, hasEncryption: false, hasUpstreamPort: false, hasFirstDisplay: false };
      devices.set(key, device);
    }
    const { classCode } = fn;
    const base = (classCode ?? 0) >> 8;
    if (base === 0x03) device.hasDisplay = true;
    if (base === 0x10) device.hasEncryption = true;
    if (base === 0x03 && classCode !== 0x0380 && fn.bdf.function === 0) device.hasFirstDisplay = true;
    // Without its capabilities a bridge that has another function beside it is one of a switch all the same.
    if (fn.portType === 'upstreamPort' || (fn.portType === null && classCode === 0x0604)) device.hasUpstreamPort = true;
  }
  return functions.map((fn) => roleOf(fn, devices.get(deviceKey(fn)) as Device));
}

function roleOf(fn: PciFunction, device: Device): Role | null {
  if (fn.isBridge || isManagement(fn, device)) return null;
  const role = byClass(fn);
  // The kernel itself says that it provides memory.
  if (fn.facts.sysfs?.p2pmem !== undefined) return role ?? 'memory';
  // Beside a graphics unit, an encryption controller (0x10) is found in processors only: what shares that device is built in.
  if (device.hasDisplay && device.hasEncryption) return null;
  if (role === 'gpu') return isGpu(fn, device) ? role : null;
  const type = fn.portType;
  if (type === 'conventional' || type === 'rcIntegratedEndpoint' || type === 'rcEventCollector') return null;
  switch (role) {
    case 'accelerator':
      // Many a co-processor (0b40) is an engine for encryption or compression in the processor’s own package, without memory of its own.
      return (fn.classCode ?? 0) >> 8 === 0x12 || hasMemory(fn, 64 * MIB) ? role : null;
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

/**
 * Whether a function manages the switch that it is part of: it has registers and no memory to give, whatever its class says. Known by
 * the upstream port of the same device, by its driver, or by the maker and a class of which no card of theirs is.
 */
function isManagement(fn: PciFunction, { hasUpstreamPort }: Device): boolean {
  if (hasUpstreamPort || MANAGEMENT_DRIVERS.has(fn.driver)) return true;
  return SWITCH_MAKERS.has(fn.vendorId) && MANAGEMENT_CLASSES.has(fn.classCode);
}

/** Whether a display function shows a picture and nothing else, by its maker. */
export function isPictureOnly({ vendorId }: Pick<PciFunction, 'vendorId'>): boolean {
  return PICTURE_ONLY.has(vendorId);
}

/** Whether a display function is a GPU on a card; the parts of a processor and what only shows a picture are none. */
function isGpu(fn: PciFunction, { hasFirstDisplay }: Device): boolean {
  const { vendorId, portType, bdf, classCode } = fn;
  if (isPictureOnly(fn)) return false;
  // Older cards have a second display function, which shows nothing of its own; a Virtual Function has memory.
  if (classCode === 0x0380 && bdf.function > 0 && hasFirstDisplay && !hasMemory(fn, 64 * MIB)) return false;
  if (vendorId === VENDOR_INTEL) return isIntelCard(fn);
  const isMaker = GPU_MAKERS.has(vendorId);
  if (portType === 'rcEventCollector') return false;
  // Graphics of before PCI Express has 32-bit BARs; a guest may see a card of today without its capability.
  if (portType === 'conventional') return isMaker && fn.bars.some((bar) => bar.space === 'memory' && bar.is64Bit);
  // A hypervisor shows a card on its root bus so.
  if (portType === 'rcIntegratedEndpoint') return isMaker;
  return isMaker || hasMemory(fn, 64 * MIB);
}

/** Intel's own graphics unit is integrated, at 00:02.0 ever since; without privileges its port type is not to be read. */
function isIntelCard({ deviceId, portType, bdf }: PciFunction): boolean {
  if (deviceId !== null && INTEL_CARDS.some(([first, last]) => deviceId >= first && deviceId <= last)) return true;
  const isBuiltIn = bdf.domain === 0 && bdf.bus === 0 && bdf.device === 2;
  return !isBuiltIn && (portType === 'endpoint' || portType === 'legacyEndpoint' || portType === null);
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

/** One number for a device: all functions of one slot have the same. */
export function deviceKey({ bdf }: PciFunction): number {
  return bdf.domain * 0x2000 + bdf.bus * 32 + bdf.device;
}
