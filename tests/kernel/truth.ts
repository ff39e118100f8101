/** The answers of a real Linux 6.12 kernel: see tests/truth/README.md for the fields. */

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';

export interface TruthFunction {
  bdf: string;
  iommu_group?: number;
  p2pmem?: { size: number; available_after_oracle: number; published: number };
  kernel: {
    hdr: number;
    pcie_type: number;
    upstream: string | null;
    root_bus: string;
    acs: { pos: string; cap: string; ctrl: string } | null;
    iommu_domain: string;
    dma_path: string;
    dma_mask: string;
    max_seg_size: number;
    seg_boundary: string;
    min_align_mask: string;
    driver: string | null;
    vendor: string;
    device: string;
    class: string;
    res: { i: number; start: string; end: string; flags: string; bus_start: string }[];
  };
}

export interface TruthMapping {
  c: string;
  p?: string;
  q?: string;
  set: string;
  pat: string;
  in: [kind: string, address: string, length: number][];
  ret: number;
  nents?: number;
  out?: [address: string, length: number, bus: 0 | 1][];
  iova?: [iova: string, phys: string][];
  b?: string;
  t?: string;
  o?: string;
  n?: string;
}

export interface TruthBlock {
  bar: number;
  alloc_phys: string;
  alloc_bus: string;
  alloc_pages: number;
}

export interface Truth {
  name: string;
  machine: { kernel_release: string; cpu: { vendor: string; family: number }; swiotlb: number; kernel_cmdline: string };
  functions: TruthFunction[];
  providers: (TruthBlock & { bdf: string; second?: TruthBlock })[];
  distance: { p: string; c: string; d: number; map?: string; messages?: string[] }[];
  distance_many: { p: string; cs: string[]; d: number }[];
  find: { cs: string[]; chosen: string[] }[];
  mappings: TruthMapping[];
  stale: unknown[];
  add_resource: { bdf: string; bar: number; by: string; ret: number; phys?: string; size?: string }[];
}

export interface TruthCase {
  readonly truth: Truth;
  readonly machine: Machine;
}

const FOLDER = new URL('../truth/', import.meta.url);

/** Every truth machine with the capture that the product reads. `P2PDMA_TRUTH` names another folder of the same form. */
export async function readTruth(): Promise<TruthCase[]> {
  const folder = process.env['P2PDMA_TRUTH'] ? new URL(`file://${process.env['P2PDMA_TRUTH']}/`) : FOLDER;
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.json.gz'))
    .map((file) => file.slice(0, -'.json.gz'.length))
    .sort();
  return Promise.all(
    names.map(async (name) => ({
      truth: JSON.parse(gunzipSync(readFileSync(new URL(`${name}.json.gz`, folder))).toString()) as Truth,
      machine: await readMachine(readFileSync(new URL(`${name}.tar.gz`, folder)), `${name}.tar.gz`),
    })),
  );
}

/** The type that the kernel gave a pair: the rules of tests/truth/README.md, "Reading it right". */
export function truthType(truth: Truth, pair: Truth['distance'][number]): string {
  const direct: Record<string, string> = {
    bus_addr: 'busAddr',
    thru_host_bridge: 'thruHostBridge',
    not_supported: 'notSupported',
  };
  if (pair.map !== undefined) return direct[pair.map] as string;
  if (pair.d === -1) return 'notSupported';
  if (pair.messages?.some((line) => line.includes('ACS redirect is set'))) return 'thruHostBridge';
  const upstream = new Map(truth.functions.map((fn) => [fn.bdf, fn.kernel.upstream]));
  const chain = (bdf: string): string[] => {
    const above = upstream.get(bdf);
    return above ? [bdf, ...chain(above)] : [bdf];
  };
  const ofClient = new Set(chain(pair.c));
  return chain(pair.p).some((bdf) => ofClient.has(bdf)) ? 'busAddr' : 'thruHostBridge';
}
