/** The five designs side by side: what a submitter puts into the queue, and what classifies it at the mapping device. */
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../src/block/index.js';
import {
  Certified,
  Certifier,
  DmaMapping,
  dmaUnmapBvec,
  Lookup,
  PageDescriptors,
  Premapped,
  premap,
  TrustingFlags,
} from '../src/dma/index.js';

const NOTHING = () => {};
export const DESIGNS = [
  {
    name: 'flags',
    submit: (side, plain) => inQueue(side, tagged(side, plain)),
    classifier: () => new TrustingFlags(),
  },
  {
    name: 'lookup',
    submit: (side, plain) => inQueue(side, plain),
    classifier: ({ table, pairs }, generation) => withGeneration(new Lookup(table, pairs), generation),
  },
  {
    name: 'page',
    submit: (side, plain) => inQueue(side, plain),
    classifier: ({ table, pairs }, generation) => withGeneration(new PageDescriptors(table, pairs), generation),
  },
  {
    name: 'premapped',
    submit: (side, plain, direction) => {
      const mapping = new DmaMapping();
      const list = premap(side.device, plain, direction, new Lookup(side.table, side.pairs), mapping);
      return { list, generation: side.table.generation, mapping, end: () => dmaUnmapBvec(side.device, mapping) };
    },
    classifier: () => new Premapped(),
  },
  {
    name: 'certified',
    submit: (side, plain) => {
      const list = BvecList.fromVectors(plain);
      new Certifier(side.table, side.pairs).certify(list);
      return inQueue(side, list);
    },
    classifier: ({ table, pairs }) => new Certified(table, pairs),
  },
];
/** A design by its name. */
export function design(name) {
  return DESIGNS.find((one) => one.name === name);
}
function inQueue({ table }, list) {
  return { list, generation: table.generation, mapping: null, end: NOTHING };
}
function withGeneration(classifier, generation) {
  if (generation !== undefined) classifier.queuedAt = generation;
  return classifier;
}
/** The vectors as the mail's submitter tags them: it asks the distance of each provider. */
export function tagged({ table, pairs }, plain) {
  const list = new BvecList();
  for (const { address, length } of plain) {
    const found = table.find(address);
    const record = found < 0 ? null : table.at(found);
    const type = record === null || record.kind === 'ram' ? null : pairs.verdict(record.provider).type;
    if (type === 'busAddr') list.push(address + (record?.busOffset ?? 0), length, BVEC_MAP_BUS_ADDR);
    else list.push(address, length, type === null ? 0 : BVEC_MAP_RESOURCE);
  }
  return list;
}
