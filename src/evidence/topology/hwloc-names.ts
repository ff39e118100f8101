/** Names that hwloc gives devices of the system: `cuda0`, `nvml1`, `mlx5_0`, `nvme0n1`. Some of them count, and say whose numbers they are. */

import { type DeviceLabel, deviceLabel, type Numbering, type PrintedAddress } from '../measured/device-label.ts';

const COUNTED: readonly (readonly [name: RegExp, numbering: Numbering])[] = [
  [/^cuda(\d{1,3})$/, 'cuda'],
  [/^nvml(\d{1,3})$/, 'nvml'],
  [/^rsmi(\d{1,3})$/, 'drm'],
];
const NIC = /^(?:mlx\d_|bnxt_re|irdma|hfi\d|qedr|efa_|rocep|ibp|ibs)/;
const DRIVE = /^(?:nvme\d|sd[a-z]|dax|pmem)/;

/** A device by its name; null where the name says neither what it is nor its number. */
export function namedDevice(name: string, address: PrintedAddress): DeviceLabel | null {
  for (const [pattern, numbering] of COUNTED) {
    const index = pattern.exec(name)?.[1];
    if (index !== undefined) return deviceLabel(name, 'gpu', { index: Number(index), numbering, name, ...address });
  }
  if (NIC.test(name)) return deviceLabel(name, 'nic', { name, ...address });
  return DRIVE.test(name) ? deviceLabel(name, 'drive', { name, ...address }) : null;
}
