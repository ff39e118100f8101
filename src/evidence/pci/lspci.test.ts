import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const BODY = `0000:80:01.0 PCI bridge [0604]: Some Maker Root Port [8086:352a] (prog-if 00 [Normal decode])
\tControl: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+
\tBus: primary=80, secondary=81, subordinate=81, sec-latency=0
\tCapabilities: [220 v1] Access Control Services
\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-

81:00.0 3D controller: Some GPU (rev a1)
\tRegion 0: Memory at 2000000000 (64-bit, prefetchable) [size=16G]
`;

const shown = (text: string) =>
  recognise(text, 'f').blocks.map(
    ({ kind, fromLine, toLine, items }) => `${kind} ${fromLine}-${toLine} ${items.length}`,
  );

test.each<[how: string, change: (text: string) => string]>([
  ['as it is', (text) => text],
  ['quoted', (text) => text.replace(/^/gm, '> ')],
  ['indented by four', (text) => text.replace(/^(?=.)/gm, '    ')],
  ['without any indentation', (text) => text.replace(/^\t+/gm, '')],
  ['with blanks for tabs', (text) => text.replaceAll('\t', '        ')],
])('a listing %s is one block', (_how, change) => {
  expect(shown(change(BODY).trimEnd())).toEqual(['lspci 1-8 2']);
});

test('a listing ends where something else begins', () => {
  const text = `Here it is:\n\n${BODY}\nand the log:\n[    1.000000] DMAR: IOMMU enabled\n`;
  expect(shown(text)).toEqual(['unknown 1-1 0', 'lspci 3-10 2', 'unknown 12-12 0', 'kernel-log 13-13 1']);
  const close = `81:00.0 3D controller: x\n\tRegion 0: Memory at 0\n[    1.000000] DMAR: IOMMU enabled\nBOOT_IMAGE=/vmlinuz ro\n`;
  expect(shown(close)).toEqual(['lspci 1-2 1', 'kernel-log 3-3 1', 'kernel-cmdline 4-4 1']);
});

test('rows of hex, short listings and numbers alone are listings', () => {
  expect(
    shown('81:00.0 3D controller: x\n00: de 10 b0 20 06 04 10 00 a1 00 02 03 10 00 00 00\n10: 00 00 00 00\n'),
  ).toEqual(['lspci 1-3 1']);
  expect(shown('81:00.0 0302: 10de:20b0 (rev a1)\n')).toEqual(['lspci 1-1 1']);
  expect(shown('00:1c.4/07:00.0/08:01.0 PCI bridge: x\n')).toEqual(['lspci 1-1 1']);
  expect(shown('81:00.0 "3D controller" "Maker" "Card" -ra1 "" ""\n')).toEqual(['lspci 1-1 1']);
});

test('headers with nothing but ACSCtl lines were grepped out, and are the other kind', () => {
  expect(
    shown('80:01.0 PCI bridge: x\n\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir-\n81:00.0 3D controller: y\n'),
  ).toEqual(['lspci-acsctl 1-3 1']);
});

test('a body that a mail program broke goes on', () => {
  const text =
    '81:00.0 3D controller: x\n\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop-\nParErr- Stepping- SERR- FastB2B- DisINTx+\n\tStatus: Cap+ 66MHz-\n';
  expect(shown(text)).toEqual(['lspci 1-4 1']);
});

test.each(['10:15.3 Elapsed: 3 s', '12:00.0 Something', 'at 81:00.0 there is a card', '03:04.5 Mike: hello there'])(
  '%j is no header',
  (text) => {
    expect(shown(text)).toEqual(['unknown 1-1 0']);
  },
);
