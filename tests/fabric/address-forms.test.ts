/**
 * What the wrong form of an address does: the table of facts 5.5, cell by cell, with a host bridge offset of zero, above and
 * below zero. An address is right, loud (an error that somebody logs) or silently lands elsewhere: the test says which.
 */

import { describe, expect, test } from 'vitest';
import type { Iova, PhysAddr } from '../../src/core/index.ts';
import { IommuPort } from '../../src/fabric/index.ts';
import { IommuDomain, IovaAllocator } from '../../src/iommu/index.ts';
import { bdfKey } from '../../src/pcie/index.ts';
import { type Bench, switchWithTwoEndpoints, twoRootPorts } from './trees.ts';

const BYTES = [1, 2, 3, 4];
const OFFSETS = [0, 2 ** 32, -(2 ** 32)];
const IOVA = 0xfff0_0000;

/** Every requester is translated by one domain that maps IOVA to b's BAR. */
function translated(bench: Bench): void {
  const domain = new IommuDomain({ allocator: new IovaAllocator() });
  domain.map(IOVA as Iova, bench.cpu('b') as PhysAddr, 4096, { read: true, write: true, mmio: true });
  bench.fabric.iommu?.attach(bdfKey(bench.fn('a').fn.bdf), domain);
}

function landed(bench: Bench): boolean {
  return bench.bytes('b', 0, 4).join() === BYTES.join();
}

describe.each(OFFSETS)('bus offset %d', (busOffset) => {
  const direct = () => switchWithTwoEndpoints({ busOffset });
  const redirected = () => switchWithTwoEndpoints({ busOffset, acsA: ['RR'], acsRp: ['UF'] });
  const acrossRootPorts = () => twoRootPorts({ busOffsets: [busOffset] });

  test('a bus address works where the switch turns the request round', () => {
    const bench = direct();
    expect(bench.write('a', bench.bus('b'), BYTES).fate).toBe('delivered');
    expect(landed(bench)).toBe(true);
  });

  test('a CPU address works on the direct way only without an offset', () => {
    const bench = direct();
    const answer = bench.write('a', bench.cpu('b'), BYTES);
    expect(landed(bench)).toBe(true);
    // With an offset the switch does not know the address: it leaves upward, and comes down from the root complex.
    expect(answer.fate).toBe('delivered');
    expect(bench.fabric.counters.requestsAtRootComplex).toBe(busOffset === 0 ? 0 : 1);
    const refusing = switchWithTwoEndpoints({ busOffset, rootComplex: 'unsupportedRequest' });
    expect(refusing.write('a', refusing.cpu('b'), BYTES).fate).toBe(
      busOffset === 0 ? 'delivered' : 'unsupportedRequest',
    );
  });

  test('a bus address through the root complex works only without an offset: it is taken for a CPU address', () => {
    for (const bench of [redirected(), acrossRootPorts()]) {
      const answer = bench.write('a', bench.bus('b'), BYTES);
      expect(landed(bench)).toBe(busOffset === 0);
      if (busOffset !== 0)
        expect(answer).toMatchObject({ fate: 'unsupportedRequest', reason: 'noSuchAddress', at: -1 });
    }
  });

  test('a CPU address works through the root complex', () => {
    for (const bench of [redirected(), acrossRootPorts()]) {
      expect(bench.write('a', bench.cpu('b'), BYTES).fate).toBe('delivered');
      expect(landed(bench)).toBe(true);
      expect(bench.fabric.counters.requestsAtRootComplex).toBe(1);
    }
  });

  test('behind an IOMMU bus and CPU addresses are taken for IOVAs: a fault, or the page that is mapped there', () => {
    for (const form of ['bus', 'cpu'] as const) {
      for (const make of [
        () => switchWithTwoEndpoints({ busOffset, acsA: ['RR'], acsRp: ['UF'], iommu: new IommuPort() }),
        () => twoRootPorts({ busOffsets: [busOffset], iommu: new IommuPort() }),
      ]) {
        const bench = make();
        translated(bench);
        const address = form === 'bus' ? bench.bus('b') : bench.cpu('b');
        const domain = bench.fabric.iommu?.contextOf(bdfKey(bench.fn('a').fn.bdf)) as IommuDomain;
        expect(bench.write('a', address, BYTES)).toMatchObject({
          status: 'posted',
          fate: 'iommuFault',
          reason: 'notMapped',
        });
        expect(bench.read('a', address, 4).status).toBe('UR');
        expect(bench.fabric.iommu?.takeFaults()).toMatchObject([
          { address, access: 'write', reason: 'notMapped' },
          { address, access: 'read', reason: 'notMapped' },
        ]);
        // The same number is mapped to RAM for something else: silent damage there.
        domain.map(address as Iova, 0x200000 as PhysAddr, 4096, { read: true, write: true, mmio: false });
        expect(bench.write('a', address, BYTES).fate).toBe('delivered');
        expect(landed(bench)).toBe(false);
        const into = new Uint8Array(4);
        bench.fabric.ram.read(0x200000, into);
        expect([...into]).toEqual(BYTES);
      }
    }
  });

  test('an IOVA works through the root complex, and where it is in no window of the switch also on the direct way', () => {
    for (const bench of [
      switchWithTwoEndpoints({ busOffset, iommu: new IommuPort() }),
      switchWithTwoEndpoints({ busOffset, acsA: ['RR'], iommu: new IommuPort() }),
      twoRootPorts({ busOffsets: [busOffset], iommu: new IommuPort() }),
    ]) {
      translated(bench);
      expect(bench.write('a', IOVA, BYTES).fate).toBe('delivered');
      expect(landed(bench)).toBe(true);
      expect(bench.fabric.counters).toMatchObject({ requestsAtRootComplex: 1, translations: 1 });
    }
  });

  test('E37: an IOVA that falls into the window of a peer is written to the peer, in silence', () => {
    const bench = switchWithTwoEndpoints({ busOffset, iommu: new IommuPort() });
    const domain = new IommuDomain({ allocator: new IovaAllocator() });
    const iova = bench.bus('b') as Iova;
    domain.map(iova, 0x200000 as PhysAddr, 4096, { read: true, write: true, mmio: false });
    bench.fabric.iommu?.attach(bdfKey(bench.fn('a').fn.bdf), domain);
    expect(bench.write('a', iova, BYTES)).toMatchObject({ status: 'posted', fate: 'delivered' });
    expect(landed(bench)).toBe(true);
    expect(bench.fabric.counters).toMatchObject({ translations: 0, requestsAtRootComplex: 0 });
    expect(bench.fabric.errors.count).toBe(0);
  });
});

test('E27: the root complex moves addresses by the offset of the target, also between host bridges of different offsets', () => {
  for (const [ofA, ofB] of [
    [0, 2 ** 33],
    [2 ** 33, 0],
    [2 ** 33, -(2 ** 30)],
  ] as const) {
    const bench = twoRootPorts({ busOffsets: [ofA, ofB] });
    expect(bench.cpu('b')).toBe(bench.bus('b') - ofB);
    expect(bench.write('a', bench.cpu('b') + 100, BYTES).fate).toBe('delivered');
    expect(bench.bytes('b', 100, 4)).toEqual(BYTES);
    expect(bench.read('a', bench.cpu('b') + 100, 4).bytes).toEqual(BYTES);
    const into = new Uint8Array(4);
    bench.fabric.cpuRead(bench.cpu('b') + 100, into);
    expect([...into]).toEqual(BYTES);
  }
});
