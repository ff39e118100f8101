/**
 * Bus, device, function: how PCI names a function. The domain (segment) is Linux's; it has up to 8 hex digits (Intel VMD
 * starts at 10000). PCIe Base Specification, 2.2.6.2 (Requester ID) for bus, device and function.
 */

import { checkObject, isObject } from '../core/argument.ts';
import { hexDigits } from '../core/hex.ts';

export interface Bdf {
  /** 0 to 0xffffffff. */
  readonly domain: number;
  /** 0 to 255. */
  readonly bus: number;
  /** 0 to 31. */
  readonly device: number;
  /** 0 to 7. */
  readonly function: number;
}

/** Orders functions by (domain, bus, device, function) as one number below 2^48: equal functions have equal keys. */
export type BdfKey = number;

/** The sort and map key of a function. */
export function bdfKey(bdf: Bdf): BdfKey {
  return bdf.domain * 0x10000 + bdf.bus * 0x100 + bdf.device * 8 + bdf.function;
}

/** The function with a key of `bdfKey`. */
export function bdfFromKey(key: BdfKey): Bdf {
  return bdfFromRoutingId(Math.floor(key / 0x10000), key % 0x10000);
}

/** The key of bus `bus` in `domain`, for tables of buses. */
export function busKey(domain: number, bus: number): number {
  return domain * 0x100 + bus;
}

/** The 16-bit Requester ID of a function: bus, device, function without the domain. PCIe 2.2.6.2. */
export function requesterId(bdf: Bdf): number {
  return bdf.bus * 0x100 + bdf.device * 8 + bdf.function;
}

/** The function with routing ID `id` (16 bits: bus, then devfn) in `domain`. */
export function bdfFromRoutingId(domain: number, id: number): Bdf {
  return { domain, bus: (id >> 8) & 0xff, device: (id >> 3) & 31, function: id & 7 };
}

/** The full name, `0000:03:00.0`: domain of at least four digits, always printed. */
export function formatBdf(bdf: Bdf): string {
  if (!isObject(bdf)) checkObject(bdf, 'bus', 'formatBdf: bdf', 'a Bdf: parseBdf answers null for what is not one');
  return `${hexDigits(bdf.domain, 4)}:${hexDigits(bdf.bus, 2)}:${hexDigits(bdf.device, 2)}.${bdf.function}`;
}

const BDF = /^(?:([0-9a-fA-F]{1,8}):)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\.([0-7])$/;

/** Reads `0000:03:00.0` or `03:00.0` (domain 0). Returns null for anything else, device numbers above 1f included. */
export function parseBdf(text: string): Bdf | null {
  const match = BDF.exec(text);
  if (!match) return null;
  const device = Number.parseInt(match[3] as string, 16);
  if (device > 31) return null;
  return {
    domain: match[1] === undefined ? 0 : Number.parseInt(match[1], 16),
    bus: Number.parseInt(match[2] as string, 16),
    device,
    function: Number.parseInt(match[4] as string, 16),
  };
}

/** Negative, zero or positive as `a` stands before, at or behind `b`. */
export function compareBdf(a: Bdf, b: Bdf): number {
  return bdfKey(a) - bdfKey(b);
}
