import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const items = (text: string) => recognise(text, 'f').blocks.flatMap(({ items }) => items);
const kinds = (text: string) => recognise(text, 'f').blocks.map(({ kind }) => kind);

test('a command says what it asks, of whom, and what it writes', () => {
  expect(items('$ sudo setpci -v -s 0000:16:02.0 ECAP_ACS+6.w=0000')).toEqual([
    {
      kind: 'setpci',
      what: 'command',
      file: 'f',
      line: 1,
      selector: '0000:16:02.0',
      function: '0000:16:02.0',
      register: 'ECAP_ACS+6',
      width: 'W',
      value: { bits: 0, mask: null },
    },
  ]);
  expect(items('setpci -s 80:01.0 CAP_EXP+8.w=5000:7000')).toMatchObject([
    { function: '0000:80:01.0', register: 'CAP_EXP+8', value: { bits: 0x5000, mask: 0x7000 } },
  ]);
  expect(items('for d in $(list); do setpci -s "$d" ECAP_ACS+0x6.w; done')).toMatchObject([
    { selector: '$d', function: null, register: 'ECAP_ACS+0x6', value: null },
  ]);
});

test('-v prints function, capability, offset and value; without it the value stands alone', () => {
  expect(items('0000:16:02.0 (cap 000d @148) @14e = 005d\n0000:16:02.0 (cap 000d @148) @14e 0000')).toMatchObject([
    {
      what: 'register',
      function: '0000:16:02.0',
      capability: { id: 0xd, at: 0x148 },
      at: 0x14e,
      value: 0x5d,
      access: 'read',
    },
    { value: 0, access: 'written' },
  ]);
  expect(items('0000:16:02.0 @04 = 0547')).toMatchObject([{ capability: null, at: 4, value: 0x547 }]);
  expect(items('$ setpci -s 16:02.0 ECAP_ACS+6.w\n001d')).toMatchObject([
    { what: 'command' },
    { what: 'register', function: null, at: null, value: 0x1d },
  ]);
});

test('a sentence about setpci is no command, and a number alone no value', () => {
  expect(kinds('I tried setpci as you said, and nothing changed.\n001d')).toEqual(['unknown']);
  expect(kinds('mail me @home = 12')).toEqual(['unknown']);
});
