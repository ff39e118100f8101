/** The prediction is the kernel's, pair by pair. */

import { expect, test } from 'vitest';
import { p2pdmaDistance } from '../../src/p2p/distance.ts';
import { nearestProviders, p2pdmaDistanceMany } from '../../src/p2p/find.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';
import { type Bdf, parseBdf } from '../../src/pcie/bdf.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';
import { readTruth, type TruthCase, truthType } from './truth.ts';

const cases = await readTruth();

function contextOf({ machine }: TruthCase): { context: JudgeContext; at: (name: string) => PciFunction } {
  const at = (name: string): PciFunction => {
    const fn = machine.hierarchy.at(parseBdf(name) as Bdf);
    if (!fn) throw new Error(`${name} is not in ${machine.source}`);
    return fn;
  };
  return { context: new JudgeContext(machine, policyForKernel(machine.kernel)), at };
}

test('hierarchy: upstream bridge, port type, ACS and BARs of every function are the kernel’s', () => {
  let functions = 0;
  for (const item of cases) {
    const { at } = contextOf(item);
    const { hierarchy } = item.machine;
    for (const { bdf, kernel } of item.truth.functions) {
      const fn = at(bdf);
      functions++;
      const parent = hierarchy.parent[hierarchy.indexOf(fn.bdf)] as number;
      const acs = fn.acs;
      expect({
        bdf,
        upstream: hierarchy.functions[parent]?.name ?? null,
        acs: acs.state === 'present' ? [acs.offset, acs.capability, acs.control] : acs.state,
        headerType: fn.headerType,
        vendor: fn.vendorId,
        device: fn.deviceId,
        bars: fn.bars
          .filter((bar) => bar.space === 'memory')
          .map((bar) => [bar.index, bar.cpuAddress, bar.busAddress, bar.size]),
      }).toEqual({
        bdf,
        upstream: kernel.upstream,
        acs: kernel.acs ? [Number(kernel.acs.pos), Number(kernel.acs.cap), Number(kernel.acs.ctrl)] : 'absent',
        headerType: kernel.hdr,
        vendor: Number.parseInt(kernel.vendor, 16),
        device: Number.parseInt(kernel.device, 16),
        bars: kernel.res
          .filter((res) => res.i < (kernel.hdr === 1 ? 2 : 6) && (Number(res.flags) & 0x200) !== 0)
          .map((res) => [res.i, Number(res.start), Number(res.bus_start), Number(res.end) - Number(res.start) + 1]),
      });
    }
  }
  console.log(`compared ${functions} functions of ${cases.length} machines`);
  expect(functions).toBeGreaterThan(0);
});

test('distance: every ordered pair has the kernel’s type and, where it is supported, its distance', () => {
  let pairs = 0;
  for (const item of cases) {
    const { context, at } = contextOf(item);
    for (const pair of item.truth.distance) {
      const verdict = p2pdmaDistance(at(pair.p), at(pair.c), context);
      const wanted = truthType(item.truth, pair);
      const found = { type: verdict.type, distance: pair.d === -1 ? -1 : verdict.distance };
      expect(found, `${item.truth.name}: ${pair.p} -> ${pair.c}`).toEqual({ type: wanted, distance: pair.d });
      pairs++;
    }
  }
  console.log(`compared ${pairs} pairs of ${cases.length} machines`);
  expect(pairs).toBeGreaterThan(0);
});

test('distance_many: the sum over clients, or -1', () => {
  let questions = 0;
  for (const item of cases) {
    const { context, at } = contextOf(item);
    for (const { p, cs, d } of item.truth.distance_many) {
      expect(p2pdmaDistanceMany(at(p), cs.map(at), context), `${item.truth.name}: ${p} -> ${cs.join(' ')}`).toBe(d);
      questions++;
    }
  }
  console.log(`compared ${questions} sums`);
  expect(questions).toBeGreaterThan(0);
});

test('find: the kernel picked among our nearest published providers, and found none where we find none', () => {
  let questions = 0;
  for (const item of cases) {
    const { context, at } = contextOf(item);
    const published = item.machine.hierarchy.functions.filter((fn) => fn.facts.sysfs?.p2pmem?.published === true);
    for (const { cs, chosen } of item.truth.find) {
      const nearest = nearestProviders(published, cs.map(at), context).map((fn) => fn.name);
      const label = `${item.truth.name}: ${cs.join(' ')}`;
      expect(nearest, label).toEqual(expect.arrayContaining(chosen));
      expect(nearest.length === 0, label).toBe(chosen.length === 0);
      questions++;
    }
  }
  console.log(`compared ${questions} choices`);
  expect(questions).toBeGreaterThan(0);
});
