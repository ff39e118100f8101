/**
 * The decoded text of one function, `lspci -v` to `-vvv` of every version since 2008. Each line is known by how it begins,
 * not by its indentation: mail turns tabs into blanks and web forms drop both. Lines that tell nothing we need are passed
 * over.
 */

import type { WindowFact } from '../../../pcie/bridge-window.ts';
import type { FactName, TextFacts } from '../../../pcie/function-facts.ts';
import type { NoteList } from '../../note-list.ts';
import { CapabilityText } from './capability-text.ts';
import { bridgeControlOf, busNumbersOf, commandOf, rangeOf, windowOfText } from './fields.ts';
import { decodeHeader } from './header.ts';
import { visitLines } from './lines.ts';
import type { LspciBlock } from './scan.ts';

/** What a decoded block says, and whether it lists memory without the numbers of the BARs (`lspci -v`). */
export interface DecodedText {
  readonly facts: TextFacts;
  readonly barsUnnumbered: boolean;
}

/** Decodes the text of one block. Lines that should be readable and are not go to `notes`. */
export function decodeText(bytes: Uint8Array, block: LspciBlock, file: string, notes: NoteList | null): DecodedText {
  const decoder = new Decoder(block, file, notes);
  visitLines(bytes, block, (text, line) => decoder.line(text, line));
  return decoder.finish();
}

class Decoder {
  readonly #block: LspciBlock;
  readonly #notes: NoteList | null;
  readonly #facts: TextFacts;
  readonly #capabilities: CapabilityText;
  /** `Control:` or `Flags:` stood there: at least -v, which prints capabilities. */
  #verbose = false;
  #statusHasList = false;
  /** What says whether there is a list of capabilities: `Status:` with -vv, the `Flags:` of -v. */
  #listTold = false;
  /** Of `Flags:`; null where there is none. */
  #busMaster: boolean | null = null;
  #memoryDisabled = false;
  #unnumbered = false;
  #nextBar = 0;
  /** A line of the list could not be read: what is not printed may have stood there. */
  #capabilityLost = false;
  /** The kernel's lines come last in a function, so nothing is missing before them. */
  #sawDriver = false;

  constructor(block: LspciBlock, file: string, notes: NoteList | null) {
    this.#block = block;
    this.#notes = notes;
    this.#facts = { lines: {}, file };
    this.#capabilities = new CapabilityText(this.#facts);
  }

  line(text: string, line: number): void {
    if (line === this.#block.line) {
      decodeHeader(text.slice(this.#block.address.end - this.#block.start), line, this.#facts);
      return;
    }
    this.#capabilities.anyLine(text, line);
    const colon = text.indexOf(':');
    if (colon < 0 || text.startsWith('!!!')) {
      this.#keylessLine(text, line);
      return;
    }
    const key = text.slice(0, colon);
    const value = text.slice(colon + 1).trim();
    if (key === 'Capabilities') {
      if (this.#capabilities.begin(value, line)) return;
      this.#capabilityLost = true;
      this.#malformed('Capabilities', line);
    } else if (!this.#kernelLine(key, value, line)) {
      const unread = this.#capabilities.begun
        ? this.#capabilities.detail(key, value, line)
        : this.#ownLine(key, value, line);
      if (unread !== null) this.#malformed(unread, line);
    }
  }

  finish(): DecodedText {
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
        // Lines that were picked by hand: a list that is not there may have been left out.
        (!this.#listTold && facts.capabilities === undefined) ||
        (this.#statusHasList && facts.capabilities === undefined) ||
        (this.#block.cut && !this.#sawDriver);
      if (facts.capabilitiesDenied !== true && !lost) facts.capabilitiesListed = true;
      // Every bridge has its `Bus:` line from -v on, so what has none is no bridge.
      if (facts.headerType === undefined && !isBridgeClass(facts.classCode)) facts.headerType = 0;
    }
    if (facts.headerType === 1 && facts.classCode === 0x0607) facts.headerType = 2;
    if (this.#busMaster !== null) this.#commandOfFlags(this.#busMaster);
    return { facts, barsUnnumbered: this.#unnumbered };
  }

  /** `Flags:` names the bus master only; whether memory decodes is told by the ranges: `[disabled]` or not. */
  #commandOfFlags(busMaster: boolean): void {
    const decodesMemory = this.#facts.bars?.some((bar) => bar.space === 'memory') === true;
    if (!decodesMemory || this.#facts.command !== undefined) return;
    this.#facts.command = (this.#memoryDisabled ? 0 : 2) | (busMaster ? 4 : 0);
  }

  #tell(fact: FactName, line: number): void {
    this.#facts.lines[fact] ??= line;
  }

  #malformed(what: string, line: number): void {
    this.#notes?.add('TEXT_LINE', line, `${what}: cannot be read; the line is skipped`);
  }

  /** What the kernel says, before the capabilities or behind them; false where the key is none of its own. */
  #kernelLine(key: string, value: string, line: number): boolean {
    switch (key) {
      case 'Kernel driver in use':
        this.#sawDriver = true;
        this.#facts.driver = value;
        this.#tell('driver', line);
        return true;
      case 'Kernel modules':
        this.#sawDriver = true;
        return true;
      case 'NUMA node':
        this.#numaNode(value, line);
        return true;
      case 'IOMMU group':
        this.#iommuGroup(value, line);
        return true;
      default:
        return false;
    }
  }

  #numaNode(value: string | undefined, line: number): void {
    if (value === undefined || !/^\d{1,9}$/.test(value)) return;
    this.#facts.numaNode = Number.parseInt(value, 10);
    this.#tell('numaNode', line);
  }

  #iommuGroup(value: string | undefined, line: number): void {
    if (value === undefined || !/^\d{1,9}$/.test(value)) return;
    this.#facts.iommuGroup = Number.parseInt(value, 10);
    this.#tell('iommuGroup', line);
  }

  /** Lines of the function itself, before the first capability. Returns what cannot be read, or null. */
  #ownLine(key: string, value: string, line: number): string | null {
    const facts = this.#facts;
    switch (key) {
      case 'Subsystem': {
        const ids = /(?:^|\[)([0-9a-f]{4}):([0-9a-f]{4})(?:\]|$)/i.exec(value);
        if (ids === null) return null;
        facts.subsystemVendorId = Number.parseInt(ids[1] as string, 16);
        facts.subsystemId = Number.parseInt(ids[2] as string, 16);
        return null;
      }
      case 'Physical Slot':
        facts.physicalSlot = value;
        return null;
      case 'Control':
        this.#verbose = true;
        facts.command = commandOf(value);
        this.#tell('command', line);
        return null;
      case 'Status':
        this.#verbose = true;
        this.#statusHasList = /\bCap\+/.test(value);
        this.#listTold = true;
        return null;
      case 'Flags':
        this.#flags(value, line);
        return null;
      case 'Bus':
        return this.#buses(value, line);
      case 'BridgeCtl':
        facts.bridgeControl = bridgeControlOf(value);
        return null;
      case 'I/O behind bridge':
        return this.#window(value, line, (window) => (facts.ioWindow = window));
      case 'Memory behind bridge':
        return this.#window(value, line, (window) => (facts.memoryWindow = window));
      case 'Prefetchable memory behind bridge':
        return this.#window(value, line, (window) => (facts.prefetchableWindow = window));
      case 'Memory window 0':
      case 'Memory window 1':
        facts.headerType = 2;
        return null;
      default:
        return key.startsWith('Region ') ? this.#range(Number.parseInt(key.slice(7), 10), value, line) : null;
    }
  }

  /** `bus master, fast devsel, latency 0, IRQ 35, NUMA node 1, IOMMU group 12`: all that `-v` says in one line. */
  #flags(value: string, line: number): void {
    this.#verbose = true;
    this.#listTold = true;
    this.#busMaster = /\bbus master\b/.test(value);
    this.#tell('command', line);
    this.#numaNode(/\bNUMA node (\d+)/.exec(value)?.[1], line);
    this.#iommuGroup(/\bIOMMU group (\d+)/.exec(value)?.[1], line);
  }

  #buses(value: string, line: number): string | null {
    const buses = busNumbersOf(value);
    if (buses === null) return 'Bus';
    this.#facts.busNumbers = buses;
    this.#facts.headerType ??= 1;
    this.#tell('busNumbers', line);
    this.#tell('headerType', line);
    return null;
  }

  #window(value: string, line: number, set: (window: WindowFact) => void): string | null {
    const window = windowOfText(value);
    if (window === undefined) return 'window';
    set(window);
    this.#tell('windows', line);
    return null;
  }

  #range(index: number, value: string, line: number): string | null {
    const range = rangeOf(index, value);
    // `[virtual]` without an address is no range.
    if (range === null) return value.startsWith('[') ? null : 'Region';
    if (!(index >= 0 && index < 6)) return null;
    const { bar, disabled } = range;
    if (bar.space === 'memory' && disabled) this.#memoryDisabled = true;
    this.#facts.bars ??= [];
    this.#facts.bars.push(bar);
    this.#nextBar = index + (bar.is64Bit ? 2 : 1);
    this.#tell('bars', line);
    return null;
  }

  #keylessLine(text: string, line: number): void {
    if (text.startsWith('!!! Unknown header type')) this.#facts.poweredDown = true;
    if (this.#capabilities.begun || !/^(?:\[virtual\] )?(?:Memory at|I\/O ports at) /.test(text)) return;
    // `lspci -v` prints no numbers: counted from 0, a 64-bit range taking two.
    this.#unnumbered = true;
    this.#range(this.#nextBar, text, line);
  }
}

/** Classes of which a function may have a bus below it. */
function isBridgeClass(classCode: number | undefined): boolean {
  return classCode === 0x0604 || classCode === 0x0607 || classCode === 0x0609;
}
