/** What may not be as it was in a rebuilt machine, and how that is said. */

export type RebuildNoteCode =
  | 'BOARD'
  | 'SWITCH_ACS'
  | 'ENDPOINT_ACS'
  | 'ACS_UNKNOWN'
  | 'VIRTUAL_FUNCTION'
  | 'PXB_ENDPOINT'
  | 'PLACE'
  | 'MOVED'
  | 'BUSES'
  | 'SLOTS'
  | 'STRAY_BRIDGE'
  | 'MEMORY_SIZE'
  | 'MEMORY_UNKNOWN'
  | 'SMALL_BUFFER'
  | 'PLACEHOLDER'
  | 'CPU'
  | 'BUS_OFFSET'
  | 'DOMAIN'
  | 'ROUTING';

/** Something that is not as it was, and of which functions. */
export interface RebuildNote {
  readonly code: RebuildNoteCode;
  readonly message: string;
  /** Names in the original machine; empty where the whole machine is meant. */
  readonly functions: readonly string[];
}

/** Notes whose message has no numbers in it. */
export type PlainNoteCode = Exclude<RebuildNoteCode, 'MEMORY_SIZE' | 'CPU'>;

/** What is said of the functions that a note names. */
export const REBUILD_MESSAGES: Readonly<Record<PlainNoteCode, string>> = {
  BOARD: 'left out: functions of the board; a q35 has a host bridge 8086:29c0 and an LPC bridge of its own',
  SWITCH_ACS: 'without ACS: QEMU’s switch ports have none',
  ENDPOINT_ACS: 'without ACS: QEMU’s endpoints have none',
  ACS_UNKNOWN: 'with ACS off: the capture does not tell what their ACS is set to',
  VIRTUAL_FUNCTION: 'left out: Virtual Functions',
  PXB_ENDPOINT: 'behind a root port that was not there: QEMU allows bridges only on a root bus that is not the first',
  PLACE: 'left out: a link leads to device 0 alone, with functions 0 to 7',
  MOVED: 'at another device or function number: their own is taken, or could not be seen',
  BUSES: 'left out: there are 256 bus numbers for all root buses together',
  SLOTS: 'left out: no device number is left on their bus',
  STRAY_BRIDGE: 'left out, with what is below: bridges of a kind that QEMU has not, or not there',
  MEMORY_UNKNOWN: 'with 1 MiB of memory: the capture does not tell the size of their BARs',
  SMALL_BUFFER: 'without a controller memory buffer: QEMU’s begin at 1 MiB',
  PLACEHOLDER: 'stood for by pci-testdev: they have no memory BAR of a page or more',
  BUS_OFFSET: 'at bus addresses that equal CPU addresses: QEMU’s host bridges have no offset',
  DOMAIN: 'in domain 0: a q35 has no other',
  ROUTING:
    'QEMU sends every peer transaction through the root complex: whether a switch would have routed it cannot be seen',
};
