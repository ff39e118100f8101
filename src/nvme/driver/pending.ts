/**
 * Calls that were made without waiting. An engine takes effect in the order of its calls, so a driver writes lists, commands and
 * doorbell at once and waits for all of them once; over an engine that answers at once there is nothing to wait for.
 */

import type { Answer } from '../../engine/register.ts';

/** Whether an answer is still to come. */
export function isPending<T>(answer: Answer<T>): answer is Promise<T> {
  return answer instanceof Promise;
}

export class Pending {
  #waiting: Promise<unknown>[] = [];

  /** Notes an answer that nobody awaits yet. */
  add(answer: Answer<unknown>): void {
    if (!isPending(answer)) return;
    // A call that fails before it is waited for is not unhandled: `settle` will tell.
    answer.catch(() => undefined);
    this.#waiting.push(answer);
  }

  /** Waits for everything noted; nothing to wait for gives undefined at once. Rejects as the first failed call did. */
  settle(): Answer<void> {
    if (this.#waiting.length === 0) return undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    return Promise.all(waiting).then(() => undefined);
  }
}
