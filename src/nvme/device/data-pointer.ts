/**
 * The data pointer of a command: reads PRPs or an SGL into a scatter list, and keeps the rules of the Controller Memory Buffer
 * (1.4, 4.7). Everything is read and judged before any data moves, so a refused command moves nothing.
 */

import { getU64 } from '../spec/bytes.ts';
import { FLAGS_PSDT_SHIFT, PSDT, SQE } from '../spec/command.ts';
import { STATUS } from '../spec/status.ts';
import { type DataPath, PLACE_BUCKET, PLACE_CMB, PLACE_HOST, PLACE_STRADDLES } from './data-path.ts';
import type { SglOptions } from './options.ts';
import type { PointerSink } from './pointer-sink.ts';
import { PrpWalk } from './prp-walk.ts';
import { ScatterList } from './scatter-list.ts';
import { SglWalk } from './sgl-walk.ts';

export class DataPointer implements PointerSink {
  /** Where the data of the last command that `load` accepted lies. */
  readonly list: ScatterList = new ScatterList();
  readonly #path: DataPath;
  readonly #prp: PrpWalk;
  readonly #sgl: SglWalk | null;
  #toHost = false;
  #commandInCmb = false;
  #listInCmb = false;
  #listInHost = false;
  #dataInCmb = false;
  #dataInHost = false;

  /** `sgl` is null for a controller without SGLs. */
  constructor(path: DataPath, pageBytes: number, sgl: Required<SglOptions> | null) {
    this.#path = path;
    this.#prp = new PrpWalk(this, pageBytes);
    this.#sgl = sgl === null ? null : new SglWalk(this, sgl);
  }

  /**
   * Reads the data pointer of the command at `at` for a transfer of `lengthBytes` > 0. `toHost`: a read command.
   * `commandInCmb`: the queue lies in the CMB. `allowSgl`: not on the admin queue over PCIe. Returns a status code.
   */
  load(
    command: Uint8Array,
    at: number,
    lengthBytes: number,
    toHost: boolean,
    commandInCmb: boolean,
    allowSgl: boolean,
  ): number {
    this.list.clear();
    this.#toHost = toHost;
    this.#commandInCmb = commandInCmb;
    this.#listInCmb = false;
    this.#listInHost = false;
    this.#dataInCmb = false;
    this.#dataInHost = false;
    const psdt = (command[at + SQE.FLAGS] as number) >>> FLAGS_PSDT_SHIFT;
    if (psdt === PSDT.PRP) {
      return this.#prp.walk(getU64(command, at + SQE.PRP1), getU64(command, at + SQE.PRP2), lengthBytes);
    }
    // No namespace here has metadata, so both forms with an SGL mean the same and MPTR is not looked at.
    const isSgl = psdt === PSDT.SGL || psdt === PSDT.SGL_METADATA_SGL;
    if (!isSgl || !allowSgl || this.#sgl === null) return STATUS.INVALID_FIELD;
    return this.#sgl.walk(command, at + SQE.DPTR, lengthBytes, toHost);
  }

  add(address: number, lengthBytes: number): number {
    const place = this.#path.placeOf(address, lengthBytes);
    if (place === PLACE_HOST) return this.#addData(PLACE_HOST, address, lengthBytes);
    if (place !== PLACE_CMB) return STATUS.DATA_TRANSFER_ERROR;
    return this.#addData(PLACE_CMB, this.#path.cmb?.offsetOf(address) as number, lengthBytes);
  }

  addRelative(offset: number, lengthBytes: number): number {
    const { cmb } = this.#path;
    // A buffer that is not enabled has no bytes to be an offset into.
    if (cmb === null || !cmb.enabled || offset + lengthBytes > cmb.sizeBytes) return STATUS.SGL_OFFSET_INVALID;
    return this.#addData(PLACE_CMB, offset, lengthBytes);
  }

  addBucket(lengthBytes: number): void {
    this.list.push(PLACE_BUCKET, 0, lengthBytes);
  }

  #addData(place: number, address: number, lengthBytes: number): number {
    const { cmb } = this.#path;
    if (cmb !== null) {
      if (place === PLACE_CMB) this.#dataInCmb = true;
      else this.#dataInHost = true;
      if (place === PLACE_CMB && !(this.#toHost ? cmb.rds : cmb.wds)) return STATUS.INVALID_USE_OF_CMB;
      if (this.#dataInCmb && this.#dataInHost && !cmb.mixedData) return STATUS.INVALID_USE_OF_CMB;
    }
    this.list.push(place, address, lengthBytes);
    return STATUS.SUCCESS;
  }

  readList(address: number, into: Uint8Array): number {
    const place = this.#path.placeOf(address, into.length);
    if (place === PLACE_STRADDLES) return STATUS.INVALID_USE_OF_CMB;
    const { cmb } = this.#path;
    if (cmb !== null) {
      if (place === PLACE_CMB) {
        this.#listInCmb = true;
        const allowed = cmb.lists && (this.#commandInCmb || cmb.independentLists);
        if (!allowed) return STATUS.INVALID_USE_OF_CMB;
      } else {
        this.#listInHost = true;
      }
      if (this.#listInCmb && this.#listInHost && !cmb.mixedLists) return STATUS.INVALID_USE_OF_CMB;
    }
    return this.#path.read(address, into) ? STATUS.SUCCESS : STATUS.DATA_TRANSFER_ERROR;
  }
}
