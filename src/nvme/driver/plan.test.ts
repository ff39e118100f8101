import { expect, test } from 'vitest';
import { rounds } from '../../../tests/soak.ts';
import { Prng } from '../../core/prng.ts';
import { NvmeError, type NvmeErrorCode } from './errors.ts';
import {
  PAGE_BYTES,
  type PlannedCommand,
  type PlanRules,
  planTransfer,
  prpCapacityBytes,
  sglCapacity,
} from './plan.ts';
import type { ResolvedSegments } from './resolve.ts';

const KIB = 1024;
const BLOCK = 512;

/** [address, length, kind]: plain memory, own buffer or somebody else's device memory. */
type Piece = readonly [address: number, length: number, kind?: 'own' | 'mmio'];

function resolved(pieces: readonly Piece[], isRelative = false): ResolvedSegments {
  return {
    count: pieces.length,
    totalBytes: pieces.reduce((sum, [, length]) => sum + length, 0),
    addresses: pieces.map(([address]) => address),
    lengths: pieces.map(([, length]) => length),
    own: pieces.map(([, , kind]) => kind === 'own'),
    mmio: pieces.map(([, , kind]) => kind === 'mmio'),
    isRelative,
  };
}

const RULES: PlanRules = {
  path: '0000:01:00.0',
  blockBytes: BLOCK,
  maxBytes: 1024 * KIB,
  mixing: false,
  sglGranularity: 1,
  sglThresholdBytes: 32 * KIB,
  listPages: 5,
  mmioGranuleBytes: 1,
  ownSglLists: true,
  format: null,
};

/** Formats and lengths of the commands: `prp 4096`. */
function plan(pieces: readonly Piece[], rules: Partial<PlanRules> = {}, isRelative = false): string[] {
  const commands = planTransfer(resolved(pieces, isRelative), { ...RULES, ...rules });
  return commands.map(({ format, lengthBytes }) => `${format} ${lengthBytes}`);
}

function refusal(pieces: readonly Piece[], rules: Partial<PlanRules> = {}, isRelative = false): NvmeErrorCode {
  try {
    plan(pieces, rules, isRelative);
  } catch (error) {
    if (error instanceof NvmeError) return error.code;
    throw error;
  }
  throw new Error('not refused');
}

const PAGE = PAGE_BYTES;
const RAM = 0x10_0000;

test('one plain segment is PRPs up to two pages, counted from its offset in the page, and an SGL beyond', () => {
  expect(plan([[RAM, 2 * PAGE]])).toEqual(['prp 8192']);
  expect(plan([[RAM + BLOCK, 2 * PAGE]])).toEqual(['sgl 8192']);
  expect(plan([[RAM + BLOCK, 2 * PAGE - BLOCK]])).toEqual(['prp 7680']);
  expect(plan([[RAM, 2 * PAGE + BLOCK]])).toEqual(['sgl 8704']);
  expect(plan([[RAM, 64 * KIB]], { sglGranularity: 0 })).toEqual(['prp 65536']);
  expect(plan([[RAM, 64 * KIB]], { sglThresholdBytes: 0 })).toEqual(['prp 65536']);
});

test('where SGL lists may not name own buffer, such commands have one descriptor; PRPs and other memory are as ever', () => {
  const own: Piece[] = [
    [RAM, 2 * PAGE, 'own'],
    [RAM + 8 * PAGE, PAGE, 'own'],
  ];
  const rules = { ownSglLists: false };
  expect(plan(own, { format: 'sgl' })).toEqual(['sgl 12288']);
  expect(plan(own, { ...rules, format: 'sgl' })).toEqual(['sgl 8192', 'sgl 4096']);
  expect(plan(own, rules)).toEqual(['prp 12288']);
  const plain = own.map(([address, length]): Piece => [address, length]);
  expect(plan(plain, { ...rules, format: 'sgl' })).toEqual(['sgl 12288']);
  const mixed: Piece[] = [[2 * RAM, PAGE], ...own];
  expect(plan(mixed, { ...rules, mixing: true, format: 'sgl' })).toEqual(['sgl 4096', 'sgl 8192', 'sgl 4096']);
  const odd: Piece[] = [
    [RAM, BLOCK + 4, 'own'],
    [RAM + PAGE, BLOCK - 4, 'own'],
  ];
  expect(refusal(odd, { ...rules, format: 'sgl' })).toBe('NVME_CUT_IN_BLOCK');
});

test('device memory never takes the short cut: its average length decides', () => {
  for (const kind of ['mmio', 'own'] as const) {
    expect(plan([[RAM, 3 * PAGE, kind]])).toEqual(['prp 12288']);
    expect(plan([[RAM, 32 * KIB - BLOCK, kind]])).toEqual(['prp 32256']);
    expect(plan([[RAM, 32 * KIB, kind]])).toEqual(['sgl 32768']);
  }
});

test('several segments are an SGL from an average of 32 KiB on, and PRPs below', () => {
  const two = (length: number): Piece[] => [
    [RAM, length],
    [4 * RAM, length],
  ];
  expect(plan(two(32 * KIB))).toEqual(['sgl 65536']);
  expect(plan(two(28 * KIB))).toEqual(['prp 57344']);
  expect(plan(two(28 * KIB), { sglThresholdBytes: 4 * KIB })).toEqual(['sgl 57344']);
});

test('an inner boundary that is not page aligned forces an SGL, whichever side it is on', () => {
  const gaps: Piece[][] = [
    [
      [RAM, 1024],
      [4 * RAM, 3072],
    ],
    [
      [RAM, PAGE],
      [4 * RAM + BLOCK, PAGE],
    ],
    [
      [RAM + BLOCK, PAGE],
      [4 * RAM, PAGE],
    ],
  ];
  for (const gap of gaps) {
    const total = gap.reduce((sum, [, length]) => sum + length, 0);
    expect(plan(gap, { sglThresholdBytes: 0 })).toEqual([`sgl ${total}`]);
    // Without SGLs the boundary parts two commands.
    expect(plan(gap, { sglGranularity: 0 })).toEqual(gap.map(([, length]) => `prp ${length}`));
  }
  const aligned: Piece[] = [
    [RAM + BLOCK, PAGE - BLOCK],
    [4 * RAM, PAGE],
    [8 * RAM, BLOCK],
  ];
  expect(plan(aligned, { sglThresholdBytes: 0 })).toEqual(['prp 8192']);
});

test('a boundary in the middle of a block that nothing can say is refused', () => {
  const pieces: Piece[] = [
    [RAM, 100],
    [4 * RAM, 412],
  ];
  expect(plan(pieces)).toEqual(['sgl 512']);
  expect(refusal(pieces, { sglGranularity: 0 })).toBe('NVME_CUT_IN_BLOCK');
  expect(refusal(pieces, { format: 'prp' })).toBe('NVME_CUT_IN_BLOCK');
});

test('a controller that cannot mix gets own buffer and other memory in separate commands of whole blocks', () => {
  const mixed: Piece[] = [
    [RAM, PAGE],
    [4 * RAM, PAGE],
    [8 * RAM, PAGE, 'own'],
    [16 * RAM, PAGE, 'mmio'],
  ];
  expect(plan(mixed)).toEqual(['prp 8192', 'prp 4096', 'prp 4096']);
  expect(plan(mixed, { mixing: true })).toEqual(['prp 16384']);
  const inBlock: Piece[] = [
    [RAM, 100],
    [8 * RAM, 412, 'own'],
  ];
  expect(refusal(inBlock)).toBe('NVME_CUT_IN_BLOCK');
  expect(plan(inBlock, { mixing: true })).toEqual(['sgl 512']);
});

test('commands are as long as the limit allows, cut inside segments at whole blocks', () => {
  expect(plan([[RAM, 10 * KIB]], { maxBytes: 4 * KIB })).toEqual(['prp 4096', 'prp 4096', 'prp 2048']);
  const pieces: Piece[] = [
    [RAM, 5 * KIB],
    [4 * RAM, 5 * KIB],
  ];
  expect(plan(pieces, { maxBytes: 4 * KIB, blockBytes: 2048 })).toEqual(['prp 4096', 'sgl 4096', 'prp 2048']);
});

test('offsets in the own buffer are always an SGL, in a mixed command too', () => {
  expect(plan([[0, PAGE, 'own']], {}, true)).toEqual(['sgl 4096']);
  expect(plan([[0, PAGE, 'own']], { format: 'prp' }, true)).toEqual(['sgl 4096']);
  const mixed: Piece[] = [
    [RAM, PAGE],
    [0, PAGE, 'own'],
  ];
  expect(plan(mixed, { mixing: true }, true)).toEqual(['sgl 8192']);
  expect(plan(mixed, { sglThresholdBytes: 0 }, true)).toEqual(['prp 4096', 'sgl 4096']);
  expect(plan(mixed, { mixing: true, sglThresholdBytes: 0 }, false)).toEqual(['prp 8192']);
});

test('what the caller asks for is what there is, or a refusal', () => {
  expect(plan([[RAM, PAGE]], { format: 'sgl' })).toEqual(['sgl 4096']);
  expect(plan([[RAM, 256 * KIB]], { format: 'prp' })).toEqual(['prp 262144']);
  expect(refusal([[RAM, PAGE]], { format: 'sgl', sglGranularity: 0 })).toBe('NVME_SGL_NOT_OFFERED');
  expect(refusal([[RAM + 2, PAGE]], { format: 'sgl', sglGranularity: 4 })).toBe('NVME_ALIGNMENT');
  expect(refusal([[RAM + 2, PAGE]], { format: 'prp' })).toBe('NVME_ALIGNMENT');
  expect(refusal([[RAM + 2, PAGE]], { sglGranularity: 4 })).toBe('NVME_ALIGNMENT');
  expect(plan([[RAM + 2, PAGE]])).toEqual(['sgl 4096']);
});

test('pieces into device memory keep the granule of the machine: by SGL where PRPs would cut them oddly, or refused', () => {
  const rules = { mmioGranuleBytes: 512 };
  // PRPs would cut it into 4096 - 256 and 256 bytes.
  expect(plan([[RAM + 256, PAGE, 'mmio']], rules)).toEqual(['sgl 4096']);
  expect(refusal([[RAM + 256, PAGE, 'mmio']], { ...rules, sglGranularity: 0 })).toBe('NVME_PIECE_GRANULE');
  expect(plan([[RAM + 512, PAGE, 'mmio']], rules)).toEqual(['prp 4096']);
  const odd: Piece[] = [
    [RAM, 1000, 'mmio'],
    [4 * RAM, 24],
  ];
  expect(refusal(odd, rules)).toBe('NVME_PIECE_GRANULE');
  expect(refusal(odd, { ...rules, format: 'sgl' })).toBe('NVME_PIECE_GRANULE');
  expect(plan([[RAM + 256, PAGE, 'own']], rules)).toEqual(['prp 4096']);
  expect(
    plan(
      [
        [RAM, 1000],
        [4 * RAM, 24],
      ],
      rules,
    ),
  ).toEqual(['sgl 1024']);
});

test('a list of more descriptors than fit the list pages becomes several commands', () => {
  const capacity = sglCapacity(1);
  const pieces = Array.from({ length: capacity + 1 }, (_, index): Piece => [RAM + index * 1024, BLOCK]);
  expect(plan(pieces, { listPages: 1 })).toEqual([`sgl ${capacity * BLOCK}`, 'prp 512']);
  expect(plan(pieces, { listPages: 2 })).toEqual([`sgl ${(capacity + 1) * BLOCK}`]);
});

test('list pages hold 256 descriptors, or 255 and a pointer; and 512 PRPs, or 511 and a pointer', () => {
  expect([1, 2, 5].map(sglCapacity)).toEqual([256, 511, 4 * 255 + 256]);
  expect([1, 2, 5].map(prpCapacityBytes)).toEqual([512 * PAGE, (511 + 512) * PAGE, (4 * 511 + 512) * PAGE]);
});

test('random requests: commands cover every byte in order, and each keeps every rule', () => {
  const seed = 0x91a4;
  const prng = new Prng(seed);
  let planned = 0;
  let refused = 0;
  const all = rounds(400, 20_000);
  for (let round = 0; round < all; round++) {
    const pieces = Array.from({ length: prng.between(1, 12) }, (_, index): Piece => {
      const unit = prng.pick([4, 512, 512, PAGE, PAGE]);
      const address = RAM * (index * 2 + 1) + prng.below(PAGE / unit) * unit;
      const length = prng.between(1, prng.pick([4, 40])) * prng.pick([unit, 512, PAGE]);
      return [address, length, prng.pick(['own', 'mmio', undefined, undefined])] as Piece;
    });
    const sum = pieces.reduce((total, [, length]) => total + length, 0);
    if (sum % BLOCK !== 0) pieces.push([RAM * 64, BLOCK - (sum % BLOCK)]);
    const rules: PlanRules = {
      ...RULES,
      maxBytes: prng.pick([2 * KIB, 8 * KIB, 128 * KIB]),
      mixing: prng.chance(0.5),
      sglGranularity: prng.pick([0, 1, 4]),
      sglThresholdBytes: prng.pick([0, 4 * KIB, 32 * KIB]),
      listPages: prng.pick([1, 5]),
      mmioGranuleBytes: prng.pick([1, 512]),
    };
    const segments = resolved(pieces);
    let commands: PlannedCommand[];
    try {
      commands = planTransfer(segments, rules);
    } catch (error) {
      expect(error).toBeInstanceOf(NvmeError);
      refused++;
      continue;
    }
    planned++;
    const total = commands.reduce((bytes, { lengthBytes }) => bytes + lengthBytes, 0);
    expect(total, `seed ${seed}, round ${round}`).toBe(segments.totalBytes);
    let at = 0;
    for (const command of commands) {
      expect(brokenRules(segments, command, at, rules), `seed ${seed}, round ${round}`).toEqual([]);
      at += command.lengthBytes;
    }
  }
  expect(planned).toBeGreaterThan(all / 4);
  expect(refused).toBeGreaterThan(all / 20);
});

/** Every rule once more, byte range by byte range: the names of those that a command breaks. */
function brokenRules(segments: ResolvedSegments, command: PlannedCommand, at: number, rules: PlanRules): string[] {
  const broken: string[] = [];
  const must = (holds: boolean, rule: string): void => {
    if (!holds) broken.push(rule);
  };
  must(command.lengthBytes > 0 && command.lengthBytes % rules.blockBytes === 0, 'whole blocks');
  must(command.lengthBytes <= rules.maxBytes, 'length');
  let before = 0;
  const inside: { address: number; length: number; own: boolean; mmio: boolean }[] = [];
  for (let index = 0; index < segments.count; index++) {
    const length = segments.lengths[index] as number;
    const from = Math.max(before, at);
    const to = Math.min(before + length, at + command.lengthBytes);
    if (from < to) {
      const address = (segments.addresses[index] as number) + from - before;
      inside.push({ address, length: to - from, own: !!segments.own[index], mmio: !!segments.mmio[index] });
      if (inside.length === 1) must(command.segment === index && command.offset === from - before, 'start');
    }
    before += length;
  }
  must(rules.mixing || new Set(inside.map(({ own }) => own)).size === 1, 'mixing');
  if (command.format === 'sgl') {
    must(rules.sglGranularity !== 0, 'SGLs offered');
    must(inside.length <= sglCapacity(rules.listPages), 'list pages');
    for (const { address, length, mmio } of inside) {
      must(rules.sglGranularity !== 4 || (address % 4 === 0 && length % 4 === 0), 'SGL granularity');
      must(!mmio || length % rules.mmioGranuleBytes === 0, 'MMIO granule');
    }
    return broken;
  }
  for (const [index, { address, length, mmio }] of inside.entries()) {
    must(address % 4 === 0, 'dword aligned');
    must(index === 0 || address % PAGE === 0, 'PRP begins a page');
    must(index === inside.length - 1 || (address + length) % PAGE === 0, 'PRP ends a page');
    for (let piece = address; mmio && piece < address + length; ) {
      const end = Math.min(piece - (piece % PAGE) + PAGE, address + length);
      must((end - piece) % rules.mmioGranuleBytes === 0, 'MMIO granule');
      piece = end;
    }
  }
  return broken;
}
