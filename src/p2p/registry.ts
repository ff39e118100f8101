/** The providers of one machine: who has memory to give, and which of them is nearest. */

import { checkObject } from '../core/argument.ts';
import type { Prng } from '../core/prng.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { ProviderError } from './errors.ts';
import { findProvider } from './find.ts';
import type { JudgeContext } from './judge.ts';
import type { P2pRange } from './pool.ts';
import { P2pMemory } from './provider.ts';

export class Providers {
  readonly #byKey = new Map<number, P2pMemory>();
  #generation = 0;

  /** Grows with every change of what `ranges()` returns: whoever keeps a copy compares. */
  get generation(): number {
    return this.#generation;
  }

  /** New memory for a function, of the generation after the last one's, and in the registry. `ALREADY_PROVIDED`. */
  provide(fn: PciFunction): P2pMemory {
    checkObject(fn, 'bdf', 'provide: fn', 'the PciFunction whose BAR holds the memory');
    const memory = new P2pMemory(fn, (this.#byKey.get(fn.key)?.generation ?? 0) + 1);
    this.add(memory);
    return memory;
  }

  /**
   * Adds the memory of a function. `ALREADY_PROVIDED` where it has memory that is not gone, or had some of the same or a later
   * generation, so that stale allocations could not be told.
   */
  add(memory: P2pMemory): void {
    const { provider, generation } = memory;
    const earlier = this.#byKey.get(provider.key);
    if (earlier !== undefined && (earlier.state !== 'gone' || earlier.generation >= generation)) {
      throw new ProviderError(
        'ALREADY_PROVIDED',
        provider.name,
        `generation ${generation} is added, where generation ${earlier.generation} is ${earlier.state}`,
        'remove the memory that is there, then use provide()',
      );
    }
    this.#byKey.set(provider.key, memory);
    this.#generation++;
    memory.watch(() => {
      this.#generation++;
    });
  }

  /** The memory of a function that is not gone; null where it has none. */
  of(fn: PciFunction): P2pMemory | null {
    const memory = this.#byKey.get(fn.key);
    return memory === undefined || memory.state === 'gone' ? null : memory;
  }

  /** All that can be found, by rising BDF, as the kernel walks its devices. */
  published(): PciFunction[] {
    return [...this.#byKey.values()]
      .filter((memory) => memory.published)
      .map((memory) => memory.provider)
      .sort((a, b) => a.key - b.key);
  }

  /** `pci_p2pmem_find_many()` over the published providers: one of the nearest, by chance among ties, or null. */
  find(clients: readonly PciFunction[], context: JudgeContext, chance: Prng): PciFunction | null {
    return findProvider(this.published(), clients, context, chance);
  }

  /** All ranges of providers that are not gone, by rising physical address, for a look-up by address. */
  ranges(): P2pRange[] {
    return [...this.#byKey.values()].flatMap((memory) => [...memory.ranges]).sort((a, b) => a.phys - b.phys);
  }

  /**
   * `PROVIDER_GONE` (ENODEV) unless the function's memory is not gone and of this generation: the check for whatever was
   * queued when the provider was another.
   */
  checkCurrent(fn: PciFunction, generation: number): void {
    const now = this.#byKey.get(fn.key);
    if (now !== undefined && now.state !== 'gone' && now.generation === generation) return;
    const what =
      now === undefined
        ? 'it has no peer-to-peer memory'
        : now.state === 'gone'
          ? `generation ${now.generation} is gone`
          : `generation ${now.generation} took its place`;
    throw new ProviderError(
      'PROVIDER_GONE',
      fn.name,
      `memory of generation ${generation} was meant, but ${what}`,
      'find a provider and allocate again, or use RAM',
    );
  }
}
