/**
 * Who answers to a CPU address, by the configuration registers as they are now. QEMU gives zeros where nobody does; a real
 * machine gives all ones, and that is what the RegisterEngine contract promises. So a read of nothing but zeros is looked up here.
 */

import type { PhysAddr } from '../../core/address.ts';
import { type Range, rangeContains } from '../../core/range.ts';
import { barRegisters } from '../../pcie/bar.ts';
import { memoryWindow, prefetchableWindow } from '../../pcie/bridge-window.ts';
import { ConfigSpace } from '../../pcie/config-space.ts';
import { COMMAND_MEMORY_SPACE } from '../../pcie/registers.ts';
import { ConfigAccess, ECAM_BASE, ECAM_BYTES } from './config-access.ts';
import type { FoundFunction } from './enumerate.ts';
import type { QtestLink } from './qtest.ts';
import { VTD_BASE, VTD_BYTES } from './vtd-registers.ts';

const HEADER_BYTES = 64;
const VENDOR = 0;
const COMMAND = 4;

export class DecodeMap {
  readonly #link: QtestLink;
  readonly #functions: readonly FoundFunction[];
  #ranges: readonly Range[] | null = null;

  constructor(link: QtestLink, functions: readonly FoundFunction[]) {
    this.#link = link;
    this.#functions = functions;
  }

  /** Registers may have changed: the next question is answered from new readings. */
  forget(): void {
    this.#ranges = null;
  }

  /** Whether somebody answers to the whole range. */
  async covers(address: PhysAddr, length: number): Promise<boolean> {
    this.#ranges ??= await this.#read();
    return this.#ranges.some((range) => rangeContains(range, address, length));
  }

  async #read(): Promise<Range[]> {
    const headers = await Promise.all(
      this.#functions.map(async ({ bdf }) => {
        const bytes = new Uint8Array(HEADER_BYTES);
        await this.#link.readBlock(ConfigAccess.addressOf(bdf, 0), bytes);
        return new ConfigSpace(bytes);
      }),
    );
    const ranges: Range[] = [
      { start: ECAM_BASE, end: ECAM_BASE + ECAM_BYTES },
      { start: VTD_BASE, end: VTD_BASE + VTD_BYTES },
    ];
    headers.forEach((header, index) => {
      const { bars, isBridge } = this.#functions[index] as FoundFunction;
      if (!answers(header)) return;
      for (const { index: bar, value } of barRegisters(header, isBridge ? 2 : 6)) {
        const size = bars.find((one) => one.index === bar)?.lengthBytes;
        if (value === null || size === undefined) continue;
        const range = { start: value, end: value + size };
        if (this.#isForwarded(headers, index, range)) ranges.push(range);
      }
    });
    return ranges;
  }

  /** Whether every bridge above forwards the range. */
  #isForwarded(headers: readonly ConfigSpace[], index: number, range: Range): boolean {
    let above = (this.#functions[index] as FoundFunction).parent;
    while (above >= 0) {
      const bridge = headers[above] as ConfigSpace;
      const windows = [memoryWindow(bridge), prefetchableWindow(bridge)];
      const isOpen = windows.some((window) => window && rangeContains(window, range.start, range.end - range.start));
      if (!answers(bridge) || !isOpen) return false;
      above = (this.#functions[above] as FoundFunction).parent;
    }
    return true;
  }
}

/** Whether the function is there and decodes memory. */
function answers(header: ConfigSpace): boolean {
  return header.u16(VENDOR) !== 0xffff && ((header.u16(COMMAND) ?? 0) & COMMAND_MEMORY_SPACE) !== 0;
}
