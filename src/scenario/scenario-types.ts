/**
 * A scenario: a machine, and transfers on it. These types are the format of the file; the schema (scenario-schema.ts) checks it.
 */

import type { ClassifyMode } from '../dma/classifier-for.ts';
import type { RootComplexBehaviour } from '../fabric/root-complex.ts';
import type { SamePortRule } from '../fabric/rules.ts';
import type { Cpu } from '../machine/machine.ts';
import type { PolicyName } from '../p2p/policy.ts';
import type { AcsBitName, LinkDescription } from '../pcie/describe.ts';

/** `absent`, `clear`, or the set bits by their short names. */
export type AcsSetting = 'absent' | 'clear' | AcsBitName[];

/** What hangs on a link: an NVMe controller, a device with memory, or a switch with ports of its own. One of the three names. */
export interface DeviceNode {
  nvme?: string | undefined;
  device?: string | undefined;
  switch?: string | undefined;
  /** NVMe: bytes of the CMB. */
  cmb?: number | undefined;
  /**
   * NVMe: what the driver writes as the CMB's base address (CMBMSC.CBA): at these addresses the controller takes what it is given
   * for its own buffer. Default: the bus address of the buffer, as Linux does.
   */
  cba?: number | undefined;
  /** NVMe: keep the IOVAs of this controller out of the range at `cba`. Default true. */
  reserveCba?: boolean | undefined;
  /** NVMe: one command may have data in the CMB and elsewhere. */
  cdpmls?: boolean | undefined;
  /** NVMe: our vendor extension, SGLs relative to the CMB. */
  relativeSgl?: boolean | undefined;
  /** Bytes of a device's memory BAR. */
  memory?: number | undefined;
  acs?: AcsSetting | undefined;
  /** Ports of a switch. */
  ports?: PortNode[] | undefined;
}

/** A root port or a downstream port. */
export interface PortNode {
  port?: string | undefined;
  acs?: AcsSetting | undefined;
  link?: LinkDescription | undefined;
  below?: DeviceNode[] | undefined;
}

export interface HostBridgeNode {
  /** `VENDOR:DEVICE` of the function at 00.0, null for none. Default 8086:2020, which every policy lists. */
  id?: string | null | undefined;
  /** Bus address minus CPU address, bytes, signed. */
  busOffset?: number | undefined;
  rootPorts: PortNode[];
}

export interface DescribedMachine {
  cpu?: Cpu | undefined;
  kernel?: string | undefined;
  /** CPU addresses. Default 512 MiB from 1 MiB on. */
  ram?: { start: number; size: number }[] | undefined;
  hostBridges: HostBridgeNode[];
}

export interface VectorDescription {
  /** `ram`, `self`, a device's name or address, or `find`: the nearest provider for the clients. */
  memory: string;
  length: number;
  /** Byte of a device's memory where the vector lies; left out: what the pool gives. Not for `ram`. */
  offset?: number | undefined;
  /** `BVEC_` bits that the submitter sets whatever the distance says. */
  flags?: number | undefined;
}

/** Something that goes wrong, and when. */
export interface FaultDescription {
  at: 'afterSubmit' | 'afterMap';
  unplug?: string | undefined;
  acs?: { port: string; set: AcsSetting } | undefined;
  unmap?: true | undefined;
  busMasterOff?: string | undefined;
  memorySpaceOff?: string | undefined;
}

/** Who moves the data: an entry of the table of movers (movers.ts). */
export type MoverName = 'dma' | 'nvme';

/** What became of a transfer that was tried again after its unmap. */
export type RepeatOutcome = 'stopped' | 'moved';

export interface TransferDescription {
  name: string;
  /** The mapping device, by name or address. */
  device: string;
  /** The device whose distance the submitter asked, where that is another: a stacked queue. */
  askedFor?: string | undefined;
  direction: 'toDevice' | 'fromDevice';
  /** Default: `nvme` for an NVMe controller, else `dma`. */
  engine?: MoverName | undefined;
  /** How the mapper learns what a vector is, and what the submitter puts into it for that (design.ts). Default `flags`. */
  classify?: ClassifyMode | undefined;
  trust?: boolean | undefined;
  merge?: boolean | undefined;
  /** The bio says that it may contain peer-to-peer memory. Default: whether a vector does. */
  mayContainP2p?: boolean | undefined;
  /** The queue: whether it announces that it can map peer-to-peer memory. Default true. */
  queue?: { p2p?: boolean | undefined } | undefined;
  /** Case (c) by the controller's vendor extension instead of by CMB address. */
  relativeSgl?: boolean | undefined;
  /** Clients of `memory: find`, besides the mapping device. */
  clients?: string[] | undefined;
  /** Left out with `continues`: the memory of that transfer. */
  vectors?: VectorDescription[] | undefined;
  /** Name of an earlier transfer whose data this one takes on, from the memory where it lies. */
  continues?: string | undefined;
  faults?: FaultDescription[] | undefined;
  /** Default `equal`: every byte right. */
  expect?: 'equal' | 'damaged' | 'refused' | undefined;
  /**
   * Gives the device the same addresses once more when they are unmapped, and says what is expected of that: `stopped`, the IOMMU
   * records a fault of this device and no byte arrives; `moved`, all bytes arrive again (no IOMMU, or a stale IOTLB).
   */
  repeatAfterUnmap?: RepeatOutcome | undefined;
}

export interface ScenarioFile {
  about?: string | undefined;
  /** Name of a machine, or its description. */
  machine: string | DescribedMachine;
  /** RAM of a captured machine, CPU addresses, besides its memory map. A described one has its own. */
  ram?: { start: number; size: number }[] | undefined;
  policy?: PolicyName | undefined;
  /** Default: what a captured machine says of the device; off for a described one. */
  iommu?: 'on' | 'off' | 'passthrough' | undefined;
  /** Invalidate later: entries of the IOTLB stay usable until a flush. */
  lazy?: boolean | undefined;
  /** Set Memory Space and Bus Master Enable on the paths, as drivers would. Default true. */
  prepare?: boolean | undefined;
  rootComplex?: RootComplexBehaviour | undefined;
  /**
   * Functions of one device reach each other inside it, which PCIe 6.12.1.2 leaves to the device. Default true: kernels take it
   * for granted when they give such a pair a bus address. False: the request leaves by the link, and `samePort` says how it ends.
   */
  internalPeerRoute?: boolean | undefined;
  /**
   * What a port does with a request from below for what is below it, Upstream Forwarding off: PCIe 6.12.3 leaves it open. Default
   * `unsupportedRequest`, the safe answer.
   */
  samePort?: SamePortRule | undefined;
  /** Keep IOVAs out of the host bridge's windows. Default true. */
  reserveWindows?: boolean | undefined;
  transfers: TransferDescription[];
}
