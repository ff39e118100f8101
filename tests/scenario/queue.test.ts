/** What the report tells of the queue: addresses, flags and certificates as they are in it, and how often a table was asked. */

import { describe, expect, test } from 'vitest';
import { machineText, runTransfers } from './bed.ts';

const OFFSET = -(2 ** 44);
const BRIDGE = machineText({ bridge: 'busOffset: -16TiB' });
const PEER_AND_RAM = 'vectors: [{ memory: b, length: 8KiB }, { memory: ram, length: 4KiB }]';

describe('the report shows what is in the queue, not what another design would have put there', () => {
  test('flags: the bus address of a peer below the same switch, with its flag', async () => {
    const [one] = await runTransfers(BRIDGE, `device: a, direction: fromDevice, ${PEER_AND_RAM}`);
    const [peer, ram] = one?.vectors ?? [];
    expect(peer).toMatchObject({ address: one?.segments[0]?.address, flags: 2, certificate: null, case: 'b2' });
    expect(ram).toMatchObject({ flags: 0, certificate: null, case: 'a' });
  });

  test.each(['lookup', 'page', 'certified'])(
    '%s: the CPU address without a flag, whatever is sent on the bus',
    async (design) => {
      const [one] = await runTransfers(
        BRIDGE,
        `device: a, direction: fromDevice, classify: ${design}, ${PEER_AND_RAM}`,
      );
      const [peer, ram] = one?.vectors ?? [];
      const bus = one?.segments[0];
      expect(bus?.space).toBe('bus');
      expect(peer).toMatchObject({ address: (bus?.address ?? 0) - OFFSET, flags: 0, case: 'b2' });
      expect(ram).toMatchObject({ flags: 0, case: 'a' });
      expect(peer?.certificate === null).toBe(design !== 'certified');
      expect(one?.bytesEqual).toBe(12288);
    },
  );

  test('premapped: the DMA address that the submitter mapped; of merged vectors, where each begins in it', async () => {
    const machine = machineText({ top: 'iommu: on' });
    const vectors =
      'vectors: [{ memory: ram, length: 4KiB }, { memory: gpu, length: 8KiB }, { memory: far, length: 4KiB }, { memory: ram, length: 8KiB }]';
    const [one] = await runTransfers(machine, `device: a, direction: fromDevice, classify: premapped, ${vectors}`);
    const base = one?.iova?.base ?? 0;
    const bus = one?.segments.find(({ space }) => space === 'bus')?.address;
    // One IOVA, compact over the vector that goes by bus address.
    expect(one?.vectors.map(({ address }) => address)).toEqual([base, bus, base + 4096, base + 8192]);
    expect(one?.vectors.map(({ flags }) => flags)).toEqual([0, 0, 0, 0]);
    expect(one?.bytesEqual).toBe(24576);
  });

  test('certified: the certificate beside the length, for the device that was asked', async () => {
    const [one] = await runTransfers(BRIDGE, `device: a, direction: fromDevice, classify: certified, ${PEER_AND_RAM}`);
    // 03:00.0 is the requester; the kind is in the two lowest bits.
    expect(one?.vectors.map(({ certificate }) => ((certificate ?? 0) >>> 16).toString(16))).toEqual(['300', '300']);
    expect(one?.vectors.map(({ certificate }) => (certificate ?? 0) & 3)).toEqual([1, 3]);
  });
});

describe('how often a table was asked', () => {
  const counts: [design: string, lookups: number, pageReads: number][] = [
    ['flags', 2, 0],
    ['flags, trust: true', 0, 0],
    ['lookup', 2, 0],
    ['page', 0, 2],
    // By the submitter.
    ['premapped', 2, 0],
    ['certified', 0, 0],
  ];
  test.each(counts)('%s: %i lookups, %i page descriptors', async (design, lookups, pageReads) => {
    for (const top of ['iommu: off', 'iommu: on']) {
      const [one] = await runTransfers(
        machineText({ top }),
        `device: a, direction: fromDevice, classify: ${design}, ${PEER_AND_RAM}`,
      );
      expect(one).toMatchObject({ lookups, pageReads, bytesEqual: 12288 });
    }
  });
  test('certified for another device: every vector is looked up', async () => {
    const [one] = await runTransfers(
      machineText(),
      `device: gpu, askedFor: a, direction: fromDevice, classify: certified, ${PEER_AND_RAM}`,
    );
    expect(one).toMatchObject({ lookups: 2, bytesEqual: 12288 });
  });
});

describe('swallowed is what belongs elsewhere', () => {
  test.each(['flags', 'lookup', 'premapped', 'certified'])(
    '%s: the own memory of the controller is honest (c), whatever names it',
    async (classify) => {
      for (const direction of ['fromDevice', 'toDevice']) {
        const [one] = await runTransfers(
          machineText(),
          `device: a, direction: ${direction}, classify: ${classify}, vectors: [{ memory: self, length: 8KiB }]`,
        );
        expect(one).toMatchObject({ swallowedBytes: 0, bytesEqual: 8192, asExpected: true });
        expect(one?.vectors[0]?.case).toBe('c');
      }
    },
  );
  test('a CMB base address over RAM swallows what is meant for RAM beside honest own memory', async () => {
    const machine = machineText()
      .replace('  kernel', '  ram: [{ start: 16MiB, size: 64KiB }, { start: 64MiB, size: 64MiB }]\n  kernel')
      .replace('{ nvme: a, cmb: 4MiB }', '{ nvme: a, cmb: 4MiB, cba: 16MiB, reserveCba: false }');
    const vectors = 'vectors: [{ memory: ram, length: 64KiB }, { memory: self, length: 4KiB, offset: 1MiB }]';
    const [one] = await runTransfers(machine, `device: a, direction: fromDevice, expect: damaged, ${vectors}`);
    expect(one).toMatchObject({ swallowedBytes: 65536, bytesEqual: 4096, asExpected: true });
  });
});
