/** The library's own doors: what callers without types hand in is refused in words, never by a raw TypeError. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkBioVec, queueLimits, submitBio } from '../../src/block/index.ts';
import { link, tryAlloc } from '../../src/dma/index.ts';
import * as library from '../../src/index.ts';
import { MachineError } from '../../src/machine/index.ts';
import { JudgeError } from '../../src/p2p/errors.ts';
import { ROOT } from '../cli/run.ts';
import { World } from '../map/world.ts';

const TARBALL = readFileSync(`${ROOT}examples/machines/iommu-lazy-switch4-acs-off2.tar.gz`);
const LISTING =
  '0000:00:00.0 Host bridge: Intel Corporation Device 29c0\n0000:01:00.0 Non-Volatile memory controller: Café\n';

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return null;
}

describe('readMachine', () => {
  test('takes bytes, the buffer behind them, a view of it, and the text of a listing, and reads the same', async () => {
    const buffer = TARBALL.buffer.slice(TARBALL.byteOffset, TARBALL.byteOffset + TARBALL.byteLength) as ArrayBuffer;
    const inputs = [TARBALL, new Uint8Array(buffer), buffer, new DataView(buffer)];
    const machines = await Promise.all(inputs.map((input) => library.readMachine(input as Uint8Array, 'it')));
    const names = machines.map(({ hierarchy }) => hierarchy.functions.map(({ name }) => name));
    expect(names[0]?.length).toBeGreaterThan(10);
    for (const other of names) expect(other).toEqual(names[0]);

    const [fromText, fromBytes] = await Promise.all([
      library.readMachine(LISTING, 'listing'),
      library.readMachine(new TextEncoder().encode(LISTING), 'listing'),
    ]);
    expect(fromText.hierarchy.functions.map(({ facts }) => facts.text)).toEqual(
      fromBytes.hierarchy.functions.map(({ facts }) => facts.text),
    );
    expect(fromText.hierarchy.functions).toHaveLength(2);
  });

  test.each([
    [undefined, 'is undefined', 'Uint8Array'],
    [null, 'is null', 'Uint8Array'],
    [17, 'is a number', 'Uint8Array'],
    [{ bytes: [] }, 'is an Object', 'Uint8Array'],
    [Promise.resolve(TARBALL), 'is a Promise', 'await'],
    [TARBALL.toString('utf8'), 'is an archive that was decoded as text', 'without an encoding'],
    [TARBALL.toString('latin1'), 'is an archive that was decoded as text', 'without an encoding'],
  ])('refuses what is neither (%#)', async (input, message, hint) => {
    const error = await library.readMachine(input as never, 'it').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MachineError);
    expect(error).toMatchObject({ code: 'INPUT_NOT_BYTES', path: 'it', message: expect.stringContaining(message) });
    expect((error as MachineError).hint).toContain(hint);
  });
});

describe('a direction', () => {
  test.each(['sideways', '', undefined, null, 1])(
    '%j is refused wherever one is taken, and nothing is mapped',
    (wrong) => {
      const world = new World();
      const device = world.device();
      const list = library.BvecList.fromVectors([{ address: library.physAddr(2 ** 21), length: 4096, flags: 0 }]);
      const mapping = new library.DmaMapping();
      const phys = library.physAddr(2 ** 21);
      const state = tryAlloc(device, phys, 4096);
      const range = { phys, offset: 0, length: 4096, mmio: false };
      for (const action of [
        () => library.dmaMapBvec(device, list, wrong as never, new library.TrustingFlags(), mapping),
        () => library.dmaMapPage(device, phys, 4096, wrong as never),
        () => library.dmaMapResource(device, phys, 4096, wrong as never),
        () => link(device, state as never, { ...range, direction: wrong as never }),
      ]) {
        expect(thrownBy(action)).toMatchObject({ name: 'MapError', code: 'DIRECTION_UNKNOWN', path: 'direction' });
      }
      expect(mapping.live).toBe(false);
      expect(device.domain?.mappedBytes).toBe(0);
      const bio = () => library.createBio({ vectors: list, operation: wrong as never });
      expect(thrownBy(bio)).toMatchObject({ name: 'BlockError', code: 'OPERATION_UNKNOWN' });
    },
  );
});

describe('a function of another machine', () => {
  // The same tree twice: every address is in both.
  const [own, other] = [new World(), new World()];

  test('has no verdict, on either side of a pair', () => {
    const [here, there] = [own.fn('near'), other.fn('near')];
    for (const [provider, client] of [
      [here, there],
      [there, here],
    ] as const) {
      const error = thrownBy(() => library.p2pdmaDistance(provider, client, own.context));
      expect(error).toBeInstanceOf(JudgeError);
      expect(error).toMatchObject({ code: 'FUNCTION_FOREIGN', path: here.name });
    }
    expect(library.p2pdmaDistance(here, here, own.context).type).toBe('busAddr');
    const found = () => library.findProvider([there], [here], own.context, new library.Prng(1));
    expect(thrownBy(found)).toMatchObject({ code: 'FUNCTION_FOREIGN' });
  });

  test('maps nothing by the verdicts for another, and has no windows to keep clear', () => {
    const phys = own.bar('near').phys;
    const list = library.BvecList.fromVectors([{ address: phys, length: 4096, flags: 0 }]);
    for (const classifier of [own.lookup(), own.page(), own.verified()]) {
      const action = () => library.dmaMapBvec(other.device(), list, 'toDevice', classifier, new library.DmaMapping());
      expect(thrownBy(action)).toMatchObject({ name: 'MapError', code: 'DEVICE_UNKNOWN' });
    }
    const windows = () => library.reservedWindows(own.machine, other.fn('client'));
    expect(thrownBy(windows)).toMatchObject({ code: 'DEVICE_UNKNOWN' });
  });

  test('an index that is none makes no verdicts', () => {
    for (const index of [-1, 10_000, undefined]) {
      const action = () => new library.PairTypes(own.context, index as never);
      expect(thrownBy(action)).toMatchObject({ name: 'MapError', code: 'DEVICE_UNKNOWN' });
    }
  });
});

/** Every function of the front door with arguments that work, but for those that take nothing. */
function calls(): Readonly<Record<string, readonly [(...args: never[]) => unknown, ...unknown[]]>> {
  const world = new World();
  const near = world.fn('near');
  const device = world.device();
  const list = library.BvecList.fromVectors([{ address: library.physAddr(2 ** 21), length: 4096, flags: 0 }]);
  const flags = new library.TrustingFlags();
  const mapped = (): library.DmaMapping =>
    library.dmaMapBvec(device, list, 'toDevice', flags, new library.DmaMapping());
  const phys = library.physAddr(2 ** 21);
  const verdict = library.p2pdmaDistance(near, near, world.context);
  return {
    BvecList: [library.BvecList.fromVectors, list],
    createBio: [library.createBio, { vectors: list, operation: 'read' }],
    checkBioVec: [checkBioVec, list.at(0), 'vectors[0]'],
    submitBio: [
      submitBio,
      library.createBio({ vectors: list, operation: 'read' }),
      { limits: queueLimits(), features: { p2p: true } },
    ],
    busAddrInBar: [library.busAddrInBar, near, world.bar('near').bus, 4096],
    classifyByLookup: [library.classifyByLookup, world.table, world.pairs()],
    DmaDevice: [(options: never) => new library.DmaDevice(options), { fn: near, iommu: 'off' }],
    dmaMapBvec: [library.dmaMapBvec, device, list, 'toDevice', flags, new library.DmaMapping()],
    dmaMapPage: [library.dmaMapPage, device, phys, 4096, 'toDevice'],
    dmaMapResource: [library.dmaMapResource, device, phys, 4096, 'toDevice'],
    dmaUnmapBvec: [library.dmaUnmapBvec, device, mapped()],
    dmaUnmapPage: [library.dmaUnmapPage, device, library.dmaMapPage(device, phys, 4096, 'toDevice'), 4096],
    engineTarget: [library.engineTarget, mapped().at(0)],
    PairTypes: [(context: never, index: never) => new library.PairTypes(context, index), world.context, 0],
    RangeTable: [library.RangeTable.ofMachine, world.machine],
    reservedWindows: [library.reservedWindows, world.machine, near],
    resolveOwnBar: [library.resolveOwnBar, near, mapped()],
    VerifiedFlags: [
      (table: never, pairs: never) => new library.VerifiedFlags(table, pairs),
      world.table,
      world.pairs(),
    ],
    IommuDomain: [(options: never) => new library.IommuDomain(options), { allocator: new library.IovaAllocator() }],
    iommuModeOf: [library.iommuModeOf, world.machine, near],
    RamAllocator: [(ram: never) => new library.RamAllocator(ram), world.machine.ram],
    findProvider: [library.findProvider, [near], [near], world.context, new library.Prng(1)],
    JudgeContext: [(machine: never) => new library.JudgeContext(machine), world.machine],
    mailDistance: [library.mailDistance, verdict],
    P2pMemory: [(fn: never) => new library.P2pMemory(fn), near],
    Providers: [(fn: never) => new library.Providers().provide(fn), near],
    p2pdmaDistance: [library.p2pdmaDistance, near, near, world.context],
    policyForKernel: [library.policyForKernel, '6.12.0'],
    formatBdf: [library.formatBdf, near.bdf],
    parseBdf: [library.parseBdf, '03:00.0'],
    PciFunction: [(facts: never) => new library.PciFunction(facts), near.facts],
  };
}

describe('undefined, null and a number in the place of each argument', () => {
  const names = Object.keys(calls());

  test('every function of the front door is tried', () => {
    // Of these nothing is asked but a number, or nothing at all.
    const others = ['busAddr', 'dmaAddr', 'physAddr', 'Prng', 'DmaMapping', 'IovaAllocator', 'TrustingFlags'];
    const errorsAndConstants = ['P2pError', 'BVEC_MAP_BUS_ADDR', 'BVEC_MAP_RESOURCE', 'PCI_P2PDMA_THRU_HOST_BRIDGE'];
    const front = Object.keys(library).filter(
      (name) => ![...others, ...errorsAndConstants, 'readMachine', 'openCase'].includes(name),
    );
    expect(front.filter((name) => !names.includes(name))).toEqual([]);
  });

  test.each(names)('%s answers or refuses in words', (name) => {
    const works = calls()[name] ?? [];
    expect(thrownBy(() => (works[0] as (...args: unknown[]) => unknown)(...works.slice(1)))).toBeNull();
    for (let at = 1; at < works.length; at++) {
      for (const wrong of [undefined, null, 17]) {
        const [call, ...args] = calls()[name] ?? [];
        args[at - 1] = wrong;
        const error = thrownBy(() => (call as (...args: unknown[]) => unknown)(...args));
        if (error === null) continue;
        expect(error, `argument ${at} is ${String(wrong)}`).toBeInstanceOf(library.P2pError);
        const { message, hint, path } = error as library.P2pError;
        expect([message, hint, path].includes('')).toBe(false);
      }
    }
  });
});

test.each([undefined, null, 17, 'text'])('openCase(%s) is refused in words', async (input) => {
  const error = await library.openCase(input as never).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'CASE_EMPTY', hint: expect.stringContaining('lspci') });
});
