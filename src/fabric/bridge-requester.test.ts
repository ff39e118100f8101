import { expect, test } from 'vitest';
import { buildTree } from '../pcie/build-tree.ts';
import { Fabric } from './fabric.ts';
import { Trace } from './hop.ts';

test('a bridge that sends for itself reaches what is below it without going up first', () => {
  const tree = buildTree({
    rootBuses: [
      {
        children: [
          {
            kind: 'rootPort',
            name: 'rp',
            below: [
              {
                kind: 'switch',
                name: 'usp',
                ports: [
                  { name: 'dsp', below: [{ kind: 'endpoint', name: 'a', functions: [{ bars: [{ size: 2 ** 16 }] }] }] },
                ],
              },
            ],
          },
        ],
      },
    ],
  });
  const fabric = new Fabric({ hierarchy: tree.hierarchy, ram: [{ start: 0, end: 2 ** 30 }] });
  const index = (name: string): number => tree.hierarchy.indexOf(tree.names.get(name) as never);
  const address = fabric.function(index('a')).bars[0]?.start as number;
  for (const [position, requester] of ['rp', 'usp', 'dsp'].entries()) {
    const trace = new Trace();
    const stop = fabric.watch(trace.record);
    expect(fabric.memoryWrite(index(requester), address + position, Uint8Array.of(9)).fate).toBe('delivered');
    const back = new Uint8Array(1);
    expect(fabric.memoryRead(index(requester), address + position, back)).toMatchObject({ status: 'SC' });
    stop();
    expect([...back]).toEqual([9]);
    const below = ['rp', 'usp', 'dsp', 'a'].map(index).slice(position);
    expect(new Set(trace.hops.map((hop) => hop.at))).toEqual(new Set(below));
  }
  // What is not below it still goes up: RAM, by the root complex.
  expect(fabric.memoryWrite(index('usp'), 4096, Uint8Array.of(1)).fate).toBe('delivered');
  expect(fabric.counters.requestsAtRootComplex).toBe(1);
});

test('a bridge to conventional PCI answers for its own BAR on both of its sides', () => {
  const tree = buildTree({
    rootBuses: [
      {
        children: [
          {
            kind: 'rootPort',
            below: [
              {
                kind: 'pciBridge',
                name: 'bridge',
                bridge: { bars: [{ size: 2 ** 16 }] },
                below: [{ kind: 'endpoint', name: 'a', functions: [{}] }],
              },
            ],
          },
        ],
      },
    ],
  });
  const fabric = new Fabric({ hierarchy: tree.hierarchy, ram: [{ start: 0, end: 2 ** 30 }] });
  const index = (name: string): number => tree.hierarchy.indexOf(tree.names.get(name) as never);
  const bridge = index('bridge');
  const address = fabric.function(bridge).bars[0]?.start as number;
  expect(fabric.memoryWrite(index('a'), address + 3, Uint8Array.of(5)).fate).toBe('delivered');
  expect(fabric.cpuRead(address + 3, new Uint8Array(1)).status).toBe('SC');
  const found = new Uint8Array(1);
  fabric.barMemory(bridge, 0).read(3, found);
  expect([...found]).toEqual([5]);
  expect(fabric.memoryRead(index('a'), address + 3, found)).toMatchObject({ status: 'SC' });
  expect(fabric.counters.requestsAtRootComplex).toBe(0);
});

test('egress control of a root port says nothing of what comes back to that port under another bus address', () => {
  const endpoint = (name: string) => ({ kind: 'endpoint' as const, name, functions: [{ bars: [{ size: 2 ** 16 }] }] });
  const tree = buildTree({
    rootBuses: [
      {
        busOffset: 2 ** 30,
        children: [
          {
            kind: 'rootPort',
            acs: { control: 0x20, egressVector: [0xffffffff] },
            below: [{ kind: 'switch', ports: [{ below: [endpoint('a')] }, { below: [endpoint('b')] }] }],
          },
        ],
      },
    ],
  });
  const fabric = new Fabric({ hierarchy: tree.hierarchy, ram: [{ start: 0, end: 2 ** 30 }] });
  const index = (name: string): number => tree.hierarchy.indexOf(tree.names.get(name) as never);
  const phys = (fabric.function(index('b')).bars[0]?.start as number) - 2 ** 30;
  expect(fabric.memoryWrite(index('a'), phys, Uint8Array.of(5))).toMatchObject({ fate: 'delivered' });
  const found = new Uint8Array(1);
  fabric.barMemory(index('b'), 0).read(0, found);
  expect([...found]).toEqual([5]);
});
