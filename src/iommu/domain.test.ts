import { expect, test } from 'vitest';
import { rounds, shown } from '../../tests/soak.ts';
import { type Iova, iova, type PhysAddr, physAddr } from '../core/address.ts';
import { Clock } from '../core/clock.ts';
import { Prng } from '../core/prng.ts';
import { IommuDomain, type IommuDomainOptions } from './domain.ts';
import { IommuError } from './errors.ts';
import { Iotlb } from './invalidation.ts';
import { IovaAllocator } from './iova-allocator.ts';
import { iovaSnapshotDifference } from './iova-snapshot.ts';
import type { Protection } from './translation.ts';

const KIB4 = 4096;
const MIB2 = 2 ** 21;
const GIB = 2 ** 30;
const READ_WRITE: Protection = { read: true, write: true, mmio: false };
const READ_ONLY: Protection = { read: true, write: false, mmio: false };
const MMIO_WRITE: Protection = { read: false, write: true, mmio: true };

function newDomain(options: Partial<IommuDomainOptions> = {}): IommuDomain {
  return new IommuDomain({ allocator: new IovaAllocator(), ...options });
}

function refusal(action: () => unknown): IommuError {
  try {
    action();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** What hardware would read: the tables' bytes by physical address, walked with 64-bit integers. */
function hardwareWalk(domain: IommuDomain, address: number): { phys: bigint; entry: bigint; level: number } | null {
  const memory = new Map<bigint, Uint32Array>();
  for (const page of domain.tablePages()) memory.set(BigInt(page.address), page.words);
  let table = BigInt(domain.rootTable);
  for (let level = domain.levels - 1; level >= 0; level--) {
    const shift = BigInt(12 + 9 * level);
    const slot = Number((BigInt(address) >> shift) & 511n);
    const words = memory.get(table) as Uint32Array;
    const entry = (BigInt(words[2 * slot + 1] as number) << 32n) | BigInt(words[2 * slot] as number);
    if ((entry & 3n) === 0n) return null;
    const target = entry & 0x000ffffffffff000n;
    if (level === 0 || (entry & 0x80n) !== 0n) {
      return { phys: target + (BigInt(address) & ((1n << shift) - 1n)), entry, level };
    }
    table = target;
  }
  return null;
}

function isEmpty(domain: IommuDomain): boolean {
  const pages = [...domain.tablePages()];
  return domain.mappedBytes === 0 && pages.length === 1 && (pages[0]?.words.every((word) => word === 0) ?? false);
}

test('an entry holds the target page, read in bit 0, write in bit 1, and MMIO in an ignored bit', () => {
  const domain = newDomain({ tableBase: physAddr(0x123_4000_0000) });
  domain.map(iova(0x7000), physAddr(0xfe_dcba_9000), KIB4, READ_WRITE);
  domain.map(iova(0x8000), physAddr(0xf_ffff_ffff_f000), KIB4, READ_ONLY);
  domain.map(iova(0x9000), physAddr(0xe000_0000), KIB4, MMIO_WRITE);
  expect(hardwareWalk(domain, 0x7000)?.entry).toBe(0xfe_dcba_9003n);
  expect(hardwareWalk(domain, 0x8000)?.entry).toBe(0xf_ffff_ffff_f001n);
  expect(hardwareWalk(domain, 0x9000)?.entry).toBe((1n << 52n) | 0xe000_0002n);
  expect(hardwareWalk(domain, 0xa000)).toBeNull();
  expect(domain.tableCount).toBe(4);
  const [root, second] = [...domain.tablePages()];
  expect(root?.address).toBe(domain.rootTable);
  expect(second?.address).toBe(domain.rootTable + 4096);
  // The root's first entry: next table, readable and writable.
  expect([root?.words[0], root?.words[1]]).toEqual([0x4000_1003, 0x123]);
});

test('translate gives the address, or a fault as a value', () => {
  const domain = newDomain();
  domain.map(iova(0x10000), physAddr(0xabcd000), KIB4, READ_ONLY);
  domain.map(iova(0x11000), physAddr(2 ** 51), KIB4, MMIO_WRITE);
  expect(domain.translate(iova(0x10123), 'read')).toEqual({ phys: 0xabcd123, mmio: false, leafBytes: 4096 });
  expect(domain.translate(iova(0x11fff), 'write')).toEqual({ phys: 2 ** 51 + 4095, mmio: true, leafBytes: 4096 });
  expect(domain.translate(iova(0x12000), 'read')).toEqual({ fault: 'not-mapped', iova: 0x12000, access: 'read' });
  expect(domain.translate(iova(2 ** 48), 'read')).toMatchObject({ fault: 'not-mapped' });
  expect(domain.translate(iova(2 ** 52), 'read')).toMatchObject({ fault: 'not-mapped' });
});

test('E41: a range mapped for one direction faults on the other', () => {
  const domain = newDomain();
  domain.map(iova(0x10000), physAddr(0), KIB4, MMIO_WRITE);
  domain.map(iova(0x11000), physAddr(0), KIB4, READ_ONLY);
  expect(domain.translate(iova(0x10000), 'read')).toEqual({ fault: 'no-read', iova: 0x10000, access: 'read' });
  expect(domain.translate(iova(0x11000), 'write')).toEqual({ fault: 'no-write', iova: 0x11000, access: 'write' });
  const none = { read: false, write: false, mmio: false };
  expect(refusal(() => domain.map(iova(0x12000), physAddr(0), KIB4, none)).code).toBe('PROTECTION_EMPTY');
});

test('2 MiB leaves where both sides are aligned and the length suffices, 4 KiB before and behind', () => {
  const domain = newDomain();
  domain.map(iova(MIB2 - KIB4), physAddr(5 * MIB2 - KIB4), 2 * MIB2, READ_WRITE);
  const leaves = [...domain.leaves()];
  expect(leaves.filter(({ length }) => length === MIB2)).toEqual([
    { iova: MIB2, phys: 5 * MIB2, length: MIB2, read: true, write: true, mmio: false },
  ]);
  expect(leaves).toHaveLength(1 + 1 + 511);
  expect(hardwareWalk(domain, MIB2 + 77)).toEqual({
    phys: BigInt(5 * MIB2 + 77),
    entry: BigInt(5 * MIB2) + 0x83n,
    level: 1,
  });
  domain.unmap(iova(MIB2 - KIB4), 2 * MIB2);
  expect(isEmpty(domain)).toBe(true);
});

test('leaf sizes by alignment of either side and by capability', () => {
  const cases: [Partial<IommuDomainOptions>, number, number, number, number[]][] = [
    [{}, MIB2, MIB2, MIB2, [MIB2]],
    [{}, MIB2, MIB2 + KIB4, MIB2, Array(512).fill(KIB4)],
    [{}, MIB2 + KIB4, MIB2, MIB2, Array(512).fill(KIB4)],
    [{ largePages: false }, MIB2, MIB2, MIB2, Array(512).fill(KIB4)],
    [{}, GIB, GIB, GIB, Array(512).fill(MIB2)],
    [{ hugePages: true }, GIB, 3 * GIB, GIB, [GIB]],
    [{ hugePages: true }, GIB, 3 * GIB + MIB2, GIB, Array(512).fill(MIB2)],
    [{ hugePages: true }, GIB - MIB2, 3 * GIB - MIB2, GIB + 2 * MIB2, [MIB2, GIB, MIB2]],
    [{ hugePages: true, levels: 3, allocator: new IovaAllocator({ limit: 2 ** 39 - 1 }) }, GIB, GIB, GIB, [GIB]],
    [{ levels: 5 }, 2 ** 47, MIB2, MIB2, [MIB2]],
  ];
  for (const [options, at, phys, length, expected] of cases) {
    const domain = newDomain(options);
    domain.map(iova(at), physAddr(phys), length, READ_WRITE);
    expect([...domain.leaves()].map((leaf) => leaf.length)).toEqual(expected);
    expect(hardwareWalk(domain, at + length - 1)?.phys).toBe(BigInt(phys + length - 1));
    expect(domain.mappedBytes).toBe(length);
    domain.unmap(iova(at), length);
    expect(isEmpty(domain)).toBe(true);
  }
});

test('unmapping a part of a large leaf splits it and keeps the rest', () => {
  const domain = newDomain({ hugePages: true });
  domain.map(iova(GIB), physAddr(4 * GIB), GIB, MMIO_WRITE);
  domain.unmap(iova(GIB + 3 * MIB2 + KIB4), KIB4);
  expect(domain.mappedBytes).toBe(GIB - KIB4);
  expect([...domain.leaves()]).toHaveLength(511 + 511);
  for (const leaf of domain.leaves()) {
    expect(leaf).toMatchObject({ phys: leaf.iova + 3 * GIB, read: false, write: true, mmio: true });
  }
  expect(domain.translate(iova(GIB + 3 * MIB2 + KIB4), 'write')).toHaveProperty('fault', 'not-mapped');
  expect(domain.translate(iova(GIB + 3 * MIB2 + 2 * KIB4 + 1), 'write')).toMatchObject({
    phys: 4 * GIB + 3 * MIB2 + 8193,
  });
  expect(domain.unmapSpan(iova(GIB), GIB)).toBe(GIB - KIB4);
  expect(isEmpty(domain)).toBe(true);
});

test('a run maps each vector into its own slot of whole granules', () => {
  const domain = newDomain();
  const address = Float64Array.of(9, 0x5000, 0x6010, 2 ** 40 + 0xffe, 0x200000, 0x9000, 9);
  const length = Uint32Array.of(9, 4096, 16, 4, MIB2, 4095, 9);
  const start = iova(MIB2 - 4 * KIB4);
  expect(domain.mapRun(start, address, length, 1, 5, READ_WRITE)).toBe(MIB2 + 5 * KIB4);
  expect([...domain.leaves()].map(({ iova: at, phys, length: bytes }) => [at - start, phys, bytes])).toEqual([
    [0, 0x5000, KIB4],
    [KIB4, 0x6000, KIB4],
    [2 * KIB4, 2 ** 40, KIB4],
    [3 * KIB4, 2 ** 40 + KIB4, KIB4],
    [4 * KIB4, 0x200000, MIB2],
    [4 * KIB4 + MIB2, 0x9000, KIB4],
  ]);
  expect(domain.mapRun(iova(GIB), address, length, 2, 0, READ_WRITE)).toBe(0);
  expect(domain.unmapSpan(start, MIB2 + 5 * KIB4)).toBe(MIB2 + 5 * KIB4);
  expect(isEmpty(domain)).toBe(true);
});

test('a run may say of each vector whether it is RAM: pages and large leaves alike', () => {
  const domain = newDomain();
  const address = Float64Array.of(0x5000, 0x6000, 0x200000, 0x400000, 0x9000, 0xa000);
  const length = Uint32Array.of(4096, 4096, MIB2, MIB2, 8192, 4096);
  const mmio = Uint8Array.of(0, 1, 0, 1, 1, 0);
  domain.mapRun(iova(MIB2 - 2 * KIB4), address, length, 0, 6, READ_WRITE, mmio);
  expect([...domain.leaves()].map(({ phys, mmio: marked }) => [phys, marked])).toEqual([
    [0x5000, false],
    [0x6000, true],
    [0x200000, false],
    [0x400000, true],
    [0x9000, true],
    [0xa000, true],
    [0xa000, false],
  ]);
});

test('E45: a refusal half-way leaves nothing of the call behind', () => {
  const domain = newDomain();
  const blocked = iova(2 * MIB2 + 5 * KIB4);
  domain.map(blocked, physAddr(0x1000), KIB4, READ_WRITE);
  const count = domain.tableCount;
  const pages = Float64Array.from({ length: 600 }, (_, index) => index * 2 * KIB4);
  const lengths = new Uint32Array(600).fill(KIB4);
  const wide = Float64Array.of(0, 2 * MIB2, 0);
  const wideLengths = Float64Array.of(MIB2, MIB2, MIB2);
  const attempts: (() => unknown)[] = [
    () => domain.map(iova(0), physAddr(0), 4 * MIB2, READ_WRITE),
    () => domain.map(iova(KIB4), physAddr(0), 4 * MIB2, READ_WRITE),
    () => domain.map(blocked, physAddr(0), KIB4, READ_WRITE),
    () => domain.map(iova(2 * MIB2), physAddr(0), MIB2, READ_WRITE),
    () => domain.mapRun(iova(2 * MIB2 - 90 * KIB4), pages, lengths, 0, 600, READ_WRITE),
    () => domain.mapRun(iova(0), wide, wideLengths, 0, 3, READ_WRITE),
  ];
  for (const attempt of attempts) {
    const error = refusal(attempt);
    expect(error.code).toBe('ALREADY_MAPPED');
    expect([domain.mappedBytes, domain.tableCount]).toEqual([KIB4, count]);
    expect([...domain.leaves()]).toHaveLength(1);
  }
});

test('E45: a leaf of 2 MiB in the way of pages is a refusal, and the pages in the way of a leaf too', () => {
  const domain = newDomain();
  domain.map(iova(MIB2), physAddr(MIB2), MIB2, READ_WRITE);
  expect(refusal(() => domain.map(iova(MIB2 + KIB4), physAddr(0), KIB4, READ_WRITE)).code).toBe('ALREADY_MAPPED');
  domain.map(iova(2 * MIB2), physAddr(0), KIB4, READ_WRITE);
  expect(refusal(() => domain.map(iova(2 * MIB2), physAddr(0), MIB2, READ_WRITE)).code).toBe('ALREADY_MAPPED');
  expect(domain.mappedBytes).toBe(MIB2 + KIB4);
});

test('E45: with no table left, what was begun is undone', () => {
  // Root, and for one region three tables below it: a second region in the same gigabyte needs one more.
  for (const tableLimit of [1, 2, 3, 4]) {
    const domain = newDomain({ tableLimit });
    const run = (): unknown => domain.map(iova(MIB2 - KIB4), physAddr(0), 2 * KIB4, READ_WRITE);
    const error = refusal(run);
    expect(error.code).toBe('TABLES_EXHAUSTED');
    expect(isEmpty(domain)).toBe(true);
  }
  const enough = newDomain({ tableLimit: 5 });
  enough.map(iova(MIB2 - KIB4), physAddr(0), 2 * KIB4, READ_WRITE);
  expect(enough.tableCount).toBe(5);
  const split = newDomain({ tableLimit: 3 });
  split.map(iova(0), physAddr(0), MIB2, READ_WRITE);
  expect(refusal(() => split.unmap(iova(0), KIB4)).code).toBe('TABLES_EXHAUSTED');
  expect(split.mappedBytes).toBe(MIB2);
  split.unmap(iova(0), MIB2);
  expect(isEmpty(split)).toBe(true);
});

test('E42: unmapping twice, or more than was mapped, is refused and unmaps nothing', () => {
  const domain = newDomain();
  domain.map(iova(0x10000), physAddr(0), 4 * KIB4, READ_WRITE);
  domain.map(iova(GIB), physAddr(0), MIB2, READ_WRITE);
  for (const [at, length] of [
    [0x10000, 5 * KIB4],
    [0xf000, 2 * KIB4],
    [0x20000, KIB4],
    [GIB, MIB2 + KIB4],
    [GIB - KIB4, MIB2],
    [2 ** 40, KIB4],
  ] as const) {
    expect(refusal(() => domain.unmap(iova(at), length)).code).toBe('NOT_MAPPED');
  }
  expect(domain.mappedBytes).toBe(MIB2 + 4 * KIB4);
  domain.unmap(iova(0x10000), 4 * KIB4);
  expect(refusal(() => domain.unmap(iova(0x10000), 4 * KIB4)).code).toBe('NOT_MAPPED');
  expect(domain.unmapSpan(iova(0), 2 * GIB)).toBe(MIB2);
  expect(domain.unmapSpan(iova(0), 2 * GIB)).toBe(0);
  expect(isEmpty(domain)).toBe(true);
});

test('what is no whole granule, or out of reach, is refused by name', () => {
  const domain = newDomain();
  const map = (at: number, phys: number, length: number) => () =>
    domain.map(at as Iova, phys as PhysAddr, length, READ_WRITE);
  const runOf = (at: number, phys: number, length: number) => () =>
    domain.mapRun(at as Iova, Float64Array.of(0, phys), Float64Array.of(KIB4, length), 0, 2, READ_WRITE);
  for (const [action, code] of [
    [map(1, 0, KIB4), 'UNALIGNED'],
    [map(0, 1, KIB4), 'UNALIGNED'],
    [map(0, 0, KIB4 + 1), 'UNALIGNED'],
    [map(0, 0, KIB4 + 0.5), 'UNALIGNED'],
    [map(0, 0, 0), 'LENGTH_INVALID'],
    [map(0, 0, -KIB4), 'LENGTH_INVALID'],
    [map(2 ** 48 - KIB4, 0, 2 * KIB4), 'OUT_OF_REACH'],
    [map(0, 2 ** 52 - KIB4, 2 * KIB4), 'OUT_OF_REACH'],
    [map(0, -KIB4, KIB4), 'OUT_OF_REACH'],
    [runOf(1, 0, KIB4), 'UNALIGNED'],
    [runOf(0, 0, 0), 'LENGTH_INVALID'],
    [runOf(2 ** 48 - KIB4, 0, KIB4), 'OUT_OF_REACH'],
    [runOf(0, 2 ** 52, KIB4), 'OUT_OF_REACH'],
    [runOf(0, 2 ** 52 + 2 ** 51, 16), 'OUT_OF_REACH'],
    [runOf(0, 2 ** 52 - KIB4, 2 * KIB4), 'OUT_OF_REACH'],
    [() => domain.unmap(1 as Iova, KIB4), 'UNALIGNED'],
    [() => domain.unmapSpan(0 as Iova, 1), 'UNALIGNED'],
  ] as const) {
    expect(refusal(action)).toMatchObject({ code });
    expect(isEmpty(domain)).toBe(true);
  }
  domain.map(iova(2 ** 48 - KIB4), physAddr(2 ** 52 - KIB4), KIB4, READ_WRITE);
  expect(domain.translate(iova(2 ** 48 - 1), 'read')).toMatchObject({ phys: 2 ** 52 - 1 });
});

test('a domain refuses tables that cannot lie where they should', () => {
  for (const [options, path] of [
    [{ tableLimit: 0 }, 'tableLimit'],
    [{ tableLimit: 1.5 }, 'tableLimit'],
    [{ tableLimit: 2 ** 20 + 1 }, 'tableLimit'],
    [{ tableBase: physAddr(0x1800) }, 'tableBase'],
    [{ tableBase: physAddr(2 ** 52 - KIB4), tableLimit: 2 }, 'tableBase'],
  ] as const) {
    expect(refusal(() => newDomain(options))).toMatchObject({ code: 'OPTIONS_INVALID', path });
  }
  const top = newDomain({ tableBase: physAddr(2 ** 52 - 4 * KIB4), tableLimit: 4 });
  top.map(iova(0x7000), physAddr(0x5000), KIB4, READ_WRITE);
  expect(hardwareWalk(top, 0x7000)?.phys).toBe(0x5000n);
});

test('a domain refuses an allocator that its table cannot serve', () => {
  expect(refusal(() => newDomain({ levels: 3 }))).toMatchObject({ code: 'OPTIONS_INVALID', path: 'allocator.limit' });
  const coarse = new IovaAllocator({ granule: 65536 });
  expect(refusal(() => newDomain({ allocator: coarse }))).toMatchObject({ code: 'OPTIONS_INVALID', path: 'granule' });
  expect(newDomain({ levels: 5, allocator: new IovaAllocator({ limit: 2 ** 53 - 1 }) }).levels).toBe(5);
});

test('every change of the table shows in the generation', () => {
  const domain = newDomain();
  const seen = [domain.generation];
  domain.map(iova(0), physAddr(0), KIB4, READ_WRITE);
  seen.push(domain.generation);
  domain.mapRun(iova(KIB4), Float64Array.of(0), Uint32Array.of(5), 0, 1, READ_WRITE);
  seen.push(domain.generation);
  domain.unmap(iova(0), KIB4);
  seen.push(domain.generation);
  domain.unmapSpan(iova(KIB4), KIB4);
  seen.push(domain.generation);
  expect(new Set(seen).size).toBe(5);
});

const STEPS = rounds(600, 2500);

test(`${shown(4 * STEPS)} maps and unmaps at random: hardware's walk, the model and translate agree; all unmapped restores everything`, () => {
  for (const seed of [1, 2, 3, 4]) {
    const prng = new Prng(seed);
    const allocator = new IovaAllocator({ reserved: [{ start: 0xe0000000, end: 0xf0000000 }] });
    const domain = new IommuDomain({ allocator, hugePages: prng.chance(0.5), tableBase: physAddr(2 ** 33) });
    const empty = allocator.snapshot();
    const live: { iova: Iova; phys: number; length: number }[] = [];
    let bytes = 0;
    for (let step = 0; step < STEPS; step++) {
      if (live.length < 100 && prng.chance(0.6)) {
        const length = prng.chance(0.05) ? MIB2 * prng.between(1, 600) : KIB4 * prng.between(1, 700);
        const phys = (prng.chance(0.3) ? GIB : prng.chance(0.5) ? MIB2 : KIB4) * prng.between(1, 1000) + 2 ** 41;
        const at = allocator.allocate(length) as Iova;
        domain.map(at, phys as PhysAddr, length, READ_WRITE);
        live.push({ iova: at, phys, length });
        bytes += length;
        for (const offset of [0, 5, length >> 1, length - 1]) {
          expect(domain.translate((at + offset) as Iova, 'read')).toMatchObject({ phys: phys + offset });
        }
        if (step % 10 === 0) expect(hardwareWalk(domain, at + length - 1)?.phys).toBe(BigInt(phys + length - 1));
      } else if (live.length > 0) {
        const [gone] = live.splice(prng.below(live.length), 1) as [(typeof live)[0]];
        domain.unmap(gone.iova, gone.length);
        domain.release(gone.iova, gone.length);
        bytes -= gone.length;
        expect(domain.translate(gone.iova, 'read')).toHaveProperty('fault', 'not-mapped');
        expect(domain.translate((gone.iova + gone.length - 1) as Iova, 'read')).toHaveProperty('fault', 'not-mapped');
      }
      expect(domain.mappedBytes).toBe(bytes);
    }
    for (const { iova: at, phys, length } of live) {
      expect(domain.translate((at + length - 1) as Iova, 'write')).toMatchObject({ phys: phys + length - 1 });
    }
    for (const { iova: at, length } of live) {
      domain.unmap(at, length);
      domain.release(at, length);
    }
    allocator.check();
    expect(iovaSnapshotDifference(empty, allocator.snapshot())).toBeNull();
    expect(isEmpty(domain)).toBe(true);
  }
});

test('E43: strict unmapping invalidates before it returns, so that a late access faults', () => {
  const domain = newDomain();
  const iotlb = new Iotlb();
  domain.attach(iotlb);
  const at = domain.allocator.allocate(KIB4) as Iova;
  domain.map(at, physAddr(0x5000), KIB4, READ_WRITE);
  expect(iotlb.translate(0x0300, domain, at, 'write')).toMatchObject({ translation: { phys: 0x5000 }, hit: false });
  domain.unmap(at, KIB4);
  expect(domain.pendingInvalidations).toBe(0);
  expect(iotlb.translate(0x0300, domain, at, 'write')).toMatchObject({
    translation: { fault: 'not-mapped' },
    hit: false,
  });
  domain.release(at, KIB4);
  expect(domain.allocator.allocate(KIB4)).toBe(at);
});

test('E43: lazy unmapping leaves a stale translation until the flush, and the address unused as long', () => {
  const domain = newDomain({ lazy: true });
  const iotlb = new Iotlb();
  domain.attach(iotlb);
  const at = domain.allocator.allocate(KIB4) as Iova;
  domain.map(at, physAddr(0x5000), KIB4, READ_WRITE);
  iotlb.translate(0x0300, domain, at, 'write');
  domain.unmap(at, KIB4);
  domain.release(at, KIB4);
  expect([domain.pendingInvalidations, domain.queuedFrees]).toEqual([1, 1]);
  // The page table says no, the cache still says yes: DMA lands in memory that is somebody else's by now.
  expect(domain.translate(at, 'write')).toHaveProperty('fault', 'not-mapped');
  expect(iotlb.translate(0x0300, domain, at, 'write')).toMatchObject({
    translation: { phys: 0x5000 },
    hit: true,
    stale: true,
  });
  expect(domain.allocator.allocate(KIB4)).toBe(at - KIB4);
  domain.flush();
  expect([domain.pendingInvalidations, domain.queuedFrees, domain.flushCount]).toEqual([0, 0, 1]);
  expect(iotlb.translate(0x0300, domain, at, 'write').translation).toHaveProperty('fault', 'not-mapped');
  expect(domain.allocator.allocate(KIB4)).toBe(at);
});

test('E43: a page mapped anew without an invalidation still leads to the old one', () => {
  const domain = newDomain({ lazy: true });
  const iotlb = new Iotlb();
  domain.attach(iotlb);
  domain.map(iova(0x10000), physAddr(0x5000), KIB4, READ_WRITE);
  iotlb.translate(7, domain, iova(0x10000), 'read');
  domain.unmap(iova(0x10000), KIB4);
  domain.map(iova(0x10000), physAddr(0x9000), KIB4, READ_WRITE);
  expect(iotlb.translate(7, domain, iova(0x10010), 'read')).toMatchObject({
    translation: { phys: 0x5010 },
    stale: true,
  });
  domain.invalidate(iova(0x10000), KIB4);
  expect(iotlb.translate(7, domain, iova(0x10010), 'read')).toMatchObject({
    translation: { phys: 0x9010 },
    stale: false,
  });
});

test('E43: an address queued after a flush began waits for the next', () => {
  const domain = newDomain({ lazy: true });
  const [first, second] = [domain.allocator.allocate(KIB4) as Iova, domain.allocator.allocate(KIB4) as Iova];
  domain.release(first, KIB4);
  domain.beginFlush();
  domain.release(second, KIB4);
  domain.endFlush();
  expect(domain.queuedFrees).toBe(1);
  expect(domain.allocator.allocate(KIB4)).toBe(first);
  domain.flush();
  expect(domain.queuedFrees).toBe(0);
  expect(domain.allocator.allocate(KIB4)).toBe(second);
});

test('E43: the queue flushes when it is full, and when its oldest range has waited 10 ms', () => {
  const clock = new Clock();
  const domain = newDomain({ lazy: true, clock });
  const released = (): void => domain.release(domain.allocator.allocate(KIB4) as Iova, KIB4);
  for (let index = 0; index < 256; index++) released();
  expect([domain.queuedFrees, domain.flushCount]).toEqual([256, 0]);
  released();
  expect([domain.queuedFrees, domain.flushCount]).toEqual([1, 1]);
  clock.advance(9_999_999);
  expect(domain.flushIfDue()).toBe(false);
  released();
  clock.advance(1);
  expect(domain.flushIfDue()).toBe(true);
  expect([domain.queuedFrees, domain.flushCount]).toEqual([0, 2]);
  expect(domain.flushIfDue()).toBe(false);
  released();
  clock.advance(10_000_000);
  released();
  expect([domain.queuedFrees, domain.flushCount]).toEqual([1, 3]);
  expect(newDomain({ lazy: true }).flushIfDue()).toBe(false);
  expect(domain.allocator.liveCount).toBe(1);
});

test('E43: queue length and waiting time are options', () => {
  const clock = new Clock();
  const domain = newDomain({ lazy: true, clock, flushQueueLength: 2, flushAfterNs: 100 });
  const released = (): void => domain.release(domain.allocator.allocate(KIB4) as Iova, KIB4);
  for (let index = 0; index < 5; index++) released();
  expect([domain.queuedFrees, domain.flushCount]).toEqual([1, 2]);
  clock.advance(100);
  expect(domain.flushIfDue()).toBe(true);
  expect(() => newDomain({ flushQueueLength: 0 })).toThrow('flush queue of 0');
});
