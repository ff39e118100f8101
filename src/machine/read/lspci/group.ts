/** Which listings are of one function: by its address, or by the path of bridges that stands for it (`lspci -P`). */

import { type Bdf, type BdfKey, bdfKey } from '../../../pcie/bdf.ts';
import { HEADER_TYPE, SECONDARY_BUS } from '../../../pcie/registers.ts';
import type { NoteList } from '../../note-list.ts';
import type { LspciBlock } from './scan.ts';
import { decodeText } from './text.ts';

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
