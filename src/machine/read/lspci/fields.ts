/** Values of single lines of decoded text, in the words of every version of lspci. Pure: text in, facts out. */

import { busAddr, physAddr } from '../../../core/address.ts';
import { ACS_BITS } from '../../../pcie/acs.ts';
import type { Bar } from '../../../pcie/bar.ts';
import { type BridgeWindow, windowOf } from '../../../pcie/bridge-window.ts';
import type { PortType } from '../../../pcie/express.ts';
import type { BusNumbers } from '../../../pcie/function-facts.ts';

/** What the Express line calls the Device/Port Types. */
const PORT_TYPES: readonly (readonly [string, PortType])[] = [
  ['Endpoint', 'endpoint'],
  ['Legacy Endpoint', 'legacyEndpoint'],
  ['Root Port', 'rootPort'],
  ['Upstream Port', 'upstreamPort'],
  ['Downstream Port', 'downstreamPort'],
  ['PCI-Express to PCI/PCI-X Bridge', 'pcieToPci'],
  ['PCI/PCI-X to PCI-Express Bridge', 'pciToPcie'],
  ['Root Complex Integrated Endpoint', 'rcIntegratedEndpoint'],
  ['Root Complex Event Collector', 'rcEventCollector'],
];

/** Bits of the Command register by the names that `Control:` gives them, from bit 0. */
const COMMAND_BITS: readonly string[] = [
  'I/O',
  'Mem',
  'BusMaster',
  'SpecCycle',
  'MemWINV',
  'VGASnoop',
  'ParErr',
  'Stepping',
  'SERR',
  'FastB2B',
  'DisINTx',
];

/** Bits of the Bridge Control register by the names that `BridgeCtl:` gives them, from bit 0. */
const BRIDGE_CONTROL_BITS: readonly string[] = [
  'Parity',
  'SERR',
  'NoISA',
  'VGA',
  'VGA16',
  'MAbort',
  'Reset',
  'FastB2B',
];

const SIZE_UNITS = ' KMGTP';

/** The Device/Port Type of `Express (v2) Root Port (Slot+), MSI 00`; undefined for any other capability. */
export function portTypeOf(capability: string): PortType | undefined {
  const name = /^Express (?:\(v\d+\) )?(.*)$/.exec(capability)?.[1];
  return name === undefined ? undefined : PORT_TYPES.find(([text]) => name.startsWith(text))?.[1];
}

/** The Command register of `I/O- Mem+ BusMaster+ ...`. */
export function commandOf(text: string): number {
  return flagBits(text, COMMAND_BITS);
}

/** The Bridge Control register of `Parity- SERR+ ... >Reset- FastB2B-`. */
export function bridgeControlOf(text: string): number {
  return flagBits(text, BRIDGE_CONTROL_BITS);
}

function flagBits(text: string, names: readonly string[]): number {
  let bits = 0;
  for (const token of text.split(/\s+/)) {
    if (!token.endsWith('+')) continue;
    // Reset is printed as `>Reset+`.
    const bit = names.indexOf(token.slice(token.startsWith('>') ? 1 : 0, -1));
    if (bit >= 0) bits |= 1 << bit;
  }
  return bits;
}

/** The seven services of an ACSCap or ACSCtl line; null where one of them is missing: the line was cut. */
export function acsBitsOf(text: string): number | null {
  const tokens = text.split(/\s+/);
  let bits = 0;
  for (const { mask, lspci } of ACS_BITS) {
    if (tokens.includes(`${lspci}+`)) bits |= mask;
    else if (!tokens.includes(`${lspci}-`)) return null;
  }
  return bits;
}

/** `Port #0, Speed 16GT/s (ok), Width x16 (ok)`; the remarks are lspci's opinion and change from version to version. */
export function speedAndWidth(text: string): { speedGts: number | null; width: number | null } {
  const speed = /\bSpeed ([\d.]+)GT\/s/.exec(text)?.[1];
  const width = /\bWidth x(\d+)/.exec(text)?.[1];
  return {
    speedGts: speed === undefined ? null : Number.parseFloat(speed),
    width: width === undefined ? null : Number.parseInt(width, 10),
  };
}

/** `primary=00, secondary=01, subordinate=04, sec-latency=0`; null where a number cannot be read. */
export function busNumbersOf(text: string): BusNumbers | null {
  const match = /^primary=([0-9a-f]{2}), *secondary=([0-9a-f]{2}), *subordinate=([0-9a-f]{2})\b/i.exec(text);
  if (match === null) return null;
  const number = (group: number): number => Number.parseInt(match[group] as string, 16);
  return { primary: number(1), secondary: number(2), subordinate: number(3) };
}

/**
 * A window by version: up to 3.5.2 base and limit alone, closed where base > limit; then `None`, `[empty]`, `[disabled]`
 * for a closed one (null), with or without the range before it. Undefined where it cannot be read.
 */
export function windowOfText(text: string): BridgeWindow | null | undefined {
  if (/^None\b/.test(text) || /\[(?:empty|disabled)\]/.test(text)) return null;
  const match = /^([0-9a-f]{1,16})-([0-9a-f]{1,16})\b/i.exec(text);
  if (match === null) return undefined;
  const base = Number.parseInt(match[1] as string, 16);
  const limit = Number.parseInt(match[2] as string, 16);
  // Firmware closes a window with a base of all ones, which is no address.
  return base >= 2 ** 53 || limit >= 2 ** 53 - 1 ? null : windowOf(base, limit);
}

/** A range that a function decodes, as lspci prints it. */
export interface PrintedRange {
  readonly bar: Bar;
  /** `[disabled]`: the Command register does not let it decode. */
  readonly disabled: boolean;
}

/**
 * `Memory at b4000000 (64-bit, prefetchable) [disabled] [size=16M]`, `I/O ports at 5000 [size=128]`. Addresses are the
 * kernel's, so the CPU's; `<unassigned>`, `<ignored>` and 0 are none. Null where it cannot be read.
 */
export function rangeOf(index: number, text: string): PrintedRange | null {
  const match = /^(?:\[virtual\] )?(?:(Memory) at|(I\/O) ports at) (<\w+>|[0-9a-f]{1,16})(?: \(([^)]*)\))?(.*)$/i.exec(
    text,
  );
  if (match === null) return null;
  const kind = match[4] ?? '';
  const remarks = match[5] as string;
  const address = (match[3] as string).startsWith('<') ? 0 : Number.parseInt(match[3] as string, 16);
  const assigned = address !== 0 && address < 2 ** 53;
  const bar: Bar = {
    index,
    space: match[1] === undefined ? 'io' : 'memory',
    is64Bit: kind.startsWith('64-bit'),
    prefetchable: /(?:^|[, ])prefetchable/.test(kind),
    busAddress: assigned ? busAddr(address) : null,
    cpuAddress: assigned ? physAddr(address) : null,
    size: sizeOf(remarks),
  };
  return { bar, disabled: remarks.includes('[disabled]') };
}

function sizeOf(remarks: string): number | null {
  const match = /\[size=(\d{1,6})([KMGTP]?)\]/.exec(remarks);
  return match === null ? null : Number.parseInt(match[1] as string, 10) * 1024 ** SIZE_UNITS.indexOf(match[2] || ' ');
}
