/**
 * From listings to functions: a function that is listed more than once gets the best of all its listings, field by field,
 * and every fact keeps the line on which it stands. Where listings contradict each other, one is believed and a note says so.
 */

import { copyBytes } from '../../../core/bytes.ts';
import { type AcsState, acsAt } from '../../../pcie/acs.ts';
import { barRegisters } from '../../../pcie/bar.ts';
import { type Bdf, type BdfKey, bdfFromRoutingId, formatBdf } from '../../../pcie/bdf.ts';
import { EXT_CAP_ACS, findExtendedCapability } from '../../../pcie/capability.ts';
import { ConfigSpace } from '../../../pcie/config-space.ts';
import type { FactName, FunctionFacts, Source, TextFacts } from '../../../pcie/function-facts.ts';
import { DEVICE_ID, HEADER_TYPE, PRIMARY_BUS, VENDOR_ID } from '../../../pcie/registers.ts';
import type { NoteList } from '../../note-list.ts';
import { noteAcsContradiction } from './doubts.ts';
import type { ListedFunction } from './group.ts';
import { decodeText } from './text.ts';

/** Registers of one function and the line of their first row. */
interface Registers {
  readonly config: ConfigSpace;
  readonly line: number;
}

const NO_REGISTERS: Registers = { config: ConfigSpace.UNKNOWN, line: 0 };

/**
 * The evidence of one function. The text is decoded when it is first asked for: with all registers at hand most of it
 * never is.
 */
export function factsOf(bytes: Uint8Array, listed: ListedFunction, file: string, notes: NoteList): FunctionFacts {
  const { bdf, blocks, parentKey } = listed;
  const { config, line } = registersOf(bytes, listed, notes);
  noteAcsContradiction(bytes, listed, config, notes);
  const configSource: Source | null = config.length === 0 ? null : { kind: 'config', file, line };
  let text: TextFacts | null | undefined;
  return {
    bdf,
    config,
    configSource,
    get text(): TextFacts | null {
      text ??= mergedText(bytes, { bdf, blocks, parentKey }, config, file, notes);
      return text;
    },
    sysfs: null,
    pathParent: parentKey === null ? undefined : bdfOfKey(parentKey),
  };
}

function bdfOfKey(key: BdfKey): Bdf {
  return bdfFromRoutingId(Math.floor(key / 0x10000), key % 0x10000);
}

function registersOf(bytes: Uint8Array, listed: ListedFunction, notes: NoteList): Registers {
  const own: Registers[] = [];
  for (const block of listed.blocks) {
    if (block.config.length === 0) continue;
    if (block.rowsApart && contradicts(block.config, decodeText(bytes, block, '', null).facts)) {
      const message = `are registers of another device than ${formatBdf(listed.bdf)}, below which they stand; they are left out`;
      notes.add('ROWS_CONTRADICT', block.configLine, message);
    } else own.push({ config: block.config, line: block.configLine });
  }
  const [only] = own;
  if (only === undefined) return NO_REGISTERS;
  if (own.length > 1) return bestRegisters(own, listed, notes);
  // A listing made while the function answered is better than registers of one that did not.
  const listedAwake = listed.blocks.some((block) => block.hasBody && block.config.length === 0);
  return only.config.allOnes && listedAwake ? NO_REGISTERS : only;
}

/** Whether registers are of another device or class than the text above them. */
function contradicts(config: ConfigSpace, text: TextFacts): boolean {
  if (config.allOnes) return false;
  const [vendor, device, word] = [config.u16(VENDOR_ID), config.u16(DEVICE_ID), config.u32(8)];
  const differs = (a: number | undefined, b: number | undefined): boolean =>
    a !== undefined && b !== undefined && a !== b;
  if (vendor !== 0xffff && (differs(vendor, text.vendorId) || differs(device, text.deviceId))) return true;
  return word !== undefined && differs(word >>> 16, text.classCode);
}

/** The longest space that does not read as all ones; its missing rows come from the others. */
function bestRegisters(own: readonly Registers[], listed: ListedFunction, notes: NoteList): Registers {
  const awake = own.filter(({ config }) => !config.allOnes);
  const [first] = awake;
  if (first === undefined) return own[0] as Registers;
  const best = awake.reduce((chosen, next) => (next.config.length > chosen.config.length ? next : chosen), first);
  const alike: ConfigSpace[] = [];
  for (const { config, line } of awake) {
    if (config === best.config) continue;
    const what = difference(config, best.config);
    if (what === null || what !== IDENTITY) alike.push(config);
    if (what === null) continue;
    const message = `${formatBdf(listed.bdf)} is listed again with another ${what}; line ${best.line} is believed`;
    notes.add('LISTINGS_DIFFER', line, message);
  }
  return { config: withRowsOf(best.config, alike), line: best.line };
}

const IDENTITY = 'vendor, device or class';

/** What two captures of one function must not differ in; null where they agree as far as both know. */
function difference(a: ConfigSpace, b: ConfigSpace): string | null {
  const differ = (x: number | undefined, y: number | undefined): boolean =>
    x !== undefined && y !== undefined && x !== y;
  if (differ(a.u32(VENDOR_ID), b.u32(VENDOR_ID)) || differ(a.u32(8), b.u32(8))) return IDENTITY;
  if (((a.u8(HEADER_TYPE) ?? 0) & 0x7f) === 1 && differ(a.u32(PRIMARY_BUS), b.u32(PRIMARY_BUS))) return 'bus numbers';
  return differ(acsControl(a), acsControl(b)) ? 'ACS Control register' : null;
}

function acsControl(config: ConfigSpace): number | undefined {
  const offset = findExtendedCapability(config, EXT_CAP_ACS);
  return offset ? acsAt(config, offset)?.control : undefined;
}

function withRowsOf(config: ConfigSpace, others: readonly ConfigSpace[]): ConfigSpace {
  if (config.knows(0, config.length)) return config;
  const bytes = copyBytes(config.bytes);
  const rows = new Uint8Array(Math.ceil(bytes.length / 16)).fill(1);
  for (let row = 0; row < rows.length; row++) {
    const [offset, length] = [row * 16, Math.min(16, bytes.length - row * 16)];
    if (config.knows(offset, length)) continue;
    const source = others.find((other) => other.knows(offset, length));
    if (source === undefined) rows[row] = 0;
    else bytes.set(source.bytes.subarray(offset, offset + length), offset);
  }
  return new ConfigSpace(bytes, rows);
}

function mergedText(
  bytes: Uint8Array,
  listed: ListedFunction,
  config: ConfigSpace,
  file: string,
  notes: NoteList,
): TextFacts {
  const decoded = listed.blocks.map((block) => {
    const { facts, barsUnnumbered } = decodeText(bytes, block, file, notes);
    if (barsUnnumbered) numberBars(facts, config);
    return facts;
  });
  const [only] = decoded;
  if (decoded.length === 1 && only !== undefined) return only;
  // Listings that show capabilities first, so that their words win; among equals the first of the file.
  const ranked = decoded
    .map((facts, at) => ({ facts, at }))
    .sort((a, b) => rank(b.facts) - rank(a.facts) || a.at - b.at);
  const merged: TextFacts = { lines: {}, file };
  for (const { facts } of ranked) {
    const what = textDifference(facts, merged) ?? (contradicts(config, facts) ? IDENTITY : null);
    if (what !== null) {
      const message = `${formatBdf(listed.bdf)} is listed again with another ${what}; the fuller listing is believed`;
      notes.add('LISTINGS_DIFFER', facts.lines.identity ?? null, message);
      if (what === IDENTITY) continue;
    }
    mergeInto(merged, facts);
  }
  if (merged.capabilitiesListed === true) delete merged.capabilitiesDenied;
  if (decoded.some((facts) => facts.poweredDown !== true && facts.headerType !== undefined)) delete merged.poweredDown;
  return merged;
}

function textDifference(facts: TextFacts, merged: TextFacts): string | null {
  const differ = (a: unknown, b: unknown): boolean => a !== undefined && b !== undefined && a !== b;
  if (differ(facts.vendorId, merged.vendorId) || differ(facts.deviceId, merged.deviceId)) return IDENTITY;
  if (differ(facts.classCode, merged.classCode)) return IDENTITY;
  const buses = (from: TextFacts): string | undefined => from.busNumbers && Object.values(from.busNumbers).join(' ');
  if (differ(buses(facts), buses(merged))) return 'bus numbers';
  const control = (from: TextFacts): number | undefined =>
    from.acs?.state === 'present' ? from.acs.control : undefined;
  return differ(control(facts), control(merged)) ? 'ACS Control register' : null;
}

function rank(facts: TextFacts): number {
  if (facts.poweredDown === true) return 0;
  if (facts.acs?.state === 'present') return 4;
  if (facts.capabilitiesListed === true) return 3;
  return facts.headerType === undefined ? 1 : 2;
}

/** Fills every field of `into` that is not told yet. */
function mergeInto(into: TextFacts, from: TextFacts): void {
  const target = into as unknown as Record<string, unknown>;
  if (into.vendorId === undefined && from.vendorId !== undefined) delete into.lines.identity;
  for (const [name, value] of Object.entries(from)) {
    if (name === 'lines' || name === 'file') continue;
    if (name === 'acs' && isBetterAcs(value as AcsState, into.acs)) {
      into.acs = value as AcsState;
      if (from.lines.acs !== undefined) into.lines.acs = from.lines.acs;
    } else if (target[name] === undefined) target[name] = value;
  }
  for (const fact of Object.keys(from.lines) as FactName[]) into.lines[fact] ??= from.lines[fact] as number;
}

function isBetterAcs(candidate: AcsState, present: AcsState | undefined): boolean {
  return present === undefined || (present.state === 'unknown' && candidate.state === 'present');
}

/** Gives the ranges of `lspci -v` the numbers of the registers that hold their addresses. */
function numberBars(facts: TextFacts, config: ConfigSpace): void {
  const registers = barRegisters(config, 6);
  if (registers.length === 0 || facts.bars === undefined) return;
  facts.bars = facts.bars.map((bar) => {
    const register = registers.find(
      ({ value }) => value !== null && value !== 0 && value === (bar.busAddress as number | null),
    );
    return register === undefined ? bar : { ...bar, index: register.index };
  });
}
