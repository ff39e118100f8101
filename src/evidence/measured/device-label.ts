/**
 * How a tool names a device: by an index that it counts itself, and perhaps by an address. Which function an index means depends on who
 * counts: NVML goes by address, CUDA by speed unless it is told otherwise, HIP and HSA by their own lists.
 */

import { formatBdf, parseBdf } from '../../pcie/bdf.ts';

export type DeviceSort = 'gpu' | 'nic' | 'cpu' | 'drive' | 'unknown';

/**
 * Who counts. `nvml`: NVIDIA's GPUs by address. `cuda`: by CUDA_DEVICE_ORDER. `hip`, `hsa`: ROCm's, HSA with the processors first. `drm`:
 * rocm-smi and amd-smi. `nic`: nvidia-smi's NICs. `rank`: NCCL's. `numa`: NUMA nodes.
 */
export type Numbering = 'nvml' | 'cuda' | 'hip' | 'hsa' | 'drm' | 'nic' | 'rank' | 'numa';

/** Parts of an address that were not printed, and stand as 0. */
export type AddressGap = 'domain' | 'device' | 'function';

export interface DeviceLabel {
  /** As it was printed: `GPU0`, `0`, `mlx5_0`. */
  readonly label: string;
  readonly sort: DeviceSort;
  readonly index: number | null;
  /** Null where there is no index. */
  readonly numbering: Numbering | null;
  /** Full name, `0000:c1:00.0`; null where nothing of it was printed. */
  readonly address: string | null;
  readonly assumed: readonly AddressGap[];
  /** Name in the system: `mlx5_0`, `nvme0n1`; null where none was printed. */
  readonly name: string | null;
}

/** A label of which only `known` is known. */
export function deviceLabel(
  label: string,
  sort: DeviceSort,
  known: Partial<Omit<DeviceLabel, 'label' | 'sort'>> = {},
): DeviceLabel {
  return { label, sort, index: null, numbering: null, address: null, assumed: [], name: null, ...known };
}

/** An address, and what of it was not printed. */
export type PrintedAddress = Pick<DeviceLabel, 'address' | 'assumed'>;

export const NO_ADDRESS: PrintedAddress = { address: null, assumed: [] };

const SHORT = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})(?:\.([0-9a-f]))?$/i;

/**
 * Reads what tools print of an address, all of it hexadecimal: `00000000:C1:00.0`, `0000:c1:00`, `c1:0.0`, `17:00`. `NO_ADDRESS` for
 * anything else.
 */
export function printedAddress(text: string): PrintedAddress {
  const match = SHORT.exec(text.trim());
  if (match === null) return NO_ADDRESS;
  const [, domain, bus, device, fn] = match as unknown as [string, string | undefined, string, string, string?];
  const bdf = parseBdf(`${domain ?? '0'}:${bus}:${device}.${fn ?? '0'}`);
  if (bdf === null) return NO_ADDRESS;
  const assumed: AddressGap[] = [];
  if (domain === undefined) assumed.push('domain');
  if (fn === undefined) assumed.push('function');
  return { address: formatBdf(bdf), assumed };
}

/** An address of which the bus alone is known. */
export function busAlone(bus: number): PrintedAddress {
  if (!(bus >= 0 && bus <= 0xff)) return NO_ADDRESS;
  return {
    address: formatBdf({ domain: 0, bus, device: 0, function: 0 }),
    assumed: ['domain', 'device', 'function'],
  };
}

/**
 * NCCL's bus number, hexadecimal digits that end with one of the function, two of the device and two of the bus: `18000` is
 * `0000:18:00.0`, `200000` the first bus of domain 2.
 */
export function ncclAddress(digits: string): PrintedAddress {
  const value = Number.parseInt(digits, 16);
  if (!/^[0-9a-f]{1,12}$/i.test(digits) || !Number.isSafeInteger(value)) return NO_ADDRESS;
  const low = value % 0x100000;
  const bdf = {
    domain: Math.floor(value / 0x100000),
    bus: low >> 12,
    device: (low >> 4) & 0xff,
    function: low & 0xf,
  };
  return bdf.device > 31 || bdf.function > 7 ? NO_ADDRESS : { address: formatBdf(bdf), assumed: [] };
}
