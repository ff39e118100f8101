/**
 * Addresses as branded numbers. x86 physical addresses have at most 52 bits, so a double holds every one exactly.
 *
 * Four spaces, never mixed: what the CPU uses, what a TLP carries, what an IOMMU translates, and what a DMA engine is
 * programmed with (whichever of the three the mapping chose). Arithmetic on addresses lives in this file because of its
 * traps: `address & 0xfff` is right for any address below 2^53, `address >> 12` and `address & ~0xfff` are wrong from 2^31 on.
 */

import { assert } from './assert.ts';
import { hex } from './hex.ts';

declare const space: unique symbol;

/** Where the CPU sees a byte (`phys_addr_t`). */
export type PhysAddr = number & { readonly [space]: 'phys' };
/** What a memory TLP on PCIe carries for a byte (`pci_bus_addr_t`). `bus = phys + busOffset`. */
export type BusAddr = number & { readonly [space]: 'bus' };
/** What an IOMMU translates for one requester. */
export type Iova = number & { readonly [space]: 'iova' };
/** What a DMA engine is programmed with (`dma_addr_t`): an IOVA, a physical or a bus address, by the road chosen. */
export type DmaAddr = number & { readonly [space]: 'dma' };

type AnyAddr = PhysAddr | BusAddr | Iova | DmaAddr;

/** First value that is no address: integers from here on are not exact in a double. */
export const ADDRESS_LIMIT: number = 2 ** 53;

/** Whether `value` can be an address: a whole number in [0, 2^53). */
export function isAddress(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function checked(value: number, kind: string): number {
  assert(isAddress(value), `${kind} address ${value} is not a whole number in [0, 2^53)`);
  return value;
}

/** Brands a number as a CPU physical address. Asserts a whole number in [0, 2^53). */
export function physAddr(value: number): PhysAddr {
  return checked(value, 'physical') as PhysAddr;
}

/** Brands a number as a PCI bus address. Asserts a whole number in [0, 2^53). */
export function busAddr(value: number): BusAddr {
  return checked(value, 'bus') as BusAddr;
}

/** Brands a number as an I/O virtual address. Asserts a whole number in [0, 2^53). */
export function iova(value: number): Iova {
  return checked(value, 'I/O virtual') as Iova;
}

/** The value an engine is programmed with for an address that a mapping produced. */
export function dmaAddr(address: Iova | PhysAddr | BusAddr): DmaAddr {
  return address as number as DmaAddr;
}

/**
 * An address taken out of an array of numbers, which cannot say what it holds: the caller knows that it holds addresses of this
 * space. Nothing is checked, so that a loop over arrays pays nothing.
 */
export function storedAddress<A extends AnyAddr>(value: number): A {
  return value as A;
}

/** `address + bytes`, in the same space. Asserts that the result is still an address. */
export function addBytes<A extends AnyAddr>(address: A, bytes: number): A {
  return checked(address + bytes, 'resulting') as A;
}

/** The PCI bus address of a CPU physical one: `phys + busOffset`; the offset is signed. */
export function busFromPhys(address: PhysAddr, busOffset: number): BusAddr {
  return checked(address + busOffset, 'bus') as BusAddr;
}

/** The CPU physical address of a PCI bus address: `bus - busOffset`; the offset is signed. */
export function physFromBus(address: BusAddr, busOffset: number): PhysAddr {
  return checked(address - busOffset, 'physical') as PhysAddr;
}

/** `value` rounded down to a multiple of `granule`, a power of two of at most 2^31. Exact for all addresses. */
export function alignDown<N extends number>(value: N, granule: number): N {
  return (value - (value & (granule - 1))) as N;
}

/** `value` rounded up to a multiple of `granule`, a power of two of at most 2^31. Exact below 2^53 - granule. */
export function alignUp<N extends number>(value: N, granule: number): N {
  const low = value & (granule - 1);
  return (low === 0 ? value : value - low + granule) as N;
}

/** `value mod granule`, for a granule that is a power of two of at most 2^31. */
export function offsetInGranule(value: number, granule: number): number {
  return value & (granule - 1);
}

/** Index of the 4 KiB page that holds `address`. */
export function pageIndex(address: number): number {
  return Math.floor(address / 4096);
}

/** The two 32-bit words of a value in [0, 2^53): `{ high, low }`, both unsigned. */
export function wordsOf(value: number): { readonly high: number; readonly low: number } {
  return { high: Math.floor(value / 2 ** 32), low: value >>> 0 };
}

/** Joins two unsigned 32-bit words, or returns null where the value is 2^53 or more and so no address. */
export function addressFromWords(high: number, low: number): number | null {
  return high < 0x200000 ? high * 2 ** 32 + low : null;
}

/** `0x...` in lower case, without padding. */
export function formatAddress(address: number): string {
  return hex(address);
}
