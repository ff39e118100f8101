/** `p2pdma map` through the command, as the contract has it. One process maps many bios: JSON Lines. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BlockError, type BlockErrorCode } from '../../src/block/errors.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { MapError, type MapErrorCode } from '../../src/dma/errors.ts';
import { jsonOf, p2pdma, ROOT, type Run } from '../cli/run.ts';
import { readTruth, type TruthCase, type TruthMapping } from '../kernel/truth.ts';

/** Below one switch: 06 by bus address, 05 through the host bridge, 03 itself. IOMMU on, an AMD machine. */
const SWITCH = `${ROOT}tests/truth/iommu-lazy-switch4-acs-off2.tar.gz`;
/** No IOMMU, host bridge with an offset, BARs that do not decode. */
const OFFSET = `${ROOT}tests/truth/syn-four-off-pos.tar.gz`;

const CLIENT = '0000:03:00.0';
const RAM = '0x940000';
const NEAR = '0xfc010000';
const FAR = '0xfb000000';
const OWN = '0xfcc10000';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-map-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Vector {
  address: unknown;
  length: unknown;
  flags?: unknown;
}

interface MapDocument {
  schemaVersion: number;
  command: string;
  policy: string;
  classify: string;
  iommu: string | null;
  granule: number;
  iova: { base: string; size: number } | null;
  vectors: { input: number; case: string; owner: string | null; bar?: number; offset?: number }[];
  segments: { space: string; address?: string; length: number; inputs: number[]; bar?: number; offset?: number }[];
  lookups: number;
  warnings: { code: string; inputs: number[]; message: string }[];
  error?: { code: string; path: string; message: string; hint: string; errno?: string; line?: number; field?: string };
  line?: number;
}

const vector = (address: unknown, flags?: unknown, length: unknown = 4096): Vector => ({
  address,
  length,
  ...(flags === undefined ? {} : { flags }),
});
const bio = (vectors: unknown, more: object = {}): object => ({
  device: CLIENT,
  direction: 'fromDevice',
  vectors,
  ...more,
});

let files = 0;
function write(text: string, extension: string): string {
  const file = join(folder, `bio${files++}.${extension}`);
  writeFileSync(file, text);
  return file;
}

function mapOne(machine: string, document: object, ...options: string[]): Run & { document: MapDocument } {
  const run = p2pdma(['map', machine, '--bio', write(JSON.stringify(document), 'json'), '--json', ...options]);
  return { ...run, document: jsonOf(run) as unknown as MapDocument };
}

/** Maps each line; text is taken as it is. */
function mapLines(
  machine: string,
  lines: readonly (object | string)[],
  ...options: string[]
): { status: number | null; documents: MapDocument[] } {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const run = p2pdma(['map', machine, '--bio', write(`${text}\n`, 'jsonl'), '--json', ...options]);
  const documents = run.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MapDocument);
  return { status: run.status, documents };
}

const spaces = ({ segments }: MapDocument): string[] => segments.map(({ space }) => space);
const cases = ({ vectors }: MapDocument): string => vectors.map((item) => item.case).join(' ');

describe('the document', () => {
  test('MAP: keys, their order and their forms are those of the contract', () => {
    const { status, stdout, stderr, document } = mapOne(
      SWITCH,
      bio([
        vector(RAM),
        vector(NEAR, ['BVEC_MAP_BUS_ADDR'], 8192),
        vector(FAR, ['BVEC_MAP_RESOURCE']),
        vector(OWN, ['BVEC_MAP_BUS_ADDR']),
      ]),
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const base = Number(document.iova?.base);
    const wanted = {
      schemaVersion: 1,
      command: 'map',
      policy: 'linux-6.12',
      classify: 'flags',
      iommu: 'on',
      granule: 4096,
      iova: { base: `0x${base.toString(16)}`, size: 8192 },
      vectors: [
        { input: 0, case: 'a', owner: null },
        { input: 1, case: 'b2', owner: '0000:06:00.0', bar: 2, offset: 65536 },
        { input: 2, case: 'b1', owner: '0000:05:00.0', bar: 2, offset: 0 },
        { input: 3, case: 'c', owner: CLIENT, bar: 2, offset: 65536 },
      ],
      segments: [
        { space: 'iova', address: `0x${base.toString(16)}`, length: 4096, inputs: [0] },
        { space: 'bus', address: NEAR, length: 8192, inputs: [1] },
        { space: 'iova', address: `0x${(base + 4096).toString(16)}`, length: 4096, inputs: [2] },
        { space: 'bar', address: OWN, length: 4096, inputs: [3], bar: 2, offset: 65536 },
      ],
      lookups: 0,
      warnings: [],
    };
    // As text, so that the order of the keys counts.
    expect(JSON.stringify(JSON.parse(stdout))).toBe(JSON.stringify(wanted));
  });

  test('MAP: without --json a person reads vectors above segments, with case, owner and road, and the IOVA drawn', () => {
    const file = write(
      JSON.stringify(bio([vector(RAM), vector(NEAR, ['MAP_BUS_ADDR']), vector(OWN, ['MAP_BUS_ADDR'])])),
      'json',
    );
    const { status, stdout } = p2pdma(['map', SWITCH, '--bio', file]);
    expect(status).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toContain(CLIENT);
    const order = ['(a)', '(b2)', '(c)', 'iova', 'bus', 'BAR 2 + 0x10000', '|0000'];
    const places = order.map((text) => stdout.indexOf(text, stdout.indexOf(CLIENT)));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(lines.every((line) => line.length <= 100)).toBe(true);
  });
});

describe('defaults and options', () => {
  test('MAP: flags, lookup and page give the same cases and segments; the default follows from the vectors', () => {
    const flagged = bio([
      vector(RAM),
      vector(NEAR, ['MAP_BUS_ADDR']),
      vector(FAR, ['MAP_RESOURCE']),
      vector(OWN, ['MAP_BUS_ADDR']),
    ]);
    const plain = bio([vector(RAM), vector(NEAR), vector(FAR), vector(OWN)]);
    const byDefault = mapLines(SWITCH, [flagged, plain]).documents;
    expect(byDefault.map(({ classify }) => classify)).toEqual(['flags', 'lookup']);
    const [page] = mapLines(SWITCH, [plain], '--classify', 'page').documents;
    const [flags] = byDefault;
    expect(flags && cases(flags)).toBe('a b2 b1 c');
    for (const other of [byDefault[1], page]) {
      expect(other?.vectors).toEqual(flags?.vectors);
      expect(other?.segments).toEqual(flags?.segments);
    }
    expect([byDefault[0]?.lookups, byDefault[1]?.lookups, page?.lookups, page?.classify]).toEqual([0, 4, 0, 'page']);
  });

  test('MAP: --trust consults no table: lookups 0, owner null but for the own BAR, and what a flag says is done', () => {
    const lines = [
      bio([vector(RAM), vector(NEAR, ['MAP_BUS_ADDR']), vector(FAR, ['MAP_RESOURCE']), vector(OWN, ['MAP_BUS_ADDR'])]),
      bio([vector(RAM, ['MAP_BUS_ADDR'])]),
      bio([vector('0x123456789000', ['MAP_RESOURCE'])]),
      bio([vector(NEAR), vector(NEAR, ['MAP_BUS_ADDR'])]),
      bio([vector('0xfcbff000', ['MAP_BUS_ADDR'], 8192)]),
      bio([vector(RAM), vector(NEAR, ['MAP_BUS_ADDR'])]),
    ];
    const { documents, status } = mapLines(SWITCH, lines, '--trust', '--classify', 'flags');
    expect(status).toBe(0);
    expect(documents.map((document) => document.error?.code ?? spaces(document).join(' '))).toEqual([
      'iova bus iova bar',
      'bus',
      'iova',
      'iova bus',
      'RANGE_STRADDLES',
      'iova bus',
    ]);
    for (const { lookups, vectors } of documents.filter((document) => !document.error)) {
      expect(lookups).toBe(0);
      for (const item of vectors) expect(item.owner).toBe(item.case === 'c' ? CLIENT : null);
    }
    expect(documents[4]?.error?.path).toBe('vectors[0]');
  });

  test('MAP: mayContainP2p left out is true where a vector has a flag or lies outside RAM; queue.p2p left out is true', () => {
    const flagged = [vector(RAM), vector(NEAR, ['MAP_BUS_ADDR'])];
    const plain = [vector(RAM), vector(NEAR)];
    const ram = [vector(RAM)];
    const lines: [object, string][] = [
      [bio(flagged), 'ok'],
      [bio(plain), 'ok'],
      [bio(ram), 'ok'],
      [bio(ram, { mayContainP2p: false, queue: { p2p: false } }), 'ok'],
      [bio(ram, { queue: { p2p: false } }), 'ok'],
      [bio(flagged, { mayContainP2p: true, queue: {} }), 'ok'],
      [bio(flagged, { mayContainP2p: false }), 'P2P_NOT_ANNOUNCED vectors[1]'],
      [bio(plain, { mayContainP2p: false }), 'P2P_NOT_ANNOUNCED vectors[1]'],
      [bio(flagged, { queue: { p2p: false } }), 'QUEUE_WITHOUT_P2P queue.p2p'],
      [bio(plain, { queue: { p2p: false } }), 'QUEUE_WITHOUT_P2P queue.p2p'],
      [bio(plain, { mayContainP2p: true, queue: { p2p: false } }), 'QUEUE_WITHOUT_P2P queue.p2p'],
      [bio(flagged, { mayContainP2p: false, queue: { p2p: false } }), 'P2P_NOT_ANNOUNCED vectors[1]'],
    ];
    const { documents } = mapLines(
      SWITCH,
      lines.map(([line]) => line),
    );
    expect(documents.map(({ error }) => (error ? `${error.code} ${error.path}` : 'ok'))).toEqual(
      lines.map(([, wanted]) => wanted),
    );
  });

  test('MAP: --iommu says how the device meets it; --no-merge makes every vector a segment; --ram declares RAM', () => {
    const lines = [bio([vector('0x940000'), vector('0x941000'), vector(NEAR), vector('0xa0000000000')])];
    const options = ['--ram', '0xa0000000000-0xa0000000fff', '--ram', '0xb0000000000-0xb0000000fff'];
    const of = (...more: string[]): MapDocument =>
      mapLines(SWITCH, lines, ...options, ...more).documents[0] as MapDocument;
    const on = of('--iommu', 'on');
    expect(spaces(on)).toEqual(['iova', 'bus', 'iova']);
    expect(on.segments[0]).toMatchObject({ length: 8192, inputs: [0, 1] });
    expect(on.iova?.size).toBe(12288);
    const apart = of('--no-merge');
    expect(apart.segments.map(({ inputs }) => inputs)).toEqual([[0], [1], [2], [3]]);
    expect(apart.iova).toEqual(on.iova);
    for (const mode of ['off', 'passthrough']) {
      const direct = of('--iommu', mode);
      expect(direct).toMatchObject({ iommu: mode, iova: null });
      expect(direct.segments.map(({ space, address }) => `${space} ${address}`)).toEqual([
        'phys 0x940000',
        'phys 0x941000',
        `bus ${NEAR}`,
        'phys 0xa0000000000',
      ]);
    }
    expect(mapLines(SWITCH, lines).documents[0]?.error?.code).toBe('UNOWNED_ADDRESS');
  });

  test('MAP: YAML, short flag names, decimal and hex, and 64-bit masks without quotes', () => {
    const yaml = [
      '# a bio in YAML',
      `device: "${CLIENT}"`,
      'direction: toDevice',
      'limits: { maxSegmentSize: 65536, segmentBoundaryMask: 0xffffffff, dmaMask: 0xffffffffffffffff }',
      'vectors:',
      '  - { address: 0x940000, length: 4096 }',
      '  - address: "0xFC010000"',
      '    length: 0x1000',
      '    flags: [MAP_BUS_ADDR, BVEC_MAP_BUS_ADDR]',
      `  - { address: ${Number(FAR)}, length: 4096, flags: [ MAP_RESOURCE ] }`,
    ].join('\n');
    for (const extension of ['yaml', 'yml', 'txt']) {
      const run = p2pdma(['map', SWITCH, '--bio', write(yaml, extension), '--json']);
      expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
      expect(cases(jsonOf(run) as unknown as MapDocument)).toBe('a b2 b1');
    }
  });
});

describe('--nvme', () => {
  interface Nvme {
    prp: {
      commands?: { length: number; prp1: string; prp2: string | null; list: string[] }[];
      refused?: { code: string };
    };
    sgl: { commands?: { length: number; descriptors: { type: string; address?: string; length: number }[] }[] };
  }

  test('MAP: --nvme adds the PRPs and SGLs of the segments, own memory in commands of its own', () => {
    const lines = [
      bio([vector(RAM), vector(NEAR, undefined, 8192), vector(FAR), vector(OWN)]),
      bio([vector(RAM, undefined, 512)]),
      bio([vector(RAM), vector('0x950000')]),
      bio([vector('0x940200', undefined, 1024), vector('0x950000', undefined, 1024)]),
      bio([vector(RAM, undefined, 100), vector('0x950000', undefined, 412)]),
      bio([vector(RAM, undefined, 2 ** 22 + 4096)]),
      bio([]),
    ];
    const documents = mapLines(SWITCH, lines, '--nvme').documents as (MapDocument & { nvme: Nvme })[];
    const [mixed, short, two, unaligned, odd, long, none] = documents.map(({ nvme }) => nvme);
    const iova = Number(documents[0]?.iova?.base);
    const page = (index: number): string => `0x${(iova + 4096 * index).toString(16)}`;
    expect(mixed?.prp.commands).toEqual([
      { length: 16384, prp1: page(0), prp2: null, list: [NEAR, '0xfc011000', page(1)] },
      { length: 4096, prp1: OWN, prp2: null, list: [] },
    ]);
    expect(mixed?.sgl.commands?.map(({ descriptors }) => descriptors)).toEqual([
      [
        { type: 'lastSegment', length: 48 },
        { type: 'dataBlock', address: page(0), length: 4096 },
        { type: 'dataBlock', address: NEAR, length: 8192 },
        { type: 'dataBlock', address: page(1), length: 4096 },
      ],
      [{ type: 'dataBlock', address: OWN, length: 4096 }],
    ]);
    expect(short?.prp.commands).toMatchObject([{ length: 512, prp2: null, list: [] }]);
    expect(two?.prp.commands).toMatchObject([{ length: 8192, list: [] }]);
    expect(Number(two?.prp.commands?.[0]?.prp2) - Number(two?.prp.commands?.[0]?.prp1)).toBe(4096);
    // PRPs cannot pass a boundary inside a page: two commands; inside a block: none.
    expect(unaligned?.prp.commands?.map(({ length }) => length)).toEqual([1024, 1024]);
    expect(unaligned?.sgl.commands?.map(({ length }) => length)).toEqual([2048]);
    expect(odd?.prp.refused?.code).toBe('NVME_CUT_IN_BLOCK');
    expect(odd?.sgl.commands).toHaveLength(1);
    // 1025 pages: PRP1 and a list over three pages, whose own pointers are not shown.
    expect(long?.prp.commands?.[0]?.list).toHaveLength(1024);
    expect(new Set(long?.prp.commands?.[0]?.list).size).toBe(1024);
    expect(long?.sgl.commands?.[0]?.descriptors).toMatchObject([{ type: 'dataBlock', length: 2 ** 22 + 4096 }]);
    expect(none).toEqual({ prp: { commands: [] }, sgl: { commands: [] } });
    expect(mapLines(SWITCH, lines).documents.some((document) => 'nvme' in document)).toBe(false);
  });

  test('MAP: bounced RAM has no address, so no command; a person reads that, and every long list is said to be cut', () => {
    const force = ['--iommu', 'off', '--kernel-cmdline', 'swiotlb=force'];
    const { documents } = mapLines(SWITCH, [bio([vector(RAM)])], '--nvme', ...force);
    expect((documents[0] as MapDocument & { nvme: Nvme }).nvme.prp.refused?.code).toBe('NVME_BOUNCE');
    const file = write(
      JSON.stringify(bio([vector(RAM, undefined, 65536), vector('0x960000', undefined, 2048)])),
      'json',
    );
    const { stdout } = p2pdma(['map', SWITCH, '--bio', file, '--nvme']);
    expect(stdout).toContain('PRP2 -> list of 16');
    expect(stdout).toContain('... and 8 more');
    expect(stdout.split('\n').every((line) => line.length <= 100)).toBe(true);
    expect(p2pdma(['map', SWITCH, '--bio', file, '--nvme', ...force]).stdout).toContain(
      'not possible: a segment is copied',
    );
  });
});

/** Lines that are refused on the machine below the switch, each with its code and path. */
/** What the queue refuses, with the errno of the kernel's. */
const AT_THE_DOOR: Readonly<Record<string, string>> = { P2P_NOT_ANNOUNCED: 'EINVAL', QUEUE_WITHOUT_P2P: 'EREMOTEIO' };

const REFUSED: readonly [code: string, line: object, path: string][] = [
  ['ZERO_LENGTH', bio([vector(RAM), vector(RAM, undefined, 0)]), 'vectors[1].length'],
  ['ADDRESS_OVERFLOW', bio([vector('0x20000000000000')]), 'vectors[0].address'],
  ['ADDRESS_OVERFLOW', bio([vector('0xffffffffffffffff')]), 'vectors[0].address'],
  ['ADDRESS_OVERFLOW', bio([vector(2 ** 53)]), 'vectors[0].address'],
  ['ADDRESS_OVERFLOW', bio([vector('0x1ffffffffff001')]), 'vectors[0].address'],
  ['UNOWNED_ADDRESS', bio([vector(RAM), vector('0x7f0000000000')]), 'vectors[1]'],
  ['UNOWNED_ADDRESS', bio([vector('0x7f0000000000', ['MAP_BUS_ADDR'])]), 'vectors[0]'],
  ['RANGE_STRADDLES', bio([vector('0xfc7ff000', undefined, 2 ** 24)]), 'vectors[0]'],
  ['FLAG_MISMATCH', bio([vector(RAM, ['MAP_BUS_ADDR'])]), 'vectors[0]'],
  ['FLAG_MISMATCH', bio([vector(RAM, ['MAP_RESOURCE'])]), 'vectors[0]'],
  ['FLAG_MISMATCH', bio([vector(NEAR, ['MAP_RESOURCE'])]), 'vectors[0]'],
  ['FLAG_MISMATCH', bio([vector(FAR, ['MAP_BUS_ADDR'])]), 'vectors[0]'],
  ['FLAG_MISMATCH', bio([vector(NEAR, ['MAP_BUS_ADDR']), vector(FAR)]), 'vectors[1]'],
  ['FLAGS_CONFLICT', bio([vector(NEAR, ['MAP_BUS_ADDR', 'MAP_RESOURCE'])]), 'vectors[0].flags'],
  ['P2P_NOT_ANNOUNCED', bio([vector(RAM), vector(NEAR)], { mayContainP2p: false }), 'vectors[1]'],
  ['QUEUE_WITHOUT_P2P', bio([vector(NEAR)], { queue: { p2p: false } }), 'queue.p2p'],
  ['IOVA_EXHAUSTED', bio([vector(RAM)], { limits: { dmaMask: '0xfff' } }), CLIENT],
  ['DEVICE_UNKNOWN', { ...bio([vector(RAM)]), device: '0000:77:00.0' }, 'device'],
  ['DEVICE_UNKNOWN', { ...bio([vector(RAM)]), device: 'nvme0' }, 'device'],
];

describe('refusals', () => {
  test('MAP: each refusal of a line is an error document with code, path, message, hint and errno; the exit stays 0; nothing stays mapped', () => {
    const fine = bio([vector(RAM), vector(NEAR)]);
    const { status, documents } = mapLines(SWITCH, [fine, ...REFUSED.map(([, line]) => line), fine]);
    expect(status).toBe(0);
    expect(documents).toHaveLength(REFUSED.length + 2);
    REFUSED.forEach(([code, line, path], index) => {
      const { error, ...rest } = documents[index + 1] as MapDocument;
      expect({ code: error?.code, path: error?.path }, JSON.stringify(line)).toEqual({ code, path });
      expect(Object.keys(rest)).toEqual(['schemaVersion']);
      const keys = Object.keys(error ?? {});
      expect(keys.slice(0, 4)).toEqual(['code', 'path', 'message', 'hint']);
      expect(error?.hint).not.toBe('');
      expect(error?.errno).toBe(AT_THE_DOOR[code] ?? new MapError(code as MapErrorCode, '', '', '').errno);
    });
    // The same addresses as before the refusals: whatever they took is given back.
    expect(documents.at(-1)).toEqual(documents[0]);
  });

  test('MAP: a flagged vector where addresses are looked up is FLAG_NOT_USED, by lookup and by page', () => {
    for (const classify of ['lookup', 'page']) {
      const { status, document } = mapOne(
        SWITCH,
        bio([vector(RAM), vector(NEAR, ['MAP_BUS_ADDR'])]),
        '--classify',
        classify,
      );
      expect(status).toBe(1);
      expect(document.error).toMatchObject({ code: 'FLAG_NOT_USED', path: 'vectors[1]', errno: 'EINVAL' });
    }
  });

  test('MAP: a pair that is not supported is PAIR_NOT_SUPPORTED, EREMOTEIO, with the way to more', () => {
    const lines = [bio([vector(RAM), vector(FAR)]), bio([vector(RAM), vector(FAR, ['MAP_RESOURCE'])])];
    const { documents } = mapLines(SWITCH, lines, '--cpu', 'GenuineIntel:6');
    for (const { error } of documents) {
      expect(error).toMatchObject({ code: 'PAIR_NOT_SUPPORTED', path: 'vectors[1]', errno: 'EREMOTEIO' });
      expect(error?.message).toContain('0000:05:00.0');
    }
  });

  test('MAP: MASK_TOO_SMALL is EIO for RAM and resources without an IOMMU', () => {
    const limits = { dmaMask: '0xffffff' };
    const lines = [
      bio([vector('0x1000000')], { limits }),
      bio([vector(FAR)], { limits }),
      bio([vector(NEAR)], { limits }),
    ];
    const { documents } = mapLines(SWITCH, lines, '--iommu', 'off');
    expect(documents.map(({ error }) => error && `${error.code} ${error.errno} ${error.path}`)).toEqual([
      'MASK_TOO_SMALL EIO vectors[0]',
      'MASK_TOO_SMALL EIO vectors[0]',
      undefined,
    ]);
  });

  test('MAP: the exit is 1 for every refusal of the rules and 4 where evidence is missing', () => {
    const codes = [
      ...new Set(REFUSED.map(([code]) => code)),
      'FLAG_NOT_USED',
      'PAIR_NOT_SUPPORTED',
      'MASK_TOO_SMALL',
      'PROVIDER_GONE',
    ];
    for (const code of codes) {
      const fields = { path: '', message: '', hint: '' };
      const error =
        code in AT_THE_DOOR
          ? new BlockError({ ...fields, code: code as BlockErrorCode })
          : new MapError(code as MapErrorCode, '', '', '');
      expect(exitCodeOf(error), code).toBe(1);
    }
    for (const code of ['IOMMU_UNKNOWN', 'PAIR_UNKNOWN'] as const)
      expect(exitCodeOf(new MapError(code, '', '', ''))).toBe(4);
    const refused = mapOne(SWITCH, bio([vector('0x7f0000000000')]));
    expect(refused.status).toBe(1);
    expect(refused.document.error?.code).toBe('UNOWNED_ADDRESS');
    expect(refused.stderr).toContain('hint: ');
  });

  test('MAP: a hex dump does not tell the IOMMU: exit 4 where a vector would meet it, and bus addresses are mapped all the same', async () => {
    const [machine] = (await readTruth()).filter(({ truth }) => SWITCH.includes(truth.name));
    if (!machine) throw new Error('the machine is in the truth');
    const dump = machine.truth as unknown as { readonly lspci_Dnxxxx: string };
    const file = write(dump.lspci_Dnxxxx, 'txt');
    const unknown = mapOne(file, bio([vector(RAM)]), '--ram', '0x0-0xffffff');
    expect(unknown.status).toBe(4);
    expect(unknown.document.error).toMatchObject({ code: 'IOMMU_UNKNOWN', path: CLIENT });
    const { documents } = mapLines(file, [bio([vector(NEAR, ['MAP_BUS_ADDR'])])], '--trust', '--classify', 'flags');
    expect(documents[0]).toMatchObject({ iommu: null, iova: null, segments: [{ space: 'bus', address: NEAR }] });
    const told = mapLines(file, [bio([vector(RAM)])], '--ram', '0x0-0xffffff', '--iommu', 'on');
    expect(told.documents[0]?.iommu).toBe('on');
  });
});

describe('malformed files', () => {
  const good = bio([vector(RAM)]);
  const without = (key: string): object => Object.fromEntries(Object.entries(good).filter(([name]) => name !== key));
  const MALFORMED: readonly [line: object | string, field: string][] = [
    ['{ not json', ''],
    ['device: yaml', ''],
    ['5', ''],
    ['null', ''],
    ['[]', ''],
    ['"text"', ''],
    [JSON.stringify(good).replace('"device"', '"device":"x","device"'), ''],
    [without('device'), 'device'],
    [without('direction'), 'direction'],
    [without('vectors'), 'vectors'],
    [{ ...good, device: 7 }, 'device'],
    [{ ...good, direction: 'both' }, 'direction'],
    [{ ...good, mayContainP2p: 'yes' }, 'mayContainP2p'],
    [{ ...good, queue: { p2p: 1 } }, 'queue.p2p'],
    [{ ...good, extra: 1 }, 'extra'],
    [{ ...good, limits: { dmaMask: -1 } }, 'limits.dmaMask'],
    [{ ...good, limits: { dmaMask: '0x1ffffffffffffffff' } }, 'limits.dmaMask'],
    [{ ...good, limits: { segmentBoundaryMask: '0x123' } }, 'limits.segmentBoundaryMask'],
    [{ ...good, limits: { segmentBoundaryMask: '0x7ff' } }, 'limits.segmentBoundaryMask'],
    [{ ...good, limits: { maxSegmentSize: 0 } }, 'limits.maxSegmentSize'],
    [{ ...good, limits: { maxSegmentSize: 1.5 } }, 'limits.maxSegmentSize'],
    [{ ...good, limits: { maxSegmentSize: null } }, 'limits.maxSegmentSize'],
    [{ ...good, limits: { maxSegments: 4 } }, 'limits.maxSegments'],
    [bio({}), 'vectors'],
    [bio([vector(RAM), 7]), 'vectors[1]'],
    [bio([vector(-4096)]), 'vectors[0].address'],
    [bio([vector(0.5)]), 'vectors[0].address'],
    [bio([vector(null)]), 'vectors[0].address'],
    [bio([vector('940000')]), 'vectors[0].address'],
    [bio([vector('0x')]), 'vectors[0].address'],
    [bio([vector('0x10000000000000000')]), 'vectors[0].address'],
    [bio([vector(2 ** 65)]), 'vectors[0].address'],
    [bio([vector(RAM, undefined, -1)]), 'vectors[0].length'],
    [bio([vector(RAM, undefined, 0.5)]), 'vectors[0].length'],
    [bio([vector(RAM, undefined, '4096')]), 'vectors[0].length'],
    [bio([vector(RAM, undefined, 2 ** 32)]), 'vectors[0].length'],
    [bio([vector(RAM, undefined, 1e300)]), 'vectors[0].length'],
    [bio([vector(RAM, 'MAP_BUS_ADDR')]), 'vectors[0].flags'],
    [bio([vector(RAM, ['MAP_NOTHING'])]), 'vectors[0].flags[0]'],
    [bio([vector(RAM, ['constructor'])]), 'vectors[0].flags[0]'],
    [bio([vector(RAM, ['MAP_BUS_ADDR', 3])]), 'vectors[0].flags[1]'],
    [bio([{ ...vector(RAM), lenght: 3 }]), 'vectors[0].lenght'],
    [JSON.stringify(bio([vector(RAM)])).replace('{', '{"__proto__":{"device":"x"},'), '__proto__'],
    [`${'['.repeat(50_000)}`, ''],
  ];

  test('MAP: a malformed line is an error document with its line and field, in its place, and the exit is 3 at the end', () => {
    const lines = MALFORMED.flatMap(([line]) => [line, good, '']);
    const { status, documents } = mapLines(SWITCH, lines);
    expect(status).toBe(3);
    expect(documents).toHaveLength(MALFORMED.length * 2);
    MALFORMED.forEach(([line, field], index) => {
      const document = documents[2 * index] as MapDocument;
      const number = 3 * index + 1;
      const shown = typeof line === 'string' ? line.slice(0, 60) : JSON.stringify(line);
      expect(document.line, shown).toBe(number);
      expect(document.error, shown).toMatchObject({ line: number });
      expect(document.error?.field ?? '', shown).toBe(field);
      expect(document.error?.path, shown).toMatch(new RegExp(`:${number}${field === '' ? '' : ': '}`));
      expect(document.error?.hint).not.toBe('');
      expect(documents[2 * index + 1]?.segments, shown).toHaveLength(1);
    });
  });

  test('MAP: a malformed file is exit 3 with line and field, JSON or YAML', () => {
    const yaml = `device: "${CLIENT}"\ndirection: toDevice\nvectors:\n  - { address: 0x940000, length: 4096 }\n  - address: .nan\n    length: 1\n`;
    const run = p2pdma(['map', SWITCH, '--bio', write(yaml, 'yaml'), '--json']);
    expect(run.status).toBe(3);
    expect((jsonOf(run) as unknown as MapDocument).error).toMatchObject({
      code: 'FILE_FIELD',
      line: 5,
      field: 'vectors[1].address',
    });
    expect(run.stderr).toMatch(/:5: vectors\[1\]\.address/);
  });

  test('MAP: files that are made to hurt are refused in words: aliases by the million, a value in itself, no end of brackets, nothing', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'.split('').map((name, index) => {
        const above = 'abcdefgh'[index];
        return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${above}`).join(',')}]`;
      }),
    ].join('\n');
    for (const text of [
      bomb,
      'device: &d [*d]',
      `${'['.repeat(100_000)}`,
      `${'{a: '.repeat(20_000)}`,
      '',
      '# nothing',
      'a: 1\n---\nb: 2',
      '\u0000\u0001',
    ]) {
      const run = p2pdma(['map', SWITCH, '--bio', write(text, 'yaml'), '--json']);
      expect(run.status, text.slice(0, 40)).toBe(3);
      expect((jsonOf(run) as unknown as MapDocument).error?.code).toMatch(/^FILE_/);
    }
    const missing = p2pdma(['map', SWITCH, '--bio', join(folder, 'absent.json'), '--json']);
    expect(missing.status).toBe(3);
    expect((jsonOf(missing) as unknown as MapDocument).error?.code).toBe('FILE_UNREADABLE');
  });

  test('MAP: 20,000 vectors in one file and 500 lines of 256 vectors take seconds', () => {
    const list = (count: number) =>
      Array.from({ length: count }, (_, index) => vector(`0x${(0x1000000 + index * 8192).toString(16)}`));
    const started = performance.now();
    const ram = ['--ram', '0x0-0xffffffff', '--classify', 'lookup'];
    const one = mapOne(SWITCH, bio(list(20_000), { limits: { maxSegmentSize: 65536 } }), ...ram);
    expect(one.document.segments).toHaveLength(20_000 / 16);
    const { documents } = mapLines(
      SWITCH,
      Array.from({ length: 500 }, () => bio(list(256))),
      ...ram,
    );
    expect(documents.every(({ segments }) => segments.length === 16)).toBe(true);
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});

describe('rules', () => {
  /** The quirks of the kernel, each with the warning that names it, and what our own rules make of it. */
  const small = { limits: { maxSegmentSize: 8192 } };
  const QUIRKS: readonly [warnings: string, line: object, directional: string][] = [
    ['', bio([vector(RAM), vector(NEAR)]), 'iova bus'],
    ['RAM_AND_MMIO_MERGED 0,1', bio([vector(RAM), vector(FAR)]), 'iova'],
    [
      'BUS_ADDRESS_ABOVE_MASK 1',
      bio([vector(RAM), vector(NEAR)], { limits: { dmaMask: '0xf0000000' } }),
      'MASK_TOO_SMALL vectors[1]',
    ],
    [
      'BUS_ADDRESS_ABOVE_MASK 0',
      bio([vector(OWN)], { limits: { dmaMask: '0xf0000000' } }),
      'MASK_TOO_SMALL vectors[0]',
    ],
    ['INPUT_ABOVE_SEGMENT_SIZE 0', bio([vector(RAM, undefined, 12288)], small), 'iova iova'],
    ['INPUT_ABOVE_SEGMENT_SIZE 0', bio([vector(NEAR, undefined, 12288)], small), 'bus bus'],
    [
      'INPUT_ABOVE_SEGMENT_SIZE 0; SEGMENT_ABOVE_SIZE 0,1',
      bio([vector(RAM, undefined, 12288), vector('0x950000')], small),
      'iova iova',
    ],
    [
      'SEGMENT_CROSSES_BOUNDARY 0',
      bio([vector(RAM, undefined, 16384)], { limits: { segmentBoundaryMask: '0x1fff' } }),
      'iova iova',
    ],
    [
      'SEGMENT_CROSSES_BOUNDARY 0',
      bio([vector('0xfc011000', undefined, 8192)], { limits: { segmentBoundaryMask: '0x1fff' } }),
      'bus bus',
    ],
  ];

  test('MAP: each quirk of Linux is a warning with its inputs, and directional refuses it or does it right', () => {
    const lines = QUIRKS.map(([, line]) => line);
    const linux = mapLines(SWITCH, lines).documents;
    expect(linux.map(({ warnings }) => warnings.map(({ code, inputs }) => `${code} ${inputs}`).join('; '))).toEqual(
      QUIRKS.map(([warnings]) => warnings),
    );
    for (const { code, message } of linux.flatMap(({ warnings }) => warnings)) expect(message, code).not.toBe('');
    const ours = mapLines(SWITCH, lines, '--policy', 'directional').documents;
    expect(
      ours.map((document) =>
        document.error ? `${document.error.code} ${document.error.path}` : spaces(document).join(' '),
      ),
    ).toEqual(QUIRKS.map(([, , directional]) => directional));
    for (const document of ours) expect(document.warnings ?? []).toEqual([]);
    for (const { segments } of ours.filter(({ error }) => !error)) {
      for (const { length } of segments) expect(length).toBeLessThanOrEqual(65536);
    }
  });

  test('MAP: memory whose BAR does not decode passes in Linux with a warning, and is refused by our own rules', async () => {
    const [item] = (await readTruth()).filter(({ truth }) => OFFSET.includes(truth.name));
    const mapping = item?.truth.mappings.find(({ ret, in: list }) => ret === 0 && list.some(([kind]) => kind === 'B'));
    if (!mapping) throw new Error('the truth has a mapping by bus address there');
    const line = {
      device: mapping.c,
      direction: 'toDevice',
      vectors: mapping.in.map(([, address, length]) => ({ address, length })),
    };
    const concerned = mapping.in.flatMap(([kind], index) => (kind === 'R' ? [] : [index]));
    const linux = mapLines(OFFSET, [line]).documents[0];
    const warned = linux?.warnings.filter(({ code }) => code === 'BAR_NOT_DECODED') ?? [];
    expect(warned.flatMap(({ inputs }) => inputs)).toEqual(concerned);
    const ours = mapOne(OFFSET, line, '--policy', 'directional');
    expect(ours.status).toBe(1);
    expect(ours.document.error).toMatchObject({
      code: 'PROVIDER_GONE',
      errno: 'ENODEV',
      path: `vectors[${concerned[0]}]`,
    });
  });

  test('MAP: RAM that is bounced has no address; device memory is never bounced', () => {
    const lines = [bio([vector(RAM), vector(NEAR)]), bio([vector(FAR)]), bio([vector(RAM, undefined, 2 ** 18 + 1)])];
    const { documents } = mapLines(SWITCH, lines, '--iommu', 'off', '--kernel-cmdline', 'quiet swiotlb=force');
    expect(documents[0]?.segments).toEqual([
      { space: 'bounce', length: 4096, inputs: [0] },
      { space: 'bus', address: NEAR, length: 4096, inputs: [1] },
    ]);
    expect(documents.slice(1).map(({ error }) => `${error?.code} ${error?.errno}`)).toEqual([
      'MASK_TOO_SMALL EIO',
      'MASK_TOO_SMALL EIO',
    ]);
    // With an IOMMU nothing is bounced.
    expect(spaces(mapLines(SWITCH, lines, '--kernel-cmdline', 'swiotlb=force').documents[0] as MapDocument)).toEqual([
      'iova',
      'bus',
    ]);
  });

  test('MAP: one line after the other, in order, each unmapped before the next: the same line gives the same answer', () => {
    const line = bio([vector(RAM, undefined, 65536), vector(NEAR), vector(FAR)]);
    const { documents } = mapLines(
      SWITCH,
      Array.from({ length: 50 }, () => line),
    );
    for (const document of documents) expect(document).toEqual(documents[0]);
    const numbered = Array.from({ length: 50 }, (_, index) => bio([vector(RAM, undefined, 4096 + index)]));
    expect(mapLines(SWITCH, numbered).documents.map(({ segments }) => segments[0]?.length)).toEqual(
      numbered.map((_, index) => 4096 + index),
    );
  });

  test('usage: a bad option is exit 2, whatever the file holds', () => {
    const file = write('{', 'json');
    for (const options of [
      ['--classify', 'guess'],
      ['--iommu', 'maybe'],
      ['--ram', '0x2000-0x1000'],
      ['--ram', '4096'],
      ['--trust', '--classify', 'lookup'],
    ]) {
      const run = p2pdma(['map', SWITCH, '--bio', file, '--json', ...options]);
      expect(run.status, options.join(' ')).toBe(2);
      expect((jsonOf(run) as unknown as MapDocument).error?.code).toBe('USAGE_OPTION_VALUE');
    }
    expect(p2pdma(['map', SWITCH, '--json']).status).toBe(2);
  });
});

/** Every n-th mapping of a machine, as lines of a file with the client's limits as the kernel holds them. */
function linesOf({ truth }: TruthCase, step: number): { mappings: TruthMapping[]; lines: object[] } {
  const limitsOf = new Map(truth.functions.map(({ bdf, kernel }) => [bdf, kernel]));
  const mappings = truth.mappings.filter((_, index) => index % step === 0);
  const lines = mappings.map((mapping) => {
    const kernel = limitsOf.get(mapping.c);
    const changed = /(mask|maxseg|boundary)_?(0x[0-9a-f]+|32)$/.exec(mapping.set);
    const value = changed?.[2] === '32' ? '0xffffffff' : (changed?.[2] ?? '');
    return {
      device: mapping.c,
      direction: 'bidirectional',
      limits: {
        maxSegmentSize: changed?.[1] === 'maxseg' ? Number(value) : kernel?.max_seg_size,
        segmentBoundaryMask: changed?.[1] === 'boundary' ? value : kernel?.seg_boundary,
        dmaMask: changed?.[1] === 'mask' ? value : kernel?.dma_mask,
      },
      vectors: mapping.in.map(([, address, length]) => ({ address, length })),
    };
  });
  return { mappings, lines };
}

test('MAP: mappings of the truth through the command are the kernel’s: outcome, errno, segments, bus marks, relative IOVA', async () => {
  let compared = 0;
  for (const item of await readTruth()) {
    const { mappings, lines } = linesOf(item, 9);
    const folderOfTruth = process.env['P2PDMA_TRUTH'] ?? `${ROOT}tests/truth`;
    const { status, documents } = mapLines(`${folderOfTruth}/${item.truth.name}.tar.gz`, lines);
    expect(status).toBe(0);
    expect(documents).toHaveLength(mappings.length);
    mappings.forEach((mapping, index) => {
      const document = documents[index] as MapDocument;
      const label = `${item.truth.name} ${mapping.c} ${mapping.set} ${mapping.pat}`;
      const ret = document.error ? { EREMOTEIO: -121, EIO: -5 }[document.error.errno ?? ''] : 0;
      expect(ret, label).toBe(mapping.ret);
      compared++;
      if (mapping.ret !== 0) return;
      const out = mapping.out ?? [];
      const first = out.find(([, , bus]) => bus === 0);
      const kernelBase = document.iova && first ? Math.floor(Number(first[0]) / 4096) * 4096 : 0;
      const ourBase = Number(document.iova?.base ?? 0);
      const shown = document.segments.map(({ space, address, length }) => [
        space === 'bounce' ? 'bounce' : Number(address) - (space === 'iova' ? ourBase : 0),
        length,
        space === 'bus' || space === 'bar' ? 1 : 0,
      ]);
      const wanted = out.map(([address, length, bus], at) => [
        document.segments[at]?.space === 'bounce' ? 'bounce' : Number(address) - (bus ? 0 : kernelBase),
        length,
        bus,
      ]);
      expect(shown, label).toEqual(wanted);
    });
  }
  console.log(`compared ${compared} mappings through the command`);
  expect(compared).toBeGreaterThan(1000);
});
