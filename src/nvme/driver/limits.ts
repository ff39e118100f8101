/** What is known of a machine beyond what its controller says, as data: the driver keeps to it. */

export interface DriverLimits {
  /** Longest command, where MDTS allows more. Default 8 MiB, as Linux. */
  readonly maxTransferBytes: number;
  /**
   * Pieces of a command that meet device memory must be multiples of this, or are refused. Default 1. QEMU 7.2 copies them
   * through a bounce buffer that loses others without a word: 512 there.
   */
  readonly mmioGranuleBytes: number;
  /** May one command hold own buffer and other memory? By CMBLOC, or never whatever it says. Default `byController`. */
  readonly mixing: 'byController' | 'never';
  /** Pages for PRP lists or SGL segments of one command. Default 5, as Linux. */
  readonly listPages: number;
  /**
   * SGL segments that one command may chain, at least 1; the last may be longer than a page. Default 5, a page each. QEMU 7.2 looks
   * at the wrong descriptor from the third on, and refuses the command: 2 there.
   */
  readonly sglSegments: number;
  /**
   * May an SGL list outside the own buffer name data inside it? Where not, such commands have a single descriptor. Default true.
   * QEMU 7.2 decides by the address of the list which of both the data is, and refuses the other: false there.
   */
  readonly ownSglLists: boolean;
  /**
   * SGLs are used where a transfer's segments are on average at least this long, and where PRPs cannot say it. 0: only the
   * latter. Default 32 KiB, as Linux.
   */
  readonly sglThresholdBytes: number;
  /** Time without any completion after which commands count as lost. Default 10 s. */
  readonly timeoutNs: number;
}

export const DEFAULT_LIMITS: DriverLimits = {
  maxTransferBytes: 8 * 1024 * 1024,
  mmioGranuleBytes: 1,
  mixing: 'byController',
  listPages: 5,
  sglSegments: 5,
  ownSglLists: true,
  sglThresholdBytes: 32 * 1024,
  timeoutNs: 10e9,
};
