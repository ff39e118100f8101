import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const OFF = 'SrcValid+ TransBlk- ReqRedir- CmpltRedir- UpstreamFwd- EgressCtrl- DirectTrans-';
const ON = 'SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-';
const items = (text: string) => recognise(text, 'f').blocks.flatMap(({ items }) => items);

test('lines without addresses are counted with their bits, and none is given to a function', () => {
  expect(items(`\t\tACSCtl:\t${OFF}\n\t\tACSCtl:\t${ON}\n`)).toMatchObject([
    { function: null, control: 0x01, printed: 0x7f, line: 1 },
    { function: null, control: 0x1d, printed: 0x7f, line: 2 },
  ]);
});

test.each([
  ['headers of -vvv', `00:01.1 PCI bridge: Some Root Port\n\t\tACSCtl:\t${ON}`],
  ['addresses that a loop printed', `0000:00:01.1\n\t\tACSCtl:\t${ON}`],
  ['both on one line', `00:01.1 ACSCtl: ${ON}`],
  ['blank lines between', `00:01.1 PCI bridge: x\n\n\t\tACSCtl:\t${ON}`],
])('%s give the lines to their functions', (_what, text) => {
  expect(items(text)).toMatchObject([{ function: '0000:00:01.1', control: 0x1d }]);
});

test('a second line below one header is of a function whose header was not grepped', () => {
  const text = `00:01.1 PCI bridge: x\n\tACSCtl: ${ON}\n\tACSCtl: ${OFF}\n02:00.0 VGA: y\n`;
  expect(items(text)).toMatchObject([{ function: '0000:00:01.1' }, { function: null, control: 1 }]);
});

test('the capability register is taken along, and a line that was cut says which bits it shows', () => {
  const text = `\tACSCap: ${ON}\n\tACSCtl: ${OFF}\n\tACSCtl: SrcValid+ TransBlk- ReqRe`;
  expect(items(text)).toMatchObject([
    { control: 1, capability: 0x1d },
    { control: 1, printed: 0x03, capability: null },
  ]);
});

test('headers alone and words about ACSCtl are none', () => {
  expect(items('00:01.1 ACSCtl says nothing\nGrep for ACSCtl: please')).toEqual([]);
});
