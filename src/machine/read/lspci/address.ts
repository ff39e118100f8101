/**
 * The address at the start of a function's header in a listing of lspci, byte by byte:
 *
 *   03:00.0   0000:03:00.0   10000:00:02.0          bus, device, function; a domain of 4 to 8 digits before it
 *   00:1c.4/07:00.0/08:01.0                         `lspci -PP`: the bridges above, then the function
 *   00:1c.4/00.0/01.0                               `lspci -P`: the same, only the first step has its bus
 */

import { NIBBLE } from '../../../core/hex.ts';
import { bdfKey } from '../../../pcie/bdf.ts';

export interface LspciAddress {
  readonly domain: number;
  /** null in the form of `-P`: the bus below the last bridge of the path. */
  readonly bus: number | null;
  readonly device: number;
  readonly function: number;
  /** Key of the bridge above, from a `-PP` path; null where there is no path or it has no bus numbers. */
  readonly parentKey: number | null;
  /** Offset behind the last digit. */
  readonly end: number;
  /** Offset behind the path of the bridge above, where there is a path. */
  readonly parentEnd: number | null;
}

const COLON = 0x3a;
const DOT = 0x2e;
const SLASH = 0x2f;

/**
 * Reads the address at `start`. Null where there is none, or where something other than a blank or `limit` follows it:
 * `0000:03:00.0: error` is a line of the kernel's log, not a header.
 */
export function parseLspciAddress(bytes: Uint8Array, start: number, limit: number): LspciAddress | null {
  let at = start;
  let domain = 0;
  const digits = countDigits(bytes, at, limit);
  if (digits >= 4 && digits <= 8 && bytes[at + digits] === COLON) {
    domain = number(bytes, at, digits);
    at += digits + 1;
  }
  let bus: number | null = null;
  let parentKey: number | null = null;
  let parentEnd: number | null = null;
  for (let step = 0; step < 64; step++) {
    if (isByte(bytes, at, limit) && bytes[at + 2] === COLON) {
      bus = number(bytes, at, 2);
      at += 3;
    } else if (step === 0) {
      return null;
    } else {
      bus = null;
    }
    if (!isByte(bytes, at, limit) || bytes[at + 2] !== DOT || at + 3 >= limit) return null;
    const device = number(bytes, at, 2);
    const fn = NIBBLE[bytes[at + 3] as number] as number;
    if (device > 31 || fn > 7) return null;
    at += 4;
    if (at < limit && bytes[at] === SLASH) {
      parentKey = bus === null ? null : bdfKey({ domain, bus, device, function: fn });
      parentEnd = at;
      at++;
      continue;
    }
    if (at < limit && bytes[at] !== 0x20 && bytes[at] !== 0x09) return null;
    return { domain, bus, device, function: fn, parentKey: bus === null ? null : parentKey, end: at, parentEnd };
  }
  return null;
}

function countDigits(bytes: Uint8Array, start: number, limit: number): number {
  let at = start;
  while (at < limit && at - start < 9 && (NIBBLE[bytes[at] as number] as number) < 16) at++;
  return at - start;
}

function isByte(bytes: Uint8Array, at: number, limit: number): boolean {
  return at + 2 < limit && ((NIBBLE[bytes[at] as number] as number) | (NIBBLE[bytes[at + 1] as number] as number)) < 16;
}

function number(bytes: Uint8Array, start: number, digits: number): number {
  let value = 0;
  for (let at = start; at < start + digits; at++) value = value * 16 + (NIBBLE[bytes[at] as number] as number);
  return value;
}
