/** What lines of the kernel's log say, of PCI, IOMMUs, peer-to-peer DMA and the drivers that take part. One item may need several lines. */

import type { AerError } from '../../../pcie/aer-errors.ts';
import type { TlpHeader } from '../../../pcie/tlp-header.ts';
import type { ItemPlace } from '../../recogniser.ts';
import type { FaultLine } from './fault-line.ts';

/** Functions are full names, `0000:03:00.0`. Ranges end exclusive. */
export type KernelSays = P2pSays | ResourceSays | ErrorSays | IommuSays | MachineSays | DriverSays;

/** Of Linux drivers/pci/p2pdma.c. */
export type P2pSays =
  /** ACS redirect was found between the two. */
  | { readonly what: 'acsRedirect'; readonly client: string; readonly provider: string }
  /** The option that the kernel proposes: the ports that redirect, as it names them. */
  | { readonly what: 'redirectOption'; readonly client: string; readonly ports: readonly string[] }
  /** The two meet in no bridge, and the host bridge is not on the list. */
  | { readonly what: 'refused'; readonly client: string; readonly provider: string }
  | { readonly what: 'notPci'; readonly client: string }
  /** The host bridge that the list lacks, `8086:29c0`. */
  | { readonly what: 'notListed'; readonly at: string; readonly hostBridge: string }
  /** A driver has offered memory to peers: this kernel has p2pdma. */
  | { readonly what: 'provided'; readonly at: string; readonly range: AddressRange | null }
  /** A driver prints an address that it takes to be a peer's. */
  | { readonly what: 'peerAddress'; readonly by: string; readonly address: number };

export interface AddressRange {
  readonly start: number;
  readonly end: number;
}

/** `bar`, `vfBar` and `rom` of a function, `window` of a bridge. */
export type ResourceKind = 'bar' | 'vfBar' | 'rom' | 'window';

/** Of Linux drivers/pci/setup-res.c, setup-bus.c, probe.c. */
export type ResourceSays =
  | {
      readonly what: 'resource';
      readonly at: string;
      readonly resource: ResourceKind;
      /** Number of the BAR; null for windows and ROMs. */
      readonly number: number | null;
      readonly space: 'memory' | 'io';
      readonly isPrefetchable: boolean;
      /** Null where the line has only the size. */
      readonly range: AddressRange | null;
      /** Bytes; null where the line does not tell them. */
      readonly size: number | null;
      readonly outcome:
        | 'found'
        | 'assigned'
        | 'noSpace'
        | 'failed'
        | 'released'
        | 'conflict'
        | 'unclaimed'
        | 'restored';
      /** With what a conflict is: `System RAM`. */
      readonly conflict: string | null;
    }
  /** A function as the kernel found it. */
  | {
      readonly what: 'function';
      readonly at: string;
      readonly vendorId: number;
      readonly deviceId: number;
      readonly classCode: number;
      readonly headerType: number;
    }
  | { readonly what: 'bridgeTo'; readonly at: string; readonly secondary: number; readonly subordinate: number }
  /** A range that a host bridge passes on to its buses. */
  | {
      readonly what: 'rootWindow';
      readonly bus: string;
      readonly range: AddressRange;
      readonly space: 'memory' | 'io';
    };

/** Of Linux drivers/pci/pcie/aer.c, dpc.c, and of what a link does. */
export type ErrorSays =
  | {
      readonly what: 'aer';
      /** The function that reported: that saw the error, or the port that was told. */
      readonly at: string;
      readonly severity: 'fatal' | 'nonFatal' | 'corrected' | null;
      /** `Transaction Layer`, as it stands; null where no line tells. */
      readonly layer: string | null;
      /** `Receiver`, `Requester`, `Completer`, `Transmitter`; null where no line tells. */
      readonly agent: string | null;
      readonly errors: readonly AerError[];
      /** The first of them, where the kernel marks it. */
      readonly first: AerError | null;
      readonly header: TlpHeader | null;
    }
  | { readonly what: 'aerRecovery'; readonly at: string; readonly succeeded: boolean }
  | { readonly what: 'dpc'; readonly at: string; readonly status: number; readonly source: number | null }
  | { readonly what: 'lost'; readonly at: string };

/** Of the IOMMU drivers. */
export type IommuSays =
  | { readonly what: 'fault'; readonly fault: FaultLine }
  /** `translated` or `passthrough` for devices without a wish of their own; `by` says who set it, as it stands. */
  | { readonly what: 'domainDefault'; readonly type: 'translated' | 'passthrough'; readonly by: string | null }
  | { readonly what: 'iommuOn'; readonly iommu: 'DMAR' | 'AMD-Vi' | 'SMMU' | 'IOMMU' }
  | { readonly what: 'iommuOff' }
  | { readonly what: 'iommuWidth'; readonly bits: number }
  | { readonly what: 'iommuGroup'; readonly at: string; readonly group: number }
  /** A function whose mapping is the identity, whatever the default. */
  | { readonly what: 'identityMap'; readonly at: string };

/** Of boot. */
export type MachineSays =
  | { readonly what: 'kernel'; readonly release: string }
  | { readonly what: 'commandLine'; readonly parameters: string }
  | { readonly what: 'hypervisor'; readonly name: string }
  | { readonly what: 'cpu'; readonly name: string; readonly family: number | null; readonly model: number | null }
  | { readonly what: 'board'; readonly name: string }
  | { readonly what: 'physicalWidth'; readonly bits: number };

/** Of drivers. */
export type DriverSays =
  /** ROCm's driver leaves out a GPU because a port on the way does not route AtomicOps. */
  | { readonly what: 'atomicsRefused'; readonly at: string | null; readonly device: string | null }
  /** A fault of the GPU's own page tables: no IOMMU has a part in it. */
  | {
      readonly what: 'gpuFault';
      readonly at: string;
      readonly hub: string;
      readonly address: number | null;
      readonly access: 'read' | 'write' | null;
    }
  | { readonly what: 'vram'; readonly at: string | null; readonly vram: number; readonly bar: number }
  | { readonly what: 'barTooSmall'; readonly at: string | null }
  /** The NVIDIA driver; see `nvidia.ts`. */
  | { readonly what: 'nvidia'; readonly says: NvidiaSays }
  | {
      readonly what: 'patConflict';
      readonly range: AddressRange;
      readonly process: string | null;
      readonly types: readonly string[];
    }
  | { readonly what: 'outsideHotplug'; readonly range: AddressRange | null }
  /** A device's mask does not reach an address that a driver wanted it to use. */
  | { readonly what: 'maskOverflow'; readonly at: string; readonly address: number; readonly mask: number }
  | { readonly what: 'bounceFull'; readonly at: string }
  | { readonly what: 'nvmeName'; readonly name: string; readonly at: string }
  | { readonly what: 'ioError'; readonly device: string; readonly sector: number; readonly isWrite: boolean | null }
  | { readonly what: 'nvidiaFs'; readonly message: string };

export type NvidiaSays =
  | { readonly kind: 'driver'; readonly version: string; readonly isOpen: boolean }
  | { readonly kind: 'xid'; readonly at: string; readonly code: number }
  | { readonly kind: 'peerUnaligned'; readonly address: number; readonly alignment: number }
  | { readonly kind: 'peerMapFailed'; readonly from: string | null; readonly to: string | null }
  | { readonly kind: 'barInvalid'; readonly at: string | null; readonly bar: number; readonly size: string }
  | { readonly kind: 'assertion'; readonly condition: string }
  /** Something else about peers, BARs or IOMMUs. */
  | { readonly kind: 'other'; readonly message: string };

/** Where and when it was said. */
export interface LogPlace extends ItemPlace {
  readonly kind: 'kernel-log';
  /** The message of the first line, without prefix; cut where it is long. */
  readonly text: string;
  /** As it stood before the message; null where nothing did. */
  readonly stamp: string | null;
}

export type KernelLogItem = KernelSays & LogPlace;
