/**
 * What topology files say of the PCI tree, function by function: the fields of a drawing of `lspci -t`, and links, classes and names besides.
 * They have no registers: ACS, windows and BARs stay unknown.
 *
 * `parent` is the nearest bridge that is shown. hwloc leaves out bridges without a fork; NCCL leaves out root ports, the downstream ports of
 * switches, and whatever does not lead to a GPU or NIC: others may stand between the two. A dump of rdma_topo has them all.
 */

import type { ItemPlace } from '../recogniser.ts';

/** The kinds that have such functions. */
export type SkeletonKind = 'hwloc' | 'nccl-topology' | 'nccl-log' | 'rdma-topo';

/** One function. */
export interface FunctionItem extends ItemPlace {
  readonly kind: SkeletonKind;
  readonly what: 'function';
  /** Full address, `0000:01:00.0`; `line 12` where the source gives none. */
  readonly function: string;
  /** The nearest bridge above that is shown; null below a root, undefined where the part above is missing. */
  readonly parent: string | null | undefined;
  /** First and last bus below a bridge; null for everything else, and where the source does not say. */
  readonly buses: { readonly secondary: number; readonly subordinate: number } | null;
  /** What the source calls it; null where it says nothing. */
  readonly name: string | null;
  readonly ids: { readonly vendor: number; readonly device: number } | null;
  readonly subsystem: { readonly vendor: number; readonly device: number } | null;
  /** Base class and subclass, `0x0604`; null where unknown. */
  readonly class: number | null;
  readonly link: FunctionLink | null;
  /** Names in the system: `nvme0n1`, `mlx5_0`, `cuda0`, `nvml0`. */
  readonly names: readonly string[];
  readonly numaNode: number | null;
  /** Configuration space, as base64 of what zlib made of it; only in a dump of rdma_topo. */
  readonly config?: string;
  readonly iommuGroup?: number;
}

/** A link, as the source says it; each null where it does not. */
export interface FunctionLink {
  /** GB/s in one direction after encoding, where the source gives nothing but a rate. */
  readonly rate: number | null;
  /** GT/s of a lane: 2.5, 5, 8, 16, 32, 64. */
  readonly speed: number | null;
  readonly width: number | null;
  /** `current`: at the time, perhaps idle; `best`: what both ends can do. */
  readonly state: 'current' | 'best';
}

/** A processor, as CPUID says it. */
export interface ProcessorItem extends ItemPlace {
  readonly kind: SkeletonKind;
  readonly what: 'processor';
  readonly numaNode: number | null;
  /** `GenuineIntel`, `AuthenticAMD`; null where it is unknown. */
  readonly vendor: string | null;
  readonly family: number | null;
  readonly model: number | null;
  readonly name: string | null;
}

/** A function of which only `known` is known. */
export function functionItem<Kind extends SkeletonKind>(
  known: ItemPlace & { readonly kind: Kind } & Pick<FunctionItem, 'function' | 'parent'> & Partial<FunctionItem>,
): FunctionItem & { readonly kind: Kind } {
  return {
    what: 'function',
    buses: null,
    name: null,
    ids: null,
    subsystem: null,
    class: null,
    link: null,
    names: [],
    numaNode: null,
    ...known,
  };
}
