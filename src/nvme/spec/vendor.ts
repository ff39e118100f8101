/**
 * Our vendor extension: the relative SGL.
 *
 * A controller that addresses its own memory has no use for a bus address (case (c) of the mail), yet NVMe makes it look like
 * case (b2). No ratified text defines a "CMB offset" for the PCIe transport: subtype 1h means an offset into a capsule over
 * Fabrics and is not in use over PCIe. So this is ours, and named so: in a Data Block of subtype 1h the address field is an
 * offset in the Controller Memory Buffer. A controller offers it by two signs together: SGLS bit 20, and the bit below in the
 * vendor specific part of Identify Controller, behind our signature.
 */

import { getU32, putU32 } from './bytes.ts';
import { getField, withField } from './field.ts';
import { IDENTIFY_CONTROLLER } from './identify.ts';
import { SGLS } from './sgl.ts';

/** `P2PD`, little-endian, at the start of the vendor specific part. */
export const VENDOR_SIGNATURE = 0x44503250;

/** Offset of the feature bits, behind the signature. */
export const VENDOR_FEATURES: number = IDENTIFY_CONTROLLER.VENDOR + 4;

/** Feature bit 0: relative SGL. */
export const VENDOR_RELATIVE_SGL = { shift: 0, width: 1 } as const;

/** Whether an Identify Controller page offers the relative SGL: SGLS bit 20, our signature and our bit. */
export function offersRelativeSgl(identify: Uint8Array): boolean {
  return (
    getField(getU32(identify, IDENTIFY_CONTROLLER.SGLS), SGLS.OFFSET) === 1 &&
    getU32(identify, IDENTIFY_CONTROLLER.VENDOR) === VENDOR_SIGNATURE &&
    getField(getU32(identify, VENDOR_FEATURES), VENDOR_RELATIVE_SGL) === 1
  );
}

/** Makes an Identify Controller page offer the relative SGL. */
export function putRelativeSglOffer(identify: Uint8Array): void {
  const sgls = getU32(identify, IDENTIFY_CONTROLLER.SGLS);
  putU32(identify, IDENTIFY_CONTROLLER.SGLS, withField(sgls, SGLS.OFFSET, 1));
  putU32(identify, IDENTIFY_CONTROLLER.VENDOR, VENDOR_SIGNATURE);
  putU32(identify, VENDOR_FEATURES, withField(getU32(identify, VENDOR_FEATURES), VENDOR_RELATIVE_SGL, 1));
}
