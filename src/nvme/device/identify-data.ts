/** The identify pages that a simulated controller answers with. NVM Express Base Specification 1.4, 5.15. */

import { putAscii, putU16, putU32, putU64 } from '../spec/bytes.ts';
import { SQE_SHIFT } from '../spec/command.ts';
import { CQE_SHIFT } from '../spec/completion.ts';
import { type Field, withField } from '../spec/field.ts';
import {
  FIRMWARE_BYTES,
  IDENTIFY_BYTES,
  IDENTIFY_CONTROLLER,
  IDENTIFY_NAMESPACE,
  MODEL_BYTES,
  SERIAL_BYTES,
  SUBNQN_BYTES,
} from '../spec/identify.ts';
import { SGLS } from '../spec/sgl.ts';
import { putRelativeSglOffer } from '../spec/vendor.ts';
import type { ControllerProfile, Namespace } from './options.ts';

/** VS of this model. */
export const VERSION_1_4 = 0x00010400;

/** Asynchronous Event Requests that may be outstanding. */
export const ASYNC_EVENTS_MAX = 4;

/** Identify Controller, CNS 01h. */
export function identifyController(profile: ControllerProfile): Uint8Array {
  const page = new Uint8Array(IDENTIFY_BYTES);
  const at = IDENTIFY_CONTROLLER;
  putU16(page, at.VID, profile.vendorId);
  putU16(page, at.SSVID, profile.subsystemVendorId);
  putAscii(page, at.SN, SERIAL_BYTES, profile.serial);
  putAscii(page, at.MN, MODEL_BYTES, 'p2pdma simulated controller');
  putAscii(page, at.FR, FIRMWARE_BYTES, '1.0');
  page[at.MDTS] = profile.mdts;
  putU32(page, at.VER, VERSION_1_4);
  page[at.CNTRLTYPE] = 1;
  page[at.AERL] = ASYNC_EVENTS_MAX - 1;
  // Required and largest entry size in one byte: low and high nibble.
  page[at.SQES] = SQE_SHIFT * 0x11;
  page[at.CQES] = CQE_SHIFT * 0x11;
  putU32(page, at.NN, profile.namespaces.length);
  putName(page, at.SUBNQN, `nqn.2019-06.org.example.p2pdma:${profile.serial}`);
  const { sgl } = profile;
  if (sgl !== null) {
    let sgls = withField(0, SGLS.SUPPORT, sgl.granularityBytes === 1 ? 1 : 2);
    sgls = flag(sgls, SGLS.BIT_BUCKET, sgl.bitBucket);
    sgls = flag(sgls, SGLS.EXCESS_LENGTH, sgl.excessLength);
    putU32(page, at.SGLS, sgls);
    if (sgl.relative) putRelativeSglOffer(page);
  }
  return page;
}

function flag(dword: number, field: Field, on: boolean): number {
  return withField(dword, field, Number(on));
}

/** A qualified name ends with zeros, not with spaces. */
function putName(page: Uint8Array, at: number, name: string): void {
  const text = name.slice(0, SUBNQN_BYTES - 1);
  for (let index = 0; index < text.length; index++) page[at + index] = text.charCodeAt(index) & 0x7f;
}

/** Identify Namespace, CNS 00h. */
export function identifyNamespace(namespace: Namespace): Uint8Array {
  const page = new Uint8Array(IDENTIFY_BYTES);
  const at = IDENTIFY_NAMESPACE;
  putU64(page, at.NSZE, namespace.blocks);
  putU64(page, at.NCAP, namespace.blocks);
  putU64(page, at.NUSE, namespace.blocks);
  // LBADS, the block size as a power of two, in bits 23:16 of the only format.
  putU32(page, at.LBAF0, Math.log2(namespace.blockBytes) << 16);
  return page;
}

/** Active namespaces above `after`, CNS 02h: up to 1024 identifiers, rising. */
export function identifyActiveNamespaces(count: number, after: number): Uint8Array {
  const page = new Uint8Array(IDENTIFY_BYTES);
  for (let id = after + 1, at = 0; id <= count && at < IDENTIFY_BYTES; id++, at += 4) putU32(page, at, id);
  return page;
}

/** Namespace identification descriptors, CNS 03h: one UUID, made of the serial and the namespace's number. */
export function identifyDescriptors(serial: string, id: number): Uint8Array {
  const page = new Uint8Array(IDENTIFY_BYTES);
  const NIDT_UUID = 3;
  page[0] = NIDT_UUID;
  page[1] = 16;
  for (let index = 0; index < 12; index++) page[4 + index] = index < serial.length ? serial.charCodeAt(index) : 0;
  putU32(page, 16, id);
  return page;
}
