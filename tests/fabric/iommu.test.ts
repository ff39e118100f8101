/** The IOMMU at its place: rights, faults, stale translations, false names. */

import { expect, test } from 'vitest';
import type { Iova, PhysAddr } from '../../src/core/index.ts';
import { IommuPort } from '../../src/fabric/index.ts';
import { IommuDomain, IovaAllocator } from '../../src/iommu/index.ts';
import { type BdfKey, bdfKey } from '../../src/pcie/index.ts';
import { type Bench, switchWithTwoEndpoints, twoRootPorts } from './trees.ts';

const BYTES = [1, 2, 3, 4];
const IOVA = 0x10_0000_0000 as Iova;
const RAM_PAGE = 0x300000 as PhysAddr;

function keyOf(bench: Bench, name: string): BdfKey {
  return bdfKey(bench.fn(name).fn.bdf);
}

function withDomain(lazy: boolean) {
  const bench = twoRootPorts({ iommu: new IommuPort() });
  const domain = new IommuDomain({ allocator: new IovaAllocator(), lazy });
  bench.fabric.iommu?.attach(keyOf(bench, 'a'), domain);
  return { bench, domain };
}

test('E41: a page mapped for writing alone faults when the device reads it, and the other way round', () => {
  const { bench, domain } = withDomain(false);
  domain.map(IOVA, RAM_PAGE, 4096, { read: false, write: true, mmio: false });
  domain.map((IOVA + 4096) as Iova, RAM_PAGE, 4096, { read: true, write: false, mmio: false });
  expect(bench.write('a', IOVA, BYTES).fate).toBe('delivered');
  expect(bench.read('a', IOVA, 4)).toMatchObject({ status: 'UR', fate: 'iommuFault', reason: 'readNotAllowed' });
  expect(bench.read('a', IOVA + 4096, 4)).toMatchObject({ status: 'SC', bytes: BYTES });
  expect(bench.write('a', IOVA + 4096, BYTES)).toMatchObject({ status: 'posted', reason: 'writeNotAllowed' });
  expect(bench.fabric.iommu?.takeFaults().map((fault) => [fault.requester, fault.reason])).toEqual([
    [keyOf(bench, 'a'), 'readNotAllowed'],
    [keyOf(bench, 'a'), 'writeNotAllowed'],
  ]);
  expect(bench.fabric.iommu?.takeFaults()).toEqual([]);
});

test('E43: lazy: DMA after unmap and before the flush still lands, and is counted as stale; after the flush it faults', () => {
  const { bench, domain } = withDomain(true);
  domain.map(IOVA, RAM_PAGE, 4096, { read: true, write: true, mmio: false });
  bench.write('a', IOVA, BYTES);
  domain.unmap(IOVA, 4096);
  expect(bench.write('a', IOVA, [9, 9, 9, 9]).fate).toBe('delivered');
  const into = new Uint8Array(4);
  bench.fabric.ram.read(RAM_PAGE, into);
  expect([...into]).toEqual([9, 9, 9, 9]);
  expect(bench.fabric.counters).toMatchObject({ translations: 2, staleTranslations: 1 });
  domain.flush();
  expect(bench.write('a', IOVA, BYTES)).toMatchObject({ fate: 'iommuFault', reason: 'notMapped' });
  expect(bench.fabric.counters.staleTranslations).toBe(1);
});

test('E43: lazy: a page that was never used is in no cache, so its unmap is seen at once', () => {
  const { bench, domain } = withDomain(true);
  domain.map(IOVA, RAM_PAGE, 4096, { read: true, write: true, mmio: false });
  domain.unmap(IOVA, 4096);
  expect(bench.write('a', IOVA, BYTES).fate).toBe('iommuFault');
});

test('E43: strict: DMA after unmap faults', () => {
  const { bench, domain } = withDomain(false);
  domain.map(IOVA, RAM_PAGE, 4096, { read: true, write: true, mmio: false });
  bench.write('a', IOVA, BYTES);
  domain.unmap(IOVA, 4096);
  expect(bench.write('a', IOVA, [9, 9, 9, 9]).fate).toBe('iommuFault');
  expect(bench.fabric.counters.staleTranslations).toBe(0);
});

test('a requester that nobody attached faults; passthrough and translated requests are not looked at', () => {
  const { bench } = withDomain(false);
  expect(bench.write('b', 0x1000, BYTES)).toMatchObject({ fate: 'iommuFault', reason: 'noContext' });
  expect(bench.write('b', 0x1000, BYTES, { addressType: 'translated' }).fate).toBe('delivered');
  expect(bench.write('b', 0x1000, BYTES, { addressType: 'translationRequest' })).toMatchObject({
    reason: 'translationRequest',
  });
  bench.fabric.iommu?.attach(keyOf(bench, 'b'), 'passthrough');
  expect(bench.write('b', 0x1000, BYTES).fate).toBe('delivered');
  bench.fabric.iommu?.attach(keyOf(bench, 'b'), 'blocked');
  expect(bench.write('b', 0x1000, BYTES).fate).toBe('iommuFault');
  const open = twoRootPorts({ iommu: new IommuPort({ otherwise: 'passthrough' }) });
  expect(open.write('a', 0x1000, BYTES).fate).toBe('delivered');
});

test('E61: under a false requester ID a device writes with the rights of another', () => {
  const { bench, domain } = withDomain(false);
  domain.map(IOVA, RAM_PAGE, 4096, { read: true, write: true, mmio: false });
  expect(bench.write('b', IOVA, BYTES).fate).toBe('iommuFault');
  expect(bench.write('b', IOVA, BYTES, { requesterId: bench.fn('a').requesterId }).fate).toBe('delivered');
  bench.fn('rpB').setAcsControl(1);
  expect(bench.write('b', IOVA, BYTES, { requesterId: bench.fn('a').requesterId })).toMatchObject({
    fate: 'acsViolation',
  });
});

test('a transfer over pages that are not contiguous in memory lands page by page, ends at the first hole', () => {
  const { bench, domain } = withDomain(false);
  const rights = { read: true, write: true, mmio: false };
  domain.map(IOVA, 0x500000 as PhysAddr, 4096, rights);
  domain.map((IOVA + 4096) as Iova, bench.cpu('b') as PhysAddr, 4096, { ...rights, mmio: true });
  domain.map((IOVA + 8192) as Iova, 0x400000 as PhysAddr, 4096, rights);
  const bytes = Array.from({ length: 3 * 4096 }, (_, at) => (at * 7) & 0xff);
  expect(bench.write('a', IOVA, bytes).fate).toBe('delivered');
  expect(bench.bytes('b', 0, 4096)).toEqual(bytes.slice(4096, 8192));
  expect(bench.read('a', IOVA, 3 * 4096).bytes).toEqual(bytes);
  expect(bench.read('a', IOVA + 8192, 8192)).toMatchObject({ status: 'UR', bytesDelivered: 4096 });
  expect(bench.write('a', IOVA + 8192, bytes.slice(0, 8192))).toMatchObject({ status: 'posted', bytesDelivered: 4096 });
});

test('redirected by ACS, an IOVA of a peer in the same switch goes up, is translated and comes down again', () => {
  const bench = switchWithTwoEndpoints({
    acs: ['SV', 'RR', 'CR', 'UF'],
    acsRp: ['SV', 'RR', 'CR', 'UF'],
    iommu: new IommuPort(),
  });
  const domain = new IommuDomain({ allocator: new IovaAllocator() });
  domain.map(IOVA, bench.cpu('b') as PhysAddr, 4096, { read: true, write: true, mmio: true });
  bench.fabric.iommu?.attach(keyOf(bench, 'a'), domain);
  expect(bench.road(() => bench.read('a', IOVA, 4))).toEqual([
    'read a:issue dspA:upstream usp:upstream rp:upstream rc:translate rc:forward rp:downstream usp:downstream dspB:downstream b:accept',
    'completion b:issue dspB:redirect usp:upstream rp:redirect rc:forward rp:downstream usp:downstream dspA:downstream a:accept',
  ]);
});
