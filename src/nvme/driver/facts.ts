/** What a controller says of itself, read once while it is brought up. NVM Express Base Specification 1.4, 5.15. */

import { getAscii, getU32, getU64 } from '../spec/bytes.ts';
import { getField } from '../spec/field.ts';
import { IDENTIFY_CONTROLLER, IDENTIFY_NAMESPACE, MODEL_BYTES, SERIAL_BYTES } from '../spec/identify.ts';
import { SGLS } from '../spec/sgl.ts';
import { offersRelativeSgl } from '../spec/vendor.ts';
import type { CmbFacts } from './cmb-setup.ts';

export interface NamespaceFacts {
  readonly id: number;
  readonly blocks: number;
  readonly blockBytes: number;
}

export interface ControllerFacts {
  /** VS register. */
  readonly version: number;
  readonly serial: string;
  readonly model: string;
  /** Entries of a queue at most. */
  readonly maxQueueEntries: number;
  /** I/O queue pairs at most. */
  readonly ioQueuePairs: number;
  /** Longest command in bytes by MDTS, `Infinity` where it says none. */
  readonly maxTransferBytes: number;
  /** 0: no SGLs. 1 or 4: steps of their addresses and lengths. */
  readonly sglGranularity: 0 | 1 | 4;
  /** Our vendor extension: Data Blocks whose address is an offset in the buffer. */
  readonly offersRelativeSgl: boolean;
  /** Null where there is none, or where it was left off. */
  readonly cmb: CmbFacts | null;
  readonly namespaces: readonly NamespaceFacts[];
}

/** What the Identify Controller page says. `pageBytes` is the smallest page, which MDTS counts in. */
export function readControllerPage(
  page: Uint8Array,
  pageBytes: number,
): Pick<ControllerFacts, 'serial' | 'model' | 'maxTransferBytes' | 'sglGranularity' | 'offersRelativeSgl'> {
  const mdts = page[IDENTIFY_CONTROLLER.MDTS] as number;
  const support = getField(getU32(page, IDENTIFY_CONTROLLER.SGLS), SGLS.SUPPORT);
  return {
    serial: getAscii(page, IDENTIFY_CONTROLLER.SN, SERIAL_BYTES),
    model: getAscii(page, IDENTIFY_CONTROLLER.MN, MODEL_BYTES),
    maxTransferBytes: mdts === 0 ? Number.POSITIVE_INFINITY : pageBytes * 2 ** mdts,
    // 1: byte granularity; 2: dwords. 0 and the reserved 3 are taken for none.
    sglGranularity: support === 1 ? 1 : support === 2 ? 4 : 0,
    offersRelativeSgl: support !== 0 && offersRelativeSgl(page),
  };
}

/** What the Identify Namespace page says; null for a namespace that is not active (all zeros). */
export function readNamespacePage(page: Uint8Array, id: number): NamespaceFacts | null {
  const blocks = getU64(page, IDENTIFY_NAMESPACE.NSZE);
  const format = (page[IDENTIFY_NAMESPACE.FLBAS] as number) & 0xf;
  const shift = page[IDENTIFY_NAMESPACE.LBAF0 + format * 4 + 2] as number;
  return blocks === 0 ? null : { id, blocks, blockBytes: 2 ** shift };
}
