import { expect, test } from 'vitest';
import { busAddr, physAddr } from '../core/address.ts';
import { AssertionError } from '../core/assert.ts';
import { Prng } from '../core/prng.ts';
import { buildTree } from '../pcie/build-tree.ts';
import { ConfigSpace } from '../pcie/config-space.ts';
import type { FunctionFacts, TextFacts } from '../pcie/function-facts.ts';
import { Hierarchy } from '../pcie/hierarchy.ts';
import { PciFunction } from '../pcie/pci-function.ts';
import { ConfigRegisters } from './config-registers.ts';
import { Fabric } from './fabric.ts';

function described() {
  const bars = [
    { size: 2 ** 16, is64Bit: false },
    { size: 2 ** 33, prefetchable: true },
  ];
  const { hierarchy } = buildTree({
    rootBuses: [
      {
        hostBridge: null,
        children: [
          {
            kind: 'rootPort',
            acs: { control: 0, capability: 0x1f },
            below: [{ kind: 'endpoint', functions: [{ bars }] }],
          },
        ],
      },
    ],
  });
  const [port, endpoint] = hierarchy.functions as [PciFunction, PciFunction];
  const slots = endpoint.bars.map((bar) => ({ ...bar, size: bar.size as number, fixed: false, start: bar.busAddress }));
  return {
    hierarchy,
    port: new ConfigRegisters(port, [], false),
    endpoint: new ConfigRegisters(endpoint, slots, false),
    fn: endpoint,
  };
}

test('BARs read back their size after a write of ones: 32-bit, and 64-bit beyond 4 GiB', () => {
  const { endpoint } = described();
  for (const offset of [0x10, 0x14, 0x18]) endpoint.write(offset, 4, 0xffffffff);
  expect([0x10, 0x14, 0x18].map((offset) => endpoint.read(offset, 4))).toEqual([0xffff0000, 0x0000000c, 0xfffffffe]);
});

test('a register without a BAR stays zero', () => {
  const { endpoint } = described();
  endpoint.write(0x20, 4, 0xffffffff);
  expect(endpoint.read(0x20, 4)).toBe(0);
});

test('identity, class and capability headers are read-only', () => {
  const { endpoint, fn } = described();
  const prng = new Prng(1);
  const before = fn.config.bytes.slice();
  for (let step = 0; step < 4000; step++) endpoint.write(4 * prng.below(1024), 4, prng.next());
  for (const offset of [0x00, 0x08, 0x0e, 0x34, 0x40, 0x44, 0x100]) {
    const width = offset === 0x0e || offset === 0x34 || offset === 0x40 ? 2 : 4;
    for (let at = 0; at < width; at++) expect(endpoint.read(offset + at, 1)).toBe(before[offset + at]);
  }
});

test('an ACS control takes only the bits that its capability offers', () => {
  const { port } = described();
  port.write(port.acs + 6, 2, 0xffff);
  expect(port.read(port.acs + 6, 2)).toBe(0x1f);
  port.write(port.acs + 4, 2, 0);
  expect(port.read(port.acs + 4, 2) & 0x7f).toBe(0x1f);
  // Without Egress Control there is no vector to write.
  port.write(port.acs + 8, 4, 0xffffffff);
  expect(port.read(port.acs + 8, 4)).toBe(0);
});

test('error status is set by hardware and cleared by ones', () => {
  const { endpoint } = described();
  endpoint.put32(endpoint.aer + 4, (1 << 20) | (1 << 14));
  endpoint.set16(endpoint.express + 0x0a, 0xa);
  endpoint.write(endpoint.aer + 4, 4, 1 << 14);
  expect(endpoint.read(endpoint.aer + 4, 4)).toBe(1 << 20);
  endpoint.write(endpoint.express + 0x0a, 2, 0x2);
  expect(endpoint.read(endpoint.express + 0x0a, 2)).toBe(0x8);
});

test('an access that is not aligned is a mistake of ours', () => {
  const { endpoint } = described();
  expect(() => endpoint.read(2, 4)).toThrow(AssertionError);
  expect(() => endpoint.write(4096, 1, 0)).toThrow(AssertionError);
});

/** A function that only the text of `lspci -vv` tells of. */
function textOnly(text: Partial<TextFacts>, bus: number, device: number): FunctionFacts {
  return {
    bdf: { domain: 0, bus, device, function: 0 },
    config: ConfigSpace.UNKNOWN,
    configSource: null,
    text: { lines: {}, file: 'lspci.txt', capabilitiesListed: true, extendedListed: true, ...text },
    sysfs: null,
  };
}

test('a machine known from text runs too: its registers are written from what the text says', () => {
  const bar = { index: 0, space: 'memory', is64Bit: true, prefetchable: true, size: 65536 } as const;
  const window = { start: 0xd0000000, end: 0xd0100000 };
  const at = (address: number) => ({ ...bar, busAddress: busAddr(address), cpuAddress: physAddr(address) });
  const port = { headerType: 1, classCode: 0x0604, portType: 'rootPort', command: 0 } as const;
  const device = { headerType: 0, classCode: 0x0108, portType: 'endpoint' } as const;
  const functions = [
    textOnly(
      {
        ...port,
        busNumbers: { primary: 0, secondary: 1, subordinate: 1 },
        memoryWindow: window,
        prefetchableWindow: null,
      },
      0,
      1,
    ),
    textOnly({ ...device, bars: [at(0xd0000000)] }, 1, 0),
    textOnly(
      {
        classCode: 0x0200,
        headerType: 0,
        capabilitiesDenied: true,
        command: 0,
        bars: [{ ...at(0xe0000000), size: null }],
      },
      0,
      3,
    ),
  ].map((facts) => new PciFunction(facts));
  const fabric = new Fabric({ hierarchy: new Hierarchy(functions), ram: [{ start: 0, end: 2 ** 20 }] });
  expect(fabric.assumptions.map(({ at: where, message }) => `${where}: ${message.split(':')[0]}`)).toEqual([
    '0000:00:03.0: its ACS registers are not known',
    '0000:00:03.0/bar0: the size of this BAR is not known',
    '0000:01:00.0: its Command register is not known',
  ]);
  const endpoint = 2;
  expect(fabric.memoryWrite(endpoint, 0x1000, Uint8Array.of(1)).status).toBe('notSent');
  fabric.function(0).prepare();
  fabric.function(endpoint).prepare();
  expect(fabric.memoryWrite(endpoint, 0x1000, Uint8Array.of(1)).fate).toBe('delivered');
  const into = new Uint8Array(1);
  expect(fabric.cpuWrite(0xd0000008, Uint8Array.of(7)).fate).toBe('delivered');
  expect(fabric.cpuRead(0xd0000008, into).status).toBe('SC');
  expect(into[0]).toBe(7);
  expect(fabric.configRead({ domain: 0, bus: 1, device: 0, function: 0 }, 0x10, 4)).toBe(0xd000000c);
});

test('a BAR register that was captured as zero keeps the place that the kernel names', () => {
  const { hierarchy } = described();
  const facts = hierarchy.functions.map((fn) => {
    if (fn.isBridge) return fn.facts;
    const bytes = fn.config.bytes.slice();
    bytes.fill(0, 0x10, 0x28);
    return { ...fn.facts, config: new ConfigSpace(bytes) };
  });
  const fabric = new Fabric({ hierarchy: new Hierarchy(facts.map((one) => new PciFunction(one))), ram: [] });
  const start = hierarchy.functions[1]?.bars[1]?.busAddress;
  expect(fabric.function(1).bar(1)?.start).toBe(start);
  fabric.function(1).prepare();
  expect(fabric.function(1).bar(1)?.start).toBe(start);
});
