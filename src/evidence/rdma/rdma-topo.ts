/**
 * rdma_topo of rdma-core. `dump`: every function with its path in sysfs and its configuration space, compressed; `topology -j`: which NIC, DMA
 * function and GPU belong together.
 *
 *   [ { "realpath": "/sys/devices/pci0009:00/0009:00:00.0/0009:01:00.0", "config": "eJx...", "modalias": "pci:v000015B3d0000197C...",
 *       "iommu_group": 3, "numa_node": 0, "subsystems": { "infiniband": ["mlx5_0"] } } ]
 *   [ { "rdma_nic_pf_bdf": "0000:03:00.0", "rdma_dma_bdf": "0009:03:00.0", "gpu_bdf": "0009:06:00.0", "subsystems": {} } ]
 */

import { deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, PairItem } from '../measured/items.ts';
import { elements, type Json, type JsonForm, member, numeral, words } from '../measured/json-text.ts';
import { type FunctionItem, functionItem } from '../topology/skeleton.ts';

export type RdmaTopoItem = (FunctionItem | PairItem | DeviceItem) & { readonly kind: 'rdma-topo' };

type Place = { readonly kind: 'rdma-topo'; readonly file: string; readonly line: number };

const BDF = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i;
const MODALIAS = /^pci:v([0-9a-f]{8})d([0-9a-f]{8})sv([0-9a-f]{8})sd([0-9a-f]{8})bc([0-9a-f]{2})sc([0-9a-f]{2})i/i;

/** Recognises a dump. */
export const rdmaTopoDump: JsonForm<RdmaTopoItem> = {
  kind: 'rdma-topo',
  sign: /"(?:realpath|modalias)"/,
  read: (value, line, { file }) => {
    const items = listOf(value).flatMap((entry) => functionOf(entry, { kind: 'rdma-topo', file, line }));
    return items.length === 0 ? null : { items };
  },
};

const listOf = (value: Json): readonly Json[] => (Array.isArray(value) ? value : [value]);

function functionOf(entry: Json, place: Place): RdmaTopoItem[] {
  const path = (words(member(entry, 'realpath')) ?? '').split('/');
  const bdf = BDF.test(path.at(-1) ?? '') ? path.at(-1) : words(member(entry, 'bdf'));
  const address = printedAddress(bdf ?? '').address;
  if (address === null) return [];
  const above = path.at(-2) ?? '';
  const match = MODALIAS.exec(words(member(entry, 'modalias')) ?? '');
  const [vendor, device, subVendor, subDevice, base, sub] = (match ?? [])
    .slice(1)
    .map((digits) => Number.parseInt(digits, 16));
  const pair = (a: number | undefined, b: number | undefined): FunctionItem['ids'] =>
    a === undefined || b === undefined || a === 0 ? null : { vendor: a, device: b };
  const names = Object.values((member(entry, 'subsystems') ?? {}) as Record<string, Json>).flatMap((list) =>
    elements(list).flatMap((name) => words(name) ?? []),
  );
  const config = words(member(entry, 'config'));
  const group = numeral(member(entry, 'iommu_group'));
  const node = numeral(member(entry, 'numa_node'));
  return [
    functionItem({
      ...place,
      function: address,
      parent: BDF.test(above) ? printedAddress(above).address : /^pci/.test(above) ? null : undefined,
      ids: pair(vendor, device),
      subsystem: pair(subVendor, subDevice),
      class: base === undefined || sub === undefined ? null : base * 256 + sub,
      names,
      numaNode: node !== null && node >= 0 ? node : null,
      ...(config === null ? {} : { config }),
      ...(group === null ? {} : { iommuGroup: group }),
    }),
  ];
}

/** Members of a group, and what each is. */
const MEMBERS: readonly (readonly [key: string, sort: 'nic' | 'drive', value: string])[] = [
  ['rdma_nic_pf_bdf', 'nic', 'NIC'],
  ['rdma_dma_bdf', 'nic', 'DMA function'],
  ['nvme_bdf', 'drive', 'NVMe'],
];

/** Recognises groups. */
export const rdmaTopoGroups: JsonForm<RdmaTopoItem> = {
  kind: 'rdma-topo',
  sign: /"(?:rdma_nic_pf_bdf|rdma_dma_bdf)"/,
  read: (value, line, { file }) => {
    const place: Place = { kind: 'rdma-topo', file, line };
    const items = listOf(value).flatMap((entry) => {
      const gpu = words(member(entry, 'gpu_bdf'));
      if (gpu === null) return [];
      const from = deviceLabel(gpu, 'gpu', printedAddress(gpu));
      return MEMBERS.flatMap(([key, sort, what]): RdmaTopoItem[] => {
        const bdf = words(member(entry, key));
        if (bdf === null) return [];
        const name =
          elements(member(entry, 'subsystems', bdf, 'infiniband')).flatMap((entry) => words(entry) ?? [])[0] ?? null;
        const to = deviceLabel(bdf, sort, { ...printedAddress(bdf), name });
        return [{ ...place, what: 'pair', relation: 'complex', from, to, value: what, raw: bdf, asked: null }];
      });
    });
    return items.length === 0 ? null : { items };
  },
};
