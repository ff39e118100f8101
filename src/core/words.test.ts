import { expect, test } from 'vitest';
import { groupedBy, listed, plural, sizeWords } from './words.ts';

test('a list ends with "and"; what is too many is counted', () => {
  const wanted: [number, number, string][] = [
    [0, 4, 'nothing'],
    [1, 4, 'n1'],
    [2, 4, 'n1 and n2'],
    [4, 4, 'n1, n2, n3 and n4'],
    [5, 4, 'n1, n2, n3, n4 and 1 more'],
    [3, 1, 'n1 and 2 more'],
  ];
  for (const [count, most, text] of wanted) {
    const names = Array.from({ length: count }, (_, index) => `n${index + 1}`);
    expect(listed(names, most)).toBe(text);
  }
});

test('one is singular, none and many are plural', () => {
  expect([0, 1, 2].map((count) => plural(count, 'pair'))).toEqual(['0 pairs', '1 pair', '2 pairs']);
  const many = ['memory', 'fix', 'switch', 'BAR', 'way', 'pass', 'NVMe drive'].map((noun) => plural(2, noun));
  expect(many).toEqual(['2 memories', '2 fixes', '2 switches', '2 BARs', '2 ways', '2 passes', '2 NVMe drives']);
});

test('a size has the largest unit that leaves one or more, with one digit after the point at most', () => {
  const wanted: [number, string][] = [
    [0, '0 B'],
    [36, '36 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [96 * 2 ** 20, '96 MiB'],
    [1.5 * 2 ** 30, '1.5 GiB'],
    [2 ** 40 + 2 ** 30, '1.0 TiB'],
    [2 ** 63, '8192 PiB'],
  ];
  for (const [bytes, text] of wanted) expect(sizeWords(bytes)).toBe(text);
});

test('items are gathered by their key, keys and items in their order', () => {
  expect(groupedBy(['b1', 'a1', 'b2', 'c1', 'a2'], (item) => item[0])).toEqual([['b1', 'b2'], ['a1', 'a2'], ['c1']]);
  expect(groupedBy([], () => 0)).toEqual([]);
});
