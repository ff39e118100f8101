/** Moves the data of a command along its scatter list. Nothing is looked up here any more. */

import { STATUS } from '../spec/status.ts';
import type { Cmb } from './cmb.ts';
import { type DataPath, PLACE_BUCKET, PLACE_HOST } from './data-path.ts';
import type { BlockStore } from './ports.ts';
import type { ScatterList } from './scatter-list.ts';

/** Bytes that pass through the controller at once: small enough to stay in a processor's cache. */
export const STAGING_BYTES = 131072;

export class Transfer {
  readonly #path: DataPath;
  readonly #staging: Uint8Array = new Uint8Array(STAGING_BYTES);

  constructor(path: DataPath) {
    this.#path = path;
  }

  /** From the store to the places of the list: a read command. Returns a status code. */
  fromStore(store: BlockStore, storeOffset: number, list: ScatterList): number {
    let from = storeOffset;
    for (let index = 0; index < list.count; index++) {
      const place = list.places[index] as number;
      const address = list.addresses[index] as number;
      const length = list.lengths[index] as number;
      for (let done = 0; done < length; ) {
        const count = Math.min(length - done, STAGING_BYTES);
        if (place !== PLACE_BUCKET) {
          const bytes = this.#staging.subarray(0, count);
          if (store.read(from, bytes) !== 'ok') return STATUS.UNRECOVERED_READ_ERROR;
          if (!this.#put(place, address + done, bytes)) return STATUS.DATA_TRANSFER_ERROR;
        }
        from += count;
        done += count;
      }
    }
    return STATUS.SUCCESS;
  }

  /** From the places of the list to the store: a write command. Returns a status code. */
  toStore(store: BlockStore, storeOffset: number, list: ScatterList): number {
    let to = storeOffset;
    for (let index = 0; index < list.count; index++) {
      const place = list.places[index] as number;
      const address = list.addresses[index] as number;
      const length = list.lengths[index] as number;
      for (let done = 0; done < length; ) {
        const bytes = this.#staging.subarray(0, Math.min(length - done, STAGING_BYTES));
        if (!this.#get(place, address + done, bytes)) return STATUS.DATA_TRANSFER_ERROR;
        if (store.write(to, bytes) !== 'ok') return STATUS.WRITE_FAULT;
        to += bytes.length;
        done += bytes.length;
      }
    }
    return STATUS.SUCCESS;
  }

  /** From an array to the places of the list: what an admin command answers with. Returns a status code. */
  fromBytes(source: Uint8Array, list: ScatterList): number {
    let from = 0;
    for (let index = 0; index < list.count; index++) {
      const length = list.lengths[index] as number;
      const bytes = source.subarray(from, from + length);
      if (!this.#put(list.places[index] as number, list.addresses[index] as number, bytes)) {
        return STATUS.DATA_TRANSFER_ERROR;
      }
      from += length;
    }
    return STATUS.SUCCESS;
  }

  #put(place: number, address: number, bytes: Uint8Array): boolean {
    if (place === PLACE_HOST) return this.#path.writeHost(address, bytes);
    (this.#path.cmb as Cmb).memory.write(address, bytes);
    return true;
  }

  #get(place: number, address: number, bytes: Uint8Array): boolean {
    if (place === PLACE_HOST) return this.#path.readHost(address, bytes);
    (this.#path.cmb as Cmb).memory.read(address, bytes);
    return true;
  }
}
