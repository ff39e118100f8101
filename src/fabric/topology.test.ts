import { expect, test } from 'vitest';
import { buildTree } from '../pcie/build-tree.ts';
import { ConfigSpace } from '../pcie/config-space.ts';
import type { FunctionFacts, TextFacts } from '../pcie/function-facts.ts';
import { Hierarchy } from '../pcie/hierarchy.ts';
import { PciFunction } from '../pcie/pci-function.ts';
import { linkBytesPerNs } from './link-rate.ts';
import { Topology } from './topology.ts';

const ENDPOINT = { kind: 'endpoint', functions: [{ bars: [{ size: 4096 }] }] } as const;

test('the offset of a host bridge is what most functions below it say', () => {
  const { hierarchy } = buildTree({
    rootBuses: [
      {
        children: [
          { kind: 'rootPort', below: [ENDPOINT] },
          { kind: 'rootPort', below: [ENDPOINT] },
        ],
      },
    ],
  });
  const functions = hierarchy.functions.map(
    (fn, index) => new PciFunction(fn.facts, { busOffset: index === 0 ? 0 : -4096, extendedVisible: true }),
  );
  expect(new Topology(new Hierarchy(functions)).rootBuses[0]?.busOffset).toBe(-4096);
});

function bridge(bus: number, secondary: number, subordinate: number): FunctionFacts {
  const text: TextFacts = {
    headerType: 1,
    classCode: 0x0604,
    capabilitiesDenied: true,
    busNumbers: { primary: bus, secondary, subordinate },
    lines: {},
    file: 'lspci.txt',
  };
  return {
    bdf: { domain: 0, bus, device: 1, function: 0 },
    config: ConfigSpace.UNKNOWN,
    configSource: null,
    text,
    sysfs: null,
  };
}

test('bridges of which nobody tells the port type are taken for root port, upstream and downstream port by their depth', () => {
  const facts = [bridge(0, 1, 4), bridge(1, 2, 4), bridge(2, 3, 4), bridge(3, 4, 4)];
  const topology = new Topology(new Hierarchy(facts.map((one) => new PciFunction(one))));
  expect(topology.functions.map((node) => [node.kind, node.below?.kind])).toEqual([
    ['rootPort', 'link'],
    ['upstreamPort', 'internal'],
    ['downstreamPort', 'link'],
    ['upstreamPort', 'internal'],
  ]);
  expect(topology.depth).toBe(3);
});

test('a port whose own link registers are not known has the link of the device below it', () => {
  const { hierarchy } = buildTree({
    rootBuses: [
      { hostBridge: null, children: [{ kind: 'rootPort', link: { speedGts: 32, width: 8 }, below: [ENDPOINT] }] },
    ],
  });
  const functions = hierarchy.functions.map((fn) => {
    if (!fn.isBridge) return fn;
    // 64 bytes, as a dump without root has them.
    return new PciFunction({ ...fn.facts, config: new ConfigSpace(fn.config.bytes.slice(0, 64)) });
  });
  const [port] = new Topology(new Hierarchy(functions)).functions;
  const wanted = linkBytesPerNs({ maxSpeedGts: null, maxWidth: null, speedGts: 32, width: 8, active: null });
  expect(port?.linkBytesPerNs).toBe(wanted);
});
