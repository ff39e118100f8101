/**
 * Whose root complex it is, where its maker builds processors of one kind only: then no rule for x86 processors, or none for AMD's, can
 * apply. A maker of cards too (NVIDIA, Mellanox, Samsung) counts by a root port alone. Sources: pci.ids (2023.04.10 and 2026.05.24) and
 * the makers' own lists of processors.
 */

import type { PciFunction } from '../../pcie/pci-function.ts';
import { CLASS_HOST_BRIDGE, CLASS_PCI_BRIDGE } from '../../pcie/registers.ts';

/** Kinds of processors, as far as the rules for peer-to-peer DMA and the kernel's options tell them apart. */
export type Architecture = 'x86' | 'arm' | 'power' | 'riscv' | 'loongarch' | 'mips' | 'sparc' | 's390' | 'other';

export interface RootMaker {
  /** In a sentence: `Ampere`. */
  readonly name: string;
  /** `other`: not x86, and more is not said. */
  readonly architecture: Architecture;
}

interface MakerRow extends RootMaker {
  readonly vendor: number;
  /** Device ids from here on only; smaller ones are of another kind. */
  readonly from?: number;
}

const row = (vendor: number, name: string, architecture: Architecture, from?: number): MakerRow =>
  from === undefined ? { vendor, name, architecture } : { vendor, name, architecture, from };

const MAKERS: readonly MakerRow[] = [
  row(0x0014, 'Loongson', 'other'),
  row(0x1014, 'IBM', 'power'),
  row(0x13b5, 'Arm', 'arm'),
  row(0x1def, 'Ampere', 'arm'),
  row(0x10e8, 'Applied Micro', 'arm', 0xe000),
  row(0x177d, 'Cavium', 'other'),
  row(0x19e5, 'HiSilicon', 'arm'),
  row(0x1db7, 'Phytium', 'arm'),
  row(0x1dbf, 'Huaxintong', 'arm'),
  row(0x1ded, 'Alibaba', 'arm'),
  row(0x1c36, 'Annapurna', 'arm'),
  row(0x17cb, 'Qualcomm', 'arm'),
  row(0x1d87, 'Rockchip', 'arm'),
  row(0x14c3, 'MediaTek', 'arm'),
  row(0x1957, 'Freescale', 'other'),
  row(0x106b, 'Apple', 'other'),
  row(0x11ab, 'Marvell', 'other'),
  row(0x1b4b, 'Marvell', 'arm'),
  row(0x14e4, 'Broadcom', 'other'),
  row(0x144d, 'Samsung', 'arm'),
  row(0x104c, 'Texas Instruments', 'arm'),
  row(0x1912, 'Renesas', 'other'),
  row(0x10ee, 'Xilinx', 'arm'),
  row(0x1172, 'Altera', 'arm'),
  row(0x16c3, 'Synopsys', 'other'),
  row(0x17cd, 'Cadence', 'other'),
  row(0x1556, 'PLDA', 'other'),
  row(0x11aa, 'Microchip', 'riscv'),
  row(0xf15e, 'SiFive', 'riscv'),
  row(0x1f1c, 'Sophgo', 'riscv'),
  row(0x201f, 'SpacemiT', 'riscv'),
  row(0x1a41, 'Tilera', 'other'),
  row(0x1fff, 'MCST', 'other'),
  row(0x108e, 'Oracle', 'sparc'),
  row(0x15b3, 'NVIDIA BlueField', 'arm'),
  // Below this NVIDIA made chipsets for x86; from Tegra 2 on its root ports are those of Arm processors, Grace and Vera too.
  row(0x10de, 'NVIDIA', 'arm', 0x0bf0),
];

/** Makers of x86 processors, or of chipsets for older ones, none of which is AMD's Zen. */
const OTHER_X86: readonly (readonly [vendor: number, name: string])[] = [
  [0x1d17, 'Zhaoxin'],
  [0x1106, 'VIA'],
  [0x1039, 'SiS'],
  [0x1166, 'ServerWorks'],
  [0x10b9, 'ULi'],
  [0x1279, 'Transmeta'],
  [0x17f3, 'RDC'],
];

/** Makers of whom an integrated endpoint shows as much as a root port; a hypervisor shows cards of others so, too. */
const SYSTEMS_ON_CHIP: ReadonlySet<number | null> = new Set([0x0014, 0x1957, 0x177d, 0x1db7, 0x1def]);

/** Whether a function that stands first on a root bus is a part of the root complex, as far as is known. */
function speaksForRoot({ classCode, portType, vendorId }: PciFunction): boolean {
  if (portType === 'rcIntegratedEndpoint' && SYSTEMS_ON_CHIP.has(vendorId)) return true;
  if (classCode === CLASS_HOST_BRIDGE) return portType !== 'endpoint' && portType !== 'legacyEndpoint';
  return classCode === CLASS_PCI_BRIDGE && (portType === 'rootPort' || portType === null);
}

/** The maker of a root complex that is not x86, by the first function of its root bus; null where that does not say so. */
export function makerOf(fn: PciFunction): RootMaker | null {
  if (!speaksForRoot(fn)) return null;
  const { vendorId, deviceId } = fn;
  const found = MAKERS.find(
    ({ vendor, from }) => vendor === vendorId && (from === undefined || (deviceId ?? 0) >= from),
  );
  return found ?? null;
}

/** The maker of a root complex that is x86 and not AMD's nor Intel's; null where it is none. */
export function otherX86MakerOf(fn: PciFunction): string | null {
  const { vendorId, deviceId, classCode } = fn;
  // nForce shows memory controllers at 00.0, of classes 05 and 06.
  const base = (classCode ?? 0) >> 8;
  if (vendorId === 0x10de && (base === 0x05 || classCode === CLASS_HOST_BRIDGE) && (deviceId ?? 0xffff) < 0x0bf0) {
    return 'NVIDIA nForce';
  }
  return speaksForRoot(fn) ? (OTHER_X86.find(([vendor]) => vendor === vendorId)?.[1] ?? null) : null;
}
