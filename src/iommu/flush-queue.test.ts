import { expect, test } from 'vitest';
import { Prng } from '../core/prng.ts';
import { FlushQueue } from './flush-queue.ts';

test('E43: in any order of queueing and flushing, a range is freed once, in order, by a flush begun after it', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = new Prng(seed);
    const queue = new FlushQueue(16);
    const queuedAt: number[] = [];
    const freed: number[] = [];
    let begun = 0;
    let ended = 0;
    for (let step = 0; step < 500; step++) {
      const choice = prng.below(4);
      if (choice < 2 && !queue.full) {
        queue.push(queuedAt.length, 1, step);
        queuedAt.push(begun);
      } else if (choice === 2 && begun === ended) {
        queue.beginFlush();
        begun++;
      } else if (choice === 3 && begun > ended) {
        queue.endFlush();
        ended = begun;
        queue.drain((start) => {
          expect(queuedAt[start]).toBeLessThan(ended);
          freed.push(start);
        }, step);
      }
      expect(queue.count).toBe(queuedAt.length - freed.length);
    }
    expect(freed.length).toBeGreaterThan(50);
    expect(freed).toEqual(freed.map((_, index) => index));
  }
});

test('the queue asserts its own order: no push when full, no end without a begin', () => {
  const queue = new FlushQueue(1);
  queue.push(1, 1, 0);
  expect(() => queue.push(2, 1, 0)).toThrow('full');
  expect(() => queue.endFlush()).toThrow('never began');
  expect(() => new FlushQueue(0.5)).toThrow('0.5');
});
