/**
 * Finds and enables the Controller Memory Buffer. NVM Express Base Specification 1.4, 3.1 and 4.7; the order is Linux's.
 *
 * Step 1  CAP.CMBS: CMBMSC = CRE, so that CMBLOC and CMBSZ tell the truth
 * Step 2  size, place and support bits from CMBSZ and CMBLOC
 * Step 3  CAP.CMBS: CMBMSC = CBA | CMSE | CRE, CBA being the bus address of the buffer unless the caller wants another
 *
 * Without CAP.CMBS (before 1.4) steps 1 and 3 fall away: the buffer is on, and recognised by its bus address.
 */

import { addBytes, type DmaAddr, dmaAddr } from '../../core/address.ts';
import { getField, withField } from '../spec/field.ts';
import { CAP, CMBLOC, CMBMSC, CMBSTS, CMBSZ, cmbUnitBytes, REGISTERS } from '../spec/registers.ts';
import type { OwnFunction } from './ports.ts';
import type { RegisterLink } from './register-link.ts';

/** What the driver knows of a buffer that is on. */
export interface CmbFacts {
  readonly bar: number;
  /** Where it begins in the BAR. */
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** What the controller recognises as the buffer's first byte: CBA, or the bus address. */
  readonly base: DmaAddr;
  /** Recognised by the bus address of the BAR: the kind before 1.4. */
  readonly isLegacy: boolean;
  readonly sqs: boolean;
  readonly cqs: boolean;
  readonly lists: boolean;
  readonly rds: boolean;
  readonly wds: boolean;
  /**
   * One command's data may be in the buffer and outside. By CDPMLS and CDMMMS together: the first speaks of lists and the second
   * of data, and controllers that show only the first refuse mixed data.
   */
  readonly mixedData: boolean;
}

/** `off` leaves the buffer alone; an address is used as CBA in place of the bus address. */
export type CmbChoice = 'on' | 'off' | { readonly base: DmaAddr };

/** CMBMSC.CRE and CMBMSC.CMSE. */
const CRE = withField(0, CMBMSC.CRE, 1);
const CRE_AND_CMSE = withField(CRE, CMBMSC.CMSE, 1);

/** Enables the buffer. Null where there is none, where its BAR has no address, or where the controller refuses the base. */
export async function setUpCmb(link: RegisterLink, fn: OwnFunction, choice: CmbChoice): Promise<CmbFacts | null> {
  const isLegacy = getField(await link.read(CAP.CMBS.offset), CAP.CMBS) === 0;
  // Step 1
  if (!isLegacy) await link.writeLong(REGISTERS.CMBMSC.offset, choice === 'off' ? 0 : CRE);
  if (choice === 'off') return null;
  // Step 2
  const size = await link.read(CMBSZ.SZ.offset);
  const location = await link.read(CMBLOC.BIR.offset);
  const unit = cmbUnitBytes(getField(size, CMBSZ.SZU));
  const sizeBytes = unit * getField(size, CMBSZ.SZ);
  const startBytes = unit * getField(location, CMBLOC.OFST);
  const bar = getField(location, CMBLOC.BIR);
  const barBus = sizeBytes === 0 ? null : fn.busAddress(bar);
  if (barBus === null) return null;
  const bus = dmaAddr(addBytes(barBus, startBytes));
  const base = choice === 'on' || isLegacy ? bus : choice.base;
  // Step 3
  if (!isLegacy) {
    await link.writeLong(REGISTERS.CMBMSC.offset, base + CRE_AND_CMSE);
    if (getField(await link.read(CMBSTS.CBAI.offset), CMBSTS.CBAI) === 1) return null;
  }
  const has = (field: { readonly shift: number; readonly width: number }): boolean => getField(size, field) === 1;
  return {
    bar,
    startBytes,
    sizeBytes,
    base,
    isLegacy,
    sqs: has(CMBSZ.SQS),
    cqs: has(CMBSZ.CQS),
    lists: has(CMBSZ.LISTS),
    rds: has(CMBSZ.RDS),
    wds: has(CMBSZ.WDS),
    mixedData: getField(location, CMBLOC.CDPMLS) === 1 && getField(location, CMBLOC.CDMMMS) === 1,
  };
}
