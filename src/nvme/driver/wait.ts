/** Waiting for a controller: by letting the machine run, in slices that grow while nothing happens. */

import type { Answer } from '../../engine/register.ts';
import { getField } from '../spec/field.ts';
import { CSTS, REGISTERS } from '../spec/registers.ts';
import type { RegisterLink } from './register-link.ts';

const FIRST_SLICE_NS = 1000;
const LONGEST_SLICE_NS = 10e6;
/** What a register read gives when nobody answers. */
const ALL_ONES = 0xffffffff;

/** How a wait that was in vain ended. */
export type Loss =
  /** CSTS.CFS: the controller says that it cannot go on. */
  | 'fatal'
  /** Registers read all ones: the function does not answer any more. */
  | 'gone'
  /** Nothing happened for the whole time. */
  | 'timeout';

export class Patience {
  readonly #link: RegisterLink;
  readonly #timeoutNs: number;
  #sinceNs = 0;
  #sliceNs = FIRST_SLICE_NS;
  #fruitless = 0;

  constructor(link: RegisterLink, timeoutNs: number) {
    this.#link = link;
    this.#timeoutNs = timeoutNs;
    this.renew();
  }

  /** Something happened: the time begins anew. */
  renew(): void {
    this.#sinceNs = this.#link.engine.nowNs;
    this.#sliceNs = FIRST_SLICE_NS;
    this.#fruitless = 0;
  }

  /** Lets the machine run for one slice. */
  run(): Answer<boolean> {
    return this.#link.engine.run(this.#sliceNs);
  }

  /**
   * Asked when a slice brought no completion: why waiting on is in vain, or null while it is not. `worked` is what the slice
   * answered; a busy machine is looked at now and then only, since every look is an access.
   */
  async assess(worked: boolean): Promise<Loss | null> {
    this.#fruitless++;
    if (worked && this.#fruitless % 16 !== 0) return null;
    const csts = await this.#link.read(REGISTERS.CSTS.offset);
    if (csts === ALL_ONES) return 'gone';
    if (getField(csts, CSTS.CFS) === 1) return 'fatal';
    this.#sliceNs = Math.min(this.#sliceNs * 2, LONGEST_SLICE_NS);
    return this.#link.engine.nowNs - this.#sinceNs >= this.#timeoutNs ? 'timeout' : null;
  }
}
