/** One machine in every form in which listings of lspci come: the same hierarchy, ACS and links each time. */

import { expect, test } from 'vitest';
import { bytesOf } from '../../src/core/text.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { judgePair } from '../../src/p2p/distance.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import type { PairVerdict } from '../../src/p2p/verdict.ts';
import { type Bdf, parseBdf } from '../../src/pcie/bdf.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';
import {
  hexDump,
  hexRows,
  joined,
  pathDump,
  quoted,
  switchMachine,
  textDump,
  withoutRoot,
  wrapped,
} from './sample-dumps.ts';

function read(text: string): Promise<Machine> {
  return readMachine(bytesOf(text), 'dump.txt');
}

function at(machine: Machine, name: string): PciFunction {
  const fn = machine.hierarchy.at(parseBdf(name) as Bdf);
  if (!fn) throw new Error(`${name} was not read`);
  return fn;
}

/** What must not depend on the form. */
function summary(machine: Machine): unknown[] {
  const { functions, parent } = machine.hierarchy;
  return functions.map((fn, index) => ({
    name: fn.name,
    above: functions[parent[index] as number]?.name ?? null,
    portType: fn.portType,
    acs: fn.acs.state === 'present' ? [fn.acs.capability, fn.acs.control] : fn.acs.state,
    buses: fn.busNumbers,
    link: fn.link && [fn.link.maxSpeedGts, fn.link.maxWidth, fn.link.speedGts, fn.link.width],
    ids: [fn.vendorId, fn.deviceId, fn.classCode],
    memory: fn.memoryWindow,
    prefetchable: fn.prefetchableWindow,
    bar: fn.bars.map((bar) => [bar.index, bar.busAddress, bar.is64Bit]),
  }));
}

const wanted = summary(await read(hexDump(4096)));

test('the sample is a switch with redirect on one downstream port', () => {
  expect(wanted).toHaveLength(7);
  expect(wanted[5]).toMatchObject({ name: '0000:03:00.0', above: '0000:02:00.0', portType: 'endpoint' });
  expect(wanted[3]).toMatchObject({ acs: [0x5f, 0x0c], buses: { primary: 2, secondary: 3, subordinate: 3 } });
});

const FORMS: Record<string, string> = {
  'text alone': textDump(),
  'text wrapped at 72 columns': wrapped(textDump()),
  'text wrapped at 76 columns': wrapped(textDump(), 76),
  'quoted mail': quoted(textDump()),
  'quoted, wrapped mail': quoted(wrapped(textDump())),
  'mail quoted twice': quoted(quoted(wrapped(textDump()))),
  CRLF: textDump().replaceAll('\n', '\r\n'),
  'hex with CRLF': hexDump(4096).replaceAll('\n', '\r\n'),
  'hex, quoted': quoted(hexDump(4096)),
  'hex in upper case': hexDump(4096).replace(/^[0-9a-f]{2,3}: .*$/gm, (row) => row.toUpperCase()),
  'hex indented by four blanks': hexDump(4096).replace(/^(?=.)/gm, '    '),
  'every line followed by an empty one': textDump().replaceAll('\n', '\n\n'),
  'without any indentation': textDump().replace(/^[\t ]+/gm, ''),
  'blanks at the ends of lines': textDump().replaceAll('\n', '   \n'),
  'with a domain': textDump().replace(/^(?=\d\d:)/gm, '0000:'),
  'text before the hex of 256 bytes': joined(textDump(), hexDump(256)),
  'text before the hex of 64 bytes': joined(textDump(), hexDump(64)),
  'text, then the whole hex as a second listing': textDump() + hexDump(4096),
  'hex, then the text as a second listing': hexDump(4096) + textDump(),
  'hex of 64 bytes, then text': hexDump(64) + textDump(),
  'the listing twice': textDump() + textDump(),
  'a listing without root, then one with': withoutRoot(textDump()) + textDump(),
  'a listing with root, then one without': textDump() + withoutRoot(textDump()),
  'a plain list, then text': `${plainList(textDump())}\n${textDump()}`,
  'surrounded by a shell and a log': `$ sudo lspci -nnvvv\n${textDump()}$ dmesg | tail\n[    1.234567] pci 0000:03:00.0: [1234:0010] type 00\n[    1.3] nvme nvme0: pci function 0000:03:00.0\n`,
  'UTF-8 with a byte order mark': `\u00ef\u00bb\u00bf${textDump()}`,
  'path headers': pathDump(),
  'no newline at the end': textDump().trimEnd(),
};

function plainList(text: string): string {
  return text
    .split('\n')
    .filter((line) => /^\d\d:/.test(line))
    .join('\n');
}

for (const [form, text] of Object.entries(FORMS)) {
  test(`every form tells the same machine: ${form}`, async () => {
    expect(summary(await read(text))).toEqual(wanted);
  });
}

test('UTF-16, as PowerShell writes it, tells the same machine', async () => {
  for (const littleEndian of [true, false]) {
    const text = `\ufeff${textDump()}`;
    const bytes = new Uint8Array(text.length * 2);
    const view = new DataView(bytes.buffer);
    for (let index = 0; index < text.length; index++) view.setUint16(index * 2, text.charCodeAt(index), littleEndian);
    expect(summary(await readMachine(bytes, 'dump.txt'))).toEqual(wanted);
  }
});

test('a listing compressed with gzip tells the same machine', async () => {
  const { gzipSync } = await import('node:zlib');
  expect(summary(await readMachine(gzipSync(textDump()), 'dump.txt.gz'))).toEqual(wanted);
});

test('each fact remembers its source and line: registers the first row, text the line that told it', async () => {
  const text = joined(textDump(), hexDump(256));
  const machine = await read(text);
  const lines = text.split('\n');
  const fn = at(machine, '02:00.0');
  const header = lines.findIndex((line) => line.startsWith('02:00.0')) + 1;
  const control = lines.findIndex((line, index) => index > header && line.includes('ACSCtl')) + 1;
  const row = lines.findIndex((line, index) => index > header && line.startsWith('00: ')) + 1;
  expect(fn.sourceOf('acs')).toEqual({ kind: 'text', file: 'dump.txt', line: control });
  expect(fn.sourceOf('busNumbers')).toEqual({ kind: 'config', file: 'dump.txt', line: row });
  expect(fn.sourceOf('iommuGroup')).toMatchObject({ kind: 'text', line: header + 5 });
});

/** A verdict with the names of its functions, which are other objects in another reading. */
const named = ({ reasons, ...verdict }: PairVerdict): object => ({
  ...verdict,
  reasons: reasons.map(({ at, ...reason }) => ({ ...reason, at: at.map(({ name }) => name) })),
});

test('a verdict from text is the verdict from registers', async () => {
  const verdicts = async (text: string): Promise<unknown[]> => {
    const judge = new JudgeContext(await read(text));
    return judge.functions.flatMap((_, p) => judge.functions.map((_, c) => named(judgePair(judge, p, c))));
  };
  expect(await verdicts(textDump())).toEqual(await verdicts(hexDump(4096)));
});

test('what a form cannot tell is unknown, and why is said', async () => {
  const port = async (text: string): Promise<unknown> => at(await read(text), '02:00.0').acs;
  const unknown = (missing: string): unknown => ({ state: 'unknown', missing });
  expect(await port(hexDump(256))).toEqual(unknown('extendedConfigNotCaptured'));
  expect(await port(hexDump(64))).toEqual(unknown('extendedConfigNotCaptured'));
  expect(await port(withoutRoot(textDump()))).toEqual(unknown('accessDenied'));
  expect(await port(plainList(textDump()))).toEqual(unknown('capabilitiesNotListed'));
  const namesOnly = textDump().replace(/^\t\t.*\n/gm, '');
  expect(await port(namesOnly)).toEqual(unknown('bitsNotPrinted'));
  // No function shows an extended capability: they cannot be seen, so one that is not shown may be there.
  const conventionalOnly = textDump().replace(/^\tCapabilities: \[100.*\n\t\t.*\n\t\t.*\n/gm, '');
  expect(await port(conventionalOnly)).toEqual(unknown('extendedConfigNotCaptured'));
});

test('port types of 64 bytes are unknown, of a text without root too', async () => {
  expect(at(await read(hexDump(64)), '02:00.0').portType).toBeNull();
  expect(at(await read(withoutRoot(textDump())), '02:00.0').portType).toBeNull();
  expect(at(await read(hexDump(256)), '02:00.0').portType).toBe('downstreamPort');
});

test('a missing row is not known, and what it held comes from the text', async () => {
  const text = joined(textDump(), hexDump(256)).replace(/^40: .*\n/gm, '');
  const fn = at(await read(text), '02:00.0');
  expect(fn.config.u8(0x40)).toBeUndefined();
  expect(fn.config.u8(0x50)).toBeDefined();
  expect([fn.portType, fn.link?.maxSpeedGts]).toEqual(['downstreamPort', 16]);
});

test('rows in any order, or behind an empty line, belong to their function', async () => {
  const [host] = switchMachine();
  if (!host) throw new Error('no sample');
  const rows = hexRows(host.config, 256);
  const shuffled = [...rows.slice(8), ...rows.slice(0, 8)].join('\n');
  const apart = `${host.address} ${host.header}\n\n${rows.join('\n')}\n`;
  for (const text of [`${host.address} ${host.header}\n${shuffled}\n`, apart]) {
    const fn = at(await read(text), '00:00.0');
    expect([...fn.config.bytes]).toEqual([...host.config.bytes.subarray(0, 256)]);
    expect(fn.config.knows(0, 256)).toBe(true);
  }
});

test('rows behind an empty line whose header was lost do not go to the function above', async () => {
  const text = hexDump(256).replace(/^01:00\.0 .*$/m, '0x:00.0 a broken line');
  const machine = await read(text);
  expect(machine.hierarchy.functions).toHaveLength(6);
  expect(at(machine, '00:01.0').busNumbers).toEqual({ primary: 0, secondary: 1, subordinate: 4 });
  const line = text.split('\n').findIndex((row) => row.startsWith('0x')) + 1;
  expect(machine.notes.filter((note) => note.line !== null).map(({ code, line }) => [code, line])).toEqual([
    ['STRAY_LINE', line],
    ['STRAY_LINE', line + 1],
  ]);
});

test('a function that sleeps is in the tree, and unknown is said of it', async () => {
  const ones = hexRows(switchMachine()[5]?.config as never, 256).map((row) => row.replace(/ ../g, ' ff'));
  const text = hexDump(256).replace(/(^03:00\.0 .*\n)(?:[0-9a-f]{2}: .*\n)+/m, `$1${ones.join('\n')}\n`);
  const fn = at(await read(text), '03:00.0');
  expect([fn.poweredDown, fn.acs]).toEqual([true, { state: 'unknown', missing: 'poweredDown' }]);
  expect([fn.vendorId, fn.deviceId]).toEqual([0x1234, 0x10]);
  const asleep = textDump().replace(
    /(^03:00\.0 .*)\n(?:\t.*\n)+/m,
    '$1 (rev ff)\n\t!!! Unknown header type 7f\n\tKernel driver in use: nvme\n',
  );
  const byText = at(await read(asleep), '03:00.0');
  expect([byText.poweredDown, byText.acs, byText.revision, byText.driver]).toEqual([
    true,
    { state: 'unknown', missing: 'poweredDown' },
    null,
    'nvme',
  ]);
  // Listed again while it was awake: that listing is believed.
  expect(summary(await read(asleep + textDump()))).toEqual(wanted);
  expect(summary(await read(text + textDump()))).toEqual(wanted);
});

test('a Virtual Function whose registers read ffff:ffff has the IDs of the text', async () => {
  const rows = hexRows(switchMachine()[5]?.config as never, 256);
  const vf = [(rows[0] as string).replace(/: (.. ){4}/, ': ff ff ff ff '), ...rows.slice(1)];
  const text = `03:00.1 Ethernet controller [0200]: Sample Works VF [15b3:1016]\n${vf.join('\n')}\n`;
  const fn = at(await read(text), '03:00.1');
  expect([fn.vendorId, fn.deviceId, fn.poweredDown]).toEqual([0x15b3, 0x1016, false]);
});

test('a capability list that loops or points nowhere ends, and the function is there', async () => {
  for (const patch of [
    (bytes: Uint8Array) => bytes.set([0x40], 0x41),
    (bytes: Uint8Array) => bytes.set([0x3c], 0x34),
    (bytes: Uint8Array) => bytes.fill(0xff, 0x40),
    (bytes: Uint8Array) => bytes.set([0x0b, 0x00, 0x01, 0x10], 0x100),
  ]) {
    const machine = switchMachine();
    for (const fn of machine) patch(fn.config.bytes);
    const read4096 = await read(hexDump(4096, machine));
    expect(read4096.hierarchy.functions).toHaveLength(7);
    for (const fn of read4096.hierarchy.functions) expect(fn.capabilities.entries.length).toBeLessThan(100);
  }
});

test('bridges that lead to one bus, to their own, or to each other are told, and the tree ends', async () => {
  const cases: [from: RegExp, buses: string, code: string][] = [
    [/(^02:01\.0 [\s\S]*?10: (?:.. ){8})(.. .. ..)/m, '02 03 03', 'BUS_NUMBERS_OVERLAP'],
    [/(^02:01\.0 [\s\S]*?10: (?:.. ){8})(.. .. ..)/m, '02 02 02', 'BUS_NUMBERS_LOOP'],
    [/(^02:01\.0 [\s\S]*?10: (?:.. ){8})(.. .. ..)/m, '02 01 04', 'BUS_NUMBERS_OVERLAP'],
    [/(^00:01\.0 [\s\S]*?10: (?:.. ){8})(.. .. ..)/m, '00 00 ff', 'ORPHAN_BUS'],
  ];
  for (const [from, buses, code] of cases) {
    const machine = await read(hexDump(4096).replace(from, `$1${buses}`));
    expect(machine.hierarchy.functions).toHaveLength(7);
    expect(machine.notes.map((note) => note.code)).toContain(code);
  }
  // 02:01.0 leads to bus 1 on which its own upstream port stands: a ring without a root.
  const ring = hexDump(4096)
    .replace(/(^02:01\.0 [\s\S]*?10: (?:.. ){8})(.. .. ..)/m, '$102 01 04')
    .replace(/(^00:01\.0 [\s\S]*?10: (?:.. ){8})(.. .. ..)/m, '$100 09 09');
  const machine = await read(ring);
  expect(machine.hierarchy.functions).toHaveLength(7);
  expect(machine.notes.map((note) => note.code)).toContain('BUS_NUMBERS_LOOP');
});
