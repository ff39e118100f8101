/**
 * The smallest machine that a driver can be run on: flat RAM, controllers whose BARs lie at fixed addresses, and no rules of
 * routing at all. Driver and device meet here over registers and memory only.
 *
 * In its second form every answer comes later, in order, as over a socket.
 */

import type { BusAddr, DmaAddr, PhysAddr, Word64 } from '../../src/core/index.ts';
import { busAddr, Clock, physAddr } from '../../src/core/index.ts';
import type { AccessSize, Answer, Capability, EngineFault, RegisterEngine } from '../../src/engine/register.ts';
import type { NvmeControllerOptions, UpstreamStatus } from '../../src/nvme/device/index.ts';
import { MemoryBlockStore, NvmeController } from '../../src/nvme/device/index.ts';
import type { DmaBuffer, DmaMemory, OwnFunction } from '../../src/nvme/driver/index.ts';
import { getU32, putU32 } from '../../src/nvme/spec/index.ts';
import type { Bdf } from '../../src/pcie/index.ts';

const MIB = 1024 * 1024;
/** BARs begin here in CPU addresses; on the bus they lie elsewhere, so that one taken for the other is noticed. */
const BARS_AT = 2 ** 36;
export const BUS_OFFSET = -(2 ** 35);

interface PlacedBar {
  readonly index: number;
  readonly phys: number;
  readonly size: number;
}

/** A controller in the machine, with what the tests look at. */
export interface Placed {
  readonly controller: NvmeController;
  readonly fn: OwnFunction;
  readonly store: MemoryBlockStore;
  readonly bars: readonly PlacedBar[];
  /** Requests for data or anything else that went up the link since it was last cleared. */
  requests: { readonly kind: 'read' | 'write'; readonly address: number; readonly length: number }[];
  /** Bus Master Enable. */
  busMaster: boolean;
  /** Answers CPU accesses and lets the controller work; false: unplugged. */
  present: boolean;
}

export class FlatEngine implements RegisterEngine, DmaMemory {
  readonly kind = 'sim';
  readonly name = 'flat';
  readonly clock: Clock = new Clock();
  readonly ram: Uint8Array;
  readonly placed: Placed[] = [];
  /** Buffers given and not taken back. */
  readonly buffers: Set<DmaBuffer> = new Set();
  /** Calls by method, for those that want to count. */
  calls = 0;
  /** Whether requests are noted in `Placed.requests`; off where speed is measured. */
  notes = true;
  readonly #isLate: boolean;
  #chain: Promise<unknown> = Promise.resolve();
  #allocated = MIB;
  #nextBar = BARS_AT;

  constructor(options: { readonly late?: boolean; readonly ramBytes?: number } = {}) {
    this.#isLate = options.late ?? false;
    this.ram = new Uint8Array(options.ramBytes ?? 64 * MIB);
  }

  get nowNs(): number {
    return this.clock.nowNs;
  }

  /** Adds a controller with a namespace of 32 MiB. */
  add(options: Partial<NvmeControllerOptions> = {}): Placed {
    const store = new MemoryBlockStore(32 * MIB);
    const bars: PlacedBar[] = [];
    const upstream = {
      read: (address: DmaAddr, into: Uint8Array) => this.#request(placed, 'read', address, into),
      write: (address: DmaAddr, from: Uint8Array) => this.#request(placed, 'write', address, from),
    };
    const busAddress = (bar: number): BusAddr | null => {
      const found = bars.find(({ index }) => index === bar);
      return found === undefined ? null : busAddr(found.phys + BUS_OFFSET);
    };
    const controller = new NvmeController({
      upstream,
      clock: this.clock,
      bars: { busAddress },
      namespaces: [{ store }],
      ...options,
    });
    for (const { index, sizeBytes } of controller.bars) {
      const phys = Math.ceil(this.#nextBar / sizeBytes) * sizeBytes;
      bars.push({ index, phys, size: sizeBytes });
      this.#nextBar = phys + sizeBytes;
    }
    const fn: OwnFunction = {
      name: `0000:0${this.placed.length + 1}:00.0`,
      registers: physAddr((bars[0] as PlacedBar).phys),
      busAddress,
      resolveOwnBar: (address, length) => {
        const phys = address - BUS_OFFSET;
        const bar = bars.find((one) => phys >= one.phys && phys + length <= one.phys + one.size);
        return bar === undefined ? null : { bar: bar.index, offset: phys - bar.phys };
      },
    };
    const placed: Placed = { controller, fn, store, bars, requests: [], busMaster: true, present: true };
    this.placed.push(placed);
    return placed;
  }

  #request(from: Placed, kind: 'read' | 'write', address: number, bytes: Uint8Array): UpstreamStatus {
    if (!from.busMaster) return 'notSent';
    if (this.notes) from.requests.push({ kind, address, length: bytes.length });
    if (address + bytes.length <= this.ram.length) {
      if (kind === 'read') bytes.set(this.ram.subarray(address, address + bytes.length));
      else this.ram.set(bytes, address);
      return 'SC';
    }
    const hit = this.#find(address - BUS_OFFSET, bytes.length);
    // A posted write to nowhere is lost without a word.
    if (hit === null) return kind === 'read' ? 'UR' : 'SC';
    if (kind === 'read') hit.placed.controller.readBar(hit.bar.index, hit.offset, bytes);
    else hit.placed.controller.writeBar(hit.bar.index, hit.offset, bytes);
    return 'SC';
  }

  #find(phys: number, length: number): { placed: Placed; bar: PlacedBar; offset: number } | null {
    for (const placed of this.placed) {
      const bar = placed.bars.find((one) => phys >= one.phys && phys + length <= one.phys + one.size);
      if (bar !== undefined && placed.present) return { placed, bar, offset: phys - bar.phys };
    }
    return null;
  }

  #answer<T>(call: () => T): Answer<T> {
    this.calls++;
    if (!this.#isLate) return call();
    const answer = this.#chain.then(call);
    this.#chain = answer;
    return answer;
  }

  readConfig(_fn: Bdf, _offset: number, _size: AccessSize): Answer<number> {
    throw new Error('the flat machine has no configuration space');
  }

  writeConfig(_fn: Bdf, _offset: number, _size: AccessSize, _value: number): Answer<void> {
    throw new Error('the flat machine has no configuration space');
  }

  read32(address: PhysAddr): Answer<number> {
    return this.#answer(() => {
      const hit = this.#find(address, 4);
      return hit === null ? 0xffffffff : hit.placed.controller.readRegister(hit.offset);
    });
  }

  write32(address: PhysAddr, value: number): Answer<void> {
    return this.#answer(() => {
      const hit = this.#find(address, 4);
      hit?.placed.controller.writeRegister(hit.offset, value);
    });
  }

  read64(address: PhysAddr): Answer<Word64> {
    return this.#answer(() => {
      const bytes = new Uint8Array(8);
      this.#cpu('read', address, bytes);
      return { high: getU32(bytes, 4), low: getU32(bytes, 0) };
    });
  }

  write64(address: PhysAddr, value: Word64): Answer<void> {
    const bytes = new Uint8Array(8);
    putU32(bytes, 0, value.low);
    putU32(bytes, 4, value.high);
    return this.#answer(() => this.#cpu('write', address, bytes));
  }

  readMemory(address: PhysAddr, into: Uint8Array): Answer<void> {
    return this.#answer(() => this.#cpu('read', address, into));
  }

  writeMemory(address: PhysAddr, from: Uint8Array): Answer<void> {
    if (!this.#isLate) return this.#answer(() => this.#cpu('write', address, from));
    const taken = from.slice();
    return this.#answer(() => this.#cpu('write', address, taken));
  }

  #cpu(kind: 'read' | 'write', phys: number, bytes: Uint8Array): void {
    if (phys + bytes.length <= this.ram.length) {
      if (kind === 'read') bytes.set(this.ram.subarray(phys, phys + bytes.length));
      else this.ram.set(bytes, phys);
      return;
    }
    const hit = this.#find(phys, bytes.length);
    if (hit === null) {
      if (kind === 'read') bytes.fill(0xff);
    } else if (kind === 'read') hit.placed.controller.readBar(hit.bar.index, hit.offset, bytes);
    else hit.placed.controller.writeBar(hit.bar.index, hit.offset, bytes);
  }

  run(maxNs: number): Answer<boolean> {
    return this.#answer(() => {
      let done = 0;
      for (const { controller, present } of this.placed) if (present) done += controller.work();
      if (done === 0) this.clock.advance(maxNs);
      return done > 0;
    });
  }

  takeFaults(): Answer<readonly EngineFault[]> {
    return [];
  }

  capabilities(): readonly Capability[] {
    return [];
  }

  close(): void {}

  allocate(lengthBytes: number, alignBytes: number): Answer<DmaBuffer> {
    const at = Math.ceil(this.#allocated / alignBytes) * alignBytes;
    this.#allocated = at + lengthBytes;
    if (this.#allocated > DATA) throw new Error('no memory left for queues');
    const buffer: DmaBuffer = { phys: physAddr(at), dma: at as DmaAddr, lengthBytes };
    // Whoever reads before writing finds out.
    this.ram.fill(0xa5, at, at + lengthBytes);
    this.buffers.add(buffer);
    return this.#isLate ? this.#chain.then(() => buffer) : buffer;
  }

  free(buffer: DmaBuffer): void {
    if (!this.buffers.delete(buffer)) throw new Error('freed twice');
  }
}

/** RAM from here on is the tests' own. */
export const DATA: number = 16 * MIB;
