import { expect, test } from 'vitest';
import { rounds } from '../../tests/soak.ts';
import { Prng } from '../core/prng.ts';
import { rangesOverlap } from '../core/range.ts';
import { buildTree } from './build-tree.ts';
import {
  DescribeError,
  type DeviceDescription,
  type EndpointFunctionDescription,
  type PortDescription,
} from './describe.ts';
import type { Hierarchy } from './hierarchy.ts';
import type { PciFunction } from './pci-function.ts';

const GIB = 2 ** 30;

function endpoint(...functions: EndpointFunctionDescription[]): DeviceDescription {
  return { kind: 'endpoint', functions };
}

test('what is described is what the decoders read back', () => {
  const { hierarchy, names } = buildTree({
    rootBuses: [
      {
        busOffset: 2 ** 29,
        children: [
          {
            kind: 'rootPort',
            name: 'rp',
            acs: ['SV', 'RR', 'CR', 'UF'],
            link: { speedGts: 32, width: 16 },
            below: [
              {
                kind: 'switch',
                name: 'usp',
                ports: [
                  {
                    name: 'dsp',
                    acs: { control: 0x24, egressVector: [2, 0, 1] },
                    below: [
                      endpoint({
                        name: 'gpu',
                        vendorId: 0x10de,
                        deviceId: 0x2330,
                        classCode: 0x030200,
                        maxPayload: 512,
                        maxReadRequest: 4096,
                        bars: [
                          { size: 16 * 2 ** 20 },
                          { size: 64 * GIB, prefetchable: true },
                          { size: 4096, is64Bit: false },
                        ],
                      }),
                    ],
                  },
                  { below: [] },
                ],
              },
            ],
          },
          { kind: 'endpoint', name: 'integrated', functions: [{ bars: [{ size: 4096 }] }] },
        ],
      },
    ],
  });
  expect(hierarchy.problems).toEqual([]);
  const at = (name: string): PciFunction => hierarchy.at(names.get(name) as never) as PciFunction;
  expect(hierarchy.functions.map((fn) => `${fn.name} ${fn.portType}`)).toEqual([
    '0000:00:00.0 conventional',
    '0000:00:01.0 rootPort',
    '0000:00:02.0 rcIntegratedEndpoint',
    '0000:01:00.0 upstreamPort',
    '0000:02:00.0 downstreamPort',
    '0000:02:01.0 downstreamPort',
    '0000:03:00.0 endpoint',
  ]);
  expect(at('rp').busNumbers).toEqual({ primary: 0, secondary: 1, subordinate: 4 });
  expect(at('rp').acs).toMatchObject({ state: 'present', capability: 0x207f, control: 0x1d });
  expect(at('rp').link).toMatchObject({ speedGts: 32, width: 16, active: true });
  expect(at('usp').acs).toEqual({ state: 'absent' });
  const dsp = at('dsp').acs;
  expect(dsp).toMatchObject({ state: 'present', capability: 0x607f, control: 0x24 });
  const gpu = at('gpu');
  expect(gpu).toMatchObject({ vendorId: 0x10de, deviceId: 0x2330, classCode: 0x0302, command: 6, busOffset: 2 ** 29 });
  expect(gpu.payload).toEqual({ maxPayloadSupported: 4096, maxPayload: 512, maxReadRequest: 4096 });
  expect(gpu.bars.map((bar) => [bar.index, bar.size, bar.prefetchable, bar.is64Bit])).toEqual([
    [0, 16 * 2 ** 20, false, true],
    [2, 64 * GIB, true, true],
    [4, 4096, false, false],
  ]);
  for (const bar of gpu.bars) expect((bar.cpuAddress ?? 0) + 2 ** 29).toBe(bar.busAddress);
  expect(hierarchy.rootBuses).toMatchObject([{ evidence: 'sysfs', bus: 0 }]);
});

test('random trees: every BAR lies in all windows above it, is aligned to its size, and overlaps no other', () => {
  for (let seed = 1; seed <= rounds(30, 1500); seed++) {
    const prng = new Prng(seed);
    const port = (depth: number): PortDescription => ({
      acs: prng.pick(['absent', 'clear', ['RR', 'CR']] as const),
      spareMemory: prng.pick([0, 0, 2 ** 20]),
      below: prng.chance(0.1) ? [] : [device(depth)],
    });
    const device = (depth: number): DeviceDescription => {
      if (depth < 3 && prng.chance(0.5)) {
        return { kind: 'switch', ports: Array.from({ length: prng.between(1, 4) }, () => port(depth + 1)) };
      }
      if (prng.chance(0.1)) return { kind: 'pciBridge', below: [endpoint(fn()), endpoint(fn())] };
      return endpoint(...Array.from({ length: prng.between(1, 3) }, fn));
    };
    const fn = (): EndpointFunctionDescription => ({
      bars: [
        { size: 2 ** prng.between(4, 24), is64Bit: prng.chance(0.5) },
        { size: 2 ** prng.between(12, 36), prefetchable: true },
      ],
      ...(prng.chance(0.2)
        ? { sriov: { vfs: prng.between(1, 8), bars: [{ size: 2 ** prng.between(12, 20), prefetchable: true }] } }
        : {}),
    });
    const rootBuses = Array.from({ length: prng.between(1, 3) }, () => ({
      children: Array.from({ length: prng.between(1, 4) }, () => ({ kind: 'rootPort', ...port(0) }) as const),
    }));
    const { hierarchy } = buildTree({ rootBuses });
    expect(hierarchy.problems, `seed ${seed}`).toEqual([]);
    expectSound(hierarchy, seed);
  }
});

function expectSound(hierarchy: Hierarchy, seed: number): void {
  const placed: { start: number; end: number }[] = [];
  hierarchy.functions.forEach((fn, index) => {
    for (const bar of fn.bars) {
      const start = bar.busAddress as number;
      const range = { start, end: start + (bar.size as number) };
      expect(start % (bar.size as number), `seed ${seed} ${fn.name}`).toBe(0);
      placed.push(range);
      for (const bridge of hierarchy.chainOf(index).slice(1)) {
        const above = hierarchy.functions[bridge] as PciFunction;
        const window = [above.memoryWindow, above.prefetchableWindow].find(
          (one) => one && range.start >= one.start && range.end <= one.end,
        );
        expect(window, `seed ${seed}: ${fn.name} BAR ${bar.index} in a window of ${above.name}`).toBeTruthy();
      }
    }
    const buses = fn.busNumbers;
    if (buses) {
      for (const child of hierarchy.childrenOf(index)) {
        const { bus } = (hierarchy.functions[child] as PciFunction).bdf;
        expect(bus >= buses.secondary && bus <= buses.subordinate).toBe(true);
      }
    }
  });
  placed.sort((a, b) => a.start - b.start);
  for (let at = 1; at < placed.length; at++) {
    expect(rangesOverlap(placed[at - 1] as never, placed[at] as never), `seed ${seed}`).toBe(false);
  }
}

test('Virtual Functions follow their Physical Function, each with its part of the VF BAR', () => {
  const { hierarchy, names } = buildTree({
    rootBuses: [
      {
        children: [
          {
            kind: 'rootPort',
            below: [endpoint({ name: 'pf', sriov: { vfs: 3, bars: [{ size: 8192, prefetchable: true }] } })],
          },
        ],
      },
    ],
  });
  const pf = hierarchy.indexOf(names.get('pf') as never);
  expect(hierarchy.functions[pf]?.sriov).toEqual({ totalVfs: 3, numVfs: 3, vfOffset: 1, vfStride: 1 });
  const vfs = [1, 2, 3].map((vf) => hierarchy.functions[pf + vf] as PciFunction);
  const base = vfs[0]?.bars[0]?.busAddress as number;
  expect(vfs.map((vf) => vf.bars[0]?.busAddress)).toEqual([base, base + 8192, base + 16384]);
  expect(vfs.map((vf) => hierarchy.parent[hierarchy.functions.indexOf(vf)])).toEqual([1, 1, 1]);
});

const root = (below: readonly DeviceDescription[], more = {}) => ({
  rootBuses: [{ children: [{ kind: 'rootPort', below, ...more } as const] }],
});

test.each([
  [
    'BAR_SIZE_INVALID',
    'rootBuses[0].children[0].below[0].functions[0].bars[0].size',
    root([endpoint({ bars: [{ size: 3000 }] })]),
  ],
  [
    'BAR_SIZE_INVALID',
    'rootBuses[0].children[0].below[0].functions[0].bars[0].size',
    root([endpoint({ bars: [{ size: 8 }] })]),
  ],
  [
    'BAR_INDEX_INVALID',
    'rootBuses[0].children[0].below[0].functions[0].bars[1]',
    root([endpoint({ bars: [{ size: 16 }, { index: 1, size: 16 }] })]),
  ],
  ['BAR_INDEX_INVALID', 'rootBuses[0].children[0].bars[0]', root([], { bars: [{ size: 16, index: 2 }] })],
  [
    'FUNCTION_NUMBERS_EXHAUSTED',
    'rootBuses[0].children[0].below[0].functions[8]',
    root([endpoint(...Array.from({ length: 9 }, () => ({})))]),
  ],
  [
    'FUNCTION_NUMBERS_EXHAUSTED',
    'rootBuses[0].children[0].below[0].functions[0]',
    root([endpoint({ sriov: { vfs: 256, bars: [] } })]),
  ],
  ['TOO_MANY_DEVICES_ON_LINK', 'rootBuses[0].children[0].below[1]', root([endpoint({}), endpoint({})])],
  ['NAME_TAKEN', 'rootBuses[0].children[0].below[0].functions[1].name', root([endpoint({ name: 'x' }, { name: 'x' })])],
  [
    'DEVICE_NUMBERS_EXHAUSTED',
    'rootBuses[0].children[0].below[0].ports[32]',
    root([{ kind: 'switch', ports: Array.from({ length: 33 }, () => ({})) }]),
  ],
  ['BUS_NUMBER_TAKEN', 'rootBuses[1]', { rootBuses: [{ children: [] }, { bus: 0, children: [] }] }],
  [
    'BUS_NUMBERS_EXHAUSTED',
    'rootBuses[0].children[1]',
    { rootBuses: [{ bus: 254, children: [{ kind: 'rootPort' }, { kind: 'rootPort' }] }] },
  ],
  ['VALUE_INVALID', 'rootBuses[0].busOffset', { rootBuses: [{ busOffset: 4096, children: [] }] }],
  [
    'VALUE_INVALID',
    'rootBuses[0].children[0].below[0].functions[0]',
    { rootBuses: [{ busOffset: 2 ** 32, ...root([endpoint({ bars: [{ size: 16 }] })]).rootBuses[0] }] },
  ],
  ['VALUE_INVALID', 'rootBuses[0].children[0].acs.control', root([], { acs: { control: 0x20, capability: 0x1f } })],
  ['VALUE_INVALID', 'rootBuses[0].children[0].link', root([], { link: { speedGts: 7, width: 4 } })],
  ['VALUE_INVALID', 'rootBuses[0].children[0].maxPayload', root([], { maxPayload: 200 })],
  ['MEMORY_EXHAUSTED', 'rootBuses[0]', root([endpoint({ bars: [{ size: 2 * GIB }] })])],
] as const)('%s is refused at %s', (code, path, description) => {
  let error: unknown = null;
  try {
    buildTree(description as never);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(DescribeError);
  expect(error).toMatchObject({ code, path });
});
