/**
 * Lines in which kernels report that an IOMMU refused a device: the forms of Linux's drivers for Intel (DMAR, interrupt remapping), AMD
 * (AMD-Vi) and ARM (SMMU v2 and v3), as old and new releases print them. What stands before them (a time, a priority, the
 * prefix of a journal) does not matter. Linux drivers/iommu/intel/dmar.c, amd/iommu.c, arm/arm-smmu, arm/arm-smmu-v3.
 */

import { LOG_LINE_MAX } from '../../machine/kernel-log.ts';
import { formatBdf, parseBdf } from '../../pcie/bdf.ts';

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
const CAUSE = String.raw`(?:\s*\[fault reason (?:0x)?[0-9a-f]+\]\s*(.*))?`;

const DMAR = new RegExp(
  String.raw`DMAR:?\s*\[(?:DMA )?(Read|Write)(?: NO_PASID| PASID 0x[0-9a-f]+)?\] Request device ${REQUESTER}(?: PASID [0-9a-f]+)? fault addr (?:0x)?([0-9a-f]+)${CAUSE}`,
  'i',
);
const INTERRUPT = new RegExp(
  String.raw`INTR-REMAP\]?:? ?Request device ${REQUESTER} fault index (?:0x)?[0-9a-f]+${CAUSE}`,
  'i',
);
/** Kernels before 4.2 print the cause on a line of its own. */
const CAUSE_LINE = /(?:DMAR|INTR-REMAP):\s?\[fault reason (?:0x)?[0-9a-f]+\]\s*(.*)/i;
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
  const faults: { fault: FaultLine; line: number }[] = [];
  let other = 0;
  for (let index = 0; index < lines.length; index++) {
    const text = plain(lines[index] as string);
    const raw = rawSmmuEvent(lines, index);
    const fault = raw?.fault ?? parseFaultLine(text);
    if (fault !== null) {
      faults.push({ fault, line: index + 1 });
      index += raw === null ? 0 : raw.words;
      continue;
    }
    const last = faults.at(-1);
    const added = last === undefined || last.line !== index ? null : addedBy(last.fault, text);
    if (last !== undefined && added !== null) last.fault = added;
    else if (text.trim() !== '') other++;
  }
  return { faults, otherLines: other };
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
    const cause = CAUSE_LINE.exec(text)?.[1]?.trim();
    return cause === undefined ? null : { ...fault, reason: cause === '' ? null : cause };
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

function textOrNull(text: string | undefined): string | null {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}

function dmarLine(line: string): FaultLine | null {
  const match = DMAR.exec(line);
  if (match === null) return null;
  const [, access = '', bus, device, fn, address, reason] = match;
  return {
    iommu: 'DMAR',
    what: 'memory',
    by: `0000:${bus}:${device}.${fn}`.toLowerCase(),
    domainTold: false,
    address: addressOf(address),
    access: access.toLowerCase() as 'read' | 'write',
    reason: textOrNull(reason),
  };
}

function interruptLine(line: string): FaultLine | null {
  const match = INTERRUPT.exec(line);
  if (match === null) return null;
  const [, bus, device, fn, reason] = match;
  return {
    iommu: 'DMAR',
    what: 'interrupt',
    by: `0000:${bus}:${device}.${fn}`.toLowerCase(),
    domainTold: false,
    address: null,
    access: null,
    reason: textOrNull(reason),
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

/** An event that releases before 6.14 print as four words, a line each: stream, bits, address. */
function rawSmmuEvent(
  lines: readonly string[],
  index: number,
): { readonly fault: FaultLine; readonly words: number } | null {
  const name = RAW_EVENTS[SMMU_RAW_HEAD.exec(plain(lines[index] as string))?.[1] ?? ''];
  if (name === undefined) return null;
  const words: RegExpExecArray[] = [];
  while (words.length < 4) {
    const word = SMMU_RAW_WORD.exec(plain(lines[index + 1 + words.length] ?? ''));
    if (word === null) break;
    words.push(word);
  }
  const [first, second, third] = words;
  if (first === undefined || second === undefined || third === undefined) return null;
  const stream = Number.parseInt(first[1] as string, 16);
  const access = Number.parseInt(second[1] as string, 16) & RAW_READ ? 'read' : 'write';
  const reason = `${name}, stream 0x${stream.toString(16)}`;
  return {
    fault: smmuFault(`${third[1]}${third[2]}`, access, reason, null),
    words: words.length,
  };
}
