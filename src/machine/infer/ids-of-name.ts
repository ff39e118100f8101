/**
 * From a name that lspci prints back to vendor and device: `lspci -vvv` without -nn prints no numbers. Of a name that several devices have
 * all are given; of a vendor that is known and a name that is not, the vendor alone. `Device 14e8` says the number itself.
 */

import type { NamedIds } from '../../pcie/function-facts.ts';
import { DEVICE_NAMES } from './device-names.ts';

/** Names that older lists had for vendors, or that other lists have. */
const OTHER_VENDOR_NAMES: readonly (readonly [name: string, id: number])[] = [
  ['Advanced Micro Devices [AMD] nee ATI', 0x1002],
  ['Advanced Micro Devices, Inc. [AMD] nee ATI', 0x1002],
  ['Advanced Micro Devices [AMD]', 0x1022],
  ['ATI Technologies Inc', 0x1002],
  ['nVidia Corporation', 0x10de],
  ['Broadcom Corporation', 0x14e4],
  ['Broadcom Limited', 0x14e4],
  ['LSI Logic / Symbios Logic', 0x1000],
  ['Fuzhou Rockchip Electronics Co., Ltd', 0x1d87],
  ['Red Hat, Inc', 0x1af4],
  ['Red Hat, Inc', 0x1b36],
  ['Shanghai Zhaoxin Semiconductor Co., Ltd.', 0x1d17],
  ['NXP Semiconductors', 0x1957],
  ['MEDIATEK Corp.', 0x14c3],
  ['MediaTek Inc.', 0x14c3],
  ['Cavium Networks', 0x177d],
  ['SpacemiT', 0x201f],
  ['Sophgo', 0x1f1c],
  ['Raspberry Pi Ltd', 0x1de4],
];

interface Vendor {
  readonly id: number;
  readonly name: string;
  /** Where its devices stand in the table. */
  readonly start: number;
  readonly end: number;
}

let vendors: readonly Vendor[] | null = null;

/** The vendors of the table, longest name first: one may begin another. */
function vendorTable(): readonly Vendor[] {
  if (vendors !== null) return vendors;
  const found: Vendor[] = [];
  // A vendor starts at the margin, its devices do not.
  const heads = [...DEVICE_NAMES.matchAll(/^([0-9a-f]{4}) (.+)$/gm)];
  for (const [index, head] of heads.entries()) {
    const id = Number.parseInt(head[1] as string, 16);
    const start = head.index + head[0].length;
    const end = heads[index + 1]?.index ?? DEVICE_NAMES.length;
    found.push({ id, name: head[2] as string, start, end });
    for (const [name, other] of OTHER_VENDOR_NAMES) if (other === id) found.push({ id, name, start, end });
  }
  for (const [name, id] of OTHER_VENDOR_NAMES) {
    if (!found.some((vendor) => vendor.id === id)) found.push({ id, name, start: 0, end: 0 });
  }
  vendors = found.sort((a, b) => b.name.length - a.name.length);
  return vendors;
}

/** All ids that may have a name, `Intel Corporation Ice Lake Memory Map/VT-d`; none where its vendor is not in the table. */
export function idsOfName(name: string): NamedIds[] {
  const numbers = /^(?:Unknown device|Device) ([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(name);
  if (numbers !== null) return [{ vendorId: idIn(numbers[1]), deviceId: idIn(numbers[2]) }];
  const [first] = vendorTable().filter((vendor) => isVendorOf(vendor, name));
  if (first === undefined) return [];
  // Two makers may have one name, and a maker two.
  const makers = vendorTable().filter((vendor) => vendor.name.length === first.name.length && isVendorOf(vendor, name));
  const device = name.slice(first.name.length).trim();
  const number = /^(?:Unknown device|Device) ([0-9a-f]{4})$/i.exec(device);
  if (number !== null) return makers.map(({ id }) => ({ vendorId: id, deviceId: idIn(number[1]) }));
  const exact = makers.flatMap((vendor) =>
    devicesOf(vendor, device).map((id) => ({ vendorId: vendor.id, deviceId: id })),
  );
  return exact.length > 0 ? exact : makers.map(({ id }) => ({ vendorId: id, deviceId: null }));
}

function isVendorOf(vendor: Vendor, name: string): boolean {
  return name.startsWith(vendor.name) && (name.length === vendor.name.length || name[vendor.name.length] === ' ');
}

function idIn(digits: string | undefined): number {
  return Number.parseInt(digits ?? '', 16);
}

/** Ids of the lines ` DDDD NAME` of a vendor. */
function devicesOf({ start, end }: Vendor, name: string): number[] {
  const ids: number[] = [];
  if (name === '') return ids;
  const wanted = ` ${name}\n`;
  for (let at = DEVICE_NAMES.indexOf(wanted, start); at >= 0 && at < end; at = DEVICE_NAMES.indexOf(wanted, at + 1)) {
    const digits = DEVICE_NAMES.slice(at - 6, at);
    if (/^\n [0-9a-f]{4}$/.test(digits)) ids.push(idIn(digits.slice(2)));
  }
  return ids;
}
