/**
 * The TransferEngine contract: a whole transfer, from vectors in a queue to bytes where they belong. Types and a few words only.
 *
 * It stands above `RegisterEngine` (register.ts): what has registers to write and memory to read maps the vectors, lets a driver or a
 * DMA engine move the data, and unmaps. Who submits knows nothing of registers; who moves knows nothing of scenarios.
 *
 *   submit   map -- mapped() -- move -- unmap   ->  what was mapped, what moved, what the unmap noticed
 *                                                   again(): the same addresses once more, now that nothing is mapped there
 *
 * What the hardware does is an outcome. A mapping or a driver that refuses is an outcome too: nothing is mapped then.
 */

import type { BvecList } from '../block/bio-vec.ts';
import type { Iova, PhysAddr } from '../core/address.ts';
import type { P2pError } from '../core/errors.ts';
import type { Classifier } from '../dma/classifier.ts';
import type { DmaDevice } from '../dma/device.ts';
import type { DmaSegment } from '../dma/segment.ts';
import type { Answer } from './register.ts';

/** Memory of one vector, as the CPU sees it. */
export interface MemoryPlace {
  readonly address: PhysAddr;
  /** Bytes. */
  readonly length: number;
  /** It is a device's memory, not RAM. */
  readonly isDevice: boolean;
}

/** What is submitted. */
export interface Transfer {
  /** Who maps and does the DMA. */
  readonly device: DmaDevice;
  /** `toDevice`: the device reads memory; `fromDevice`: it writes memory. */
  readonly direction: 'toDevice' | 'fromDevice';
  /** The vectors as they lie in the queue, in the order of the data. */
  readonly vectors: BvecList;
  /** Says at the mapping device what each vector is. */
  readonly classifier: Classifier;
  /** The vectors are DMA addresses that were mapped before: which of them are bus addresses nobody can tell any more. */
  readonly isPremapped: boolean;
  /** Neighbours may become one segment. */
  readonly merge: boolean;
  /** The device's vendor extension for its own memory, where it has one. */
  readonly relative: boolean;
  /** Where the data belongs, in its order: what the vectors stand for, whatever they say. */
  readonly places: readonly MemoryPlace[];
  /** As many bytes as the vectors. `fromDevice`: what the device has to write. `toDevice`: filled with what it read. */
  readonly data: Uint8Array;
  /** Called when everything is mapped and nothing has moved. `unmap`: the mapping is undone before the data moves. */
  readonly mapped?: () => Answer<'move' | 'unmap'>;
}

/** Every byte of a segment went where its address says. */
export const DELIVERED = 'delivered';
/** Nothing of a segment was moved: the transfer never began, or stopped before. */
export const NOT_MOVED = 'notMoved';
/** The engine shows no transactions: only the bytes can tell. */
export const UNSEEN = 'unseen';
/** The device kept a segment to itself: it takes the address for one of its own memory. */
export const SWALLOWED = 'swallowed';

/** What became of one segment. */
export interface SegmentOutcome {
  /** One of the words above, or what went wrong, in words of the fabric: `unsupportedRequest (samePort)`. */
  readonly fate: string;
  /** Name of the function where it went wrong, `root complex`, or null. */
  readonly at: string | null;
  /** Numbers of the TLPs that carried it; null where the engine shows none. */
  readonly tlps: ReadonlySet<number> | null;
}

/** What moving the data came to. */
export interface MoveOutcome {
  /** False: not one request of the transfer was made; `status` says why. */
  readonly began: boolean;
  /** Null where all went well as far as the device could know, else what it answered, or what it did not. */
  readonly status: string | null;
  /** One a segment. */
  readonly segments: readonly SegmentOutcome[];
  /** Commands to the device, 0 for a plain DMA engine. */
  readonly commands: number;
  /** How the commands named the memory: `1 SGL descriptor`, `PRPs`; null where there are none. */
  readonly pointers: string | null;
  /** Bytes that the device moved to or from its own memory, although they belong elsewhere. */
  readonly swallowedBytes: number;
}

/** A transfer that ended. */
export interface TransferEnd {
  readonly kind: 'ended';
  /** What was mapped, in the order of the data. */
  readonly segments: readonly DmaSegment[];
  /** The one contiguous range of I/O virtual addresses; null where nothing met the IOMMU. */
  readonly iova: { readonly base: Iova; readonly size: number } | null;
  readonly moved: MoveOutcome;
  /** What the unmap noticed: memory that was removed while it was mapped. */
  readonly unmapRefusal: P2pError | null;
  /** Gives the device the same addresses once more. The mapping is undone by now. */
  again(): Answer<MoveOutcome>;
}

/** The mapping or the driver refused; nothing has moved, and nothing is mapped. */
export interface TransferRefused {
  readonly kind: 'refused';
  readonly error: P2pError;
}

export type TransferOutcome = TransferEnd | TransferRefused;

export interface TransferEngine {
  /** For reports: `nvme`, `dma`. */
  readonly name: string;
  /** Runs one transfer to its end. */
  submit(transfer: Transfer): Answer<TransferOutcome>;
}
