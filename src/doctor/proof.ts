/** How far a fix was proved, as data: a copy of the machine judged again, bytes moved on the fabric, or why neither could be done. */

import type { PolicyName } from '../p2p/policy.ts';
import type { MapType } from '../p2p/verdict.ts';

export type Proof = Judged | Run | NotProved;

/** A copy of the machine was changed and judged again. */
export interface Judged {
  readonly kind: 'judged';
  readonly tried: Tried;
  /** What the changed copy shows; null where nothing was left to ask. */
  readonly shows: Shown | null;
  /** Null where nothing speaks against it. */
  readonly doubt: Doubt | null;
}

/** A kernel that is reported to misread the parameter; not `sure` where its distribution may have repaired that. */
export interface Doubt {
  readonly kernel: string;
  readonly sure: boolean;
}

/** What was changed on the copy. Counts are of registers, and of IOMMU groups. */
export type Tried =
  | { readonly kind: 'registers'; readonly count: number }
  /** The parameter was read as the kernel reads it. */
  | { readonly kind: 'commandLine'; readonly registers: number }
  /** A word that was wrong was read again as it should be, and the problem is gone. */
  | { readonly kind: 'word'; readonly registers: number }
  | { readonly kind: 'groups'; readonly count: number; readonly type: 'identity' | 'DMA' }
  | { readonly kind: 'rules'; readonly policy: PolicyName }
  | { readonly kind: 'slot' }
  | { readonly kind: 'settings' };

/** What judging the copy gave. */
export type Shown =
  | { readonly kind: 'pair'; readonly type: MapType }
  /** Functions of the changed groups that are still translated. */
  | { readonly kind: 'translated'; readonly functions: number }
  /** Pairs whose BAR lies above the client's mask. */
  | { readonly kind: 'aboveMask'; readonly pairs: number }
  | { readonly kind: 'withinPayload'; readonly devices: number; readonly bytes: number }
  | { readonly kind: 'longPackets'; readonly functions: number; readonly bytes: number }
  | { readonly kind: 'decoding'; readonly bit: CommandBit; readonly function: string }
  /** Functions that still ask with ten bits where eight are known. */
  | { readonly kind: 'tenBitTags'; readonly functions: number };

export type CommandBit = 'busMaster' | 'memorySpace';

export type NotProved =
  | { readonly kind: 'notProved'; readonly because: NotProvedReason }
  | { readonly kind: 'notProved'; readonly because: 'noRegister'; readonly kernel: string | null }
  | {
      readonly kind: 'notProved';
      readonly because: 'offElsewhere';
      readonly bit: CommandBit;
      /** Full name of the function on whose way something else is off. */
      readonly function: string;
    };

export type NotProvedReason =
  | 'byHand'
  | 'onlyLooks'
  | 'firmwareSettings'
  | 'firmwareRegisters'
  | 'bridgeWindows'
  | 'barPlacement'
  | 'textOnly'
  | 'rootComplex'
  | 'groupTypeUnknown'
  | 'stillLonger'
  | 'stillThere';

/** The pair of the finding moved bytes on the fabric, before the change and after it; `run` is null where it has no pair, or no BAR, to run. */
export interface Run {
  readonly kind: 'run';
  readonly of: Judged | NotProved;
  readonly run: {
    readonly before: PairRun;
    readonly after: PairRun;
    /** The undo leaves every register and attribute as it was. */
    readonly restored: boolean;
  } | null;
}

/** What became of the bytes of one pair. */
export interface PairRun {
  /** Names of all places that TLPs came to, in order, each once. */
  readonly road: readonly string[];
  readonly passesRootComplex: boolean;
  /** What went wrong first, and where: `unsupportedRequest (rootComplexRefuses) at root complex`; null where nothing did. */
  readonly failure: string | null;
  /** Bytes that arrived as they were sent, both ways together. */
  readonly bytesRight: number;
  readonly bytesTotal: number;
}

/** Makes the proof of a copy that was judged again. */
export function judged(tried: Tried, shows: Shown | null, doubt: Doubt | null = null): Judged {
  return { kind: 'judged', tried, shows, doubt };
}

/** Makes the proof of what cannot be tried on a copy. */
export function notProved(because: NotProvedReason): NotProved {
  return { kind: 'notProved', because };
}
