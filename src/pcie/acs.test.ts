import { expect, test } from 'vitest';
import { type AcsState, REDIRECT_BITS, redirects } from './acs.ts';

test('a function redirects where any of RR, CR and EC is on, whatever else is; all 128 words tried', () => {
  for (let control = 0; control < 128; control++) {
    const acs: AcsState = { state: 'present', offset: 0x100, capability: 0x7f, control };
    expect(redirects({ acs })).toBe((control & REDIRECT_BITS) !== 0);
  }
  expect(REDIRECT_BITS).toBe(0b0101100);
});

test('without ACS nothing redirects; where ACS is not known, that is not known', () => {
  expect(redirects({ acs: { state: 'absent' } })).toBe(false);
  expect(redirects({ acs: { state: 'unknown', missing: 'accessDenied' } })).toBeNull();
});
