/**
 * The register file: what is read back, and which bits a write changes. What a write *does* is the controller's.
 * NVM Express Base Specification 1.4, 3.1.
 */

import { type Field, fieldMax, withField } from '../spec/field.ts';
import { CAP, CC, CMBLOC, CMBMSC, CMBSTS, CMBSZ, REGISTERS } from '../spec/registers.ts';
import type { Cmb } from './cmb.ts';
import { VERSION_1_4 } from './identify-data.ts';
import { type ControllerProfile, MPS_MAX } from './options.ts';

/** Bits of a dword that host software may change. INTMS and INTMC are one mask behind two registers. */
const WRITABLE: ReadonlyMap<number, number> = new Map([
  [REGISTERS.CC.offset, maskOf(Object.values(CC))],
  [REGISTERS.AQA.offset, 0x0fff0fff],
  // Queue bases are page aligned.
  [REGISTERS.ASQ.offset, 0xfffff000],
  [REGISTERS.ASQ.offset + 4, 0xffffffff],
  [REGISTERS.ACQ.offset, 0xfffff000],
  [REGISTERS.ACQ.offset + 4, 0xffffffff],
]);

function maskOf(fields: readonly Field[]): number {
  return fields.reduce((mask, field) => (mask | (fieldMax(field) << field.shift)) >>> 0, 0);
}

const INTMS = REGISTERS.INTMS.offset;
const INTMC = REGISTERS.INTMC.offset;

export class ControllerRegisters {
  readonly #values: Map<number, number> = new Map();
  readonly #cmb: Cmb | null;

  constructor(profile: ControllerProfile, cmb: Cmb | null) {
    this.#cmb = cmb;
    let low = withField(0, CAP.MQES, profile.maxQueueEntries - 1);
    low = withField(low, CAP.CQR, 1);
    // The next half second above the delay, at least one.
    low = withField(low, CAP.TO, Math.min(255, Math.ceil(profile.readyDelayNs / 500e6) + 1));
    let high = withField(0, CAP.DSTRD, profile.doorbellStride);
    high = withField(high, CAP.CSS, 1);
    high = withField(high, CAP.MPSMAX, MPS_MAX);
    high = withField(high, CAP.CMBS, Number(cmb !== null && !cmb.legacy));
    this.#values.set(REGISTERS.CAP.offset, low);
    this.#values.set(REGISTERS.CAP.offset + 4, high);
    this.#values.set(REGISTERS.VS.offset, VERSION_1_4);
  }

  /** The dword at `offset`, a multiple of 4. What is not there reads 0. */
  read(offset: number): number {
    const cmb = this.#cmb;
    if (cmb !== null) {
      if (offset === CMBLOC.BIR.offset) return cmb.cmbloc;
      if (offset === CMBSZ.SZ.offset) return cmb.cmbsz;
      if (offset === CMBMSC.CRE.offset) return cmb.cmbmscLow;
      if (offset === CMBMSC.CBA_HIGH.offset) return cmb.cmbmscHigh;
      if (offset === CMBSTS.CBAI.offset) return cmb.cmbsts;
    }
    return this.#values.get(offset === INTMC ? INTMS : offset) ?? 0;
  }

  /** The 64-bit register at `offset` as a number: exact below 2^53, and at least that above. */
  readLong(offset: number): number {
    return this.read(offset + 4) * 2 ** 32 + this.read(offset);
  }

  /** A host write of a dword. Only writable bits change. */
  write(offset: number, value: number): void {
    if (offset === INTMS) this.#values.set(INTMS, (this.read(INTMS) | value) >>> 0);
    else if (offset === INTMC) this.#values.set(INTMS, (this.read(INTMS) & ~value) >>> 0);
    else if (offset === CMBMSC.CRE.offset) this.#cmb?.writeControl('low', value);
    else if (offset === CMBMSC.CBA_HIGH.offset) this.#cmb?.writeControl('high', value);
    else {
      const mask = WRITABLE.get(offset) ?? 0;
      if (mask !== 0) this.#values.set(offset, ((this.read(offset) & ~mask) | (value & mask)) >>> 0);
    }
  }

  /** Values of a power-on: everything that a host or the controller has set is forgotten. CMBMSC is the CMB's to forget. */
  reset(): void {
    for (const offset of [...WRITABLE.keys(), INTMS]) this.#values.delete(offset);
  }
}
