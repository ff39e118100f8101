import { expect, test } from 'vitest';
import { alike, latin1, nearest, utf8Of } from './text.ts';

const NAMES = ['ACS-REDIR-SWITCH', 'MPS', 'HB-SPLIT', 'HB-NOT-LISTED'];

test('nearest: always names something, the nearest first', () => {
  expect(nearest('HB-SPLT', NAMES, 2)).toEqual(['HB-SPLIT', expect.any(String)]);
  expect(nearest('frobnicate', NAMES)).toHaveLength(3);
});

test.each([
  ['ACS-REDIR-SWTCH', ['ACS-REDIR-SWITCH']],
  ['MSP', ['MPS']],
  ['SPLIT', ['HB-SPLIT']],
  ['frobnicate', []],
  ['', []],
  ['XX', []],
])('alike: %j may have meant %j', (text, wanted) => {
  expect(alike(text, NAMES)).toEqual(wanted);
});

test('alike: a third of the letters may differ, and not one more', () => {
  expect(alike('abcdefghi', ['abcdef123'])).toEqual(['abcdef123']);
  expect(alike('abcdefghi', ['abcde1234'])).toEqual([]);
});

test('utf8Of: decodes UTF-8 that was read byte by byte, and leaves what is not UTF-8 as it stands', () => {
  const bytes = (text: string): string => latin1(new Uint8Array(Buffer.from(text)));
  expect(utf8Of(bytes('Intégré 100 % µ'))).toBe('Intégré 100 % µ');
  expect(utf8Of('caf\xe9')).toBe('caf\xe9');
});
