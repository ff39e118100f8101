/** A described function on its way to a configuration space: numbered, its values checked, its addresses not yet placed. */

import type { Bdf } from './bdf.ts';
import type { BridgeWindow } from './bridge-window.ts';
import {
  type BarDescription,
  type EndpointFunctionDescription,
  type FunctionOptions,
  type LinkDescription,
  refuseDescription,
} from './describe.ts';
import { type PortType, SPEEDS_GTS } from './express.ts';

/** The two pools of bus addresses: below 4 GiB, and 64-bit prefetchable. */
export type Pool = 'memory' | 'prefetchable';

export interface BarPlan {
  readonly index: number;
  readonly size: number;
  readonly is64Bit: boolean;
  readonly prefetchable: boolean;
  readonly pool: Pool;
  /** Virtual Functions share one stretch: this many times `size`. */
  readonly count: number;
  address: number;
}

export interface BridgePlan {
  readonly children: FunctionPlan[];
  readonly spareMemory: number;
  secondary: number;
  subordinate: number;
  memoryWindow: BridgeWindow | null;
  prefetchableWindow: BridgeWindow | null;
}

export interface FunctionPlan {
  readonly bdf: Bdf;
  /** null on a root bus. */
  readonly parent: Bdf | null;
  readonly rootBus: number;
  readonly busOffset: number;
  /** In the description: `rootBuses[0].children[1]`. */
  readonly path: string;
  readonly options: FunctionOptions;
  readonly portType: PortType;
  /** 24 bits. */
  readonly classCode: number;
  readonly deviceId: number;
  readonly multiFunction: boolean;
  readonly link: LinkDescription | null;
  readonly portNumber: number;
  readonly maxPayload: number;
  readonly maxReadRequest: number;
  readonly bars: readonly BarPlan[];
  readonly vfs: number;
  readonly vfBars: readonly BarPlan[];
  readonly bridge: BridgePlan | null;
}

/** What the place in the tree says of a function. */
export interface PlanFields {
  readonly bdf: Bdf;
  readonly parent: Bdf | null;
  readonly rootBus: number;
  readonly busOffset: number;
  readonly path: string;
  readonly options: FunctionOptions;
  readonly portType: PortType;
  readonly classCode: number;
  readonly multiFunction?: boolean;
  readonly link?: LinkDescription | null;
  readonly portNumber?: number;
  readonly bridge?: BridgePlan;
  readonly sriov?: EndpointFunctionDescription['sriov'];
}

/** Checks the values of a function. Refuses those that its registers could not hold. */
export function planFunction(fields: PlanFields): FunctionPlan {
  const { options, path, sriov } = fields;
  const bridge = fields.bridge ?? null;
  const link = fields.link ?? null;
  const limit = bridge ? 2 : 6;
  const vfs = sriov?.vfs ?? 0;
  if (link) checkLink(link, `${path}.link`);
  return {
    bdf: fields.bdf,
    parent: fields.parent,
    rootBus: fields.rootBus,
    busOffset: fields.busOffset,
    path,
    options,
    portType: fields.portType,
    classCode: fields.classCode,
    deviceId: options.deviceId ?? (bridge ? 0x000c : 0x1100),
    multiFunction: fields.multiFunction ?? false,
    link,
    portNumber: fields.portNumber ?? 0,
    maxPayload: payloadSize(options.maxPayload ?? 256, `${path}.maxPayload`),
    maxReadRequest: payloadSize(options.maxReadRequest ?? 512, `${path}.maxReadRequest`),
    bars: planBars(options.bars ?? [], 1, limit, `${path}.bars`),
    vfs,
    vfBars: planBars(sriov?.bars ?? [], vfs, 6, `${path}.sriov.bars`),
    bridge,
  };
}

/** A bridge with nothing below it yet. */
export function newBridge(spareMemory: number): BridgePlan {
  return { children: [], spareMemory, secondary: 0, subordinate: 0, memoryWindow: null, prefetchableWindow: null };
}

function checkLink(link: LinkDescription, path: string): void {
  const widths = [1, 2, 4, 8, 12, 16, 32];
  if (SPEEDS_GTS.indexOf(link.speedGts) > 0 && widths.includes(link.width)) return;
  const message = `a link of ${link.speedGts} GT/s and ${link.width} lanes`;
  refuseDescription(
    'VALUE_INVALID',
    path,
    message,
    'use 2.5, 5, 8, 16, 32 or 64 GT/s and 1, 2, 4, 8, 12, 16 or 32 lanes',
  );
}

function payloadSize(bytes: number, path: string): number {
  if ([128, 256, 512, 1024, 2048, 4096].includes(bytes)) return bytes;
  return refuseDescription('VALUE_INVALID', path, `${bytes} bytes`, 'use a power of two from 128 to 4096');
}

function planBars(bars: readonly BarDescription[], count: number, limit: number, path: string): BarPlan[] {
  const taken = new Set<number>();
  return bars.map((bar, position) => {
    checkBarSize(bar.size, `${path}[${position}].size`);
    const is64Bit = bar.is64Bit ?? true;
    let index = bar.index ?? 0;
    if (bar.index === undefined) while (taken.has(index)) index++;
    const slots = is64Bit ? [index, index + 1] : [index];
    if (slots.some((slot) => slot >= limit || slot < 0 || taken.has(slot))) {
      const message = `BAR ${slots.join(' and ')} is taken, or not among registers 0 to ${limit - 1}`;
      refuseDescription('BAR_INDEX_INVALID', `${path}[${position}]`, message, 'a 64-bit BAR takes two registers');
    }
    for (const slot of slots) taken.add(slot);
    const prefetchable = bar.prefetchable ?? false;
    const pool: Pool = is64Bit && prefetchable ? 'prefetchable' : 'memory';
    return { index, size: bar.size, is64Bit, prefetchable, pool, count, address: 0 };
  });
}

function checkBarSize(size: number, path: string): void {
  const exponent = Math.log2(size);
  if (Number.isInteger(exponent) && exponent >= 4 && exponent <= 50) return;
  const next = 2 ** Math.min(50, Math.ceil(Math.log2(Math.max(16, size))));
  refuseDescription(
    'BAR_SIZE_INVALID',
    path,
    `a BAR of ${size} bytes`,
    `use a power of two from 16 on, for instance ${next}`,
  );
}
