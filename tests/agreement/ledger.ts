/**
 * An independent copy of every memory of a bed, kept by hand: whoever moves bytes enters them here as they should land. The audit
 * compares all memories that hold bytes, so that a byte that landed anywhere else is found.
 */

import { type Fabric, SparseMemory } from 'p2pdma/fabric';

export class Ledger {
  readonly #fabric: Fabric;
  readonly #ram: SparseMemory;
  readonly #bars: (SparseMemory[] | undefined)[] = [];

  /** Every memory of the fabric must be empty. */
  constructor(fabric: Fabric) {
    this.#fabric = fabric;
    this.#ram = new SparseMemory(fabric.ram.size);
  }

  /** `bytes` belong at a CPU address of RAM. */
  expectRam(address: number, bytes: Uint8Array): void {
    this.#ram.write(address, bytes);
  }

  /** `bytes` belong at an offset of a BAR; `position` counts the BARs of the function. */
  expectBar(index: number, position: number, offset: number, bytes: Uint8Array): void {
    this.#barOf(index, position).write(offset, bytes);
  }

  /** What should be at an offset of a BAR. */
  readBar(index: number, position: number, offset: number, into: Uint8Array): void {
    this.#barOf(index, position).read(offset, into);
  }

  /** What should be at a CPU address of RAM. */
  readRam(address: number, into: Uint8Array): void {
    this.#ram.read(address, into);
  }

  /** Every place where a memory differs from what was entered; one line a memory. */
  audit(): string[] {
    const found: string[] = [];
    const inRam = this.#fabric.ram.firstDifference(this.#ram);
    if (inRam !== null) found.push(`RAM differs from 0x${inRam.toString(16)} on`);
    for (const node of this.#fabric.topology.functions) {
      node.bars.forEach((bar, position) => {
        const wanted = this.#bars[node.index]?.[position] ?? EMPTY;
        const memory = this.#fabric.barMemory(node.index, bar.index);
        if (wanted === EMPTY && memory.allocatedBytes === 0) return;
        const at = memory.firstDifference(wanted);
        if (at !== null) found.push(`BAR ${bar.index} of ${node.name} differs from offset 0x${at.toString(16)} on`);
      });
    }
    return found;
  }

  #barOf(index: number, position: number): SparseMemory {
    this.#bars[index] ??= this.#fabric.function(index).bars.map((bar) => new SparseMemory(bar.size));
    return (this.#bars[index] as SparseMemory[])[position] as SparseMemory;
  }
}

const EMPTY = new SparseMemory(0);
