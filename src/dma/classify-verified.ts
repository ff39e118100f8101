/**
 * The mail's flags, verified: the mapping is that of the trusting road, then each vector is checked against the machine. A
 * flag that says another thing than the machine is refused.
 */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, type BvecList } from '../block/bio-vec.ts';
import { checkObject } from '../core/argument.ts';
import { hex } from '../core/hex.ts';
import { type Classified, newClassified } from './classified.ts';
import { type Classifier, type LookupCounters, newCounters } from './classifier.ts';
import type { DmaDevice } from './device.ts';
import { MapError } from './errors.ts';
import { flagName } from './flag-refusals.ts';
import { MADE_NOW, ownerIndex } from './owner.ts';
import { PAIR_BUS, PAIR_HOST_BRIDGE, type PairTypes } from './pair-types.ts';
import type { RangeRecord, RangeTable } from './range-table.ts';

export class VerifiedFlags implements Classifier {
  readonly name = 'flags-verified';
  readonly counters: LookupCounters = newCounters();
  readonly table: RangeTable;
  readonly pairs: PairTypes;
  queuedAt: number = MADE_NOW;
  readonly #classified = newClassified();

  constructor(table: RangeTable, pairs: PairTypes) {
    checkObject(table, 'records', 'classifier: table', 'a RangeTable');
    checkObject(pairs, 'client', 'classifier: pairs', 'the PairTypes of the mapping device');
    this.table = table;
    this.pairs = pairs;
  }

  /**
   * @throws MapError FLAGS_CONFLICT, FLAG_MISMATCH, UNOWNED_ADDRESS, RANGE_STRADDLES, PROVIDER_GONE, PAIR_NOT_SUPPORTED,
   * PAIR_UNKNOWN
   */
  classify(device: DmaDevice, vectors: BvecList): Classified {
    this.pairs.checkClient(device.fn);
    for (let index = 0; index < vectors.count; index++) this.#verify(device, vectors, index);
    this.#classified.kind = vectors.flags;
    this.#classified.address = vectors.address;
    return this.#classified;
  }

  /** The record of the vector's owner; -1 is returned for none only by throwing. */
  ownerOf(device: DmaDevice, vectors: BvecList, index: number): RangeRecord {
    const flags = vectors.flags[index] as number;
    const length = vectors.length[index] as number;
    const address = vectors.address[index] as number;
    this.counters.lookups++;
    const cpu = flags === BVEC_MAP_BUS_ADDR ? this.#cpuOfBus(device, address) : address;
    if (cpu < 0) {
      throw new MapError(
        'UNOWNED_ADDRESS',
        `vectors[${index}]`,
        `${hex(address)} is no bus address below the host bridge of ${device.fn.name}`,
        'give the bus address of a BAR',
      );
    }
    if (cpu !== address) refuseUnownedBus(this.table, device, address, cpu, length, index);
    return this.table.at(ownerIndex(this.table, cpu, length, this.queuedAt, index));
  }

  #verify(device: DmaDevice, vectors: BvecList, index: number): void {
    const flags = vectors.flags[index] as number;
    const path = `vectors[${index}]`;
    const address = vectors.address[index] as number;
    if ((vectors.length[index] as number) === 0) return; // refused by the mapper with its own words
    if (flags === (BVEC_MAP_BUS_ADDR | BVEC_MAP_RESOURCE)) {
      throw new MapError(
        'FLAGS_CONFLICT',
        path,
        `the vector at ${hex(address)} has ${flagName(flags)}`,
        'an address is read one way: set one of the two',
      );
    }
    const record = this.ownerOf(device, vectors, index);
    if (record.kind === 'ram') {
      if (flags === 0) return;
      throw new MapError(
        'FLAG_MISMATCH',
        path,
        `${hex(address)} is RAM, and the vector has ${flagName(flags)}`,
        'RAM has no flag',
      );
    }
    const owner = this.pairs.context.functions[record.provider]?.name;
    if (flags === 0) {
      throw new MapError(
        'FLAG_MISMATCH',
        path,
        `${hex(address)} is BAR ${record.bar} of ${owner}, and the vector has no flag`,
        'ask the distance and set the flag that follows from it',
      );
    }
    const type = this.pairs.of(record.provider);
    if (type !== PAIR_BUS && type !== PAIR_HOST_BRIDGE) this.pairs.refuse(record.provider, path);
    const wanted = type === PAIR_BUS ? BVEC_MAP_BUS_ADDR : BVEC_MAP_RESOURCE;
    if (flags === wanted) return;
    const road = type === PAIR_BUS ? 'below the same switch' : 'through the host bridge';
    throw new MapError(
      'FLAG_MISMATCH',
      path,
      `${owner} is reached ${road}, and the vector has ${flagName(flags)}`,
      `set ${flagName(wanted)} and give the ${type === PAIR_BUS ? 'bus' : 'CPU physical'} address`,
    );
  }

  /** CPU address of a bus address below the device's own host bridge; -1 where there is none. */
  #cpuOfBus(device: DmaDevice, address: number): number {
    return address - device.fn.busOffset;
  }
}

/** Refuses a translated bus address that nobody owns, as it was given: the CPU address alone would puzzle. */
function refuseUnownedBus(
  table: RangeTable,
  device: DmaDevice,
  bus: number,
  cpu: number,
  length: number,
  index: number,
): void {
  if (table.find(cpu) >= 0 || table.find(cpu + length - 1) >= 0 || table.removedAt(cpu)) return;
  const where = `bus address ${hex(bus)} + ${length} below the host bridge of ${device.fn.name}`;
  throw new MapError(
    'UNOWNED_ADDRESS',
    `vectors[${index}]`,
    `${where} is CPU physical ${hex(cpu)}, in no RAM and no memory BAR of this machine`,
    'give the bus address of a BAR; a CPU physical address goes with BVEC_MAP_RESOURCE or without a flag',
  );
}
