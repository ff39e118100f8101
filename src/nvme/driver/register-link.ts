/** The registers of a controller, reached through an engine. */

import { addBytes, type PhysAddr, wordsOf } from '../../core/address.ts';
import type { Answer, RegisterEngine } from '../../engine/register.ts';

export class RegisterLink {
  readonly engine: RegisterEngine;
  readonly #base: PhysAddr;

  /** `base` is the CPU address of BAR 0. */
  constructor(engine: RegisterEngine, base: PhysAddr) {
    this.engine = engine;
    this.#base = base;
  }

  /** CPU address of a register, for those that are written often. */
  addressOf(offset: number): PhysAddr {
    return addBytes(this.#base, offset);
  }

  read(offset: number): Answer<number> {
    return this.engine.read32(this.addressOf(offset));
  }

  write(offset: number, value: number): Answer<void> {
    return this.engine.write32(this.addressOf(offset), value >>> 0);
  }

  /**
   * A 64-bit register as two dwords, **high first**. A controller may act on the write of the low half (QEMU latches CBA there),
   * so the high half must be in place by then.
   */
  async writeLong(offset: number, value: number): Promise<void> {
    const { high, low } = wordsOf(value);
    await this.write(offset + 4, high);
    await this.write(offset, low);
  }
}
