/**
 * The frame of the contract suite: rules that an engine passes, or declares not provable with the reason. Such a rule becomes a test
 * of its own, which holds the engine to saying so; nothing is skipped.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Provable } from '../../src/engine/register.ts';
import { STATUS } from '../../src/nvme/spec/index.ts';
import { type Bed, type BedOptions, type NewBed, switchTree } from './bed.ts';
import { type Controller, Host, type HostOptions } from './host.ts';

/** A rule that an engine cannot show. */
export interface NotProvable {
  /** Title of the rule. */
  readonly test: string;
  /** The capability that the engine must deny. */
  readonly what: Provable;
  readonly reason: string;
}

export interface ContractOptions {
  readonly name: string;
  readonly newBed: NewBed;
  readonly notProvable: readonly NotProvable[];
  /** Why the engine is not here at all, or null. */
  readonly missing?: string | null;
}

/** A command that succeeded. */
export const OK = { kind: 'completed', status: STATUS.SUCCESS } as const;
export const ALL_ONES = 0xffffffff;
const TIMEOUT_MS = 30_000;

export class Suite {
  readonly #options: ContractOptions;
  readonly #titles = new Set<string>();

  constructor(options: ContractOptions) {
    this.#options = options;
  }

  /** A rule, or the statement that it cannot be shown here. */
  rule(title: string, body: () => Promise<void>): void {
    this.#titles.add(title);
    const exception = this.#options.notProvable.find((one) => one.test === title);
    if (exception === undefined) test(title, body, TIMEOUT_MS);
    else {
      const { name } = this.#options;
      test(`engine ${name}: not provable here: ${exception.reason} (${title})`, async () => {
        await this.with({ tree: switchTree() }, async (bed) => {
          const capability = bed.engine.capabilities().find(({ what }) => what === exception.what);
          expect(capability?.shown).toBe(false);
          expect(capability?.reason).not.toBe('');
        });
      });
    }
  }

  async with(options: BedOptions, body: (bed: Bed) => Promise<void>): Promise<void> {
    const bed = await this.#options.newBed(options);
    try {
      await body(bed);
    } finally {
      await bed.engine.close();
    }
  }

  /** A machine that the rules of a group share, with its two controllers up. */
  shared(options: BedOptions, host: HostOptions = {}): () => { host: Host; a: Controller; b: Controller } {
    let made: { host: Host; a: Controller; b: Controller } | null = null;
    let bed: Bed | null = null;
    beforeAll(async () => {
      bed = await this.#options.newBed(options);
      const on = new Host(bed, host);
      made = { host: on, a: await on.controller('a'), b: await on.controller('b') };
    }, TIMEOUT_MS);
    afterAll(async () => {
      await bed?.engine.close();
    });
    return () => {
      if (made === null) throw new Error('the machine did not come up');
      return made;
    };
  }

  finish(): void {
    test('every exception names a rule of the suite', () => {
      for (const { test: title } of this.#options.notProvable) expect([...this.#titles]).toContain(title);
    });
  }
}
