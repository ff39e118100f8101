/**
 * The capabilities in decoded text: the line that names one, and the lines below it. From the first such line on, what
 * looks like a line of the function itself (`Region 0:` of SR-IOV, `Control:` of a slot) belongs to a capability.
 */

import type { LinkFacts, PayloadFacts, TagFacts } from '../../../pcie/express.ts';
import type { FactName, SriovFacts, TextFacts } from '../../../pcie/function-facts.ts';
import { acsBitsOf, portTypeOf, speedAndWidth } from './fields.ts';

const NO_LINK: LinkFacts = { maxSpeedGts: null, maxWidth: null, speedGts: null, width: null, active: null };
const NO_PAYLOAD: PayloadFacts = { maxPayloadSupported: 0, maxPayload: 0, maxReadRequest: 0 };
const NO_TAGS: TagFacts = { completes10Bit: null, requests10Bit: null, enabled10Bit: null };
const NO_SRIOV: SriovFacts = { totalVfs: 0, numVfs: 0, vfOffset: 0, vfStride: 0 };

export class CapabilityText {
  readonly #facts: TextFacts;
  /** Name of the capability that the present lines belong to; empty before the first. */
  #name = '';
  #acsOffset: number | null = null;
  #acsCapability = 0;
  #vfsEnabled = true;

  constructor(facts: TextFacts) {
    this.#facts = facts;
  }

  /** Whether a capability was named, so that the function's own lines are over. */
  get begun(): boolean {
    return this.#name !== '';
  }

  /** Reads `[2a0 v1] Access Control Services` or `<access denied>`; false where it is neither. */
  begin(value: string, line: number): boolean {
    const facts = this.#facts;
    if (value.startsWith('<access denied>')) {
      facts.capabilitiesDenied = true;
      this.#tell('acs', line);
      this.#tell('portType', line);
      return true;
    }
    const match = /^\[([0-9a-f]{2,3})(?: v\d+)?\] ?(.*)$/i.exec(value);
    if (match === null) return false;
    const offset = Number.parseInt(match[1] as string, 16);
    const name = match[2] as string;
    facts.capabilities ??= [];
    (facts.capabilities as { name: string; offset: number }[]).push({ name, offset });
    this.#name = name === '' ? '?' : name;
    if (offset < 0x100) {
      const portType = portTypeOf(name);
      if (portType !== undefined) {
        facts.portType = portType;
        this.#tell('portType', line);
      }
      return true;
    }
    facts.extendedListed = true;
    // Versions before 2008 print the number alone.
    if (name.startsWith('Access Control Services') || /^#0?d$/i.test(name)) {
      // The bits follow with -vv and up; until they come only the name is known.
      facts.acs ??= { state: 'unknown', missing: 'bitsNotPrinted' };
      this.#tell('acs', line);
      this.#acsOffset = offset;
    }
    return true;
  }

  /** A line with a key below a capability. Returns what cannot be read in it, or null. */
  detail(key: string, value: string, line: number): string | null {
    const facts = this.#facts;
    switch (key) {
      case 'ACSCap':
        this.#acsCapability = acsBitsOf(value) ?? 0;
        break;
      case 'ACSCtl': {
        const control = acsBitsOf(value);
        if (control === null) return 'ACSCtl';
        facts.acs = { state: 'present', offset: this.#acsOffset, capability: this.#acsCapability, control };
        facts.lines.acs = line;
        break;
      }
      case 'LnkCap': {
        const { speedGts, width } = speedAndWidth(value);
        this.#link({ maxSpeedGts: speedGts, maxWidth: width }, line);
        break;
      }
      case 'LnkSta':
        this.#link(speedAndWidth(value), line);
        this.#linkActive(value);
        break;
      case 'DevCap': {
        const bytes = /\bMaxPayload (\d+) bytes/.exec(value)?.[1];
        if (bytes !== undefined) this.#payload({ maxPayloadSupported: Number.parseInt(bytes, 10) }, line);
        break;
      }
      case 'IOVCtl':
        this.#vfsEnabled = !/\bEnable-/.test(value);
        break;
      case 'Initial VFs': {
        const match = /\bTotal VFs: (\d{1,5}), Number of VFs: (\d{1,5})\b/.exec(value);
        if (match === null) return 'Initial VFs';
        facts.sriov = { ...NO_SRIOV, totalVfs: Number(match[1]), numVfs: this.#vfsEnabled ? Number(match[2]) : 0 };
        this.#tell('sriov', line);
        break;
      }
      case 'VF offset': {
        const match = /^(\d{1,5}), stride: (\d{1,5})\b/.exec(value);
        if (match === null) return 'VF offset';
        if (facts.sriov) facts.sriov = { ...facts.sriov, vfOffset: Number(match[1]), vfStride: Number(match[2]) };
        break;
      }
    }
    return null;
  }

  /** What any line below an Express capability may hold, wherever a mail program put it. */
  anyLine(text: string, line: number): void {
    if (!this.#name.startsWith('Express')) return;
    // The third line of `DevCtl:`.
    const sizes = /\bMaxPayload (\d+) bytes, MaxReadReq (\d+) bytes/.exec(text);
    if (sizes !== null) {
      this.#payload({ maxPayload: Number(sizes[1]), maxReadRequest: Number(sizes[2]) }, line);
    }
    // In `DevCap2:` with the completer's word before it, in `DevCtl2:` alone; since pciutils 3.6.
    const tags = /\b(?:10BitTagComp([+-]) )?10BitTagReq([+-])/.exec(text);
    if (tags !== null) this.#tags(tags[1], tags[2] === '+', line);
    // The second line of `LnkSta:` from 3.6 on.
    if (text.startsWith('TrErr')) this.#linkActive(text);
  }

  #link(part: Partial<LinkFacts>, line: number): void {
    this.#facts.link = { ...(this.#facts.link ?? NO_LINK), ...part };
    this.#tell('link', line);
  }

  #linkActive(text: string): void {
    const active = /\bDLActive([+-])/.exec(text)?.[1];
    if (active !== undefined && this.#facts.link !== undefined) {
      this.#facts.link = { ...this.#facts.link, active: active === '+' };
    }
  }

  #payload(part: Partial<PayloadFacts>, line: number): void {
    this.#facts.payload = { ...(this.#facts.payload ?? NO_PAYLOAD), ...part };
    this.#tell('payload', line);
  }

  #tags(completer: string | undefined, requester: boolean, line: number): void {
    const told =
      completer === undefined
        ? { enabled10Bit: requester }
        : { completes10Bit: completer === '+', requests10Bit: requester };
    this.#facts.tags = { ...(this.#facts.tags ?? NO_TAGS), ...told };
    this.#tell('tags', line);
  }

  #tell(fact: FactName, line: number): void {
    this.#facts.lines[fact] ??= line;
  }
}
