/**
 * The Controller Memory Buffer: its bytes, its registers, and which addresses it recognises as its own.
 * NVM Express Base Specification 1.4, 3.1 (CMBLOC, CMBSZ, CMBMSC, CMBSTS) and 4.7.
 *
 *     BAR:   |....OFST....[ CMB: SZ units ]....|     recognised at: CBA            (CAP.CMBS = 1, CMBMSC.CRE and CMSE)
 *                                                                 bus(BAR) + OFST  (CAP.CMBS = 0, always on)
 *
 * The bytes answer CPU and peers through the BAR at all times, also before CMBMSC.CRE, as on other implementations.
 */

import { ADDRESS_LIMIT } from '../../core/address.ts';
import { SparseMemory } from '../../fabric/sparse-memory.ts';
import { getField, withField } from '../spec/field.ts';
import { CMB_LARGEST_UNIT, CMBLOC, CMBMSC, CMBSZ, cmbUnitBytes } from '../spec/registers.ts';
import { NvmeDeviceError } from './errors.ts';
import type { CmbOptions } from './options.ts';
import type { BarPort } from './ports.ts';

export class Cmb {
  readonly bar: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly legacy: boolean;
  readonly memory: SparseMemory;
  readonly sqs: boolean;
  readonly cqs: boolean;
  readonly lists: boolean;
  readonly rds: boolean;
  readonly wds: boolean;
  /** The lists of one command may be in both places. */
  readonly mixedLists: boolean;
  /** Lists may be in the buffer although the command is not. */
  readonly independentLists: boolean;
  /**
   * The data of one command may be in both places. The specification puts data under CDMMMS and lists under CDPMLS; drivers'
   * lore speaks of CDPMLS for both, and QEMU, with CDPMLS alone, refuses mixed data. So both bits are asked for.
   */
  readonly mixedData: boolean;

  readonly #bars: BarPort | null;
  readonly #cmbloc: number;
  readonly #cmbsz: number;
  #controlLow = 0;
  #controlHigh = 0;
  #baseInvalid = false;
  /** First address that is recognised; negative while none is. */
  #base = -1;

  constructor(options: CmbOptions, bars: BarPort | undefined) {
    this.sizeBytes = options.sizeBytes;
    this.bar = options.bar ?? 2;
    this.offsetBytes = options.offsetBytes ?? 0;
    this.legacy = options.legacy ?? false;
    this.sqs = options.sqs ?? true;
    this.cqs = options.cqs ?? false;
    this.lists = options.lists ?? true;
    this.rds = options.rds ?? true;
    this.wds = options.wds ?? true;
    this.mixedLists = options.cdpmls ?? false;
    this.independentLists = options.cdpcils ?? true;
    const cdmmms = options.cdmmms ?? this.mixedLists;
    this.mixedData = cdmmms && this.mixedLists;
    this.#bars = bars ?? null;
    if (this.legacy && this.#bars === null) {
      throw new NvmeDeviceError({
        code: 'NVME_CMB_PORT',
        path: 'cmb.legacy',
        message: 'a controller memory buffer of the kind before 1.4 is recognised by the bus address of its BAR',
        hint: 'hand in `bars`, which tells it',
      });
    }
    const szu = unitFor(this.sizeBytes, this.offsetBytes, this.bar);
    const unit = cmbUnitBytes(szu);
    let location = withField(0, CMBLOC.BIR, this.bar);
    location = withField(location, CMBLOC.CDPMLS, Number(this.mixedLists));
    location = withField(location, CMBLOC.CDPCILS, Number(this.independentLists));
    location = withField(location, CMBLOC.CDMMMS, Number(cdmmms));
    this.#cmbloc = withField(location, CMBLOC.OFST, this.offsetBytes / unit);
    let size = withField(0, CMBSZ.SQS, Number(this.sqs));
    size = withField(size, CMBSZ.CQS, Number(this.cqs));
    size = withField(size, CMBSZ.LISTS, Number(this.lists));
    size = withField(size, CMBSZ.RDS, Number(this.rds));
    size = withField(size, CMBSZ.WDS, Number(this.wds));
    size = withField(size, CMBSZ.SZU, szu);
    this.#cmbsz = withField(size, CMBSZ.SZ, this.sizeBytes / unit);
    this.memory = new SparseMemory(this.sizeBytes);
    this.refresh();
  }

  /** Whether CMBLOC and CMBSZ tell the truth, and with them the offsets of the relative SGL. */
  get enabled(): boolean {
    return this.legacy || getField(this.#controlLow, CMBMSC.CRE) === 1;
  }

  get cmbloc(): number {
    return this.enabled ? this.#cmbloc : 0;
  }

  get cmbsz(): number {
    return this.enabled ? this.#cmbsz : 0;
  }

  get cmbmscLow(): number {
    return this.#controlLow;
  }

  get cmbmscHigh(): number {
    return this.#controlHigh;
  }

  get cmbsts(): number {
    return Number(this.#baseInvalid);
  }

  /** Writes one half of CMBMSC. Without CAP.CMBS the register is reserved and the write ignored. */
  writeControl(half: 'low' | 'high', value: number): void {
    if (this.legacy) return;
    // Bits 11:2 of the low half are reserved.
    if (half === 'low') this.#controlLow = (value & 0xfffff003) >>> 0;
    else this.#controlHigh = value >>> 0;
    this.refresh();
  }

  /** Forgets CMBMSC, as a reset of the whole function does. A controller reset (CC.EN) leaves it, and both leave the bytes. */
  reset(): void {
    this.#controlLow = 0;
    this.#controlHigh = 0;
    this.refresh();
  }

  /** Works out again which addresses are recognised: after a write to CMBMSC, and where the BAR may have moved. */
  refresh(): void {
    this.#baseInvalid = false;
    if (this.legacy) {
      const bus = this.#bars?.busAddress(this.bar) ?? null;
      this.#base = bus === null ? -1 : bus + this.offsetBytes;
      return;
    }
    this.#base = -1;
    if (!this.enabled || getField(this.#controlLow, CMBMSC.CMSE) === 0) return;
    const low = (this.#controlLow & 0xfffff000) >>> 0;
    const base = this.#controlHigh * 2 ** 32 + low;
    // CBA + size - 1 must fit 64 bits. The distance from CBA to 2^64 is exact in a double: both words are.
    const toTheTop = (2 ** 32 - this.#controlHigh) * 2 ** 32 - low;
    this.#baseInvalid = toTheTop < this.sizeBytes;
    // A base of 2^53 or more is legal but no command can name it: addresses here end below (core, `ADDRESS_LIMIT`).
    if (!this.#baseInvalid && base < ADDRESS_LIMIT) this.#base = base;
  }

  /**
   * Offset in the buffer of `address` if it is recognised, or -1. Says nothing of a length: a range that begins inside may end
   * outside.
   */
  offsetOf(address: number): number {
    const offset = address - this.#base;
    return this.#base >= 0 && offset >= 0 && offset < this.sizeBytes ? offset : -1;
  }
}

/** The largest unit that both the size and the offset are multiples of. */
function unitFor(sizeBytes: number, offsetBytes: number, bar: number): number {
  for (let szu = CMB_LARGEST_UNIT; szu >= 0; szu--) {
    const unit = cmbUnitBytes(szu);
    if (sizeBytes % unit !== 0 || offsetBytes % unit !== 0) continue;
    const fits = sizeBytes >= unit && sizeBytes / unit < 2 ** 20 && offsetBytes >= 0 && offsetBytes / unit < 2 ** 20;
    if (fits && [0, 2, 3, 4, 5].includes(bar)) return szu;
    break;
  }
  throw new NvmeDeviceError({
    code: 'NVME_CMB_GEOMETRY',
    path: 'cmb',
    message: `${sizeBytes} bytes at offset ${offsetBytes} of BAR ${bar} cannot be said by CMBLOC and CMBSZ`,
    hint: 'use BAR 0, 2, 3, 4 or 5, and a size and offset that are multiples of 4 KiB and below 2^20 common units',
  });
}
