/**
 * The lookup structure of Hellwig's answer, in place of a pgmap: which physical range belongs to whom. Sorted records over RAM and every memory
 * BAR, binary search, the last hit kept. Ranges come and go while bios are queued; a record knows the generation in which
 * it was added, and what was removed is remembered, so that a vector made before is told apart from nonsense.
 */

import { checkObject } from '../core/argument.ts';
import { assert } from '../core/assert.ts';
import { hex } from '../core/hex.ts';
import { findRange } from '../core/range.ts';
import type { Machine } from '../machine/machine.ts';
import { MapError } from './errors.ts';

export interface RangeRecord {
  /** CPU physical, `end` exclusive. */
  readonly start: number;
  readonly end: number;
  readonly kind: 'ram' | 'bar';
  /** Index of the providing function in the hierarchy; -1 for RAM. */
  readonly provider: number;
  /** BAR of the provider; -1 for RAM. */
  readonly bar: number;
  /** Bus address minus CPU address, bytes, signed. */
  readonly busOffset: number;
  /** Generation of the table in which the record was added. */
  readonly generation: number;
}

/** A memory BAR whose place is known and whose size is not: a plain dump of registers does not tell sizes. */
export interface UnsizedBar {
  /** CPU physical. */
  readonly start: number;
  /** `0000:03:00.0`. */
  readonly function: string;
  readonly bar: number;
}

export class RangeTable {
  #records: RangeRecord[] = [];
  /** Starts of `#records`, for the search. */
  #starts = new Float64Array(0);
  #ends = new Float64Array(0);
  #removed: RangeRecord[] = [];
  #unsized: readonly UnsizedBar[] = [];
  #last = -1;
  #generation = 1;

  /** Grows with every change. */
  get generation(): number {
    return this.#generation;
  }

  get records(): readonly RangeRecord[] {
    return this.#records;
  }

  /** RAM and all memory BARs of a machine whose place and size are known. */
  static ofMachine(machine: Machine): RangeTable {
    checkObject(machine, 'hierarchy', 'RangeTable.ofMachine: machine', 'a Machine, as readMachine gives');
    const records: RangeRecord[] = machine.ram.map(({ start, end }) => ({
      start,
      end,
      kind: 'ram',
      provider: -1,
      bar: -1,
      busOffset: 0,
      generation: 1,
    }));
    // RAM wins over a BAR that claims the same place, the lower function over the higher: each is where the CPU looks first.
    for (const record of barRecords(machine)) {
      const clash = findRange(records, record.start) >= 0 || findRange(records, record.end - 1) >= 0;
      if (clash) continue;
      let at = records.length;
      while (at > 0 && (records[at - 1] as RangeRecord).start > record.start) at--;
      if (at < records.length && (records[at] as RangeRecord).start < record.end) continue;
      records.splice(at, 0, record);
    }
    const table = new RangeTable();
    table.#replace(records);
    table.#unsized = unsizedBars(machine);
    return table;
  }

  /**
   * The memory BAR of unknown size that an address may lie in: the last that begins at or below it, if no known range lies
   * between. Null where there is none.
   */
  unsizedBarAt(address: number): UnsizedBar | null {
    const bar = this.#unsized.findLast((one) => one.start <= address) ?? null;
    if (bar === null) return null;
    const between = this.#records.some((record) => record.start > bar.start && record.start <= address);
    return between ? null : bar;
  }

  /** Index of the record that holds `address`, or -1. Constant time where it is that of the call before. */
  find(address: number): number {
    const last = this.#last;
    if (last >= 0 && address >= (this.#starts[last] as number) && address < (this.#ends[last] as number)) return last;
    const starts = this.#starts;
    let low = 0;
    let high = starts.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (address < (starts[middle] as number)) high = middle - 1;
      else if (address >= (this.#ends[middle] as number)) low = middle + 1;
      else {
        this.#last = middle;
        return middle;
      }
    }
    return -1;
  }

  /** Record by index. */
  at(index: number): RangeRecord {
    const record = this.#records[index];
    assert(record !== undefined, `record ${index} is in the table`);
    return record;
  }

  /** Hot-plug: adds a range. Throws `MapError` RANGE_STRADDLES where it overlaps one that is there. */
  add(range: Omit<RangeRecord, 'generation'>): void {
    const clash = this.#records.find((record) => range.start < record.end && record.start < range.end);
    if (clash) {
      const message = `${hex(range.start)}-${hex(range.end - 1)} overlaps the range from ${hex(clash.start)}`;
      throw new MapError('RANGE_STRADDLES', 'range', message, 'remove the other range first');
    }
    this.#generation++;
    const records = [...this.#records, { ...range, generation: this.#generation }];
    this.#replace(records.sort((a, b) => a.start - b.start));
  }

  /** Unplug: removes all ranges of a provider. Returns how many. */
  removeProvider(provider: number): number {
    const gone = this.#records.filter((record) => record.provider === provider && record.kind === 'bar');
    if (gone.length === 0) return 0;
    this.#generation++;
    this.#removed = [...gone, ...this.#removed];
    this.#replace(this.#records.filter((record) => !gone.includes(record)));
    return gone.length;
  }

  /** Notes a change that the ranges do not show and that may change a verdict: of ACS, of a bridge, of the policy. */
  bump(): void {
    this.#generation++;
  }

  /** The range that was at `address` and is gone, or null. */
  removedAt(address: number): RangeRecord | null {
    return this.#removed.find((record) => address >= record.start && address < record.end) ?? null;
  }

  #replace(records: RangeRecord[]): void {
    this.#records = records;
    this.#starts = Float64Array.from(records, (record) => record.start);
    this.#ends = Float64Array.from(records, (record) => record.end);
    this.#last = -1;
  }
}

/** Every memory BAR whose place and size are known. */
function barRecords(machine: Machine): RangeRecord[] {
  const records: RangeRecord[] = [];
  machine.hierarchy.functions.forEach((fn, provider) => {
    for (const bar of fn.bars) {
      if (bar.space !== 'memory' || bar.cpuAddress === null || bar.size === null || bar.busAddress === null) continue;
      records.push({
        start: bar.cpuAddress,
        end: bar.cpuAddress + bar.size,
        kind: 'bar',
        provider,
        bar: bar.index,
        busOffset: bar.busAddress - bar.cpuAddress,
        generation: 1,
      });
    }
  });
  return records;
}

function unsizedBars(machine: Machine): UnsizedBar[] {
  const bars: UnsizedBar[] = [];
  for (const fn of machine.hierarchy.functions) {
    for (const bar of fn.bars) {
      if (bar.space !== 'memory' || bar.cpuAddress === null || bar.size !== null) continue;
      bars.push({ start: bar.cpuAddress, function: fn.name, bar: bar.index });
    }
  }
  return bars.sort((a, b) => a.start - b.start);
}
