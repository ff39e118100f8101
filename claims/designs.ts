/** The five designs side by side: what a submitter puts into the queue, and what classifies it at the mapping device. */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../src/block/index.ts';
import {
  Certifier,
  type Classifier,
  type ClassifierName,
  type ClassifyMode,
  classifierFor,
  type DmaDevice,
  type DmaDirection,
  DmaMapping,
  dmaUnmapBvec,
  Lookup,
  type PairTypes,
  premap,
  type RangeTable,
} from '../src/dma/index.ts';

export type DesignName = ClassifyMode;
/** With the form of flags that the command takes by default. */
export type RoadName = DesignName | 'flags verified';

/** A device, and what is known of the roads to it. */
export interface Side {
  readonly table: RangeTable;
  readonly pairs: PairTypes;
  readonly device: DmaDevice;
}

/** What is in the queue. */
export interface Submitted {
  readonly list: BvecList;
  /** Generation of the table when it was submitted. */
  readonly generation: number;
  /** The mapping that the submitter made, where the design maps first. */
  readonly mapping: DmaMapping | null;
  /** Gives back what submitting took. */
  readonly end: () => void;
}

export interface Design<Name extends string = DesignName> {
  readonly name: Name;
  /** The submitter's work, for the device that he has in mind. `plain`: CPU physical, without flags. */
  submit(side: Side, plain: BvecList, direction: DmaDirection): Submitted;
  /** What the mapper asks, for a list that was submitted at `generation` (left out: just now). */
  classifier(side: Side, generation?: number): Classifier;
}

const NOTHING = (): void => {};

export const DESIGNS: readonly Design[] = [
  {
    name: 'flags',
    submit: (side, plain) => inQueue(side, tagged(side, plain)),
    classifier: asking('flags'),
  },
  {
    name: 'lookup',
    submit: (side, plain) => inQueue(side, plain),
    classifier: asking('lookup'),
  },
  {
    name: 'page',
    submit: (side, plain) => inQueue(side, plain),
    classifier: asking('page'),
  },
  {
    name: 'premapped',
    submit: (side, plain, direction) => {
      const mapping = new DmaMapping();
      const list = premap(side.device, plain, direction, new Lookup(side.table, side.pairs), mapping);
      return { list, generation: side.table.generation, mapping, end: () => dmaUnmapBvec(side.device, mapping) };
    },
    classifier: asking('premapped'),
  },
  {
    name: 'certified',
    submit: (side, plain) => {
      const list = BvecList.fromVectors(plain);
      new Certifier(side.table, side.pairs).certify(list);
      return inQueue(side, list);
    },
    classifier: asking('certified'),
  },
];

/** Flags, each compared with the machine: a lookup that believes nobody, and no design of its own. */
export const VERIFIED: Design<'flags verified'> = {
  name: 'flags verified',
  submit: (side, plain) => inQueue(side, tagged(side, plain)),
  classifier: asking('flags-verified'),
};

/** The five, and flags once more. */
export const ROADS: readonly Design<RoadName>[] = [...DESIGNS, VERIFIED];

/** A design by its name. */
export function design<Name extends RoadName>(name: Name): Design<Name> {
  return ROADS.find((one) => one.name === name) as Design<Name>;
}

function inQueue({ table }: Side, list: BvecList): Submitted {
  return { list, generation: table.generation, mapping: null, end: NOTHING };
}

function asking(name: ClassifierName): Design['classifier'] {
  return ({ table, pairs }, generation) => classifierFor(name, { table, pairs, queuedAt: generation });
}

/**
 * The vectors as the mail's submitter would have tagged them. That one knows whose memory it allocated and asks the distance
 * (mail-submitter.ts); a list of plain addresses does not tell, so the owner is looked up here, before anything is measured.
 */
export function tagged({ table, pairs }: Side, plain: BvecList): BvecList {
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
