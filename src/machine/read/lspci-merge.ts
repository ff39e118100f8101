/**
 * From listings to functions: a function that is listed more than once gets the best of all its listings, field by field,
 * and every fact keeps the line on which it stands.
 */

import type { AcsState } from '../../pcie/acs.ts';
import { barRegisters } from '../../pcie/bar.ts';
import { type Bdf, type BdfKey, bdfFromRoutingId, bdfKey, formatBdf } from '../../pcie/bdf.ts';
import { ConfigSpace } from '../../pcie/config-space.ts';
import type { FactName, FunctionFacts, Source, TextFacts } from '../../pcie/function-facts.ts';
import { HEADER_TYPE, SECONDARY_BUS } from '../../pcie/registers.ts';
import type { NoteList } from '../note-list.ts';
import type { LspciBlock } from './lspci-scan.ts';
import { decodeText } from './lspci-text.ts';

/** All listings of one function, in the order of the file. */
export interface ListedFunction {
  readonly bdf: Bdf;
  readonly blocks: LspciBlock[];
  parentKey: BdfKey | null;
}

/** Groups blocks by address, first seen first. Paths without bus numbers (`lspci -P`) are resolved on the way. */
export function groupBlocks(bytes: Uint8Array, blocks: readonly LspciBlock[], notes: NoteList): ListedFunction[] {
  const byKey = new Map<BdfKey, ListedFunction>();
  const paths = blocks.some((block) => block.address.bus === null) ? new PathTable(bytes) : null;
  for (const block of blocks) {
    const { domain, device, function: fn, parentKey } = block.address;
    let { bus } = block.address;
    let above = parentKey;
    if (bus === null) {
      const bridge = paths?.bridgeAbove(block) ?? null;
      if (bridge === null) {
        notes.add('PATH_UNKNOWN', block.line, 'names its bridge by a path that leads to none in this listing; skipped');
        continue;
      }
      bus = bridge.secondary;
      above = bridge.key;
    }
    const bdf: Bdf = { domain, bus, device, function: fn };
    const key = bdfKey(bdf);
    paths?.add(block, key);
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, { bdf, blocks: [block], parentKey: above });
    else {
      known.blocks.push(block);
      known.parentKey ??= above;
    }
  }
  return [...byKey.values()];
}

/** The bridges of a listing by the path that stands in their header. */
class PathTable {
  readonly #bytes: Uint8Array;
  readonly #bridges = new Map<string, { key: BdfKey; block: LspciBlock; secondary?: number | null }>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  add(block: LspciBlock, key: BdfKey): void {
    if (couldBeBridge(this.#bytes, block)) {
      this.#bridges.set(this.#text(block.start, block.address.end), { key, block });
    }
  }

  bridgeAbove(block: LspciBlock): { key: BdfKey; secondary: number } | null {
    const path = this.#text(block.start, block.address.parentEnd ?? block.start);
    const bridge = this.#bridges.get(path);
    if (bridge === undefined) return null;
    // Asked by every function below, decoded once.
    if (bridge.secondary === undefined) {
      bridge.secondary =
        bridge.block.config.u8(SECONDARY_BUS) ??
        decodeText(this.#bytes, bridge.block, '', null).facts.busNumbers?.secondary ??
        null;
    }
    return bridge.secondary === null ? null : { key: bridge.key, secondary: bridge.secondary };
  }

  #text(start: number, end: number): string {
    return String.fromCharCode(...this.#bytes.subarray(start, end)).toLowerCase();
  }
}

/** Whether paths may lead through a block: false for most, without reading its text. */
function couldBeBridge(bytes: Uint8Array, block: LspciBlock): boolean {
  const layout = block.config.u8(HEADER_TYPE);
  if (layout !== undefined) return (layout & 0x7f) === 1 || (layout & 0x7f) === 2;
  for (let at = block.address.end; at < Math.min(block.textEnd, block.address.end + 80); at++) {
    // `PCI bridge`, `CardBus bridge`, `0604`.
    if (bytes[at] === 0x62 && bytes[at + 1] === 0x72 && bytes[at + 2] === 0x69) return true;
    if (bytes[at] === 0x30 && bytes[at + 1] === 0x36 && bytes[at + 2] === 0x30) return true;
  }
  return false;
}

/**
 * The evidence of one function. The text is decoded when it is first asked for: with all registers at hand most of it
 * never is.
 */
export function factsOf(bytes: Uint8Array, listed: ListedFunction, file: string, notes: NoteList): FunctionFacts {
  const { bdf, blocks, parentKey } = listed;
  const { config, line } = blocks.length === 1 ? ownConfig(blocks[0] as LspciBlock) : bestConfig(listed, notes);
  const configSource: Source | null = config.length === 0 ? null : { kind: 'config', file, line };
  let text: TextFacts | null | undefined;
  const facts: FunctionFacts = {
    bdf,
    config,
    configSource,
    get text(): TextFacts | null {
      text ??= mergedText(bytes, blocks, config, file, notes);
      return text;
    },
    sysfs: null,
    pathParent: parentKey === null ? undefined : bdfOfKey(parentKey),
  };
  return facts;
}

function bdfOfKey(key: BdfKey): Bdf {
  return bdfFromRoutingId(Math.floor(key / 0x10000), key % 0x10000);
}

function ownConfig(block: LspciBlock): { config: ConfigSpace; line: number } {
  return { config: block.config, line: block.configLine };
}

/** The longest space that does not read as all ones; its missing rows from the others where they are of the same device. */
function bestConfig(listed: ListedFunction, notes: NoteList): { config: ConfigSpace; line: number } {
  const filled = listed.blocks.filter((block) => block.config.length > 0);
  const awake = filled.filter((block) => !block.config.allOnes);
  const best = awake.reduce<LspciBlock | null>(
    (chosen, block) => (chosen === null || block.config.length > chosen.config.length ? block : chosen),
    null,
  );
  if (best === null) {
    const asleep = filled[0];
    // A listing made while the function answered is better than registers of one that did not.
    const listedAwake = listed.blocks.some((block) => block.hasBody && block.config.length === 0);
    return asleep === undefined || listedAwake ? { config: ConfigSpace.UNKNOWN, line: 0 } : ownConfig(asleep);
  }
  for (const block of awake) {
    if (block === best || sameHeader(block.config, best.config)) continue;
    notes.add(
      'LISTINGS_DIFFER',
      block.line,
      `${formatBdf(listed.bdf)} is listed again with other registers; those of line ${best.configLine} are believed`,
    );
  }
  return ownConfig(best);
}

/** Vendor, device, class and header type; what changes between two captures of one machine is not compared. */
function sameHeader(a: ConfigSpace, b: ConfigSpace): boolean {
  return a.u32(0) === b.u32(0) && a.u32(8) === b.u32(8) && a.u8(HEADER_TYPE) === b.u8(HEADER_TYPE);
}

function mergedText(
  bytes: Uint8Array,
  blocks: readonly LspciBlock[],
  config: ConfigSpace,
  file: string,
  notes: NoteList,
): TextFacts {
  const decoded = blocks.map((block) => {
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
  for (const { facts } of ranked) mergeInto(merged, facts);
  if (merged.capabilitiesListed === true) delete merged.capabilitiesDenied;
  if (decoded.some((facts) => facts.poweredDown !== true && facts.headerType !== undefined)) delete merged.poweredDown;
  return merged;
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
