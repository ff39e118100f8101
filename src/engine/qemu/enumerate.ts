/**
 * Finds the functions of a machine as an operating system would, numbering buses on the way: depth first, each bridge's
 * subordinate bus all ones until what is below it is known. PCIe 7.5.1.3.3 to 7.5.1.3.5, and the implementation note on
 * enumeration in 7.3.1.
 */

import { type Bdf, formatBdf } from '../../pcie/bdf.ts';
import type { ConfigAccess } from './config-access.ts';
import { QemuError } from './errors.ts';

/** A memory BAR that was sized by writing all ones. */
export interface SizedBar {
  readonly index: number;
  readonly is64Bit: boolean;
  readonly prefetchable: boolean;
  readonly lengthBytes: number;
}

export interface FoundFunction {
  readonly bdf: Bdf;
  /** Index of the bridge above, -1 on a root bus. */
  readonly parent: number;
  readonly rootBus: number;
  readonly vendorId: number;
  readonly deviceId: number;
  /** 24 bits. */
  readonly classCode: number;
  readonly isBridge: boolean;
  readonly bars: readonly SizedBar[];
  /** Indices of I/O BARs, which are left without an address: nothing here uses them. */
  readonly ioBars: readonly number[];
  /** Of a bridge; 0 else. */
  readonly secondaryBus: number;
}

const ABSENT = 0xffff;
const MULTI_FUNCTION = 0x80;
const COMMAND = 0x04;
const HEADER_TYPE = 0x0e;
const BAR0 = 0x10;
const PRIMARY_BUS = 0x18;
const SECONDARY_BUS = 0x19;
const SUBORDINATE_BUS = 0x1a;

/**
 * Enumerates the root buses given, in order. Afterwards bus numbers are set and every BAR reads what sizing left: all ones.
 * Throws `QEMU_RESOURCES` where the buses below a root bus run into the next.
 */
export async function enumerate(config: ConfigAccess, rootBuses: readonly number[]): Promise<FoundFunction[]> {
  const found: FoundFunction[] = [];
  for (const [index, bus] of rootBuses.entries()) {
    const scan = new Scan(config, found, bus, rootBuses[index + 1] ?? 256);
    await scan.bus(bus, -1);
  }
  return found;
}

class Scan {
  readonly #config: ConfigAccess;
  readonly #found: FoundFunction[];
  readonly #rootBus: number;
  /** First bus that belongs to somebody else. */
  readonly #limit: number;
  #lastBus: number;

  constructor(config: ConfigAccess, found: FoundFunction[], rootBus: number, limit: number) {
    this.#config = config;
    this.#found = found;
    this.#rootBus = rootBus;
    this.#limit = limit;
    this.#lastBus = rootBus;
  }

  async bus(bus: number, parent: number): Promise<void> {
    for (const bdf of await this.#functionsOn(bus)) {
      const index = this.#found.length;
      const fn = await this.#describe(bdf, parent);
      this.#found.push(fn);
      if (fn.isBridge) await this.#below(fn, index);
    }
  }

  /** Functions on a bus: all 32 first functions asked at once, then the others of those that say that there are some. */
  async #functionsOn(bus: number): Promise<Bdf[]> {
    const at = (device: number, fn: number): Bdf => ({ domain: 0, bus, device, function: fn });
    const devices = Array.from({ length: 32 }, (_, device) => at(device, 0));
    const firsts = await Promise.all(
      devices.map(async (bdf) => {
        const registers = [this.#config.read(bdf, 0, 2), this.#config.read(bdf, HEADER_TYPE, 1)] as const;
        const [vendor, headerType] = await Promise.all(registers);
        return { bdf, vendor, headerType };
      }),
    );
    const functions: Bdf[] = [];
    for (const { bdf, vendor, headerType } of firsts) {
      if (vendor === ABSENT) continue;
      functions.push(bdf);
      if ((headerType & MULTI_FUNCTION) === 0) continue;
      const others = Array.from({ length: 7 }, (_, index) => at(bdf.device, index + 1));
      const vendors = await Promise.all(others.map((other) => this.#config.read(other, 0, 2)));
      functions.push(...others.filter((_, index) => vendors[index] !== ABSENT));
    }
    return functions;
  }

  async #describe(bdf: Bdf, parent: number): Promise<FoundFunction> {
    const config = this.#config;
    const [ids, classAndRevision, headerType] = await Promise.all([
      config.read(bdf, 0, 4),
      config.read(bdf, 8, 4),
      config.read(bdf, HEADER_TYPE, 1),
      // Nothing decodes while BARs hold all ones.
      config.write(bdf, COMMAND, 2, 0),
    ]);
    const isBridge = (headerType & 0x7f) === 1;
    const bars = await this.#sizeBars(bdf, isBridge ? 2 : 6);
    return {
      bdf,
      parent,
      rootBus: this.#rootBus,
      vendorId: ids & 0xffff,
      deviceId: ids >>> 16,
      classCode: classAndRevision >>> 8,
      isBridge,
      ...bars,
      secondaryBus: isBridge ? this.#lastBus + 1 : 0,
    };
  }

  async #sizeBars(bdf: Bdf, count: number): Promise<{ bars: SizedBar[]; ioBars: number[] }> {
    const offsets = Array.from({ length: count }, (_, index) => BAR0 + index * 4);
    const values = await Promise.all(
      offsets.map(async (offset) => {
        const written = this.#config.write(bdf, offset, 4, 0xffffffff);
        const [value] = await Promise.all([this.#config.read(bdf, offset, 4), written]);
        return value;
      }),
    );
    const bars: SizedBar[] = [];
    const ioBars: number[] = [];
    for (let index = 0; index < count; index++) {
      const low = values[index] as number;
      if (low === 0) continue;
      if (low & 1) {
        ioBars.push(index);
        continue;
      }
      const is64Bit = (low & 6) === 4;
      const high = is64Bit ? (values[index + 1] as number) : 0xffffffff;
      // The lowest address bit that can be set is the size.
      const base = (low & ~0xf) >>> 0;
      const lengthBytes = base === 0 ? lowestBit(high) * 2 ** 32 : lowestBit(base);
      bars.push({ index, is64Bit, prefetchable: (low & 8) !== 0, lengthBytes });
      if (is64Bit) index++;
    }
    return { bars, ioBars };
  }

  async #below(bridge: FoundFunction, index: number): Promise<void> {
    const { bdf, secondaryBus } = bridge;
    if (secondaryBus >= this.#limit) {
      throw new QemuError({
        code: 'QEMU_RESOURCES',
        path: formatBdf(bdf),
        message: `bus ${secondaryBus} is to be below it, and root bus ${this.#rootBus} ends with bus ${this.#limit - 1}`,
        hint: 'give the next root bus a higher number',
      });
    }
    this.#lastBus = secondaryBus;
    await Promise.all([
      this.#config.write(bdf, PRIMARY_BUS, 1, bdf.bus),
      this.#config.write(bdf, SECONDARY_BUS, 1, secondaryBus),
      this.#config.write(bdf, SUBORDINATE_BUS, 1, 0xff),
    ]);
    await this.bus(secondaryBus, index);
    await this.#config.write(bdf, SUBORDINATE_BUS, 1, this.#lastBus);
  }
}

/** Value of the lowest bit that is set in 32 bits. */
function lowestBit(word: number): number {
  return (word & -word) >>> 0;
}
