/**
 * Places BARs and bridge windows as firmware does. Bottom up, each bridge needs one stretch below 4 GiB (its memory window,
 * 32-bit and not prefetchable) and one of 64-bit prefetchable memory; top down, the stretches get addresses. The largest
 * alignment comes first, so that little is lost between. PCIe 7.5.1.2.1 (BARs), 7.5.1.3.8 and 7.5.1.3.9 (windows).
 */

import { alignUp, wordsOf } from '../../core/address.ts';
import { hex } from '../../core/hex.ts';
import type { Range } from '../../core/range.ts';
import type { Bdf } from '../../pcie/bdf.ts';
import type { ConfigAccess } from './config-access.ts';
import type { FoundFunction } from './enumerate.ts';
import { QemuError } from './errors.ts';

const MIB = 2 ** 20;

export interface PlacedBar {
  /** Index in the list of functions. */
  readonly fn: number;
  readonly index: number;
  readonly is64Bit: boolean;
  readonly prefetchable: boolean;
  readonly address: number;
  readonly lengthBytes: number;
}

export interface PlacedWindow {
  readonly fn: number;
  readonly memory: Range | null;
  readonly prefetchable: Range | null;
}

/** What each root bus has for its devices. */
export interface RootWindows {
  readonly bus: number;
  readonly memory: Range | null;
  readonly prefetchable: Range | null;
}

export interface Placement {
  readonly bars: readonly PlacedBar[];
  readonly windows: readonly PlacedWindow[];
  readonly roots: readonly RootWindows[];
}

/** Where the board leaves room for PCI: behind the configuration window, and above all RAM. Both within 39 bits. */
export const MEMORY_POOL: Range = { start: 0xc0000000, end: 0xfec00000 };
export const PREFETCHABLE_POOL: Range = { start: 64 * 2 ** 30, end: 2 ** 38 };

type Pool = 'memory' | 'prefetchable';

/** Something that needs addresses: a BAR, or all that is below a bridge. */
interface Need {
  readonly bytes: number;
  readonly align: number;
  readonly put: (address: number) => void;
}

/** Places everything. Throws `QEMU_RESOURCES` where a pool is too small. */
export function placeResources(functions: readonly FoundFunction[]): Placement {
  const placer = new Placer(functions);
  return placer.place();
}

class Placer {
  readonly #functions: readonly FoundFunction[];
  readonly #children = new Map<number, number[]>();
  readonly #bars: PlacedBar[] = [];
  readonly #windows = new Map<number, { memory: Range | null; prefetchable: Range | null }>();

  constructor(functions: readonly FoundFunction[]) {
    this.#functions = functions;
    functions.forEach((fn, index) => {
      const siblings = this.#children.get(fn.parent) ?? [];
      siblings.push(index);
      this.#children.set(fn.parent, siblings);
    });
  }

  place(): Placement {
    const roots: RootWindows[] = [];
    const next = { memory: MEMORY_POOL.start, prefetchable: PREFETCHABLE_POOL.start };
    const tops = this.#children.get(-1) ?? [];
    for (const bus of new Set(tops.map((index) => (this.#functions[index] as FoundFunction).rootBus))) {
      const members = tops.filter((index) => (this.#functions[index] as FoundFunction).rootBus === bus);
      const memory = this.#root(members, 'memory', next, MEMORY_POOL);
      const prefetchable = this.#root(members, 'prefetchable', next, PREFETCHABLE_POOL);
      roots.push({ bus, memory, prefetchable });
    }
    const windows = this.#functions.flatMap((fn, index) => {
      if (!fn.isBridge) return [];
      return [{ fn: index, ...(this.#windows.get(index) ?? { memory: null, prefetchable: null }) }];
    });
    return { bars: this.#bars, windows, roots };
  }

  #root(members: readonly number[], pool: Pool, next: Record<Pool, number>, limit: Range): Range | null {
    const { bytes, align, put } = this.#needOfBus(members, pool);
    if (bytes === 0) return null;
    const start = alignUpFar(next[pool], Math.max(align, MIB));
    const end = alignUpFar(start + bytes, MIB);
    if (end > limit.end) {
      throw new QemuError({
        code: 'QEMU_RESOURCES',
        path: `root bus ${(this.#functions[members[0] as number] as FoundFunction).rootBus}`,
        message: `its ${pool === 'memory' ? '32-bit' : '64-bit prefetchable'} BARs and windows end at ${hex(end)}, the room for them at ${hex(limit.end)}`,
        hint: 'describe fewer devices, or smaller memories',
      });
    }
    put(start);
    next[pool] = end;
    return { start, end };
  }

  /** What a bus needs in one pool: its functions' own BARs and the windows of its bridges, densely packed. */
  #needOfBus(members: readonly number[], pool: Pool): Need {
    const needs = members.flatMap((index) => this.#needsOf(index, pool)).sort((a, b) => b.align - a.align);
    const align = needs[0]?.align ?? 1;
    let bytes = 0;
    const offsets = needs.map((need) => {
      const at = alignUpFar(bytes, need.align);
      bytes = at + need.bytes;
      return at;
    });
    const put = (address: number): void => {
      needs.forEach((need, index) => {
        need.put(address + (offsets[index] as number));
      });
    };
    return { bytes, align, put };
  }

  #needsOf(index: number, pool: Pool): Need[] {
    const fn = this.#functions[index] as FoundFunction;
    const needs: Need[] = [];
    for (const bar of fn.bars) {
      // A window of a bridge that is not prefetchable has 32 bits, so only prefetchable BARs may lie above 4 GiB.
      const barPool = bar.is64Bit && bar.prefetchable ? 'prefetchable' : 'memory';
      if (barPool !== pool) continue;
      const align = Math.max(bar.lengthBytes, 4096);
      needs.push({
        bytes: bar.lengthBytes,
        align,
        put: (address) => this.#bars.push({ ...bar, fn: index, address }),
      });
    }
    if (!fn.isBridge) return needs;
    const below = this.#needOfBus(this.#children.get(index) ?? [], pool);
    if (below.bytes === 0) return needs;
    const bytes = alignUpFar(below.bytes, MIB);
    needs.push({
      bytes,
      align: Math.max(below.align, MIB),
      put: (address) => {
        const windows = this.#windows.get(index) ?? { memory: null, prefetchable: null };
        windows[pool] = { start: address, end: address + bytes };
        this.#windows.set(index, windows);
        below.put(address);
      },
    });
    return needs;
  }
}

/** `alignUp` for granules above 2^31 too. */
function alignUpFar(value: number, granule: number): number {
  return granule <= 2 ** 31 ? alignUp(value, granule) : Math.ceil(value / granule) * granule;
}

const COMMAND = 0x04;
const COMMAND_MEMORY_AND_MASTER = 0x6;
const BAR0 = 0x10;
const IO_WINDOW = 0x1c;
const MEMORY_WINDOW = 0x20;
const PREFETCHABLE_WINDOW = 0x24;
const PREFETCHABLE_BASE_UPPER = 0x28;
const PREFETCHABLE_LIMIT_UPPER = 0x2c;
/** Base above limit: closed. */
const CLOSED = 0x0000fff0;

/** Programs BARs and windows, then enables memory space and bus mastering everywhere. Writes are pipelined. */
export async function programResources(
  config: ConfigAccess,
  functions: readonly FoundFunction[],
  placement: Placement,
): Promise<void> {
  const writes: Promise<void>[] = [];
  const bdfOf = (index: number): Bdf => (functions[index] as FoundFunction).bdf;
  for (const { fn, index, is64Bit, address } of placement.bars) {
    const { high, low } = wordsOf(address);
    writes.push(config.write(bdfOf(fn), BAR0 + 4 * index, 4, low));
    if (is64Bit) writes.push(config.write(bdfOf(fn), BAR0 + 4 * index + 4, 4, high));
  }
  for (const { fn, memory, prefetchable } of placement.windows) {
    const bdf = bdfOf(fn);
    writes.push(config.write(bdf, IO_WINDOW, 2, 0x00f0));
    writes.push(config.write(bdf, MEMORY_WINDOW, 4, memory === null ? CLOSED : windowWord(memory)));
    const upper = prefetchable === null ? { base: 0, limit: 0 } : upperWords(prefetchable);
    writes.push(config.write(bdf, PREFETCHABLE_WINDOW, 4, prefetchable === null ? CLOSED : windowWord(prefetchable)));
    writes.push(config.write(bdf, PREFETCHABLE_BASE_UPPER, 4, upper.base));
    writes.push(config.write(bdf, PREFETCHABLE_LIMIT_UPPER, 4, upper.limit));
  }
  for (const { bdf, ioBars } of functions) {
    for (const index of ioBars) writes.push(config.write(bdf, BAR0 + 4 * index, 4, 0));
    writes.push(config.write(bdf, COMMAND, 2, COMMAND_MEMORY_AND_MASTER));
  }
  await Promise.all(writes);
}

/** Base and limit registers, bits 31:20 of the first and the last address. */
function windowWord(range: Range): number {
  const base = (range.start & 0xfff00000) >>> 16;
  const limit = ((range.end - 1) & 0xfff00000) >>> 0;
  return (limit | base) >>> 0;
}

function upperWords(range: Range): { base: number; limit: number } {
  return { base: wordsOf(range.start).high, limit: wordsOf(range.end - 1).high };
}
