/** What a simulated controller can be told to be, the defaults, and the checks. */

import type { Clock } from '../../core/clock.ts';
import { NvmeDeviceError } from './errors.ts';
import type { BarPort, BlockStore, UpstreamPort } from './ports.ts';

/** A Controller Memory Buffer. Bits are named as in CMBSZ and CMBLOC. */
export interface CmbOptions {
  readonly sizeBytes: number;
  /** BAR that holds it: 0, 2, 3, 4 or 5. Default 2. */
  readonly bar?: number;
  /** Where it begins in the BAR, a multiple of the unit that its size has. Default 0. */
  readonly offsetBytes?: number;
  /**
   * The kind before 1.4 (CAP.CMBS = 0): on from reset, and recognised by the bus address of the BAR, which `bars` must tell.
   * Default false: enabled by CMBMSC and recognised at CBA.
   */
  readonly legacy?: boolean;
  /** Default true. */
  readonly sqs?: boolean;
  /** Default false. */
  readonly cqs?: boolean;
  /** Default true. */
  readonly lists?: boolean;
  /** Default true. */
  readonly rds?: boolean;
  /** Default true. */
  readonly wds?: boolean;
  /** One command may have its lists in both places. Default false. */
  readonly cdpmls?: boolean;
  /** Lists in the buffer for a command outside. Default true. */
  readonly cdpcils?: boolean;
  /** The data of one command may be in both places; needs `cdpmls` as well. Default: as `cdpmls`. */
  readonly cdmmms?: boolean;
}

/** What SGLs the controller takes. */
export interface SglOptions {
  /** Address and length in multiples of 1 or 4 bytes. Default 1. */
  readonly granularityBytes?: 1 | 4;
  /** SGLS bit 16. Default true. */
  readonly bitBucket?: boolean;
  /** SGLS bit 18. Default false. */
  readonly excessLength?: boolean;
  /** Our vendor extension, see `spec/vendor.ts`. Default false. */
  readonly relative?: boolean;
}

export interface NamespaceOptions {
  readonly store: BlockStore;
  /** 512 to 64 Ki, a power of two. Default 512. */
  readonly blockBytes?: number;
}

export interface NvmeControllerOptions {
  readonly upstream: UpstreamPort;
  readonly clock: Clock;
  /** Namespaces 1, 2, .... */
  readonly namespaces: readonly NamespaceOptions[];
  /** Needed by a legacy CMB only. */
  readonly bars?: BarPort;
  readonly cmb?: CmbOptions;
  /** `false` for a controller without SGLs. Default: all of `SglOptions`' defaults. */
  readonly sgl?: SglOptions | false;
  /** Longest transfer as a power of two of 4 KiB pages, 0 for no limit. Default 10: 4 MiB. */
  readonly mdts?: number;
  /** Default 1024. */
  readonly maxQueueEntries?: number;
  /** Default 16. */
  readonly ioQueuePairs?: number;
  /** CAP.DSTRD. Default 0. */
  readonly doorbellStride?: number;
  /** Time from CC.EN to CSTS.RDY. Default 0. */
  readonly readyDelayNs?: number;
  /** PCI IDs for Identify Controller. Default 0. */
  readonly vendorId?: number;
  readonly subsystemVendorId?: number;
  /** At most 20 characters. Default `p2pdma`. */
  readonly serial?: string;
}

/** Largest page that CC.MPS may select: 64 KiB. */
export const MPS_MAX = 4;

function inRange(value: number, first: number, last: number, path: string): number {
  if (Number.isInteger(value) && value >= first && value <= last) return value;
  throw new NvmeDeviceError({
    code: 'NVME_OPTION_RANGE',
    path,
    message: `${path} is ${value}`,
    hint: `use a whole number from ${first} to ${last}`,
  });
}

/** A namespace with its numbers worked out. */
export interface Namespace {
  readonly store: BlockStore;
  readonly blockBytes: number;
  /** Number of blocks. */
  readonly blocks: number;
}

/** The options with their defaults, checked. */
export interface ControllerProfile {
  readonly namespaces: readonly Namespace[];
  readonly sgl: Required<SglOptions> | null;
  readonly mdts: number;
  /** Longest transfer in bytes, `Infinity` for no limit. */
  readonly maxTransferBytes: number;
  readonly maxQueueEntries: number;
  readonly ioQueuePairs: number;
  readonly doorbellStride: number;
  readonly readyDelayNs: number;
  readonly vendorId: number;
  readonly subsystemVendorId: number;
  readonly serial: string;
}

/** Fills in the defaults. Throws `NvmeDeviceError` for what no controller can be. */
export function resolveProfile(options: NvmeControllerOptions): ControllerProfile {
  const mdts = inRange(options.mdts ?? 10, 0, 20, 'mdts');
  return {
    namespaces: options.namespaces.map(resolveNamespace),
    sgl: options.sgl === false ? null : resolveSgl(options.sgl ?? {}),
    mdts,
    maxTransferBytes: mdts === 0 ? Number.POSITIVE_INFINITY : 4096 * 2 ** mdts,
    maxQueueEntries: inRange(options.maxQueueEntries ?? 1024, 2, 65536, 'maxQueueEntries'),
    ioQueuePairs: inRange(options.ioQueuePairs ?? 16, 1, 1024, 'ioQueuePairs'),
    doorbellStride: inRange(options.doorbellStride ?? 0, 0, 15, 'doorbellStride'),
    readyDelayNs: inRange(options.readyDelayNs ?? 0, 0, 1e15, 'readyDelayNs'),
    vendorId: inRange(options.vendorId ?? 0, 0, 0xffff, 'vendorId'),
    subsystemVendorId: inRange(options.subsystemVendorId ?? 0, 0, 0xffff, 'subsystemVendorId'),
    serial: options.serial ?? 'p2pdma',
  };
}

function resolveSgl(options: SglOptions): Required<SglOptions> {
  return {
    granularityBytes: options.granularityBytes ?? 1,
    bitBucket: options.bitBucket ?? true,
    excessLength: options.excessLength ?? false,
    relative: options.relative ?? false,
  };
}

function resolveNamespace(options: NamespaceOptions, index: number): Namespace {
  const blockBytes = options.blockBytes ?? 512;
  const path = `namespaces[${index}]`;
  inRange(blockBytes, 512, 65536, `${path}.blockBytes`);
  const { sizeBytes } = options.store;
  if ((blockBytes & (blockBytes - 1)) !== 0 || sizeBytes < blockBytes || sizeBytes % blockBytes !== 0) {
    throw new NvmeDeviceError({
      code: 'NVME_NAMESPACE_SIZE',
      path,
      message: `a store of ${sizeBytes} bytes with blocks of ${blockBytes} bytes`,
      hint: 'use a block size that is a power of two, and a store of one or more whole blocks',
    });
  }
  return { store: options.store, blockBytes, blocks: sizeBytes / blockBytes };
}
