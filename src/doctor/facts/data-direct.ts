/**
 * NVIDIA's Data Direct: a network card whose DMA leaves by a function of its own, below the same switch as a GPU, while the card itself
 * stands elsewhere. The switch is set up so that the card's requests turn round in it and the GPU's own do not:
 *
 *            root port  SV- RR+ CR+ UF+
 *                |
 *              switch
 *             /      \
 *   SV+ RR- CR+ UF+   SV+ RR+ CR- UF+
 *        |                 |
 *   DMA function          GPU
 *
 * The masks are those by which rdma-core's rdma_topo checks such machines. Clearing every redirect breaks them.
 */

import {
  ACS_COMPLETION_REDIRECT,
  ACS_REQUEST_REDIRECT,
  ACS_SOURCE_VALIDATION,
  ACS_UPSTREAM_FORWARDING,
} from '../../pcie/acs.ts';
import type { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** Where a port stands in such a complex. */
export type DataDirectPart = 'root' | 'dma' | 'gpu';

/** Bits that the complex decides; all others are left to the kernel. */
export const DATA_DIRECT_MASK: number =
  ACS_SOURCE_VALIDATION | ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT | ACS_UPSTREAM_FORWARDING;

/** What these bits are to be. */
export const DATA_DIRECT_VALUES: Readonly<Record<DataDirectPart, number>> = {
  root: ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT | ACS_UPSTREAM_FORWARDING,
  dma: ACS_SOURCE_VALIDATION | ACS_COMPLETION_REDIRECT | ACS_UPSTREAM_FORWARDING,
  gpu: ACS_SOURCE_VALIDATION | ACS_REQUEST_REDIRECT | ACS_UPSTREAM_FORWARDING,
};

const VENDOR_MELLANOX = 0x15b3;
const VENDOR_NVIDIA = 0x10de;
/** "DMA controller": how the function is listed. */
const CLASS_DMA = 0x0801;

/** The ports of all such complexes, by index; empty on all other machines. */
export function dataDirectPorts(hierarchy: Hierarchy): Map<number, DataDirectPart> {
  const { functions, parent } = hierarchy;
  const ports = new Map<number, DataDirectPart>();
  for (const [index, { vendorId, classCode }] of functions.entries()) {
    if (vendorId !== VENDOR_MELLANOX || classCode !== CLASS_DMA) continue;
    const above = parent[index] as number;
    const upstream = above < 0 ? -1 : (parent[above] as number);
    if (upstream < 0 || functions[above]?.portType !== 'downstreamPort') continue;
    const gpuPorts = hierarchy
      .childrenOf(upstream)
      .filter((port) => hierarchy.childrenOf(port).some((child) => isGpu(functions[child] as PciFunction)));
    if (gpuPorts.length === 0) continue;
    ports.set(above, 'dma');
    for (const port of gpuPorts) ports.set(port, 'gpu');
    const top = hierarchy.chainOf(upstream).at(-1) as number;
    if (functions[top]?.portType === 'rootPort') ports.set(top, 'root');
  }
  return ports;
}

function isGpu({ vendorId, classCode }: PciFunction): boolean {
  return vendorId === VENDOR_NVIDIA && (classCode ?? 0) >> 8 === 0x03;
}
