import { expect, test } from 'vitest';
import { cpuText } from '../report/words/cpu-text.ts';
import { UsageError } from './errors.ts';
import { cpuOption, policyOption } from './options.ts';

test.each([
  ['AuthenticAMD:23', 'AuthenticAMD', 23],
  ['AuthenticAMD:0x17', 'AuthenticAMD', 23],
  ['GenuineIntel:6', 'GenuineIntel', 6],
  ['HygonGenuine:0X18', 'HygonGenuine', 24],
])('--cpu %s', (text, vendor, family) => {
  expect(cpuOption(text)).toEqual({ vendor, family });
  expect(cpuText(cpuOption(text))).toBe(`${vendor}:${family}`);
});

test.each([
  '',
  'AuthenticAMD',
  'AuthenticAMD:',
  ':23',
  'AuthenticAMD:0x',
  'AuthenticAMD:17h',
  'A:-1',
  'A:1:2',
  'A B:6',
])('--cpu %j is refused', (text) => {
  expect(() => cpuOption(text)).toThrow(UsageError);
});

test('a CPU without a family has no text: ARM and POWER count theirs otherwise', () => {
  expect(cpuText(null)).toBeNull();
  expect(cpuText({ vendor: '0x41', family: null })).toBeNull();
});

test('the policy follows the kernel where it is not given', () => {
  expect(policyOption(undefined, '6.12.117').name).toBe('linux-6.12');
  expect(policyOption(undefined, '6.11.0').name).toBe('linux-6.1');
  expect(policyOption(undefined, '5.15.0-91-generic').name).toBe('linux-7.0');
  expect(policyOption(undefined, null).name).toBe('linux-7.0');
  expect(policyOption('directional', '6.12.117').name).toBe('directional');
});

test('an unknown policy is refused with the nearest name', () => {
  expect(() => policyOption('linux-6.0', null)).toThrow(
    expect.objectContaining({ path: '--policy', hint: expect.stringContaining('linux-6.1') }),
  );
});
