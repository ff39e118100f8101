/**
 * Where the designs are compared: a client and 1 to 64 providers below one switch of switches, and lists over their memory and RAM.
 *
 * - *honest*: half RAM, then the providers in turn, pages of one owner one behind the other.
 * - *hostile*: another owner at each vector, RAM at every other, and neighbours in the list are none in the table.
 */

import { BvecList } from '../src/block/index.ts';
import { DmaDevice, PairTypes, RangeTable } from '../src/dma/index.ts';
import { IommuDomain, IovaAllocator } from '../src/iommu/index.ts';
import type { Machine } from '../src/machine/index.ts';
import { JudgeContext, POLICIES } from '../src/p2p/index.ts';
import { buildTree } from '../src/pcie/index.ts';
import type { Side } from './designs.ts';

export const PROVIDERS = [1, 8, 64] as const;
export const VECTORS = [1, 16, 256] as const;
export const ORDERS = ['honest', 'hostile'] as const;
export const BAR_BYTES: number = 2 ** 22;

export type Order = (typeof ORDERS)[number];

export interface Ground {
  /** A device of its own each time, with a domain of its own. */
  readonly side: (iommu: 'on' | 'off') => Side;
  /** CPU addresses of the providers' memory. */
  readonly starts: readonly number[];
}

/** One client and some providers below one switch. */
export function ground(providers: number): Ground {
  const bars = [{ size: BAR_BYTES, prefetchable: true }];
  const endpoint = (name: string) => ({ below: [{ kind: 'endpoint' as const, name, functions: [{ bars }] }] });
  const names = ['client', ...Array.from({ length: providers }, (_, index) => `p${index}`)];
  const ports = Array.from({ length: Math.ceil(names.length / 32) }, (_, index) => ({
    below: [{ kind: 'switch' as const, ports: names.slice(index * 32, index * 32 + 32).map(endpoint) }],
  }));
  const { hierarchy, names: places } = buildTree({
    rootBuses: [{ children: [{ kind: 'rootPort', below: [{ kind: 'switch', ports }] }] }],
  });
  const machine: Machine = {
    source: 'bench',
    hierarchy,
    ram: [{ start: 2 ** 20, end: 2 ** 30 }],
    iomem: [],
    cpu: { vendor: 'AuthenticAMD', family: 23 },
    kernel: '6.12.0',
    cmdline: null,
    iommuGroupTypes: new Map(),
    notes: [],
  };
  const fn = (name: string) => {
    const bdf = places.get(name);
    const found = bdf && hierarchy.at(bdf);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  const context = new JudgeContext(machine, POLICIES['linux-6.12']);
  const side = (iommu: 'on' | 'off'): Side => {
    const domain = iommu === 'on' ? new IommuDomain({ allocator: new IovaAllocator() }) : null;
    const device = new DmaDevice({ fn: fn('client'), iommu, domain });
    return {
      table: RangeTable.ofMachine(machine),
      pairs: new PairTypes(context, hierarchy.indexOf(fn('client').bdf)),
      device,
    };
  };
  return { side, starts: names.slice(1).map((name) => fn(name).bars[0]?.cpuAddress as number) };
}

/** CPU physical vectors of 4 KiB. A list of one is provider memory. */
export function listOf({ starts }: Ground, count: number, order: Order): BvecList {
  const list = new BvecList(count);
  const half = Math.floor(count / 2);
  for (let index = 0; index < count; index++) {
    const isRam = count > 1 && (order === 'honest' ? index < half : index % 2 === 0);
    // Hostile: providers in a stride of 7.
    const place = order === 'honest' ? Math.floor(((index - half) * starts.length) / (count - half)) : index * 7;
    const page = (index % 1000) * 4096;
    list.push(isRam ? 2 ** 21 + page * 2 : (starts[place % starts.length] as number) + page, 4096, 0);
  }
  return list;
}
