import { expect, test } from 'vitest';
import { completionRoute, requestRoute } from './directional.ts';

const BITS = { SV: 1, TB: 2, RR: 4, CR: 8, UF: 16, EC: 32, DT: 64 };
const control = (names: string): number =>
  names.split('+').reduce((bits, name) => bits | (BITS[name as keyof typeof BITS] ?? 0), 0);

// The columns and rows of the published decision table; d direct, r redirect, b blocked.
const COLUMNS = ['none', 'RR', 'CR', 'RR+CR', 'EC', 'EC+CR', 'DT', 'DT+RR', 'TB', 'TB+RR', 'TB+DT'];
const ROWS = {
  'request, untranslated': 'd r d r r r d r d r d',
  'request, translated': 'd r d r r r d d b b b',
  'completion, strict': 'd d r r d r d d d d d',
  'completion, relaxed': 'd d d d d d d d d d d',
};
const WORDS = { d: 'direct', r: 'redirect', b: 'blocked' };

test.each(Object.entries(ROWS))('DIR1: %s: every column of the decision table', (row, outcomes) => {
  const found = COLUMNS.map((column) =>
    row.startsWith('request')
      ? requestRoute(control(column), row.endsWith(' translated'))
      : completionRoute(control(column), row.endsWith('relaxed')),
  );
  expect(found).toEqual(outcomes.split(' ').map((letter) => WORDS[letter as keyof typeof WORDS]));
});

test('DIR2: over all 128 control words: TB blocks only translated requests, DT frees only them, SV and UF decide nothing', () => {
  for (let bits = 0; bits < 128; bits++) {
    const redirects = (bits & (BITS.RR | BITS.EC)) !== 0;
    expect(requestRoute(bits, false)).toBe(redirects ? 'redirect' : 'direct');
    const translated = bits & BITS.TB ? 'blocked' : bits & BITS.DT ? 'direct' : redirects ? 'redirect' : 'direct';
    expect(requestRoute(bits, true)).toBe(translated);
    expect(completionRoute(bits, false)).toBe(bits & BITS.CR ? 'redirect' : 'direct');
    expect(completionRoute(bits, true)).toBe('direct');
    expect(requestRoute(bits ^ BITS.SV ^ BITS.UF, true)).toBe(translated);
  }
});
