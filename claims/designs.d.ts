/** The five designs side by side: what a submitter puts into the queue, and what classifies it at the mapping device. */
import { BvecList } from '../src/block/index.ts';
import {
  type Classifier,
  type DmaDevice,
  type DmaDirection,
  DmaMapping,
  type PairTypes,
  type RangeTable,
} from '../src/dma/index.ts';
export type DesignName = 'flags' | 'lookup' | 'page' | 'premapped' | 'certified';
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
export interface Design {
  readonly name: DesignName;
  /** The submitter's work, for the device that he has in mind. `plain`: CPU physical, without flags. */
  submit(side: Side, plain: BvecList, direction: DmaDirection): Submitted;
  /** What the mapper asks, for a list that was submitted at `generation` (left out: just now). */
  classifier(side: Side, generation?: number): Classifier;
}
export declare const DESIGNS: readonly Design[];
/** A design by its name. */
export declare function design(name: DesignName): Design;
/** The vectors as the mail's submitter tags them: it asks the distance of each provider. */
export declare function tagged({ table, pairs }: Side, plain: BvecList): BvecList;
