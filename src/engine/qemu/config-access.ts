/**
 * Configuration space by both of its roads: the address and data ports of PCI (PCI Local Bus 3.0, 3.2.2.3.2) that are always
 * there, and the memory-mapped window of PCIe (PCIe 7.2.2) that the q35 board's host bridge opens when it is told where.
 *
 *     0xcf8: 31 enable | 23:16 bus | 15:11 device | 10:8 function | 7:2 register      window: base + bus<<20 | devfn<<12
 */

import { type PhysAddr, physAddr } from '../../core/address.ts';
import { assert } from '../../core/assert.ts';
import { type Bdf, requesterId } from '../../pcie/bdf.ts';
import type { AccessSize } from '../register.ts';
import type { QtestLink } from './qtest.ts';

const ADDRESS_PORT = 0xcf8;
const DATA_PORT = 0xcfc;
/** PCIEXBAR of the q35 host bridge, 00:00.0; bit 0 enables, bits 2:1 are the length, 0 for 256 buses. */
const PCIEXBAR = 0x60;
export const ECAM_BASE: PhysAddr = physAddr(0xb0000000);
export const ECAM_BYTES: number = 256 * 2 ** 20;
export const CONFIG_BYTES = 4096;

function portAddress(fn: Bdf, offset: number): number {
  assert(offset >= 0 && offset < 256 && (offset & 3) === 0, `${offset} is a dword of the first 256 bytes`);
  return (0x80000000 | (requesterId(fn) << 8) | offset) >>> 0;
}

/** A dword of the first 256 bytes, by the ports. */
export async function readConfigPort(link: QtestLink, fn: Bdf, offset: number): Promise<number> {
  const [, value] = await Promise.all([
    link.writePort(ADDRESS_PORT, portAddress(fn, offset)),
    link.readPort(DATA_PORT),
  ]);
  return value;
}

/** Writes a dword of the first 256 bytes, by the ports. */
export async function writeConfigPort(link: QtestLink, fn: Bdf, offset: number, value: number): Promise<void> {
  await Promise.all([link.writePort(ADDRESS_PORT, portAddress(fn, offset)), link.writePort(DATA_PORT, value)]);
}

/** Opens the memory-mapped window, by the ports. */
export async function openEcam(link: QtestLink): Promise<void> {
  const hostBridge: Bdf = { domain: 0, bus: 0, device: 0, function: 0 };
  await Promise.all([
    writeConfigPort(link, hostBridge, PCIEXBAR + 4, 0),
    writeConfigPort(link, hostBridge, PCIEXBAR, ECAM_BASE + 1),
  ]);
}

/** Configuration space through the window. */
export class ConfigAccess {
  readonly #link: QtestLink;

  constructor(link: QtestLink) {
    this.#link = link;
  }

  static addressOf(fn: Bdf, offset: number): PhysAddr {
    assert(offset >= 0 && offset < CONFIG_BYTES, `${offset} lies in configuration space`);
    return physAddr(ECAM_BASE + requesterId(fn) * CONFIG_BYTES + offset);
  }

  read(fn: Bdf, offset: number, size: AccessSize): Promise<number> {
    return this.#link.read(ConfigAccess.addressOf(fn, offset), size);
  }

  write(fn: Bdf, offset: number, size: AccessSize, value: number): Promise<void> {
    return this.#link.write(ConfigAccess.addressOf(fn, offset), size, value);
  }

  /** All 4096 bytes. */
  async dump(fn: Bdf): Promise<Uint8Array> {
    const bytes = new Uint8Array(CONFIG_BYTES);
    await this.#link.readBlock(ConfigAccess.addressOf(fn, 0), bytes);
    return bytes;
  }
}
