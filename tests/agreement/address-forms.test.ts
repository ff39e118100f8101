/**
 * What the wrong form of an address does, and that a dishonest flag under trust does just that. The oracle is a table over the form
 * that goes on the wire, the way that is open, the IOMMU and the host bridge's offset; each cell is run, and every memory audited.
 */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from 'p2pdma/block';
import type { Iova, PhysAddr } from 'p2pdma/core';
import {
  DmaDevice,
  DmaMapping,
  dmaMapBvec,
  dmaUnmapBvec,
  reservedWindows,
  resolveOwnBar,
  TrustingFlags,
} from 'p2pdma/dma';
import { IommuDomain, IovaAllocator } from 'p2pdma/iommu';
import { describe, expect, test } from 'vitest';
import { Bed } from './bed.ts';
import { IOMMU_SETTINGS, type IommuSetting, parseCase } from './case.ts';
import { growLegs } from './grow.ts';
import { Ledger } from './ledger.ts';
import { endsOf } from './shape.ts';

/** The ways that a pair may have: round in the switch, redirected by ACS, or from root port to root port. */
const WAYS = {
  direct: 'switch de/de',
  redirected: 'switch de/de c1=RR rp=UF',
  across: 'hostBridge re/re',
} as const;
type Way = keyof typeof WAYS;

/** What goes on the wire. `own`: nothing does. */
type Form = 'bus' | 'phys' | 'iova' | 'own';
/** Whose memory a vector is in. */
type Owner = 'peer' | 'ram' | 'self';

/**
 * lands: in the memory that was meant. nobody: Unsupported Request. fault: at the IOMMU. ownPort: dies at its own port. unread: a
 * write lands, and the completion of a read dies at that port.
 */
type Effect = 'lands' | 'nobody' | 'fault' | 'ownPort' | 'unread';

const WHERE = 0x1000;
const LENGTH = 64;
/** Where in its own BAR 0 an engine has the bytes that it sends inside the device. */
const STAGING = 0x8000;
const RAM_AT = 0x20_0000;

/**
 * The oracle: the table of facts 5.5, and what follows from it for RAM and for the device's own BAR. An IOVA is one that the mapping
 * made, so it lies in nobody's window; with an offset no CPU address does either.
 */
function effectOf(form: Form, owner: Owner, way: Way, iommu: IommuSetting, offset: boolean): Effect {
  if (form === 'own') return 'lands';
  const inWindow = form === 'bus' || (form === 'phys' && !offset);
  const faults = form !== 'iova' && iommu === 'on';
  switch (owner) {
    case 'ram':
      return faults ? 'fault' : 'lands';
    case 'self':
      // Its own port has the address in its window, and no Upstream Forwarding; so has it the requester of the completion.
      if (inWindow) return 'ownPort';
      if (faults) return 'fault';
      return way === 'across' ? 'lands' : 'unread';
    case 'peer':
      if (way === 'direct' && inWindow) return 'lands';
      if (faults) return 'fault';
      return form === 'bus' && offset ? 'nobody' : 'lands';
  }
}

interface Vector {
  readonly what: string;
  readonly owner: Owner;
  readonly flags: number;
  /** Which number is given as the address. */
  readonly number: 'bus' | 'phys';
  readonly honest?: boolean;
}

/** Every flag on every kind of memory, with either number. RAM has but one. */
const VECTORS: readonly Vector[] = [
  { what: 'peer, BUS_ADDR, its bus address', owner: 'peer', flags: BVEC_MAP_BUS_ADDR, number: 'bus' },
  { what: 'peer, BUS_ADDR, its CPU address', owner: 'peer', flags: BVEC_MAP_BUS_ADDR, number: 'phys' },
  { what: 'peer, RESOURCE, its CPU address', owner: 'peer', flags: BVEC_MAP_RESOURCE, number: 'phys' },
  { what: 'peer, no flag, its CPU address', owner: 'peer', flags: 0, number: 'phys' },
  { what: 'RAM, no flag', owner: 'ram', flags: 0, number: 'phys' },
  { what: 'RAM, RESOURCE', owner: 'ram', flags: BVEC_MAP_RESOURCE, number: 'phys' },
  { what: 'RAM, BUS_ADDR', owner: 'ram', flags: BVEC_MAP_BUS_ADDR, number: 'phys' },
  { what: 'own BAR, BUS_ADDR, its bus address', owner: 'self', flags: BVEC_MAP_BUS_ADDR, number: 'bus' },
  { what: 'own BAR, BUS_ADDR, its CPU address', owner: 'self', flags: BVEC_MAP_BUS_ADDR, number: 'phys' },
  { what: 'own BAR, RESOURCE, its CPU address', owner: 'self', flags: BVEC_MAP_RESOURCE, number: 'phys' },
  { what: 'own BAR, no flag, its CPU address', owner: 'self', flags: 0, number: 'phys' },
];

/** A pair on one of the ways, with what a test needs of it. */
class Scene {
  readonly bed: Bed;
  readonly ledger: Ledger;
  readonly client: number;
  readonly provider: number;
  readonly device: DmaDevice;
  readonly mapping = new DmaMapping();

  constructor(way: Way, iommu: IommuSetting, offset: boolean) {
    const { shape } = parseCase(WAYS[way]);
    this.bed = new Bed(growLegs(shape, { offset, internal: false, bystanders: true }), { iommu });
    this.ledger = new Ledger(this.bed.fabric);
    const ends = endsOf(shape);
    this.client = this.bed.index(ends.client);
    this.provider = this.bed.index(ends.provider);
    this.redirectAs(way);
    const fn = this.bed.fn(this.client);
    const domain = iommu === 'on' ? this.bed.domain(this.client, reservedWindows(this.bed.machine, fn)) : null;
    this.device = new DmaDevice({ fn, iommu, domain });
  }

  /** Sets the ACS bits of a way. */
  redirectAs(way: Way): void {
    for (const [name, word] of parseCase(WAYS[way]).acs) this.bed.setAcs(this.bed.index(name), word);
  }

  address(owner: Owner, number: 'bus' | 'phys'): number {
    if (owner === 'ram') return RAM_AT;
    const index = owner === 'peer' ? this.provider : this.client;
    const bus = (this.bed.fabric.function(index).bars[0]?.start ?? 0) + WHERE;
    return number === 'bus' ? bus : bus - this.bed.fn(index).busOffset;
  }

  /** Maps one vector, trusting its flag. Returns the form that the engine is given. */
  map({ owner, flags, number }: Vector): Form {
    const vectors = new BvecList();
    vectors.push(this.address(owner, number), LENGTH, flags);
    dmaMapBvec(this.device, vectors, 'bidirectional', new TrustingFlags(), this.mapping);
    resolveOwnBar(this.device.fn, this.mapping);
    const { space } = this.mapping.at(0);
    if (space === 'bar') return 'own';
    if (space === 'iova') return 'iova';
    return flags === BVEC_MAP_BUS_ADDR && number === 'bus' ? 'bus' : 'phys';
  }

  /** Writes a pattern as the mapping says, and reads back; the ledger is told where the bytes should land. */
  transfer(landsAt: Owner | null): Effect {
    const { bed, client, ledger } = this;
    const bytes = Uint8Array.from({ length: LENGTH }, (_, at) => at + 100);
    const segment = this.mapping.at(0);
    if (landsAt === 'ram') ledger.expectRam(RAM_AT, bytes);
    else if (landsAt !== null) ledger.expectBar(landsAt === 'peer' ? this.provider : client, 0, WHERE, bytes);
    if (segment.space === 'bar') {
      const bar = segment.bar as number;
      bed.fabric.barMemory(client, bar).write(STAGING, bytes);
      ledger.expectBar(client, 0, STAGING, bytes);
      const target = { bar, offset: segment.offset as number };
      expect(bed.engine(client).run({ source: { bar, offset: STAGING }, target, length: LENGTH }).ok).toBe(true);
      const { memoryWrites, memoryReads, completions } = bed.fabric.counters;
      expect([memoryWrites, memoryReads, completions, bed.fabric.links.busy()]).toEqual([0, 0, 0, []]);
      return 'lands';
    }
    const back = new Uint8Array(LENGTH);
    const address = segment.address as number;
    const written = bed.fabric.memoryWrite(client, address, bytes);
    const read = bed.fabric.memoryRead(client, address, back);
    expect(written.status).toBe('posted');
    if (read.status === 'SC') {
      expect(written.fate).toBe('delivered');
      expect(back).toEqual(bytes);
      return 'lands';
    }
    expect(back.every((byte) => byte === 0xff)).toBe(true);
    if (written.fate === 'delivered') {
      expect(read).toMatchObject({ status: 'timeout', fate: 'completionLost', reason: 'samePort' });
      return 'unread';
    }
    expect(read.reason, 'a read says what the write kept silent about').toBe(written.reason);
    if (written.fate === 'iommuFault') return 'fault';
    return written.reason === 'samePort' ? 'ownPort' : 'nobody';
  }
}

describe.each([false, true])('host bridge with an offset: %s', (offset) => {
  describe.each(IOMMU_SETTINGS)('IOMMU %s', (iommu) => {
    test.each(Object.keys(WAYS) as Way[])(
      'the way is %s: each flag on each memory does what its address form does',
      (way) => {
        const seen = VECTORS.map((vector) => {
          const scene = new Scene(way, iommu, offset);
          const form = scene.map(vector);
          const wanted = effectOf(form, vector.owner, way, iommu, offset);
          const found = scene.transfer(wanted === 'lands' || wanted === 'unread' ? vector.owner : null);
          expect(scene.ledger.audit(), vector.what).toEqual([]);
          dmaUnmapBvec(scene.device, scene.mapping);
          return [vector.what, form, found, wanted];
        });
        for (const [what, form, found, wanted] of seen) expect([what, form, found]).toEqual([what, form, wanted]);
      },
    );
  });
});

test('every cell of the table is met: each form with each effect that it can have', () => {
  const met = new Set<string>();
  for (const offset of [false, true]) {
    for (const iommu of IOMMU_SETTINGS) {
      for (const way of Object.keys(WAYS) as Way[]) {
        for (const vector of VECTORS) {
          const form = new Scene(way, iommu, offset).map(vector);
          met.add(`${form} ${effectOf(form, vector.owner, way, iommu, offset)}`);
        }
      }
    }
  }
  expect([...met].sort()).toEqual(
    [
      'own lands',
      'iova lands',
      'iova unread',
      'bus lands',
      'bus fault',
      'bus nobody',
      'phys lands',
      'phys fault',
      'phys ownPort',
      'phys unread',
    ].sort(),
  );
});

test('E37: an IOVA in the window of a peer is a silent write to the peer; the windows are reserved, so that none is made', () => {
  const scene = new Scene('direct', 'on', false);
  const { bed, client, provider } = scene;
  const window = scene.address('peer', 'bus');
  const careless = new IommuDomain({ allocator: new IovaAllocator({ limit: window - WHERE + 0xffff }) });
  const iova = careless.allocator.allocate(4096, window - WHERE + 0xffff) as Iova;
  careless.map(iova, RAM_AT as PhysAddr, 4096, { read: true, write: true, mmio: false });
  bed.fabric.iommu?.attach(bed.fn(client).key, careless);
  expect(iova).toBe(window - WHERE + 0xf000);
  const bytes = Uint8Array.of(1, 2, 3);
  scene.ledger.expectBar(provider, 0, 0xf000, bytes);
  expect(bed.fabric.memoryWrite(client, iova, bytes)).toMatchObject({ status: 'posted', fate: 'delivered' });
  expect(bed.fabric.errors.count).toBe(0);
  expect(scene.ledger.audit()).toEqual([]);

  const careful = reservedWindows(bed.machine, bed.fn(client));
  expect(careful.some(({ start, end }) => iova >= start && iova < end)).toBe(true);
});

test('a bus address that an IOMMU takes for a mapped IOVA reaches the page that is mapped there: silent damage', () => {
  const scene = new Scene('across', 'on', false);
  const { bed, client } = scene;
  const bus = scene.address('peer', 'bus');
  const domain = bed.domain(client);
  domain.map(bus as Iova, RAM_AT as PhysAddr, 4096, { read: true, write: true, mmio: false });
  const bytes = Uint8Array.of(4, 5, 6);
  scene.ledger.expectRam(RAM_AT, bytes);
  expect(bed.fabric.memoryWrite(client, bus, bytes).fate).toBe('delivered');
  expect(bed.fabric.errors.count).toBe(0);
  expect(scene.ledger.audit()).toEqual([]);
});

describe('mappings that outlive what they were made for', () => {
  const honest = VECTORS[0] as Vector;

  test.each(IOMMU_SETTINGS)(
    'E17: ACS changes under a mapping, IOMMU %s: the bus address does on the new way what the table says',
    (iommu) => {
      for (const offset of [false, true]) {
        const scene = new Scene('direct', iommu, offset);
        const form = scene.map(honest);
        scene.redirectAs('redirected');
        const wanted = effectOf(form, 'peer', 'redirected', iommu, offset);
        expect(scene.transfer(wanted === 'lands' ? 'peer' : null)).toBe(wanted);
        expect(scene.ledger.audit()).toEqual([]);
        expect(wanted).toBe(iommu === 'on' ? 'fault' : offset ? 'nobody' : 'lands');
      }
    },
  );

  test('E51: a BAR that moves under a mapping: the old bus address is whoever is there now, or nobody', () => {
    const scene = new Scene('direct', 'off', false);
    const { bed, provider } = scene;
    scene.map(honest);
    const bystander = bed.index('xe');
    const [peer, other] = [bed.fabric.function(provider), bed.fabric.function(bystander)];
    const place = peer.readConfig(0x10, 4);
    peer.writeConfig(0x10, 4, 0);
    expect(scene.transfer(null)).toBe('nobody');
    // The window of the port moves with the new owner of the address.
    const ports = ['p1', 'x'].map((name) => bed.fabric.function(bed.index(name)));
    const windows = ports.map((port) => port.readConfig(0x20, 4));
    ports[0]?.writeConfig(0x20, 4, windows[1] as number);
    ports[1]?.writeConfig(0x20, 4, windows[0] as number);
    other.writeConfig(0x10, 4, place);
    const bytes = Uint8Array.from({ length: LENGTH }, (_, at) => at + 100);
    scene.ledger.expectBar(bystander, 0, WHERE, bytes);
    expect(scene.transfer(null)).toBe('lands');
    expect(scene.ledger.audit()).toEqual([]);
  });

  test('E43: DMA after dmaUnmapBvec: lazy, it still lands until the flush, and is counted; strict, it faults', () => {
    for (const lazy of [true, false]) {
      const scene = new Scene('redirected', 'on', false);
      const { bed, client, provider } = scene;
      const fn = bed.fn(client);
      const allocator = new IovaAllocator({ reserved: reservedWindows(bed.machine, fn) });
      const domain = new IommuDomain({ allocator, lazy });
      bed.fabric.iommu?.attach(fn.key, domain);
      const device = new DmaDevice({ fn, iommu: 'on', domain });
      const vectors = new BvecList();
      vectors.push(scene.address('peer', 'phys'), LENGTH, BVEC_MAP_RESOURCE);
      dmaMapBvec(device, vectors, 'bidirectional', new TrustingFlags(), scene.mapping);
      const address = scene.mapping.at(0).address as number;
      const write = (value: number): string => bed.fabric.memoryWrite(client, address, Uint8Array.of(value)).fate;
      expect(write(1)).toBe('delivered');
      dmaUnmapBvec(device, scene.mapping);
      expect(write(2)).toBe(lazy ? 'delivered' : 'iommuFault');
      expect(bed.fabric.counters.staleTranslations).toBe(lazy ? 1 : 0);
      scene.ledger.expectBar(provider, 0, WHERE, Uint8Array.of(lazy ? 2 : 1));
      domain.flush();
      expect(write(3)).toBe('iommuFault');
      expect(scene.ledger.audit()).toEqual([]);
    }
  });

  test('E50: a stacked queue: the flag is right for the one that was asked, and does the table’s cell for the one that maps', () => {
    // The submitter asked for a client below the provider's switch; the one that maps is below another root port.
    for (const iommu of IOMMU_SETTINGS) {
      for (const offset of [false, true]) {
        const scene = new Scene('across', iommu, offset);
        const form = scene.map(honest);
        const wanted = effectOf(form, 'peer', 'across', iommu, offset);
        expect(scene.transfer(wanted === 'lands' ? 'peer' : null)).toBe(wanted);
        expect(scene.ledger.audit()).toEqual([]);
      }
    }
  });
});
