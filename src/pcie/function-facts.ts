/**
 * What the sources say about one function, before anything is decided: the registers, the text that lspci decoded, the
 * kernel's attributes in sysfs. Readers fill this in; `PciFunction` merges it field by field.
 */

import type { AcsState } from './acs.ts';
import type { Bar } from './bar.ts';
import type { Bdf } from './bdf.ts';
import type { WindowFact } from './bridge-window.ts';
import type { ConfigSpace } from './config-space.ts';
import type { LinkFacts, PayloadFacts, PortType, TagFacts } from './express.ts';

/** Where a fact was read. */
export interface Source {
  readonly kind: 'config' | 'text' | 'sysfs';
  /** File inside the capture, or the dump's name. */
  readonly file: string;
  /** 1-based line, or null where the file has none. */
  readonly line: number | null;
}

export interface BusNumbers {
  readonly primary: number;
  readonly secondary: number;
  readonly subordinate: number;
}

export interface SriovFacts {
  readonly totalVfs: number;
  readonly numVfs: number;
  readonly vfOffset: number;
  readonly vfStride: number;
}

/** Vendor and device that a name may stand for; the device null where only the vendor is known by it. */
export interface NamedIds {
  readonly vendorId: number;
  readonly deviceId: number | null;
}

/** A name of a fact that can be traced to its source. */
export type FactName =
  | 'identity'
  | 'headerType'
  | 'command'
  | 'busNumbers'
  | 'windows'
  | 'bars'
  | 'portType'
  | 'acs'
  | 'link'
  | 'payload'
  | 'tags'
  | 'sriov'
  | 'numaNode'
  | 'iommuGroup'
  | 'driver';

/** What decoded text (`lspci -v` to `-vvv`) says of one function. Everything that it does not say is left out. */
export interface TextFacts {
  /** Class and device name as printed in the header, without address and numbers. */
  className?: string;
  deviceName?: string;
  /** 16-bit base and sub-class. */
  classCode?: number;
  vendorId?: number;
  deviceId?: number;
  /** All that the printed name stands for, where the listing prints no numbers. */
  namedIds?: readonly NamedIds[];
  subsystemVendorId?: number;
  subsystemId?: number;
  revision?: number;
  progIf?: number;
  /** Command register bits that `Control:` or `Flags:` spelled out. */
  command?: number;
  headerType?: 0 | 1 | 2;
  /** `!!! Unknown header type 7f`: the function answered with all ones. */
  poweredDown?: boolean;
  /** `Capabilities: <access denied>`. */
  capabilitiesDenied?: boolean;
  /** The listing is of a verbosity that prints capabilities, so one that is not printed is not there. */
  capabilitiesListed?: boolean;
  /** At least one extended capability (offset 100h or more) was printed. */
  extendedListed?: boolean;
  portType?: PortType;
  acs?: AcsState;
  busNumbers?: BusNumbers;
  memoryWindow?: WindowFact;
  prefetchableWindow?: WindowFact;
  ioWindow?: WindowFact;
  bridgeControl?: number;
  bars?: Bar[];
  link?: LinkFacts;
  payload?: PayloadFacts;
  tags?: TagFacts;
  sriov?: SriovFacts;
  /** Names and offsets of all capabilities printed. */
  capabilities?: { readonly name: string; readonly offset: number }[];
  numaNode?: number;
  iommuGroup?: number;
  driver?: string;
  physicalSlot?: string;
  /** Line on which each fact stands. */
  lines: Partial<Record<FactName, number>>;
  /** Dump that the lines count in. */
  file: string;
}

/** What `/sys/bus/pci/devices/<bdf>/` says. */
export interface SysfsFacts {
  /** Folder of the function inside the capture. */
  readonly folder: string;
  /** The bridge above by the nesting of folders; null on a root bus; undefined where the tree is flat. */
  readonly parent: Bdf | null | undefined;
  /** Bus of the `pciDDDD:BB` folder that the path starts with. */
  readonly rootBus: number | undefined;
  readonly vendorId: number | undefined;
  readonly deviceId: number | undefined;
  /** 24 bits: base class, sub-class, programming interface. */
  readonly classCode: number | undefined;
  readonly subsystemVendorId: number | undefined;
  readonly subsystemId: number | undefined;
  /** Lines of `resource`: CPU addresses, `end` inclusive as printed, kernel resource flags. */
  readonly resources: readonly SysfsResource[] | undefined;
  readonly numaNode: number | undefined;
  readonly iommuGroup: number | undefined;
  readonly driver: string | undefined;
  /** `physfn` link: this is a Virtual Function of that function. */
  readonly physicalFunction: Bdf | undefined;
  /** Current and maximum link from the link attributes. */
  readonly link: LinkFacts | undefined;
  readonly p2pmem: P2pmemFacts | undefined;
  /**
   * The file `config` ends at 256 bytes for one who may read all of it: the kernel itself reaches no extended space, so no extended
   * capability exists to it.
   */
  readonly endsAt256?: boolean | undefined;
}

export interface SysfsResource {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
  /** Low 32 bits of the flags. */
  readonly flags: number;
}

/** The `p2pmem/` attributes of a provider. Bytes. */
export interface P2pmemFacts {
  readonly size: number;
  readonly available: number;
  readonly published: boolean;
}

/** All evidence about one function. */
export interface FunctionFacts {
  readonly bdf: Bdf;
  readonly config: ConfigSpace;
  readonly configSource: Source | null;
  /** A reader may decode it when it is first asked for. */
  readonly text: TextFacts | null;
  readonly sysfs: SysfsFacts | null;
  /** The bridge above as a path header (`lspci -PP`) or a drawing (`lspci -t`) shows it; null where that shows a root bus. */
  readonly pathParent?: Bdf | null | undefined;
}
