/** The mail's two sketches on bundled machines: what `npm start` shows, asserted. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, JudgeContext, P2pMemory, parseBdf, RamAllocator } from 'p2pdma';
import { expect, test } from 'vitest';
import { submit } from '../../dist/examples/the-mail.js';
import { bundledMachine, runTheMail } from '../../dist/examples/the-mail-world.js';

const MAPPER = '0000:03:00.0';
const BELOW_SWITCH = '0000:06:00.0';
const BEHIND_ACS = '0000:05:00.0';

async function world() {
  const machine = await bundledMachine('iommu-lazy-switch4-acs-off2');
  const at = (name: string) => machine.hierarchy.at(parseBdf(name) as NonNullable<ReturnType<typeof parseBdf>>);
  return { machine, at, context: new JudgeContext(machine), ram: new RamAllocator(machine.ram) };
}

test('MAIL2: the submitter sees (b2) and (c) alike: same flag, and it never compares provider and mapper', async () => {
  const { at, context, ram } = await world();
  const mapper = at(MAPPER);
  const flagsOf = (name: string): number => {
    const fn = at(name);
    if (!mapper || !fn) throw new Error('the bundled machine has both');
    const provider = new P2pMemory(fn);
    provider.addResource({ bar: 2 });
    return submit(mapper, { provider, ram, context }, 4096).vector.flags;
  };
  expect(flagsOf(MAPPER)).toBe(BVEC_MAP_BUS_ADDR);
  expect(flagsOf(BELOW_SWITCH)).toBe(flagsOf(MAPPER));
  expect(flagsOf(BEHIND_ACS)).toBe(BVEC_MAP_RESOURCE);
});

test('MAIL3: a pool that is exhausted falls back to RAM and says why', async () => {
  const { at, context, ram } = await world();
  const [mapper, fn] = [at(MAPPER), at(BELOW_SWITCH)];
  if (!mapper || !fn) throw new Error('the bundled machine has both');
  const provider = new P2pMemory(fn);
  provider.addResource({ bar: 2 });
  provider.allocate(provider.available);
  const { vector, distance, why } = submit(mapper, { provider, ram, context }, 4096);
  expect({ flags: vector.flags, distance }).toEqual({ flags: 0, distance: 4 });
  expect(why).toContain('has no 4096 bytes left: RAM instead');
  expect(ram.allocations).toBe(1);
});

test('MAIL4: five vectors, four cases: one IOVA for three, no lookup, each road as mapped, every byte right', async () => {
  const machine = await bundledMachine('iommu-lazy-switch4-acs-off2');
  const run = runTheMail(machine, MAPPER, [null, BELOW_SWITCH, BEHIND_ACS, MAPPER, null]);
  expect(run.programmed.map((one) => one.space)).toEqual(['iova', 'bus', 'iova', 'bar', 'iova']);
  expect(run.iova.size).toBe(3 * 4096);
  expect(run.counters).toEqual({ lookups: 0, lastHits: 0, pages: 0 });
  const visits = run.hops.map((hops) => hops.map((hop) => machine.hierarchy.functions[hop.at]?.name ?? 'root complex'));
  expect(visits[1]).not.toContain('root complex');
  expect(visits[1]).toContain('0000:02:00.0');
  expect(visits[3]).toEqual([]);
  for (const input of [0, 2, 4]) expect(visits[input]).toContain('root complex');
  expect([run.bytesEqual, run.bytesTotal]).toEqual([5 * 4096, 5 * 4096]);
});

test('MAIL5: on a listed CPU no more: vector 2 becomes distance -1, RAM, flags 0', async () => {
  const machine = await bundledMachine('iommu-lazy-switch4-acs-off2', { vendor: 'GenuineIntel', family: 6 });
  const run = runTheMail(machine, MAPPER, [null, BELOW_SWITCH, BEHIND_ACS, MAPPER, null]);
  expect(run.submitted[2]).toMatchObject({ distance: -1, vector: { flags: 0 } });
  expect(run.bytesEqual).toBe(run.bytesTotal);
});

test('MAIL6: where bus and CPU addresses differ, allocPhys and allocBusAddr are two views of one allocation', async () => {
  const machine = await bundledMachine('syn-four-off-pos');
  const fn = machine.hierarchy.at(parseBdf('0001:05:00.0') as NonNullable<ReturnType<typeof parseBdf>>);
  if (!fn) throw new Error('the bundled machine has it');
  const provider = new P2pMemory(fn);
  provider.addResource({ bar: 0 });
  const phys = provider.allocPhys(4096);
  if (phys === null) throw new Error('the pool is fresh');
  provider.freePhys(phys, 4096);
  const bus = provider.allocBusAddr(4096);
  expect(bus).toBe(phys + fn.busOffset);
  expect(fn.busOffset).toBe(-0x1f00000000);
  const run = runTheMail(machine, '0001:03:00.0', ['0001:05:00.0', '0001:04:00.0']);
  expect(run.bytesEqual).toBe(run.bytesTotal);
});

test('MAIL7: npm start prints the five vectors, the roads and the bytes', () => {
  const script = new URL('../../dist/examples/run-the-mail.js', import.meta.url).pathname;
  const text = execFileSync(process.execPath, [script], { encoding: 'utf8' });
  for (const line of [
    /^mapping device 0000:03:00.0 {5}IOMMU on {5}AMD family 23, Linux 6.12.117$/m,
    /^1 {2}0000:06:00.0 {3}4 .* BVEC_MAP_BUS_ADDR$/m,
    /^2 {2}0000:05:00.0 {3}4 \| THRU_HOST_BRIDGE .* BVEC_MAP_RESOURCE$/m,
    /^3 {2}0000:03:00.0 {3}0 .* BVEC_MAP_BUS_ADDR/m,
    /^dma_map_bvec: one IOVA 0x[0-9a-f]+ \+ 12288 for 3 of 5 vectors; 0 lookups, 0 page descriptors$/m,
    /^wire: {2}0, 2, 4 pass root port 00:02.0 and the IOMMU; {2}1 turns round inside the switch; {2}3: no TLP on any link$/m,
    /^bytes: 20480 of 20480 equal$/m,
  ]) {
    expect(text).toMatch(line);
  }
});

test('MAIL: the sketches are typed through: no cast, and no value made up where one may be missing', () => {
  const text = readFileSync(new URL('../../examples/the-mail.ts', import.meta.url), 'utf8');
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  expect(code.match(/\?\?|\bas\s+(?!const)\w+|!\.|\bany\b/g)).toBeNull();
});
