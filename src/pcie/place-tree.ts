/**
 * Places BARs and bridge windows in bus address space as firmware does: what a bridge needs is counted bottom up, addresses
 * are given top down, largest alignment first, which leaves no holes between powers of two.
 */

import type { BridgePlan, FunctionPlan, Pool } from './tree-plan.ts';

/** Granularity of bridge windows. PCIe 7.5.1.3.8. */
export const WINDOW_GRANULE = 0x100000;

/** Places everything that `plans` need of a pool from `start` on; returns where it ends. */
export function placeTree(plans: readonly FunctionPlan[], pool: Pool, start: number): number {
  let at = start;
  for (const { size, align, assign } of itemsOf(plans, pool)) {
    at = ceilTo(at, align);
    assign(at);
    at += size;
  }
  return at;
}

/** A BAR, or the window of a bridge with all that is below it. */
interface Item {
  readonly size: number;
  readonly align: number;
  readonly assign: (address: number) => void;
}

function itemsOf(plans: readonly FunctionPlan[], pool: Pool): Item[] {
  const items: Item[] = [];
  for (const plan of plans) {
    for (const bar of [...plan.bars, ...plan.vfBars]) {
      if (bar.pool !== pool) continue;
      const assign = (address: number): void => {
        bar.address = address;
      };
      items.push({ size: bar.size * bar.count, align: bar.size, assign });
    }
    if (plan.bridge) items.push(...windowOf(plan.bridge, pool));
  }
  return items.sort((a, b) => b.align - a.align);
}

/** The window of a bridge, or nothing where nothing below it needs one. */
function windowOf(bridge: BridgePlan, pool: Pool): Item[] {
  let size = 0;
  let align = WINDOW_GRANULE;
  for (const item of itemsOf(bridge.children, pool)) {
    size = ceilTo(size, item.align) + item.size;
    align = Math.max(align, item.align);
  }
  if (pool === 'memory') size += bridge.spareMemory;
  size = ceilTo(size, WINDOW_GRANULE);
  if (size === 0) return [];
  const assign = (start: number): void => {
    const window = { start, end: start + size };
    if (pool === 'memory') bridge.memoryWindow = window;
    else bridge.prefetchableWindow = window;
    placeTree(bridge.children, pool, start);
  };
  return [{ size, align, assign }];
}

/** Like alignUp, for granules of any size: a BAR may be larger than 2 GiB. */
function ceilTo(value: number, granule: number): number {
  return Math.ceil(value / granule) * granule;
}
