import { expect, test } from 'vitest';
import { copyBytes, plainBytes } from './bytes.ts';

/** As Node's Buffer is: a Uint8Array of which slice() shares the memory. */
class SharingBytes extends Uint8Array {
  override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
    return this.subarray(start, end) as Uint8Array<ArrayBuffer>;
  }
}

test('a copy of bytes shares no memory, even of bytes whose slice() does', () => {
  const original = SharingBytes.from([1, 2, 3]);
  const copy = copyBytes(original);
  copy[0] = 9;
  expect([...original]).toEqual([1, 2, 3]);
});

test('plain bytes are the same memory, and their slice() copies', () => {
  const original = SharingBytes.from([1, 2, 3, 4]).subarray(1, 3);
  const plain = plainBytes(original);
  plain[0] = 9;
  expect([...original]).toEqual([9, 3]);
  plain.slice()[0] = 7;
  expect([...original]).toEqual([9, 3]);
});
