import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';
import type { DrawnExcerpt, TreeItem } from './lspci-tree.ts';

const treeOf = (text: string) => recognise(text, 'f').blocks.filter(({ kind }) => kind === 'lspci-tree');
const items = (text: string) => treeOf(text).flatMap((block) => block.items as readonly TreeItem[]);
const told = (text: string) =>
  items(text).map((item) => {
    const { parent, buses } = item;
    const range = buses === null ? '' : ` -> ${buses.secondary.toString(16)}-${buses.subordinate.toString(16)}`;
    return `${item.function} below ${parent}${range}`;
  });

const TWO_ROOTS = String.raw`
-+-[0001:20]-+-00.0
 |           \-01.1-[21-24]----00.0-[22-24]--+-00.0-[23]--+-00.0
 |                                           |            \-00.1
 |                                           \-01.0-[24]--
 \-[0000:00]---02.0
`;

test('a bus hangs below its bridge, and branches belong to the bus of their column', () => {
  expect(told(TWO_ROOTS)).toEqual([
    '0001:20:00.0 below null',
    '0001:20:01.1 below null -> 21-24',
    '0001:21:00.0 below 0001:20:01.1 -> 22-24',
    '0001:22:00.0 below 0001:21:00.0 -> 23-23',
    '0001:23:00.0 below 0001:22:00.0',
    '0001:23:00.1 below 0001:22:00.0',
    '0001:22:01.0 below 0001:21:00.0 -> 24-24',
    '0000:00:02.0 below null',
  ]);
});

test.each([
  ['quoted in a mail', (text: string) => text.replaceAll('\n', '\n> ')],
  ['indented', (text: string) => text.replaceAll('\n', '\n    ')],
  ['with CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
])('a drawing that is %s reads the same', (_how, change) => {
  expect(told(change(TWO_ROOTS))).toEqual(told(TWO_ROOTS));
});

test('names and ids behind functions are read, and a name with brackets is a name', () => {
  const text = String.raw`
-[0000:00]-+-00.0  Maker Host Bridge [1022:1480]
           +-01.1-[01]----00.0  Maker GPU [Model 9] [10de:2684]
           \-02.0  8086:1234
`;
  expect(items(text)).toMatchObject([
    { name: 'Maker Host Bridge', ids: { vendor: 0x1022, device: 0x1480 } },
    { name: null, ids: null },
    { name: 'Maker GPU [Model 9]', ids: { vendor: 0x10de, device: 0x2684 } },
    { name: null, ids: { vendor: 0x8086, device: 0x1234 } },
  ]);
});

test('of a drawing without its head, what stands on a bus that is named is kept, and the rest is counted', () => {
  const text = String.raw`
           +-1d.4-[0a]--+-00.0  Maker Card [10de:2684]
           |            \-00.1  Maker Sound [10de:22ba]
           +-1f.0  Maker Bridge [8086:1234]
`;
  const blocks = recognise(text, 'f').blocks;
  const excerpt = blocks.flatMap((block) => block.items as readonly DrawnExcerpt[]);
  expect(excerpt.map(({ kind, what, function: name, parent }) => [kind, what, name, parent])).toEqual([
    ['lspci', 'drawn', '0000:0a:00.0', undefined],
    ['lspci', 'drawn', '0000:0a:00.1', undefined],
  ]);
  expect(blocks).toMatchObject([{ isComplete: false, doubt: expect.stringMatching(/^2 functions/) }]);
});

test('a domain of VMD has five digits, and a root bus without a domain is of domain 0', () => {
  expect(told('-[10000:e0]---06.0-[e1]----00.0\n')).toEqual([
    '10000:e0:06.0 below null -> e1-e1',
    '10000:e1:00.0 below 10000:e0:06.0',
  ]);
  expect(told('-[00]-+-00.0\n      \\-01.0\n')).toEqual(['0000:00:00.0 below null', '0000:00:01.0 below null']);
});

test('the same drawing pasted twice counts once', () => {
  const blocks = treeOf(`${TWO_ROOTS}\nagain:\n${TWO_ROOTS}`);
  expect(blocks.map(({ isSuperseded }) => isSuperseded)).toEqual([true, false]);
});

test('a list with dashes is no drawing', () => {
  expect(items('- [00] first\n- [01] second\n+- 00.0 of all\n')).toEqual([]);
});
