/**
 * The decoded text of one function, `lspci -v` to `-vvv` of every version since 2008. Each line is known by how it begins,
 * not by its indentation: mail turns tabs into blanks and web forms drop both. Lines that tell nothing we need are passed
 * over. Differences between versions are named where they matter.
 */

import { busAddr, physAddr } from '../../core/address.ts';
import { NIBBLE } from '../../core/hex.ts';
import { latin1 } from '../../core/text.ts';
import { ACS_BITS } from '../../pcie/acs.ts';
import type { Bar } from '../../pcie/bar.ts';
import { type WindowFact, windowOf } from '../../pcie/bridge-window.ts';
import type { PortType } from '../../pcie/express.ts';
import type { FactName, TextFacts } from '../../pcie/function-facts.ts';
import type { NoteList } from '../note-list.ts';
import { decodeHeader } from './lspci-header.ts';
import { isBodyKeyword } from './lspci-keywords.ts';
import type { LspciBlock } from './lspci-scan.ts';
import { indentEnd, isContinuation, isUnclosed, lineEnd, quoteEnd } from './text-lines.ts';

/** As much of one line as is decoded. */
const LINE_MAX = 2048;

/** What the Express line calls the Device/Port Types, longest first where one begins like another. */
const PORT_TYPES: readonly (readonly [string, PortType])[] = [
  ['Endpoint', 'endpoint'],
  ['Legacy Endpoint', 'legacyEndpoint'],
  ['Root Port', 'rootPort'],
  ['Upstream Port', 'upstreamPort'],
  ['Downstream Port', 'downstreamPort'],
  ['PCI-Express to PCI/PCI-X Bridge', 'pcieToPci'],
  ['PCI/PCI-X to PCI-Express Bridge', 'pciToPcie'],
  ['Root Complex Integrated Endpoint', 'rcIntegratedEndpoint'],
  ['Root Complex Event Collector', 'rcEventCollector'],
];

/** Bits of the Command register by the names that `Control:` gives them. */
const COMMAND_BITS: readonly string[] = [
  'I/O',
  'Mem',
  'BusMaster',
  'SpecCycle',
  'MemWINV',
  'VGASnoop',
  'ParErr',
  'Stepping',
  'SERR',
  'FastB2B',
  'DisINTx',
];

/** Bits of the Bridge Control register by the names that `BridgeCtl:` gives them. */
const BRIDGE_CONTROL_BITS: readonly string[] = [
  'Parity',
  'SERR',
  'NoISA',
  'VGA',
  'VGA16',
  'MAbort',
  'Reset',
  'FastB2B',
];

/** Lines whose rest is taken even where the mail program indented it: a lost half of these would be a lost fact. */
const JOINED =
  /^(?:ACSCap|ACSCtl|Control|Bus|I\/O behind bridge|Memory behind bridge|Prefetchable memory behind bridge|LnkCap|LnkSta|Initial VFs|VF offset|Region \d):/;

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
};

/** What a decoded block says, and whether it lists memory without the numbers of the BARs (`lspci -v`). */
export interface DecodedText {
  readonly facts: TextFacts;
  readonly barsUnnumbered: boolean;
}

/** Decodes the text of one block. Lines that should be readable and are not go to `notes`. */
export function decodeText(bytes: Uint8Array, block: LspciBlock, file: string, notes: NoteList | null): DecodedText {
  return new Decoder(bytes, block, file, notes).decode();
}

class Decoder {
  readonly #bytes: Uint8Array;
  readonly #block: LspciBlock;
  readonly #notes: NoteList | null;
  readonly #facts: TextFacts;
  /** Name of the capability that the present lines belong to; empty before the first. */
  #capability = '';
  #verbose = false;
  #busMaster: boolean | null = null;
  #statusHasList = false;
  #unnumbered = false;
  #nextBar = 0;
  #vfsEnabled = true;
  /** The kernel's lines come last in a function, so nothing is missing before them. */
  #sawDriver = false;
  #memoryDisabled = false;
  /** A line of the list could not be read: what is not printed may have stood there. */
  #capabilityLost = false;
  #acsOffset: number | null = null;
  #acsCapability: number | null = null;

  constructor(bytes: Uint8Array, block: LspciBlock, file: string, notes: NoteList | null) {
    this.#bytes = bytes;
    this.#block = block;
    this.#notes = notes;
    this.#facts = { lines: {}, file };
  }

  decode(): DecodedText {
    const bytes = this.#bytes;
    const { textEnd, wrapped } = this.#block;
    let at = this.#block.start;
    let lineNumber = this.#block.line;
    let pending = '';
    let pendingLine = 0;
    let columns = 0;
    const flush = (): void => {
      if (pendingLine === this.#block.line) this.#header(pending);
      else if (pending !== '') this.#line(pending, pendingLine);
    };
    for (; at < textEnd; lineNumber++) {
      const next = lineEnd(bytes, at);
      const margin = lineNumber === this.#block.line ? at : quoteEnd(bytes, at, next);
      const start = indentEnd(bytes, margin, next);
      let end = Math.min(next, start + LINE_MAX);
      while (end > start && (bytes[end - 1] as number) <= 0x20) end--;
      at = next + 1;
      if (end === start || isRow(bytes, start, end)) continue;
      const text = plainCharacters(latin1(bytes, start, end));
      const blank = text.indexOf(' ');
      const firstWord = blank < 0 ? text.length : blank;
      const isRest =
        wrapped &&
        pendingLine > 0 &&
        !isBodyKeyword(bytes, start, end) &&
        (isContinuation(columns, firstWord)
          ? start === margin || (JOINED.test(pending) && !text.includes(':'))
          : pendingLine === this.#block.line && start === margin && isUnclosed(pending));
      columns = end - margin;
      if (isRest && pending.length < LINE_MAX) {
        pending = `${pending} ${text}`;
        continue;
      }
      if (pendingLine > 0) flush();
      pending = text;
      pendingLine = lineNumber;
    }
    if (pendingLine > 0) flush();
    return this.#finish();
  }

  #header(text: string): void {
    decodeHeader(text.slice(this.#block.address.end - this.#block.start), this.#block.line, this.#facts);
  }

  #finish(): DecodedText {
    const facts = this.#facts;
    if (facts.poweredDown === true) {
      // All ones are no revision, whatever wrote them into the header.
      if (facts.revision === 0xff) {
        delete facts.revision;
        delete facts.progIf;
      }
    } else if (this.#verbose) {
      // Status says that there is a list; where none is printed the text was cut.
      const lost =
        this.#capabilityLost ||
        (this.#statusHasList && facts.capabilities === undefined) ||
        (this.#block.cut && !this.#sawDriver);
      if (facts.capabilitiesDenied !== true && !lost) facts.capabilitiesListed = true;
      // Every bridge has its `Bus:` line from -v on, so what has none is no bridge.
      if (facts.headerType === undefined && !isBridgeClass(facts.classCode)) facts.headerType = 0;
    }
    if (facts.headerType === 1 && facts.classCode === 0x0607) facts.headerType = 2;
    if (this.#busMaster !== null) this.#commandOfFlags(this.#busMaster);
    if (facts.sriov !== undefined && !this.#vfsEnabled) facts.sriov = { ...facts.sriov, numVfs: 0 };
    return { facts, barsUnnumbered: this.#unnumbered };
  }

  /** `Flags:` names the bus master only; whether memory decodes is told by the ranges: `[disabled]` or not. */
  #commandOfFlags(busMaster: boolean): void {
    const memory = this.#facts.bars?.find((bar) => bar.space === 'memory');
    if (memory === undefined || this.#facts.command !== undefined) return;
    this.#facts.command = (this.#memoryDisabled ? 0 : 2) | (busMaster ? 4 : 0);
  }

  #tell(fact: FactName, line: number): void {
    this.#facts.lines[fact] ??= line;
  }

  #malformed(what: string, line: number): void {
    this.#notes?.add('TEXT_LINE', line, `${what} cannot be read; the line is skipped`);
  }

  #line(text: string, line: number): void {
    if (this.#capability.startsWith('Express')) this.#sizesInUse(text, line);
    const colon = text.indexOf(':');
    if (colon < 0 || text.startsWith('!!!') || text.startsWith('TrErr')) {
      this.#keyless(text, line);
      return;
    }
    const key = text.slice(0, colon);
    const value = text.slice(colon + 1).trim();
    if (key === 'Capabilities') {
      this.#capabilityLine(value, line);
      return;
    }
    if (this.#capability === '') {
      if (this.#generalLine(key, value, line)) return;
    } else if (this.#capabilityDetail(key, value, line)) return;
    switch (key) {
      case 'Kernel driver in use':
        this.#sawDriver = true;
        this.#facts.driver = value;
        this.#tell('driver', line);
        break;
      case 'Kernel modules':
        this.#sawDriver = true;
        break;
      case 'NUMA node':
        if (/^-?\d+$/.test(value)) this.#numaNode(Number.parseInt(value, 10), line);
        break;
      case 'IOMMU group':
        if (/^\d+$/.test(value)) this.#iommuGroup(Number.parseInt(value, 10), line);
        break;
      default:
        this.#keyless(text, line);
    }
  }

  #numaNode(node: number, line: number): void {
    this.#facts.numaNode = node;
    this.#tell('numaNode', line);
  }

  #iommuGroup(group: number, line: number): void {
    this.#facts.iommuGroup = group;
    this.#tell('iommuGroup', line);
  }

  /** Lines before the first capability; false where the key is not one of them. */
  #generalLine(key: string, value: string, line: number): boolean {
    const facts = this.#facts;
    switch (key) {
      case 'Subsystem': {
        const ids = /(?:^|\[)([0-9a-f]{4}):([0-9a-f]{4})(?:\]|$)/i.exec(value);
        if (ids !== null) {
          facts.subsystemVendorId = Number.parseInt(ids[1] as string, 16);
          facts.subsystemId = Number.parseInt(ids[2] as string, 16);
        }
        return true;
      }
      case 'Physical Slot':
        facts.physicalSlot = value;
        return true;
      case 'Control':
        this.#verbose = true;
        facts.command = flagBits(value, COMMAND_BITS);
        this.#tell('command', line);
        return true;
      case 'Status':
        this.#verbose = true;
        this.#statusHasList = /\bCap\+/.test(value);
        return true;
      case 'Flags':
        this.#flags(value, line);
        return true;
      case 'Bus':
        this.#busNumbers(value, line);
        return true;
      case 'I/O behind bridge':
        facts.ioWindow = this.#window(value, line);
        return true;
      case 'Memory behind bridge':
        facts.memoryWindow = this.#window(value, line);
        return true;
      case 'Prefetchable memory behind bridge':
        facts.prefetchableWindow = this.#window(value, line);
        return true;
      case 'BridgeCtl':
        facts.bridgeControl = flagBits(value, BRIDGE_CONTROL_BITS);
        return true;
      case 'Memory window 0':
      case 'Memory window 1':
        facts.headerType = 2;
        return true;
      default:
        if (!key.startsWith('Region ')) return false;
        this.#region(Number.parseInt(key.slice(7), 10), value, line);
        return true;
    }
  }

  /** `bus master, fast devsel, latency 0, IRQ 35, NUMA node 1, IOMMU group 12`: all that `-v` says in one line. */
  #flags(value: string, line: number): void {
    this.#verbose = true;
    this.#busMaster = /\bbus master\b/.test(value);
    this.#tell('command', line);
    const node = /\bNUMA node (\d+)/.exec(value)?.[1];
    if (node !== undefined) this.#numaNode(Number.parseInt(node, 10), line);
    const group = /\bIOMMU group (\d+)/.exec(value)?.[1];
    if (group !== undefined) this.#iommuGroup(Number.parseInt(group, 10), line);
  }

  #busNumbers(value: string, line: number): void {
    const match = /^primary=([0-9a-f]{2}), *secondary=([0-9a-f]{2}), *subordinate=([0-9a-f]{2})\b/i.exec(value);
    if (match === null) {
      this.#malformed(`Bus: ${value.slice(0, 60)}`, line);
      return;
    }
    const [, primary, secondary, subordinate] = match.map((digits) => Number.parseInt(digits, 16));
    if (primary === undefined || secondary === undefined || subordinate === undefined) return;
    this.#facts.busNumbers = { primary, secondary, subordinate };
    if (this.#facts.headerType === undefined) this.#facts.headerType = 1;
    this.#tell('busNumbers', line);
    this.#tell('headerType', line);
  }

  /**
   * A window by version: up to 3.5.2 base and limit alone, closed where base > limit; then `None`, `[empty]`, `[disabled]`
   * for a closed one, with or without the range before it.
   */
  #window(value: string, line: number): WindowFact {
    this.#tell('windows', line);
    if (/^None\b/.test(value) || /\[(?:empty|disabled)\]/.test(value)) return null;
    const match = /^([0-9a-f]{1,16})-([0-9a-f]{1,16})\b/i.exec(value);
    if (match === null) {
      this.#malformed(`window ${value.slice(0, 60)}`, line);
      return undefined;
    }
    const base = Number.parseInt(match[1] as string, 16);
    const limit = Number.parseInt(match[2] as string, 16);
    // Firmware closes a window with a base of all ones, which is no address.
    return base >= 2 ** 53 || limit >= 2 ** 53 - 1 ? null : windowOf(base, limit);
  }

  /** `Memory at b4000000 (64-bit, prefetchable) [disabled] [size=16M]`, `I/O ports at 5000 [size=128]`. */
  #region(index: number, value: string, line: number): void {
    const match =
      /^(?:\[virtual\] )?(?:(Memory) at|(I\/O) ports at) (<\w+>|[0-9a-f]{1,16})(?: \(([^)]*)\))?(.*)$/i.exec(value);
    if (match === null || !(index >= 0 && index < 6)) {
      // `[virtual]` alone and expansion ROMs are no BARs.
      if (match === null && !value.startsWith('[')) this.#malformed(`Region: ${value.slice(0, 60)}`, line);
      return;
    }
    const space = match[1] === undefined ? 'io' : 'memory';
    const kind = match[4] ?? '';
    const remarks = match[5] as string;
    const address = (match[3] as string).startsWith('<') ? 0 : Number.parseInt(match[3] as string, 16);
    const size = /\[size=(\d+)([KMGTP]?)\]/.exec(remarks);
    const assigned = address !== 0 && address < 2 ** 53;
    if (space === 'memory' && /\[disabled\]/.test(remarks)) this.#memoryDisabled = true;
    const bar: Bar = {
      index,
      space,
      is64Bit: kind.startsWith('64-bit'),
      prefetchable: /(?:^|[, ])prefetchable/.test(kind) && !/non-prefetchable/.test(kind),
      busAddress: assigned ? busAddr(address) : null,
      cpuAddress: assigned ? physAddr(address) : null,
      size: size === null ? null : Number.parseInt(size[1] as string, 10) * (SIZE_UNITS[size[2] as string] as number),
    };
    this.#facts.bars ??= [];
    this.#facts.bars.push(bar);
    this.#nextBar = index + (bar.is64Bit ? 2 : 1);
    this.#tell('bars', line);
  }

  #capabilityLine(value: string, line: number): void {
    const facts = this.#facts;
    if (value.startsWith('<access denied>')) {
      facts.capabilitiesDenied = true;
      this.#tell('acs', line);
      this.#tell('portType', line);
      return;
    }
    const match = /^\[([0-9a-f]{2,3})(?: v\d+)?\] ?(.*)$/i.exec(value);
    if (match === null) {
      this.#malformed(`Capabilities: ${value.slice(0, 60)}`, line);
      this.#capabilityLost = true;
      return;
    }
    const offset = Number.parseInt(match[1] as string, 16);
    const name = match[2] as string;
    facts.capabilities ??= [];
    (facts.capabilities as { name: string; offset: number }[]).push({ name, offset });
    if (offset >= 0x100) facts.extendedListed = true;
    this.#capability = name === '' ? '?' : name;
    const express = /^Express (?:\(v\d+\) )?(.*)$/.exec(name)?.[1];
    if (express !== undefined && offset < 0x100) {
      const type = PORT_TYPES.find(([text]) => express.startsWith(text));
      if (type !== undefined) {
        facts.portType = type[1];
        this.#tell('portType', line);
      }
    }
    // Versions before 2008 print the number alone.
    if ((name.startsWith('Access Control Services') || /^#0?d$/i.test(name)) && offset >= 0x100) {
      // The bits follow with -vv and up; until they come only the name is known.
      facts.acs ??= { state: 'unknown', missing: 'bitsNotPrinted' };
      this.#tell('acs', line);
      this.#acsOffset = offset;
    }
  }

  /** Lines below a capability; false where the key is not one of them. */
  #capabilityDetail(key: string, value: string, line: number): boolean {
    const facts = this.#facts;
    switch (key) {
      case 'ACSCap':
        this.#acsCapability = acsBits(value);
        return true;
      case 'ACSCtl': {
        const control = acsBits(value);
        if (control === null) this.#malformed('ACSCtl', line);
        else {
          facts.acs = { state: 'present', offset: this.#acsOffset, capability: this.#acsCapability ?? 0, control };
          facts.lines.acs = line;
        }
        return true;
      }
      case 'LnkCap': {
        const { speedGts, width } = speedAndWidth(value);
        facts.link = { ...(facts.link ?? NO_LINK), maxSpeedGts: speedGts, maxWidth: width };
        this.#tell('link', line);
        return true;
      }
      case 'LnkSta':
        facts.link = { ...(facts.link ?? NO_LINK), ...speedAndWidth(value) };
        this.#linkActive(value);
        this.#tell('link', line);
        return true;
      case 'DevCap': {
        const bytes = /\bMaxPayload (\d+) bytes/.exec(value)?.[1];
        if (bytes !== undefined) this.#payload({ maxPayloadSupported: Number.parseInt(bytes, 10) }, line);
        return true;
      }
      case 'IOVCtl':
        this.#vfsEnabled = !/\bEnable-/.test(value);
        return true;
      case 'Initial VFs': {
        const total = /\bTotal VFs: (\d+)/.exec(value)?.[1];
        const count = /\bNumber of VFs: (\d+)/.exec(value)?.[1];
        if (total === undefined || count === undefined) return true;
        facts.sriov = { ...NO_SRIOV, totalVfs: Number.parseInt(total, 10), numVfs: Number.parseInt(count, 10) };
        this.#tell('sriov', line);
        return true;
      }
      case 'VF offset': {
        const match = /^(\d+), stride: (\d+)/.exec(value);
        if (match === null || facts.sriov === undefined) return true;
        const [vfOffset, vfStride] = [Number.parseInt(match[1] as string, 10), Number.parseInt(match[2] as string, 10)];
        facts.sriov = { ...facts.sriov, vfOffset, vfStride };
        return true;
      }
      default:
        return false;
    }
  }

  #payload(part: Partial<NonNullable<TextFacts['payload']>>, line: number): void {
    const before = this.#facts.payload ?? { maxPayloadSupported: 0, maxPayload: 0, maxReadRequest: 0 };
    this.#facts.payload = { ...before, ...part };
    this.#tell('payload', line);
  }

  /** The third line of `DevCtl:`, or wherever a mail program put it. */
  #sizesInUse(text: string, line: number): void {
    const sizes = /\bMaxPayload (\d+) bytes, MaxReadReq (\d+) bytes/.exec(text);
    if (sizes === null) return;
    const maxPayload = Number.parseInt(sizes[1] as string, 10);
    const maxReadRequest = Number.parseInt(sizes[2] as string, 10);
    this.#payload({ maxPayload, maxReadRequest }, line);
  }

  #linkActive(text: string): void {
    const active = /\bDLActive([+-])/.exec(text)?.[1];
    if (active !== undefined && this.#facts.link !== undefined) {
      this.#facts.link = { ...this.#facts.link, active: active === '+' };
    }
  }

  /** Lines without a key before a colon. */
  #keyless(text: string, line: number): void {
    if (text.startsWith('!!! Unknown header type')) {
      this.#facts.poweredDown = true;
      return;
    }
    if (this.#capability === '') {
      if (!/^(?:\[virtual\] )?(?:Memory at|I\/O ports at) /.test(text)) return;
      // `lspci -v` prints no numbers: counted from 0, a 64-bit range taking two.
      this.#unnumbered = true;
      this.#region(this.#nextBar, text, line);
      return;
    }
    if (!this.#capability.startsWith('Express')) return;
    if (text.startsWith('TrErr')) this.#linkActive(text);
  }
}

const NO_LINK = { maxSpeedGts: null, maxWidth: null, speedGts: null, width: null, active: null } as const;
const NO_SRIOV = { totalVfs: 0, numVfs: 0, vfOffset: 0, vfStride: 0 } as const;

/** What a web page makes of blanks and angles: hard blanks, in UTF-8 or latin-1, and entities. */
function plainCharacters(text: string): string {
  if (!text.includes('\u00a0') && !text.includes('&')) return text;
  return text
    .replace(/\u00c2?\u00a0/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function isBridgeClass(classCode: number | undefined): boolean {
  return classCode === 0x0604 || classCode === 0x0607 || classCode === 0x0609;
}

/** `Name+ Other- ...`: the bits of the names that carry a plus. */
function flagBits(text: string, names: readonly string[]): number {
  let bits = 0;
  for (const token of text.split(/\s+/)) {
    if (!token.endsWith('+')) continue;
    // Reset is printed as `>Reset+`.
    const bit = names.indexOf(token.slice(token.startsWith('>') ? 1 : 0, -1));
    if (bit >= 0) bits |= 1 << bit;
  }
  return bits;
}

/** The seven services of an ACSCap or ACSCtl line; null where one of them is missing: the line was cut. */
function acsBits(text: string): number | null {
  const tokens = text.split(/\s+/);
  let bits = 0;
  for (const { mask, lspci } of ACS_BITS) {
    if (tokens.includes(`${lspci}+`)) bits |= mask;
    else if (!tokens.includes(`${lspci}-`)) return null;
  }
  return bits;
}

/** `Port #0, Speed 16GT/s (ok), Width x16 (ok)`; the remarks are lspci's opinion and change from version to version. */
function speedAndWidth(text: string): { speedGts: number | null; width: number | null } {
  const speed = /\bSpeed ([\d.]+)GT\/s/.exec(text)?.[1];
  const width = /\bWidth x(\d+)/.exec(text)?.[1];
  return {
    speedGts: speed === undefined ? null : Number.parseFloat(speed),
    width: width === undefined ? null : Number.parseInt(width, 10),
  };
}

/** A row of hex between lines of text. */
function isRow(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && at - start < 8 && (NIBBLE[bytes[at] as number] as number) < 16) at++;
  return at - start >= 2 && bytes[at] === 0x3a && bytes[at + 1] === 0x20 && (NIBBLE[bytes[at + 2] ?? 0] as number) < 16;
}
