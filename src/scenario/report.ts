/** What a run of a scenario showed. */

import type { ClassifyMode } from '../dma/classifier-for.ts';
import type { Capability, CaseShown } from '../engine/register.ts';
import type { Hop } from '../fabric/hop.ts';
import type { IommuMode } from '../machine/machine.ts';
import type { MailCase } from '../p2p/verdict.ts';
import type { MoverName, RepeatOutcome } from './scenario-types.ts';

export interface VectorReport {
  readonly input: number;
  readonly case: MailCase;
  /** Name of the providing function; null for RAM. */
  readonly owner: string | null;
  /** `pci_p2pdma_dist()` as the submitter was told; null where nobody was asked. */
  readonly distance: number | null;
  /**
   * What the queue holds for the vector: its address as the design has it (CPU physical, bus, or the DMA address that the
   * submitter mapped), and its flags. Of a transfer that was refused before it was queued: what its submitter had.
   */
  readonly address: number;
  readonly length: number;
  readonly flags: number;
  /** The certificate beside the length, 32 bits; null but for `certified`. */
  readonly certificate: number | null;
  /** Why this memory. */
  readonly why: string;
  readonly bytesEqual: number;
}

export interface SegmentReport {
  readonly space: string;
  readonly address: number | null;
  readonly length: number;
  readonly inputs: readonly number[];
  readonly bar?: number | undefined;
  readonly offset?: number | undefined;
  /**
   * What happened to it: `delivered`, `notMoved`, `swallowed` (the device took the address for its own memory), `unseen` (no TLP is shown,
   * and not all bytes are right), or what went wrong.
   */
  readonly fate: string;
  /** Where it went wrong. */
  readonly at: string | null;
  /** Names of the functions that its TLPs passed, in order, each once; empty where none left the device, or none are shown. */
  readonly road: readonly string[];
  /** The different ways of its vectors. */
  readonly ways: readonly Way[];
  /** Null where the engine shows no TLPs. */
  readonly tlps: number | null;
}

/** The way of the first request of some vectors. */
export interface Way {
  readonly inputs: readonly number[];
  /** Names in order; what was passed up and down again stands there twice. */
  readonly places: readonly string[];
  /** It did not arrive: it ended at the last place. */
  readonly stopped: boolean;
}

/** A place of the tree that a drawing shows, parents before children. */
export interface TreePlace {
  readonly name: string;
  readonly depth: number;
}

/** A transfer tried again with the same addresses after its unmap. */
export interface RepeatReport {
  /** `partly`: some bytes arrived, or none and nobody recorded why. */
  readonly outcome: RepeatOutcome | 'partly';
  readonly expected: RepeatOutcome;
  readonly bytesArrived: number;
  /** NVMe status, or null for success. */
  readonly status: string | null;
  readonly iommuFaults: readonly string[];
  /** Whom the faults name, each once. */
  readonly requesters: readonly string[];
}

export interface TransferReport {
  readonly name: string;
  readonly device: string;
  readonly engine: MoverName;
  readonly direction: 'toDevice' | 'fromDevice';
  readonly iommu: IommuMode;
  readonly vectors: readonly VectorReport[];
  readonly segments: readonly SegmentReport[];
  /** The part of the tree that the ways touch; empty where the engine shows no hops. */
  readonly tree: readonly TreePlace[];
  readonly iova: { readonly base: number; readonly size: number } | null;
  /** The design by which it was mapped; `trust`: flags are believed. */
  readonly classify: ClassifyMode;
  readonly trust: boolean;
  /**
   * Vectors that were looked up: to be classified, to have their flags verified, or for `premapped` by the submitter as he
   * mapped.
   */
  readonly lookups: number;
  /** Page descriptors that were read: `page`. */
  readonly pageReads: number;
  /** False: not one request of the transfer was made; `status` or `refusal` says why. */
  readonly began: boolean;
  /** Commands of the NVMe driver, 0 for the DMA engine. */
  readonly commands: number;
  /** How the commands named the memory: `1 SGL descriptor`, `PRPs`; null where there are none. */
  readonly pointers: string | null;
  /**
   * Bytes that the controller moved to or from its own buffer, although they were mapped elsewhere: its CMB base address covers what
   * they were mapped at.
   */
  readonly swallowedBytes: number;
  /** The second attempt after unmap, where the scenario asks for one. */
  readonly repeat: RepeatReport | null;
  /** Null where all went well as far as the device could know; else the status of the first command that failed, or why none was given. */
  readonly status: string | null;
  /** The mapping was refused: code and words. */
  readonly refusal: { readonly code: string; readonly message: string } | null;
  readonly bytesEqual: number;
  readonly bytesTotal: number;
  readonly iommuFaults: readonly string[];
  readonly errors: readonly string[];
  /** What the unmap noticed: memory that was removed while it was mapped. */
  readonly unmapRefusal: { readonly code: string; readonly message: string } | null;
  /** Faults that the scenario injected, in words. */
  readonly injected: readonly string[];
  readonly expected: 'equal' | 'damaged' | 'refused';
  readonly asExpected: boolean;
}

export interface ScenarioReport {
  readonly about: string | null;
  readonly source: string;
  readonly policy: string;
  readonly engine: string;
  readonly capabilities: readonly Capability[];
  /** What the engine shows of each case of the mail, where it does not show all of them. */
  readonly cases: readonly CaseShown[];
  /** What the machine's evidence leaves open and this run took for granted. */
  readonly assumed: readonly string[];
  /** What `prepare` switched on. */
  readonly prepared: readonly string[];
  readonly transfers: readonly TransferReport[];
}

/**
 * What a hop is part of: the bring-up of a controller, the transfer itself, or what is done around it (memory filled and read by
 * the CPU, data brought to the disk and fetched from it through RAM).
 */
export type HopPhase = 'bringUp' | 'aside' | 'transfer';

/** A hop with the transfer that made it, for traces. */
export interface TracedHop extends Hop {
  readonly transfer: string;
  /** Number of the transfer in the file, from 0 on. */
  readonly position: number;
  readonly phase: HopPhase;
  readonly name: string;
}
