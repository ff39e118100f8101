/**
 * A PCIe tree in words: what somebody writes down who has no machine at hand. `buildTree` (build-tree.ts) numbers its buses,
 * places its BARs and windows as firmware would, and writes the configuration spaces.
 *
 *   { rootBuses: [{ children: [
 *     { kind: 'rootPort', below: [{ kind: 'switch', ports: [
 *       { below: [{ kind: 'endpoint', name: 'gpu', functions: [{ bars: [{ size: 2 ** 28, prefetchable: true }] }] }] },
 *       { below: [{ kind: 'endpoint', name: 'nvme', functions: [{ bars: [{ size: 2 ** 14 }] }] }] },
 *     ] }] },
 *   ] }] }
 */

import { P2pError } from '../core/errors.ts';

/** ACS of a port or function: no capability, one with all controls off, the set bits by name, or the raw registers. */
export type AcsDescription =
  | 'absent'
  | 'clear'
  | readonly AcsBitName[]
  | { readonly control: number; readonly capability?: number; readonly egressVector?: readonly number[] };

/** The short names of ACS_BITS. */
export type AcsBitName = 'SV' | 'TB' | 'RR' | 'CR' | 'UF' | 'EC' | 'DT';

export interface LinkDescription {
  /** 2.5, 5, 8, 16, 32 or 64. */
  readonly speedGts: number;
  /** Lanes: 1, 2, 4, 8, 12, 16 or 32. */
  readonly width: number;
}

export interface BarDescription {
  /** 0 to 5; the next free register where it is left out. */
  readonly index?: number;
  /** Bytes, a power of two of at least 16. */
  readonly size: number;
  /** Default true. */
  readonly is64Bit?: boolean;
  /** Default false. */
  readonly prefetchable?: boolean;
}

/** What every function may say of itself. */
export interface FunctionOptions {
  /** What to find it by; `names` of the tree maps it to the function. */
  readonly name?: string;
  /** 16 bits each. Defaults 1af4 (virtual devices) and one by kind. */
  readonly vendorId?: number;
  readonly deviceId?: number;
  readonly acs?: AcsDescription;
  /** Command register: Memory Space Enable and Bus Master Enable. Both on by default. */
  readonly memorySpace?: boolean;
  readonly busMaster?: boolean;
  /** Bytes, 128 to 4096. Defaults 256 and 512. */
  readonly maxPayload?: number;
  readonly maxReadRequest?: number;
  readonly bars?: readonly BarDescription[];
}

export interface EndpointFunctionDescription extends FunctionOptions {
  /** 24 bits. Default 0x088000, a system peripheral. */
  readonly classCode?: number;
  readonly sriov?: { readonly vfs: number; readonly bars: readonly BarDescription[] };
}

export interface EndpointDescription {
  readonly kind: 'endpoint';
  /** Name of function 0, where the function itself says none. */
  readonly name?: string;
  /** Function numbers 0, 1, ... in order; at least one. */
  readonly functions: readonly EndpointFunctionDescription[];
}

/** A root port or a switch downstream port: one link, at most one device below it. */
export interface PortDescription extends FunctionOptions {
  readonly link?: LinkDescription;
  readonly below?: readonly DeviceDescription[];
  /** Bytes that the memory windows have behind what the devices need: a gap that nobody claims. Default 0. */
  readonly spareMemory?: number;
}

export interface RootPortDescription extends PortDescription {
  readonly kind: 'rootPort';
}

export interface SwitchDescription {
  readonly kind: 'switch';
  /** Name of the upstream port. */
  readonly name?: string;
  readonly upstream?: FunctionOptions & { readonly spareMemory?: number };
  /** Device numbers 0, 1, ... on the internal bus. */
  readonly ports: readonly PortDescription[];
}

/** A bridge to a conventional PCI bus, which many devices share and which knows no ACS. */
export interface PciBridgeDescription {
  readonly kind: 'pciBridge';
  readonly name?: string;
  readonly bridge?: FunctionOptions;
  readonly below: readonly DeviceDescription[];
}

export type DeviceDescription = EndpointDescription | SwitchDescription | PciBridgeDescription;

export interface RootBusDescription {
  /** Default 0. */
  readonly domain?: number;
  /** Default: 0, then behind the last bus of the root bus before it. */
  readonly bus?: number;
  /** Bus address minus CPU address, bytes, signed, a multiple of 1 MiB. Default 0. */
  readonly busOffset?: number;
  /** Vendor and device of a host bridge function at 00.0; null for none. Default 8086:09a2. */
  readonly hostBridge?: { readonly vendorId: number; readonly deviceId: number } | null;
  /** First bus address below 4 GiB for windows and BARs. Defaults follow each other from 0xc0000000. */
  readonly memory32?: number;
  /** First bus address for 64-bit prefetchable BARs. Defaults follow each other from 2^45 (32 TiB), 1 TiB apart. */
  readonly memory64?: number;
  /** Device numbers follow the host bridge's. */
  readonly children: readonly (RootPortDescription | DeviceDescription)[];
}

export interface TreeDescription {
  readonly rootBuses: readonly RootBusDescription[];
}

export type DescribeErrorCode =
  | 'BAR_SIZE_INVALID'
  | 'BAR_INDEX_INVALID'
  | 'DEVICE_NUMBERS_EXHAUSTED'
  | 'FUNCTION_NUMBERS_EXHAUSTED'
  | 'BUS_NUMBERS_EXHAUSTED'
  | 'BUS_NUMBER_TAKEN'
  | 'MEMORY_EXHAUSTED'
  | 'TOO_MANY_DEVICES_ON_LINK'
  | 'VALUE_INVALID'
  | 'NAME_TAKEN';

/** A description that no firmware could set up. */
export class DescribeError extends P2pError<DescribeErrorCode> {
  override readonly name: string = 'DescribeError';
}

/** Throws a `DescribeError`. */
export function refuseDescription(code: DescribeErrorCode, path: string, message: string, hint: string): never {
  throw new DescribeError({ code, path, message, hint });
}
