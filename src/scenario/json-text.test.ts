/** What is asked of JSON texts beside their value: depth, repeated keys, where values stand. */

import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { Prng } from '../core/prng.ts';
import type { FieldPath } from './field-path.ts';
import { lineAt, looksLikeJson, offsetOf, repeatedKey, tooDeepAt } from './json-text.ts';

test('objects and lists look like JSON, YAML does not', () => {
  expect(['{}', ' \n[1]', '{a: 1}'].map(looksLikeJson)).toEqual([true, true, true]);
  expect(['', '- a', 'a: {}', '"text"', '---\n{}'].map(looksLikeJson)).toEqual([false, false, false, false, false]);
});

test('depth counts brackets, not those in strings', () => {
  expect(tooDeepAt('[[1],[[2]]]', 2)).toBe(6);
  expect(tooDeepAt('[[1],[[2]]]', 3)).toBeNull();
  expect(tooDeepAt('["[[[\\"[[", {"[[": "]"}]', 2)).toBeNull();
  expect(tooDeepAt('['.repeat(1_000_000), 256)).toBe(256);
  expect(tooDeepAt('{"a": [', 2)).toBeNull();
});

test('a key twice in one object is found, in two objects it is not', () => {
  expect(repeatedKey('{"a": 1, "b": {"a": 2}, "a": 3}')).toEqual({ key: 'a', at: 24 });
  expect(repeatedKey('[{"a": "a"}, {"a": "a:"}, ["a", "a"]]')).toBeNull();
  expect(repeatedKey('{"a": 1, "\\u0061": 2}')).toEqual({ key: 'a', at: 9 });
});

/** A value of random shape, with strings that look like brackets. */
function sampleValue(chance: Prng, depth: number): unknown {
  const kind = chance.below(depth > 4 ? 3 : 6);
  if (kind === 0) return chance.below(1000);
  if (kind === 1) return ['plain', '[{', '"quoted"', 'a,b:c', '\\', ''][chance.below(6)];
  if (kind === 2) return [true, false, null][chance.below(3)];
  const count = chance.below(4);
  if (kind === 3) return Array.from({ length: count }, () => sampleValue(chance, depth + 1));
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`k"${at}`, sampleValue(chance, depth + 1)]));
}

function* pathsOf(value: unknown, path: FieldPath): Generator<FieldPath> {
  yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value))
    yield* pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key]);
}

test('1000 values of seed 1: every part stands where a YAML reader finds it, whatever the layout', () => {
  const chance = new Prng(1);
  let parts = 0;
  for (let count = 0; count < 1000; count++) {
    const value = [sampleValue(chance, 0)];
    const text = JSON.stringify(value, null, [0, 1, '\t'][chance.below(3)]);
    const document = parseDocument(text);
    for (const path of pathsOf(value, [])) {
      const node = document.getIn(path, true) as { range: [number, number, number] };
      expect(offsetOf(text, path), `${text} ${path.map(String)}`).toBe(node.range[0]);
      parts++;
    }
    expect(repeatedKey(text)).toBeNull();
  }
  expect(parts).toBeGreaterThan(3000);
});

test('a path that leads nowhere ends at the nearest value around it', () => {
  const text = '{"a": [1, 2],\n "b": 3}';
  expect(offsetOf(text, ['a', 7])).toBe(offsetOf(text, ['a']));
  expect(offsetOf(text, ['b', 'c'])).toBe(offsetOf(text, ['b']));
  expect(offsetOf(text, ['c'])).toBe(0);
  expect(lineAt(text, offsetOf(text, ['b']))).toBe(2);
});
