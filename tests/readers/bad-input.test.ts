/** Inputs that are no machine, or a damaged one: each ends with its own refusal, or is read as far as it goes. */

import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Prng } from '../../src/core/prng.ts';
import { bytesOf } from '../../src/core/text.ts';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import { MachineError, type MachineErrorCode } from '../../src/machine/errors.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { hexDump, textDump } from './sample-dumps.ts';
import { type TarItem, tarOf } from './tar.ts';

async function refusal(bytes: Uint8Array | string): Promise<MachineError> {
  const input = typeof bytes === 'string' ? bytesOf(bytes) : bytes;
  const error = await readMachine(input, 'input').then(
    (machine) => `read ${machine.hierarchy.functions.length} functions`,
    (thrown: unknown) => thrown,
  );
  if (error instanceof MachineError) return error;
  throw new Error(`not refused: ${error}`);
}

async function code(bytes: Uint8Array | string): Promise<MachineErrorCode> {
  const error = await refusal(bytes);
  expect(error.path).toBe('input');
  expect(error.message).not.toBe('');
  expect(error.hint).not.toBe('');
  return error.code;
}

const config = new Uint8Array(64).fill(0x11);
const device = 'sys/bus/pci/devices/0000:00:01.0';
const capture: TarItem[] = [
  { path: `${device}/config`, bytes: config },
  { path: `${device}/vendor`, bytes: bytesOf('0x1234\n') },
];

function read(items: TarItem[]): Promise<Machine> {
  return readMachine(tarOf(items), 'capture.tar');
}

test('empty: nothing, or nothing but blanks', async () => {
  expect(await code(new Uint8Array(0))).toBe('INPUT_EMPTY');
  expect(await code(' \n\t\r\n')).toBe('INPUT_EMPTY');
  expect(await code('\n'.repeat(10_000))).toBe('INPUT_EMPTY');
  expect(await code(gzipSync(''))).toBe('INPUT_EMPTY');
});

test('binary noise and pictures are no known format', async () => {
  const chance = new Prng(1);
  const noise = Uint8Array.from({ length: 100_000 }, () => chance.below(256));
  expect(await code(noise)).toBe('INPUT_FORMAT_UNKNOWN');
  expect(
    await code(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, ...noise.subarray(0, 5000))),
  ).toBe('INPUT_FORMAT_UNKNOWN');
  expect(await code(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...noise.subarray(0, 5000)))).toBe(
    'INPUT_FORMAT_UNKNOWN',
  );
  expect(await code(new Uint8Array(5000))).toBe('INPUT_FORMAT_UNKNOWN');
  expect(await code('Dear all,\nmy GPU at 03:00.0 does not work.\n')).toBe('INPUT_FORMAT_UNKNOWN');
});

test('other compressions are named, with the command that unpacks them', async () => {
  for (const [signature, word] of [
    ['\u00fd7zXZ\0\0', 'unxz'],
    ['\u0028\u00b5\u002f\u00fd', 'unzstd'],
    ['PK\u0003\u0004', 'unzip'],
  ] as const) {
    const error = await refusal(`${signature}${'x'.repeat(600)}`);
    expect([error.code, error.hint]).toEqual(['INPUT_FORMAT_UNKNOWN', expect.stringContaining(word)]);
  }
});

test('topologies and drawings are refused by name, saying what to capture instead', async () => {
  for (const [text, wanted, name] of [
    [
      '<?xml version="1.0"?>\n<!DOCTYPE topology SYSTEM "hwloc2.dtd">\n<topology version="2.0">\n',
      'INPUT_TOPOLOGY_XML',
      'hwloc',
    ],
    [
      '<!-- a cloud -->\n<system version="1">\n<cpu numaid="0"><pci busid="0000:00:01.0"/></cpu></system>',
      'INPUT_TOPOLOGY_XML',
      'NCCL',
    ],
    [
      '-[0000:00]-+-00.0  Sample Host\n           +-01.0-[01]----00.0  Sample Disk\n           \\-1f.0  Sample\n',
      'INPUT_TREE_DRAWING',
      'lspci -t',
    ],
    ['-+-[0000:80]-+-00.0\n |           \\-01.0-[81]--\n \\-[0000:00]-+-00.0\n', 'INPUT_TREE_DRAWING', 'lspci -t'],
  ] as const) {
    const error = await refusal(text);
    expect([error.code, error.message, error.hint]).toEqual([
      wanted,
      expect.stringContaining(name),
      expect.stringContaining('lspci -Dnnvvvxxxx'),
    ]);
  }
  expect(await code('<html><body>hello</body></html>')).toBe('INPUT_FORMAT_UNKNOWN');
});

test('a drawing beside a listing does not cost the listing', async () => {
  const drawing = '-[0000:00]-+-00.0\n           \\-01.0-[01]----00.0\n';
  for (const text of [drawing + textDump(), textDump() + drawing]) {
    expect((await readMachine(bytesOf(text), 'input')).hierarchy.functions).toHaveLength(7);
  }
});

test('archives that are cut or damaged', async () => {
  const tar = tarOf(capture);
  const packed = gzipSync(tar);
  for (const bytes of [
    packed.subarray(0, packed.length >> 1),
    packed.subarray(0, packed.length - 3),
    packed.subarray(0, 12),
    tar.subarray(0, 700),
    Uint8Array.of(0x1f, 0x8b, 8, 0),
    bytesOf('BZh9'),
    bytesOf('BZh91AY&SY then noise of no meaning'),
    bytesOf('BZh\u0000xxxxxxxxxxxxxxxxxxx'),
  ]) {
    expect(await code(bytes)).toBe('INPUT_TRUNCATED');
  }
  const flipped = Uint8Array.from(packed);
  flipped[packed.length - 6] = (flipped[packed.length - 6] as number) ^ 1;
  expect((await refusal(flipped)).message).toContain('checksum');
  expect(await code(gzipSync(tar.subarray(0, 700)))).toBe('INPUT_TRUNCATED');
});

test('a small file that unpacks to a huge one is refused before it is huge', async () => {
  expect(await code(gzipSync(new Uint8Array(256 * 1024 * 1024)))).toBe('INPUT_TOO_LARGE');
}, 120_000);

test('an archive without PCI', async () => {
  expect(await code(tarOf([{ path: 'etc/passwd', bytes: bytesOf('root') }]))).toBe('INPUT_NO_PCI');
  expect(await code(tarOf([{ path: 'sys/bus/pci/devices/README', bytes: bytesOf('x') }]))).toBe('INPUT_NO_PCI');
  expect(await code(tarOf([{ path: 'sys/' }]))).toBe('INPUT_NO_PCI');
});

test('paths with ../ and absolute paths stay inside the archive', async () => {
  for (const top of ['../../', '/', './', 'host/../', '/../../']) {
    const machine = await read(capture.map((item) => ({ ...item, path: top + item.path })));
    expect(machine.hierarchy.functions.map((fn) => [fn.name, fn.vendorId])).toEqual([['0000:00:01.0', 0x1111]]);
  }
  const link = await read([
    ...capture,
    { path: 'sys/bus/pci/devices/0000:00:02.0', link: '../../../../../../../../etc' },
  ]);
  expect(link.hierarchy.functions.map((fn) => fn.name)).toEqual(['0000:00:01.0']);
});

test('links that lead in circles end', async () => {
  const circle: TarItem[] = [
    { path: 'sys/bus/pci/devices/0000:00:02.0', link: '../devices/0000:00:03.0' },
    { path: 'sys/bus/pci/devices/0000:00:03.0', link: '../devices/0000:00:02.0' },
    { path: 'sys/bus/pci/devices/0000:00:04.0', link: '0000:00:04.0' },
  ];
  const machine = await read([...capture, ...circle]);
  expect(machine.hierarchy.functions.map((fn) => fn.name)).toEqual(['0000:00:01.0']);
  expect(await code(tarOf(circle))).toBe('INPUT_NO_PCI');
});

test('folders that contain themselves are walked once, however many of them', async () => {
  const root = 'sys/devices/pci0000:00';
  const loops = ['0000:00:02.0', '0000:00:03.0', '0000:00:04.0', '0000:00:05.0'].map((name) => ({
    path: `${root}/0000:00:01.0/${name}`,
    link: '..',
  }));
  const start = performance.now();
  const machine = await read([{ path: `${root}/0000:00:01.0/config`, bytes: config }, ...loops]);
  expect(machine.hierarchy.functions.length).toBeGreaterThan(0);
  expect(performance.now() - start).toBeLessThan(2000);
});

test('a config file shorter than a header, or longer than it can be', async () => {
  for (const length of [0, 1, 3, 63, 300, 4097, 100_000]) {
    const machine = await read([{ path: `${device}/config`, bytes: new Uint8Array(length) }]);
    expect(machine.hierarchy.functions[0]?.config.length).toBeLessThanOrEqual(4096);
  }
});

test('one line of 100 MB is passed over in one go, whatever it begins with', async () => {
  const listing = bytesOf(hexDump(256));
  const input = new Uint8Array(100_000_000).fill(0x41);
  expect(await code(input)).toBe('INPUT_FORMAT_UNKNOWN');
  input.set(listing);
  // Beside a plain pass over the same bytes on the same computer, whatever else it does.
  const begun = performance.now();
  let sum = 0;
  for (let at = 0; at < input.length; at++) sum += input[at] as number;
  const pass = performance.now() - begun;
  expect(sum).toBeGreaterThan(0);
  for (const lead of ['\t', '00: ', '05:00.0 PCI bridge: ', '> > > > ']) {
    input.fill(0x41, listing.length, listing.length + 100);
    input.set(bytesOf(lead), listing.length);
    const start = performance.now();
    const machine = await readMachine(input, 'input');
    const taken = performance.now() - start;
    expect(machine.hierarchy.functions.length).toBeGreaterThanOrEqual(7);
    expect(taken, `${lead}: ${taken.toFixed(0)} ms, one pass ${pass.toFixed(0)} ms`).toBeLessThan(20 * pass + 2000);
  }
}, 120_000);

test('a listing that is cut anywhere is read as far as it goes', async () => {
  const text = textDump() + hexDump(256);
  for (let end = 1; end < text.length; end += 97) {
    const result = await readMachine(bytesOf(text.slice(0, end)), 'input').catch((error: unknown) => error);
    if (result instanceof Error) expect(result).toBeInstanceOf(MachineError);
    else expect((result as Machine).hierarchy.functions.length).toBeGreaterThan(0);
  }
});

test('a folder in place of a file, and a file that is far too large, are passed over with a note', async () => {
  const machine = await read([
    { path: `${device}/config/readme`, bytes: bytesOf('x') },
    { path: `${device}/vendor`, bytes: bytesOf('0x1234\n') },
    { path: 'proc/iomem', bytes: new Uint8Array(17 * 1024 * 1024).fill(0x20) },
  ]);
  expect(machine.hierarchy.functions.map((fn) => [fn.vendorId, fn.config.length])).toEqual([[0x1234, 0]]);
  expect(machine.notes.filter(({ code: kind }) => kind === 'FILE_PASSED_OVER')).toEqual([
    expect.objectContaining({ file: `${device}/config`, message: expect.stringContaining('is a folder') }),
    expect.objectContaining({ file: 'proc/iomem', message: expect.stringContaining('has 17825792 bytes') }),
  ]);
});

test('functions that are listed and lead nowhere are named in a note, and nothing firm is said of what the machine lacks', async () => {
  const machine = await read([
    ...capture,
    { path: 'sys/bus/pci/devices/0001:00:00.0', link: '../../../devices/pci0001:00/0001:00:00.0' },
  ]);
  const [note] = machine.notes.filter(({ code: kind }) => kind === 'FUNCTIONS_UNREAD');
  expect(note?.message).toContain('0001:00:00.0 is listed, and nothing of it could be read');
  const { findings } = checkMachine(machine, POLICIES['linux-7.0']);
  expect(findings.filter(({ id }) => id === 'NO-PROVIDER').map(({ sure }) => sure)).toEqual(['open']);
});

test.each(['\r', '\r\n', '\n'])('a listing whose lines end with %j is read', async (end) => {
  const wanted = await readMachine(bytesOf(textDump() + hexDump(256)), 'input');
  const machine = await readMachine(bytesOf((textDump() + hexDump(256)).replaceAll('\n', end)), 'input');
  expect(machine.hierarchy.functions.map((fn) => [fn.name, fn.config.length])).toEqual(
    wanted.hierarchy.functions.map((fn) => [fn.name, fn.config.length]),
  );
});

test.each([
  ['text', textDump],
  ['registers', (): string => hexDump(256)],
  ['one function', (): string => `${hexDump(256).split('\n\n')[0]}\n`],
  [
    'lines alone',
    (): string =>
      `${textDump()
        .split('\n')
        .filter((line) => /^\S/.test(line))
        .join('\n')}\n`,
  ],
])('a listing that was joined to one line is refused with the reason: %s', async (_, dump) => {
  for (const joint of [' ', '', '  ']) {
    const error = await refusal(`$ lspci\n${dump().replaceAll('\n', joint)}\n`);
    expect([error.code, error.message]).toEqual(['INPUT_LINES_JOINED', expect.stringContaining('line 2')]);
    expect(error.hint).toContain('sudo lspci -Dnnvvvxxxx');
  }
});
