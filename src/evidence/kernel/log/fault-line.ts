/**
 * Lines in which kernels report that an IOMMU refused a device: the forms of Linux's drivers for Intel (DMAR, interrupt remapping), AMD
 * (AMD-Vi) and ARM (SMMU v2 and v3), as old and new releases print them. What stands before them (a time, a priority, the
 * prefix of a journal) does not matter. Linux drivers/iommu/intel/dmar.c, amd/iommu.c, arm/arm-smmu, arm/arm-smmu-v3.
 */

import { formatBdf, parseBdf } from '../../../pcie/bdf.ts';
import { LOG_LINE_MAX } from './telling.ts';

export interface FaultLine {
  readonly iommu: 'DMAR' | 'AMD-Vi' | 'SMMU';
  /** `interrupt`: a message that raises one was refused, and no data was meant. */
  readonly what: 'memory' | 'interrupt';
  /** Full name of the requester; null where the line names none (an SMMU names streams). */
  readonly by: string | null;
  /** Whether the line told the domain; else it was taken to be 0. */
  readonly domainTold: boolean;
  /** Null for an interrupt, and for what has more bits than an address. */
  readonly address: number | null;
  readonly access: 'read' | 'write' | null;
  /** What the driver says of the cause. */
  readonly reason: string | null;
  /** The number of that cause; Intel's IOMMU alone has one. VT-d, table of fault reasons. */
  readonly code: number | null;
}

/** A fault and the line that it was read from, counted from 1. */
export interface FaultAtLine {
  readonly fault: FaultLine;
  readonly line: number;
}

/** What a log says of faults. */
export interface FaultLog {
  readonly faults: readonly FaultAtLine[];
  /** Lines with text that belong to no fault. */
  readonly otherLines: number;
}

// Both forms of a requester's name: 03:00.0, and 0x03:0x00.0 of some releases.
const REQUESTER = String.raw`\[+(?:0x)?([0-9a-f]{2}):(?:0x)?([0-9a-f]{2})\.([0-7])\]`;
const CAUSE = String.raw`(?:\s*\[fault reason ((?:0x)?[0-9a-f]+)\]\s*(.*))?`;

const DMAR = new RegExp(
  String.raw`DMAR:?\s*\[(?:DMA )?(Read|Write)(?: NO_PASID| PASID 0x[0-9a-f]+)?\] Request device ${REQUESTER}(?: PASID [0-9a-f]+)? fault addr (?:0x)?([0-9a-f]+)${CAUSE}`,
  'i',
);
const INTERRUPT = new RegExp(
  String.raw`INTR-REMAP\]?:? ?Request device ${REQUESTER} fault index (?:0x)?[0-9a-f]+${CAUSE}`,
  'i',
);
/** Kernels before 4.2 print the cause on a line of its own. */
const CAUSE_LINE = /(?:DMAR|INTR-REMAP):\s?\[fault reason ((?:0x)?[0-9a-f]+)\]\s*(.*)/i;
/** The events that a device causes; what goes wrong with the IOMMU's own commands is none of them. */
const AMD =
  /\b(IO_PAGE_FAULT|INVALID_DEVICE_REQUEST|ILLEGAL_DEV_TABLE_ENTRY|DEV_TAB_HARDWARE_ERROR|PAGE_TAB_HARDWARE_ERROR|INVALID_PPR_REQUEST)\b[^\]]*/;
const AMD_PREFIX = /\b((?:[0-9a-f]{4,8}:)[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): (?:AMD-Vi: )?Event logged/i;
// Both are looked for behind the first name of a driver: each more name would be another beginning to try.
const SMMU = /arm-smmu/i;
const SMMU_CONTEXT = /context fault:.*\biova=0x([0-9a-f]+)/i;
const SMMU_EVENT = /^arm-smmu-v3.*?\bevent: (\S+) client: (.+?) sid: (0x[0-9a-f]+).*\biova: 0x([0-9a-f]+)/i;
/** The second line of such an event. */
const SMMU_EVENT_ACCESS = /arm-smmu-v3.*\b(?:un)?priv \S+ (read|write)\b/i;
const SMMU_RAW_HEAD = /arm-smmu-v3.*\bevent 0x([0-9a-f]{2}) received/i;
const SMMU_RAW_WORD = /arm-smmu-v3.*:\s+0x([0-9a-f]{8})([0-9a-f]{8})\s*$/i;

/** Reads a whole log. */
export function readFaults(lines: readonly string[]): FaultLog {
  const reader = new FaultReader();
  let others = 0;
  for (const [index, line] of lines.entries()) {
    if (!reader.take(line, index + 1) && line.trim() !== '') others++;
  }
  return { faults: reader.faults, otherLines: others + reader.abandon() };
}

/** Reads faults line by line: some need two lines, and the raw events of an SMMU five. */
export class FaultReader {
  readonly #faults: { fault: FaultLine; line: number }[] = [];
  /** Whether the line before was a fault that the next may add to. */
  #isOpen = false;
  #raw: RawEvent | null = null;
  #abandoned = 0;

  get faults(): readonly FaultAtLine[] {
    return this.#faults;
  }

  /** Takes a line; false where it is no part of a fault. */
  take(line: string, number: number): boolean {
    const text = plain(line);
    if (this.#rawWord(text)) return true;
    const name = RAW_EVENTS[SMMU_RAW_HEAD.exec(text)?.[1] ?? ''];
    if (name !== undefined) {
      this.#raw = { name, line: number, words: [] };
      this.#isOpen = false;
      return true;
    }
    const fault = parseFaultLine(text);
    const last = this.#faults.at(-1);
    if (fault !== null) this.#faults.push({ fault, line: number });
    const added = fault !== null || last === undefined || !this.#isOpen ? null : addedBy(last.fault, text);
    if (last !== undefined && added !== null) last.fault = added;
    this.#isOpen = fault !== null;
    return fault !== null || added !== null;
  }

  /** Ends the log: lines that began an event and were not followed by the rest of it. */
  abandon(): number {
    this.#dropRaw();
    return this.#abandoned;
  }

  /** Whether the line is a word of the raw event that is being read. */
  #rawWord(text: string): boolean {
    const raw = this.#raw;
    if (raw === null) return false;
    const word = raw.words.length < RAW_WORDS ? SMMU_RAW_WORD.exec(text) : null;
    if (word === null) {
      this.#dropRaw();
      return false;
    }
    raw.words.push([Number.parseInt(word[1] as string, 16), Number.parseInt(word[2] as string, 16)]);
    if (raw.words.length === RAW_WORDS_TELLING) this.#faults.push({ fault: rawFault(raw), line: raw.line });
    return true;
  }

  #dropRaw(): void {
    const raw = this.#raw;
    this.#raw = null;
    if (raw !== null && raw.words.length < RAW_WORDS_TELLING) this.#abandoned += 1 + raw.words.length;
  }
}

/** Reads one line of dmesg; null where it reports no such fault, or only a part of one. */
export function parseFaultLine(line: string): FaultLine | null {
  const text = plain(line);
  return dmarLine(text) ?? interruptLine(text) ?? amdLine(text) ?? smmuLine(text);
}

/** Without the colours that `dmesg --color` gives to its parts, and no longer than the kernel makes a line. */
function plain(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one
  const text = line.includes('\u001b') ? line.replace(/\u001b\[[0-9;]*m/g, '') : line;
  return text.length > LOG_LINE_MAX ? text.slice(0, LOG_LINE_MAX) : text;
}

/** The fault with what its second line tells; null where the line is another matter. */
function addedBy(fault: FaultLine, text: string): FaultLine | null {
  if (fault.iommu === 'DMAR' && fault.reason === null) {
    const cause = CAUSE_LINE.exec(text);
    return cause === null ? null : { ...fault, reason: textOrNull(cause[2]), code: codeOf(cause[1]) };
  }
  if (fault.iommu === 'SMMU' && fault.access === null) {
    const access = SMMU_EVENT_ACCESS.exec(text)?.[1];
    return access === undefined ? null : { ...fault, access: access.toLowerCase() as 'read' | 'write' };
  }
  return null;
}

function addressOf(digits: string | undefined): number | null {
  const value = digits === undefined ? Number.NaN : Number.parseInt(digits, 16);
  return Number.isSafeInteger(value) ? value : null;
}

/** The number of a cause: hexadecimal with 0x in newer kernels, decimal without it in older ones. */
function codeOf(digits: string | undefined): number | null {
  if (digits === undefined) return null;
  const code = Number.parseInt(digits, digits.startsWith('0x') ? 16 : 10);
  return Number.isNaN(code) ? null : code;
}

function textOrNull(text: string | undefined): string | null {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}

function dmarLine(line: string): FaultLine | null {
  const match = DMAR.exec(line);
  if (match === null) return null;
  const [, access = '', bus, device, fn, address, code, reason] = match;
  return {
    iommu: 'DMAR',
    what: 'memory',
    by: `0000:${bus}:${device}.${fn}`.toLowerCase(),
    domainTold: false,
    address: addressOf(address),
    access: access.toLowerCase() as 'read' | 'write',
    reason: textOrNull(reason),
    code: codeOf(code),
  };
}

function interruptLine(line: string): FaultLine | null {
  const match = INTERRUPT.exec(line);
  if (match === null) return null;
  const [, bus, device, fn, code, reason] = match;
  return {
    iommu: 'DMAR',
    what: 'interrupt',
    by: `0000:${bus}:${device}.${fn}`.toLowerCase(),
    domainTold: false,
    address: null,
    access: null,
    reason: textOrNull(reason),
    code: codeOf(code),
  };
}

// AMD I/O Virtualization Technology specification, 2.5.3: bit 3 an interrupt, bit 5 a write.
const AMD_INTERRUPT = 0x08;
const AMD_WRITE = 0x20;

function amdLine(line: string): FaultLine | null {
  const match = AMD.exec(line);
  if (match === null) return null;
  const [rest, event] = match;
  const address = /\baddress=0x([0-9a-f]+)/i.exec(rest)?.[1];
  if (address === undefined) return null;
  const flagsText = /\bflags=0x([0-9a-f]+)/i.exec(rest)?.[1];
  const flags = flagsText === undefined ? null : Number.parseInt(flagsText, 16);
  const named = /\bdevice=([0-9a-f:.]+)/i.exec(rest)?.[1] ?? AMD_PREFIX.exec(line)?.[1];
  const bdf = named === undefined ? null : parseBdf(named);
  const isInterrupt = event === 'IO_PAGE_FAULT' && flags !== null && (flags & AMD_INTERRUPT) !== 0;
  return {
    iommu: 'AMD-Vi',
    what: isInterrupt ? 'interrupt' : 'memory',
    by: bdf === null ? null : formatBdf(bdf),
    domainTold: named?.split(':').length === 3,
    address: isInterrupt ? null : addressOf(address),
    access: flags === null || isInterrupt || event !== 'IO_PAGE_FAULT' ? null : flags & AMD_WRITE ? 'write' : 'read',
    reason: event === 'IO_PAGE_FAULT' ? null : (event as string),
    code: null,
  };
}

/** Bit 4 of FSYNR0, WNR: the access was a write. ARM SMMU v2 architecture, SMMU_CBn_FSYNR0. */
const SMMU_WRITE = 0x10;

function smmuLine(text: string): FaultLine | null {
  const driverAt = text.search(SMMU);
  if (driverAt < 0) return null;
  const line = text.slice(driverAt);
  const context = SMMU_CONTEXT.exec(line);
  if (context !== null) {
    const syndrome = /\bfsynr0?=0x([0-9a-f]+)/i.exec(line)?.[1];
    const access = syndrome === undefined ? null : Number.parseInt(syndrome, 16) & SMMU_WRITE ? 'write' : 'read';
    const stream = /\b(?:sid|cbfrsynra)=(0x[0-9a-f]+)/i.exec(line)?.[1];
    return smmuFault(context[1], access, stream === undefined ? null : `stream ${stream}`, null);
  }
  const event = SMMU_EVENT.exec(line);
  if (event === null) return null;
  const [, name, client = '', stream, address] = event;
  return smmuFault(address, null, `${name}, stream ${stream}`, client);
}

function smmuFault(
  address: string | undefined,
  access: 'read' | 'write' | null,
  reason: string | null,
  client: string | null,
): FaultLine {
  const bdf = client === null ? null : parseBdf(client);
  return {
    iommu: 'SMMU',
    what: 'memory',
    by: bdf === null ? null : formatBdf(bdf),
    domainTold: bdf !== null,
    address: addressOf(address),
    access,
    reason,
    code: null,
  };
}

/** F_TRANSLATION, F_ADDR_SIZE, F_ACCESS, F_PERMISSION: the events with an input address. ARM SMMU v3 architecture, 7.3. */
const RAW_EVENTS: Readonly<Record<string, string>> = {
  '10': 'F_TRANSLATION',
  '11': 'F_ADDR_SIZE',
  '12': 'F_ACCESS',
  '13': 'F_PERMISSION',
};
/** Bit 35 of the record's second word: RnW. */
const RAW_READ = 0x8;

/** Words of an event, and how many of them are needed: stream, bits, address. */
const RAW_WORDS = 4;
const RAW_WORDS_TELLING = 3;

/** An event that releases before 6.14 print as four words, a line each. */
interface RawEvent {
  readonly name: string;
  readonly line: number;
  /** High and low half of each. */
  readonly words: (readonly [high: number, low: number])[];
}

function rawFault({ name, words }: RawEvent): FaultLine {
  const [[stream], [bits], [high, low]] = words as [RawWord, RawWord, RawWord];
  const reason = `${name}, stream 0x${stream.toString(16)}`;
  const address = `${high.toString(16)}${low.toString(16).padStart(8, '0')}`;
  return smmuFault(address, bits & RAW_READ ? 'read' : 'write', reason, null);
}

type RawWord = RawEvent['words'][number];
