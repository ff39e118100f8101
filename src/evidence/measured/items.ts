/**
 * What measuring and topology tools say, in a few forms that all of them share: a value between two devices, a word about two devices, what
 * is known of one device, and a setting of the run.
 */

import type { ItemPlace } from '../recogniser.ts';
import type { FunctionItem, ProcessorItem } from '../topology/skeleton.ts';
import type { DeviceLabel } from './device-label.ts';

/** The kinds whose items have these forms. */
export type MeasuredKind =
  | 'nvidia-smi'
  | 'nvidia-smi-q'
  | 'nvidia-smi-topo'
  | 'nvidia-smi-p2p'
  | 'p2p-bandwidth'
  | 'cuda-bandwidth'
  | 'nvbandwidth'
  | 'nccl-log'
  | 'nccl-topology'
  | 'nccl-tests'
  | 'hwloc'
  | 'rocm-topo'
  | 'amd-smi-topo'
  | 'rocm-bandwidth'
  | 'transferbench'
  | 'gdsio'
  | 'perftest'
  | 'p2pmem-test'
  | 'fio'
  | 'rdma-topo'
  | 'resource-slices';

export interface MeasuredPlace extends ItemPlace {
  readonly kind: MeasuredKind;
}

/** A value that was measured between two devices, or within one. */
export interface MeasurementItem extends MeasuredPlace {
  readonly what: 'measurement';
  readonly quantity: 'bandwidth' | 'latency';
  /** Where the bytes come from. Of a latency: the side that is named first. */
  readonly from: DeviceLabel;
  /** Where they go. */
  readonly to: DeviceLabel;
  /** `write`: `from` issues the requests; `read`: `to` does; `copy`: a third one does, or it is not known who. */
  readonly operation: 'write' | 'read' | 'copy';
  /** `bi`: the opposite direction ran at the same time. */
  readonly direction: 'uni' | 'bi';
  /** Of `bi`: whether `value` is one direction or the sum of both. `one` for `uni`. */
  readonly counts: 'one' | 'both';
  /** In `unit`; null where the tool printed something else, which `raw` holds. */
  readonly value: number | null;
  /** 1 GB is 10^9 bytes, whatever the tool calls it. */
  readonly unit: 'GB/s' | 'us';
  /** As printed, with the tool's unit: `22.016713 GiB/sec`. */
  readonly raw: string;
  /** Bytes of one transfer; null where they were not printed. */
  readonly size: number | null;
  /**
   * Whether peers could reach each other directly: the tool was told so and did not say that this pair cannot. Null where the tool knows no
   * such difference.
   */
  readonly peerEnabled: boolean | null;
  /** Who moves the bytes; null where it is not known. */
  readonly engine: 'copy-engine' | 'kernel' | 'nic' | 'drive' | 'cpu' | null;
  /** `together`: other pairs of the same table ran at the same time. */
  readonly load: 'alone' | 'together';
  readonly statistic: 'average' | 'median' | 'peak' | 'minimum' | 'maximum' | 'typical' | null;
  /** The test, as the tool names it. */
  readonly test: string;
}

/** What a word about two devices is about. */
export type PairRelation =
  | 'class'
  | 'status'
  | 'access'
  | 'link-type'
  | 'weight'
  | 'hops'
  | 'numa-distance'
  | 'numa-bandwidth'
  | 'coherency'
  | 'atomics'
  | 'dma'
  | 'bidirectional'
  | 'transport'
  | 'data-path'
  | 'complex';

/** A word about two devices: a cell of a matrix, or a line. */
export interface PairItem extends MeasuredPlace {
  readonly what: 'pair';
  readonly relation: PairRelation;
  readonly from: DeviceLabel;
  readonly to: DeviceLabel;
  /**
   * `class`: `X PIX PXB PHB NODE SYS NV<n>`, old words translated. `status`: `X OK CNS GNS TNS NS DR U`. `access`: `yes` or `no`. `transport`:
   * `P2P SHM NET` and what else NCCL knows. All others as printed.
   */
  readonly value: string;
  readonly raw: string;
  /** What the matrix was asked for, where the command above says it: `m`, `mp`, `r`, `w`, `n`, `a`, `p`; null otherwise. */
  readonly asked: string | null;
}

/** What is known of one device. All but the label is left out where the tool does not print it. */
export interface DeviceItem extends MeasuredPlace {
  readonly what: 'device';
  readonly device: DeviceLabel;
  /** Product, as printed: it may be cut. */
  readonly product?: string;
  readonly link?: DeviceLink;
  /** Bytes. */
  readonly bar1Size?: number;
  /** Bytes. */
  readonly memorySize?: number;
  readonly numaNode?: number;
  /** CPUs near it, as a list: `0-31,64-95`. */
  readonly cpuList?: string;
  /** PCI identity. */
  readonly id?: { readonly vendor: number; readonly device: number };
  /** `P8`: idle GPUs show a slow link. */
  readonly performanceState?: string;
  readonly minorNumber?: number;
  /** Its other numbers, where a tool gives several. */
  readonly indices?: Readonly<Partial<Record<'nvml' | 'cuda' | 'rank' | 'drm' | 'hip', number>>>;
  /** Other facts by the tool's own names. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** A link of a device: generations 1 to 6 and lanes; null where the tool says nothing usable. */
export interface DeviceLink {
  readonly generation: {
    readonly current: number | null;
    readonly max: number | null;
    readonly hostMax?: number | null;
  };
  readonly width: { readonly current: number | null; readonly max: number | null };
}

/** Something about the run or the system: a version, an option, a state. */
export interface SettingItem extends MeasuredPlace {
  readonly what: 'setting';
  readonly name: string;
  readonly value: string;
}

/** Rates of a collective operation of one size, over all ranks. */
export interface CollectiveItem extends MeasuredPlace {
  readonly what: 'collective';
  /** `all_reduce`, from the program's name; null where it is not shown. */
  readonly operation: string | null;
  readonly ranks: number | null;
  /** Bytes. */
  readonly size: number;
  readonly inPlace: boolean;
  /** Microseconds. */
  readonly time: number | null;
  /** GB/s: size over time. */
  readonly algorithmRate: number | null;
  /** GB/s: what each link carries, by the tool's own rule. */
  readonly busRate: number | null;
}

/** What NCCL's search found: rings or trees through the machine. */
export interface GraphItem extends MeasuredPlace {
  readonly what: 'graph';
  /** NCCL's number: 4 is a ring, 1 to 3 are trees. */
  readonly pattern: number;
  readonly channels: number;
  /** GB/s of one channel within the machine, by NCCL's model. */
  readonly rateWithin: number;
  readonly rateBetween: number;
  /** The farthest class within: `NVL PIX PXB PHB SYS`. */
  readonly classWithin: string;
  readonly classToNetwork: string | null;
}

/** A sentence of a tool that a reader would take note of. */
export interface StatementItem extends MeasuredPlace {
  readonly what: 'statement';
  readonly says: Statement;
  readonly text: string;
  /** Devices that it names. */
  readonly about: readonly DeviceLabel[];
}

export type Statement =
  | 'iommu-pt-missing'
  | 'iommu-enabled'
  | 'numa-balancing'
  | 'peers-off'
  | 'not-all-peers'
  | 'pair-refused'
  | 'pair-failed'
  | 'gdr-on'
  | 'gdr-off'
  | 'dmabuf-on'
  | 'dmabuf-off'
  | 'acs-on'
  | 'data-wrong'
  | 'data-right'
  | 'not-run'
  | 'warning';

export type MeasuredItem =
  | MeasurementItem
  | PairItem
  | DeviceItem
  | SettingItem
  | CollectiveItem
  | GraphItem
  | StatementItem
  | FunctionItem
  | ProcessorItem;
