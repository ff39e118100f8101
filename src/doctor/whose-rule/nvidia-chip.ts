/**
 * Which chip an NVIDIA GPU is, and whether it is a GeForce, by its device ID. A chip has a block of 128 IDs, and in each block the
 * professional cards have the IDs in which bits 5:4 are both set. NVIDIA/gpu-admin-tools, gpu/devid_chips.py; pci.ids of 2023 agrees for
 * all 300 names since Pascal but engineering samples.
 */

import type { PciFunction } from '../../pcie/pci-function.ts';

export type NvidiaGeneration = 'pascal' | 'volta' | 'turing' | 'ampere' | 'ada' | 'hopper' | 'blackwell';

export interface NvidiaChip {
  /** `AD102`. */
  readonly name: string;
  readonly generation: NvidiaGeneration;
  /** A card for games, which the stock driver treats apart. */
  readonly isGeForce: boolean;
}

interface Block {
  /** First device ID of the block. */
  readonly first: number;
  readonly name: string;
  readonly generation: NvidiaGeneration;
  /** Chips of which no GeForce was made. */
  readonly computeOnly?: true;
}

/** IDs in a block. */
const BLOCK = 0x80;
/** Set together in the IDs of professional cards. */
const PROFESSIONAL_BITS = 0x30;

const BLOCKS: readonly Block[] = [
  { first: 0x1580, name: 'GP100', generation: 'pascal', computeOnly: true },
  { first: 0x1b00, name: 'GP102', generation: 'pascal' },
  { first: 0x1b80, name: 'GP104', generation: 'pascal' },
  { first: 0x1c00, name: 'GP106', generation: 'pascal' },
  { first: 0x1c80, name: 'GP107', generation: 'pascal' },
  { first: 0x1d00, name: 'GP108', generation: 'pascal' },
  { first: 0x1d80, name: 'GV100', generation: 'volta', computeOnly: true },
  { first: 0x1e00, name: 'TU102', generation: 'turing' },
  { first: 0x1e80, name: 'TU104', generation: 'turing' },
  { first: 0x1f00, name: 'TU106', generation: 'turing' },
  { first: 0x1f80, name: 'TU117', generation: 'turing' },
  { first: 0x2080, name: 'GA100', generation: 'ampere', computeOnly: true },
  { first: 0x2180, name: 'TU116', generation: 'turing' },
  { first: 0x2200, name: 'GA102', generation: 'ampere' },
  { first: 0x2300, name: 'GH100', generation: 'hopper', computeOnly: true },
  { first: 0x2400, name: 'GA103', generation: 'ampere' },
  { first: 0x2480, name: 'GA104', generation: 'ampere' },
  { first: 0x2500, name: 'GA106', generation: 'ampere' },
  { first: 0x2580, name: 'GA107', generation: 'ampere' },
  { first: 0x2680, name: 'AD102', generation: 'ada' },
  { first: 0x2700, name: 'AD103', generation: 'ada' },
  { first: 0x2780, name: 'AD104', generation: 'ada' },
  { first: 0x2800, name: 'AD106', generation: 'ada' },
  { first: 0x2880, name: 'AD107', generation: 'ada' },
  { first: 0x2900, name: 'GB100', generation: 'blackwell', computeOnly: true },
  { first: 0x2980, name: 'GB102', generation: 'blackwell', computeOnly: true },
  { first: 0x2b80, name: 'GB202', generation: 'blackwell' },
  { first: 0x2c00, name: 'GB203', generation: 'blackwell' },
  { first: 0x2d00, name: 'GB206', generation: 'blackwell' },
  { first: 0x2d80, name: 'GB207', generation: 'blackwell' },
  { first: 0x2f00, name: 'GB205', generation: 'blackwell' },
];

/** The chip of an NVIDIA GPU; null where its ID is not known or in no block. */
export function nvidiaChip({ vendorId, deviceId }: Pick<PciFunction, 'vendorId' | 'deviceId'>): NvidiaChip | null {
  if (vendorId !== 0x10de || deviceId === null) return null;
  const block = BLOCKS.find(({ first }) => deviceId >= first && deviceId < first + BLOCK);
  if (block === undefined) return null;
  const isProfessional = block.computeOnly === true || (deviceId & PROFESSIONAL_BITS) === PROFESSIONAL_BITS;
  return { name: block.name, generation: block.generation, isGeForce: !isProfessional };
}

/** `Ada`. */
export function generationWord(generation: NvidiaGeneration): string {
  return `${generation[0]?.toUpperCase()}${generation.slice(1)}`;
}
