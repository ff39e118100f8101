/**
 * The submitter of the mail, as its sketch has it: it knows whose memory it allocated, asks the distance from that provider to the
 * device that it has in mind, and says in the vector what came out. No table of ranges is there to be asked.
 */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../src/block/index.ts';
import { certificateWord, KIND_BUS, KIND_RAM, KIND_RESOURCE, type RangeTable } from '../src/dma/index.ts';
import { mailDistance, PCI_P2PDMA_THRU_HOST_BRIDGE, p2pdmaDistance } from '../src/p2p/index.ts';
import { requesterId } from '../src/pcie/index.ts';
import { type Lab, PAGE, type Place } from './lab.ts';

/** A page that the submitter allocated. */
export interface Memory {
  /** Whose it is; null is RAM. */
  readonly provider: Place | null;
  /** As the CPU and as the bus see it; of RAM the same. */
  readonly phys: number;
  readonly bus: number;
}

export function ramAt(address: number): Memory {
  return { provider: null, phys: address, bus: address };
}

/** A page of a place's BAR, the first unless said. */
export function pageOf(lab: Lab, provider: Place, page = 0): Memory {
  const { phys, bus } = lab.bar(provider);
  return { provider, phys: phys + page * PAGE, bus: bus + page * PAGE };
}

/** `pci_p2pdma_dist(provider_pdev, mapping_pdev)`: the one number of the mail. */
export function distanceOf(lab: Lab, provider: Place, client: Place): number {
  return mailDistance(p2pdmaDistance(lab.fn(provider), lab.fn(client), lab.context));
}

/** The kind of an allocation for a device, by its distance; null where P2P is not supported. */
function kindOf(lab: Lab, { provider }: Memory, client: Place): number | null {
  if (provider === null) return KIND_RAM;
  const distance = distanceOf(lab, provider, client);
  if (distance < 0) return null;
  return distance & PCI_P2PDMA_THRU_HOST_BRIDGE ? KIND_RESOURCE : KIND_BUS;
}

/** What the mail's `if` makes of an allocation. `instead`: the RAM that is taken where the distance is negative. */
export function chosen(lab: Lab, memory: Memory, client: Place, instead: number) {
  const kind = kindOf(lab, memory, client);
  if (kind === KIND_BUS)
    return { form: 'bus address, BVEC_MAP_BUS_ADDR', address: memory.bus, flags: BVEC_MAP_BUS_ADDR };
  if (kind === KIND_RESOURCE) {
    return { form: 'physical address, BVEC_MAP_RESOURCE', address: memory.phys, flags: BVEC_MAP_RESOURCE };
  }
  return { form: 'regular memory, no flag', address: kind === null ? instead : memory.phys, flags: 0 };
}

/** The vectors of the mail, for allocations that the device can reach. */
export function flagged(lab: Lab, memories: readonly Memory[], client: Place): BvecList {
  const list = new BvecList();
  for (const memory of memories) {
    const { address, flags } = chosen(lab, memory, client, Number.NaN);
    list.push(address, PAGE, flags);
  }
  return list;
}

/** The same with certificates. What is read of the table is its generation. */
export function certified(lab: Lab, memories: readonly Memory[], client: Place): BvecList {
  const list = lab.plain(...memories.map(({ phys }) => phys));
  const { generation } = lab.table;
  const requester = requesterId(lab.fn(client).bdf);
  list.certificate = Uint32Array.from(memories, (memory) =>
    certificateWord({ kind: kindOf(lab, memory, client), requesterId: requester, generation }),
  );
  return list;
}

/** How often anybody asks the table for a range while something runs. Its generation is a number, and not counted. */
export function timesAsked(table: RangeTable, action: () => void): number {
  let asked = 0;
  const { records } = table;
  const [find, at] = [table.find.bind(table), table.at.bind(table)];
  const counted = <Answer>(answer: Answer): Answer => {
    asked++;
    return answer;
  };
  const spied = {
    find: { configurable: true, value: (address: number) => counted(find(address)) },
    at: { configurable: true, value: (index: number) => counted(at(index)) },
    records: { configurable: true, get: () => counted(records) },
  };
  Object.defineProperties(table, spied);
  try {
    action();
  } finally {
    for (const name of Object.keys(spied)) Reflect.deleteProperty(table, name);
  }
  return asked;
}
