/**
 * The links of a road: each by its lower end, with what it does now and what both ends can. The speed of an idle card may be low to save
 * power, its lanes are not: what a link carries under load is its lanes now at the highest speed of both ends. PCIe 7.5.3.6, 7.5.3.8.
 */

import type { LinkFacts } from '../../pcie/express.ts';
import { lineRate } from '../../pcie/express.ts';
import type { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** One link, by its two ends. */
export interface Link {
  readonly upper: PciFunction | null;
  readonly lower: PciFunction;
  readonly now: { readonly speed: number | null; readonly width: number };
  /** What both ends can. */
  readonly can: { readonly speed: number | null; readonly width: number | null };
  readonly bothKnown: boolean;
}

/** The link above a function; null where there is none, it is down, or this is not the function that speaks for the device. */
export function linkAbove(hierarchy: Hierarchy, index: number): Link | null {
  const lower = hierarchy.functions[index] as PciFunction;
  const upper = hierarchy.functions[hierarchy.parent[index] as number] ?? null;
  const isLower = ['endpoint', 'legacyEndpoint', 'upstreamPort', 'pcieToPci'].includes(lower.portType ?? '');
  if (!isLower || lower.bdf.function !== 0 || lower.poweredDown) return null;
  const below = lower.link;
  const above = upper?.portType === 'rootPort' || upper?.portType === 'downstreamPort' ? upper.link : null;
  const status: LinkFacts | null = below?.width ? below : above;
  if (status?.width === null || status?.width === undefined || status.width === 0) return null;
  return {
    upper: above === null ? null : upper,
    lower,
    now: { speed: status.speedGts, width: status.width },
    can: { speed: least(below?.maxSpeedGts, above?.maxSpeedGts), width: least(below?.maxWidth, above?.maxWidth) },
    bothKnown: Boolean(below?.maxWidth && above?.maxWidth),
  };
}

/** The smaller of what is known; 0 is a register that says nothing. */
function least(a: number | null | undefined, b: number | null | undefined): number | null {
  const known = [a, b].filter((value) => typeof value === 'number' && value > 0) as number[];
  return known.length === 0 ? null : Math.min(...known);
}

/** What a link carries under load in each direction, GB/s; null where its speed is not known. */
export function loadRate({ now, can }: Link): number | null {
  const speed = can.speed ?? now.speed;
  return speed === null ? null : lineRate(speed, now.width);
}

/** What a function could take if every link were as wide and fast as its own end, GB/s; null where its registers do not tell. */
export function ownRate(fn: PciFunction): number | null {
  const { link } = fn;
  return link?.maxSpeedGts && link.maxWidth ? lineRate(link.maxSpeedGts, link.maxWidth) : null;
}

/** The narrowest of all links above these functions; null where no rate is known. The first of equals. */
export function narrowestAbove(hierarchy: Hierarchy, indices: Iterable<number>): Link | null {
  let narrowest: Link | null = null;
  for (const index of indices) {
    const link = linkAbove(hierarchy, index);
    const rate = link === null ? null : loadRate(link);
    if (rate !== null && (narrowest === null || rate < (loadRate(narrowest) as number))) narrowest = link;
  }
  return narrowest;
}

/** `x1 at 5 GT/s, 0.5 GB/s each way`. */
export function loadWords(link: Link): string {
  const speed = link.can.speed ?? link.now.speed;
  return `x${link.now.width} at ${speed} GT/s, ${(loadRate(link) ?? 0).toFixed(1)} GB/s each way`;
}
