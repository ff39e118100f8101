/**
 * The RegisterEngine contract: what a driver needs of a machine, and nothing else. Types only.
 *
 * An engine is a machine on which transfers really run: our fabric in this process (`sim`), or QEMU behind a socket (`qemu`).
 * The simulator answers at once and must serve 100,000 commands a second, a socket answers later. So every method returns an
 * `Answer`: the value itself, or a promise of it. A driver is written once, as an async function that awaits only what is a
 * promise; over the simulator no await ever happens on the hot path.
 *
 * Three rules make that safe:
 *
 * 1. Calls take effect in the order in which they are made, whether or not the caller awaits between them. A driver may write a
 *    list, a command and a doorbell without waiting, and wait once.
 * 2. Bytes handed to a write are taken before the call returns: the caller may reuse the array at once.
 * 3. The array handed to a read is filled when the answer is there, and not to be touched before.
 *
 * An engine that is gone (a killed process) throws, or rejects, a `P2pError`. What the hardware does is never thrown: a read
 * that nobody completes gives all ones, a write to nowhere is lost, as on a real machine.
 */

import type { Iova, PhysAddr } from '../core/address.ts';
import type { Word64 } from '../core/word64.ts';
import type { Bdf } from '../pcie/bdf.ts';

/** A value now, or a promise of it. */
export type Answer<T> = T | Promise<T>;

/** Which engine it is. */
export type EngineKind = 'sim' | 'qemu';

/** Bytes of one configuration access. */
export type AccessSize = 1 | 2 | 4;

/** What a run on an engine may be evidence of. */
export type Provable =
  /** That every byte arrived where it should and nowhere else. */
  | 'data'
  /** That registers, queues, PRPs and SGLs are what a controller written by others accepts. */
  | 'registers'
  /** That IOMMU page tables and invalidations are right. */
  | 'translation'
  /** That a transaction took the road that the rules of PCIe say. */
  | 'routing'
  /** That ACS redirects, blocks and reports. */
  | 'acs'
  /** That a transfer into a hole, or to a disabled target, is noticed. */
  | 'loss';

/** One line of what an engine can show, for the report. */
export interface Capability {
  readonly what: Provable;
  readonly shown: boolean;
  /** Why it can or cannot be shown here: `QEMU routes every peer transaction through the root complex`. */
  readonly reason: string;
}

/** What an engine shows of one case of the mail under one setting of the IOMMU. */
export interface CaseShown {
  readonly case: 'a' | 'b1' | 'b2' | 'c';
  readonly iommu: 'off' | 'on' | 'passthrough';
  /** What is seen, in a few words: `arrives by IOVA`. */
  readonly seen: string;
  /** What of this case cannot be shown, and why; null where all of it is. */
  readonly notProvable: string | null;
}

/** A transaction that the IOMMU stopped. */
export interface EngineFault {
  readonly requester: Bdf;
  /** The address as it was requested, or its page where the hardware keeps no more. */
  readonly address: Iova;
  readonly access: 'read' | 'write';
  readonly reason: 'notMapped' | 'readNotAllowed' | 'writeNotAllowed' | 'noContext' | 'other';
  /** The reason code as the hardware gave it; null where there is none. */
  readonly code: number | null;
}

export interface RegisterEngine {
  readonly kind: EngineKind;
  /** For reports: `sim`, `qemu 7.2.22`. */
  readonly name: string;
  /** Nanoseconds since the engine began, never falling: virtual in the simulator, real time elsewhere. */
  readonly nowNs: number;

  /** A register of configuration space. All ones where no function answers. */
  readConfig(fn: Bdf, offset: number, size: AccessSize): Answer<number>;
  /** Writes a register of configuration space. */
  writeConfig(fn: Bdf, offset: number, size: AccessSize, value: number): Answer<void>;

  /** One 32-bit access to a device register at a CPU address, unsigned. All ones where nobody completes it. */
  read32(address: PhysAddr): Answer<number>;
  /** One 32-bit access to a device register at a CPU address. */
  write32(address: PhysAddr, value: number): Answer<void>;
  /** A 64-bit register. An engine may split it into two 32-bit accesses, low half first. */
  read64(address: PhysAddr): Answer<Word64>;
  /** A 64-bit register. An engine may split it, low half first: where the order matters, use two `write32`. */
  write64(address: PhysAddr, value: Word64): Answer<void>;

  /** Bytes at a CPU address: RAM, or BAR memory as the CPU reaches it. Fills `into`. */
  readMemory(address: PhysAddr, into: Uint8Array): Answer<void>;
  /** Bytes at a CPU address: RAM, or BAR memory as the CPU reaches it. */
  writeMemory(address: PhysAddr, from: Uint8Array): Answer<void>;

  /**
   * Lets the machine work: until it has nothing left to do that it knows of, or for about `maxNs` of its time, whichever comes
   * first. Returns whether anything was done; a false answer has let `maxNs` pass.
   */
  run(maxNs: number): Answer<boolean>;

  /** IOMMU faults since the last call, oldest first; they are cleared. Where the hardware keeps only one, so does this. */
  takeFaults(): Answer<readonly EngineFault[]>;

  /** What a run here proves and what it cannot. Same answer at all times. */
  capabilities(): readonly Capability[];

  /** Ends the machine. Nothing is left behind; no other method may be called afterwards. */
  close(): Answer<void>;
}
