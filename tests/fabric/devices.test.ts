/** Device models on the fabric, configuration accesses, hot-plug, time and traces. */

import { expect, test } from 'vitest';
import { AssertionError, busAddr, dmaAddr } from '../../src/core/index.ts';
import { type BarTarget, DmaEngine, FunctionPort, prepare, SparseMemory, Trace } from '../../src/fabric/index.ts';
import { type Bdf, bdfFromRoutingId } from '../../src/pcie/index.ts';
import { type Bench, ONE_BAR, pattern, switchWithTwoEndpoints, twoRootPorts } from './trees.ts';

const BYTES = [1, 2, 3, 4];

function bdfOf(bench: Bench, name: string): Bdf {
  return bench.fn(name).fn.bdf;
}

test('E1: a transfer inside the own BAR puts nothing on any link, whatever the registers say', () => {
  const bench = switchWithTwoEndpoints({ acs: ['RR', 'CR'], a: { ...ONE_BAR, busMaster: false, memorySpace: false } });
  const bytes = pattern(10_000);
  bench.memory('a').write(0, bytes);
  const engine = new DmaEngine(bench.fabric, bench.index('a'));
  const answer = engine.run({ source: { bar: 0, offset: 0 }, target: { bar: 0, offset: 20_000 }, length: 10_000 });
  expect(answer).toMatchObject({ ok: true, source: { status: 'SC' }, target: { status: 'SC' } });
  expect(Uint8Array.from(bench.bytes('a', 20_000, 10_000))).toEqual(bytes);
  expect(bench.fabric.links.busy()).toEqual([]);
  expect(bench.fabric.counters).toMatchObject({ memoryWrites: 0, memoryReads: 0, completions: 0 });
});

test('a DMA engine moves bytes between RAM, a peer and its own BAR, each side in the form that it was programmed with', () => {
  const bench = switchWithTwoEndpoints();
  const bytes = pattern(10_000);
  bench.fabric.ram.write(0x1234, bytes);
  const engine = new DmaEngine(bench.fabric, bench.index('a'));
  const ram = { address: dmaAddr(busAddr(0x1234)) };
  const peer = { address: dmaAddr(busAddr(bench.bus('b') + 77)) };
  const own = { bar: 0, offset: 5 };
  expect(engine.run({ source: ram, target: peer, length: 10_000 }).ok).toBe(true);
  expect(Uint8Array.from(bench.bytes('b', 77, 10_000))).toEqual(bytes);
  expect(engine.run({ source: peer, target: own, length: 9_000 }).ok).toBe(true);
  expect(Uint8Array.from(bench.bytes('a', 5, 9_000))).toEqual(bytes.subarray(0, 9_000));
  expect(engine.run({ source: own, target: { address: dmaAddr(busAddr(0x9000)) }, length: 100 }).ok).toBe(true);
  const into = new Uint8Array(100);
  bench.fabric.ram.read(0x9000, into);
  expect(into).toEqual(bytes.subarray(0, 100));
});

test('an offset behind the end of the own BAR is refused inside the device', () => {
  const bench = switchWithTwoEndpoints();
  const engine = new DmaEngine(bench.fabric, bench.index('a'));
  const end = bench.fn('a').bar(0)?.size as number;
  const ram = { address: dmaAddr(busAddr(0x1000)) };
  expect(engine.run({ source: { bar: 0, offset: end - 2 }, target: ram, length: 4 })).toMatchObject({
    ok: false,
    target: null,
  });
  expect(engine.run({ source: ram, target: { bar: 0, offset: end - 2 }, length: 4 })).toMatchObject({ ok: false });
  expect(() => engine.run({ source: { bar: 3, offset: 0 }, target: ram, length: 4 })).toThrow(AssertionError);
});

test('half a descriptor says what became of it: behind the end, refused by the device, or in a function that is gone', () => {
  const bench = switchWithTwoEndpoints();
  const engine = new DmaEngine(bench.fabric, bench.index('a'));
  const end = bench.fn('a').bar(0)?.size as number;
  const bytes = pattern(4);
  const both = (offset: number) => [
    engine.send({ bar: 0, offset }, bytes),
    engine.fetch({ bar: 0, offset }, new Uint8Array(4)),
  ];
  for (const done of both(end - 4)) expect(done).toMatchObject({ status: 'SC', fate: 'delivered', bytesDelivered: 4 });
  for (const done of both(end - 3)) {
    expect(done).toMatchObject({ fate: 'completerAbort', reason: 'endOfTarget', at: bench.index('a') });
  }
  const target: BarTarget = { read: () => false, write: () => false, bulkLength: () => 0 };
  bench.fabric.attachBar(bench.index('a'), 0, target);
  for (const done of both(0)) expect(done).toMatchObject({ fate: 'completerAbort', reason: 'deviceRefuses' });
  bench.fabric.unplug(bench.index('a'));
  for (const done of both(0)) expect(done).toMatchObject({ status: 'notSent', fate: 'notSent', reason: 'absent' });
});

test('E52: what a device does not recognise as its own leaves on the link and meets its own port', () => {
  const bench = switchWithTwoEndpoints();
  const engine = new DmaEngine(bench.fabric, bench.index('a'));
  const own = { address: dmaAddr(busAddr(bench.bus('a'))) };
  const ram = { address: dmaAddr(busAddr(0x1000)) };
  expect(engine.run({ source: own, target: ram, length: 4 }).source).toMatchObject({
    status: 'UR',
    reason: 'samePort',
  });
  // A posted write to the own BAR is lost, and the engine thinks that all is well.
  const lost = engine.run({ source: ram, target: own, length: 4 });
  expect(lost).toMatchObject({ ok: true, target: { status: 'posted', fate: 'unsupportedRequest' } });
});

/** Registers that count their accesses; a write to 0 makes the device send. */
class Doorbell implements BarTarget {
  readonly log: string[] = [];
  onRing: (() => void) | null = null;

  read(offset: number, into: Uint8Array): boolean {
    this.log.push(`read ${offset} ${into.length}`);
    into.fill(0x5a);
    return offset < 64;
  }

  write(offset: number, from: Uint8Array, start = 0, end: number = from.length): boolean {
    this.log.push(`write ${offset} ${from.subarray(start, end).join('.')}`);
    if (offset === 0) this.onRing?.();
    return offset < 64;
  }

  bulkLength(): number {
    return 0;
  }
}

test('a device model behind a BAR is called once a TLP, and may send while it is called', () => {
  const bench = switchWithTwoEndpoints();
  const doorbell = new Doorbell();
  bench.fabric.attachBar(bench.index('b'), 0, doorbell);
  const port = new FunctionPort(bench.fabric, bench.index('b'));
  const fetched = new Uint8Array(1000);
  bench.fabric.ram.write(0x2000, pattern(1000));
  doorbell.onRing = () => {
    expect(port.read(0x2000, fetched)).toBe('SC');
    expect(port.write(bench.bus('a') + 16, fetched)).toBe('SC');
  };
  expect(bench.write('a', bench.bus('b'), BYTES).fate).toBe('delivered');
  expect(fetched).toEqual(pattern(1000));
  expect(Uint8Array.from(bench.bytes('a', 16, 1000))).toEqual(pattern(1000));
  expect(bench.read('a', bench.bus('b') + 8, 4)).toMatchObject({ status: 'SC', bytes: [0x5a, 0x5a, 0x5a, 0x5a] });
  doorbell.onRing = null;
  bench.write('a', bench.bus('b') + 4, new Uint8Array(300));
  expect(doorbell.log.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
    'write 0',
    'read 8',
    'write 4',
    'write 256',
  ]);
  expect(() => bench.memory('b')).toThrow(AssertionError);
});

test('a device that refuses: the read is aborted, the write lost and logged', () => {
  const bench = switchWithTwoEndpoints();
  bench.fabric.attachBar(bench.index('b'), 0, new Doorbell());
  expect(bench.read('a', bench.bus('b') + 64, 4)).toMatchObject({
    status: 'CA',
    reason: 'deviceRefuses',
    bytes: [255, 255, 255, 255],
  });
  const roads = bench.road(() =>
    expect(bench.write('a', bench.bus('b') + 64, BYTES)).toMatchObject({ status: 'posted', fate: 'completerAbort' }),
  );
  expect(roads).toEqual(['write a:issue dspA:peer dspB:downstream b:accept b:stop']);
  expect(bench.fabric.errors.entries.map((error) => error.aer)).toEqual(['completerAbort', 'completerAbort']);
});

test('a port tells no more than hardware does: a lost write looks like any other', () => {
  const bench = twoRootPorts({ rootComplex: 'drop' });
  const port = new FunctionPort(bench.fabric, bench.index('a'));
  expect(port.write(bench.cpu('b'), Uint8Array.of(1))).toBe('SC');
  expect(port.read(bench.cpu('b'), new Uint8Array(1))).toBe('timeout');
  expect(port.busAddress(0)).toBe(bench.bus('a'));
  bench.fn('a').writeConfig(4, 2, 0);
  expect(port.write(0x1000, Uint8Array.of(1))).toBe('notSent');
  expect(port.busAddress(0)).toBeNull();
  expect(port.busAddress(4)).toBeNull();
});

test('configuration accesses are routed by bus number; nobody answers with all ones', () => {
  const bench = switchWithTwoEndpoints();
  const { fabric } = bench;
  const a = bdfOf(bench, 'a');
  expect(bench.road(() => expect(fabric.configRead(a, 0, 4)).toBe(0x11001af4))).toEqual([
    'configRead rc:issue rc:forward rp:downstream usp:downstream dspA:downstream a:accept',
  ]);
  expect(fabric.configRead({ ...a, device: 5 }, 0, 2)).toBe(0xffff);
  expect(fabric.configRead({ ...a, bus: 200 }, 0, 4)).toBe(0xffffffff);
  expect(fabric.configRead({ ...a, domain: 7 }, 0, 1)).toBe(0xff);
  // Sizing: ones to a 64-bit BAR of 4 MiB read back as its size.
  fabric.configWrite(a, 0x10, 4, 0xffffffff);
  fabric.configWrite(a, 0x14, 4, 0xffffffff);
  expect([fabric.configRead(a, 0x10, 4), fabric.configRead(a, 0x14, 4)]).toEqual([0xffc0000c, 0xffffffff]);
  expect(bench.fn('a').bar(0)?.start).toBeNull();
  // Read-only bits stay.
  fabric.configWrite(a, 0, 4, 0);
  expect(fabric.configRead(a, 0, 4)).toBe(0x11001af4);
  expect(fabric.counters).toMatchObject({ configReads: 7, configWrites: 3 });
  // Bus numbers are registers too.
  bench.fn('dspA').writeConfig(0x19, 1, 0x42);
  bench.fn('dspA').writeConfig(0x1a, 1, 0x42);
  expect(fabric.configRead(a, 0, 4)).toBe(0xffffffff);
});

test('E51: a BAR that moves takes its memory along: the old address is a gap, the new one works', () => {
  const bench = switchWithTwoEndpoints({ b: { bars: [{ size: 4096, prefetchable: true }] } });
  const old = bench.bus('b');
  bench.write('a', old, BYTES);
  const moved = old + 0x8000;
  bench.fabric.configWrite(bdfOf(bench, 'b'), 0x10, 4, moved % 2 ** 32);
  expect(bench.bus('b')).toBe(moved);
  expect(bench.read('a', old, 4)).toMatchObject({ status: 'UR', reason: 'windowGap' });
  expect(bench.read('a', moved, 4).bytes).toEqual(BYTES);
  // A place that is no multiple of the size cannot be written into the register.
  bench.fabric.configWrite(bdfOf(bench, 'b'), 0x10, 4, (old + 0x800) % 2 ** 32);
  expect(bench.bus('b')).toBe(old);
});

test('E24: a device that is pulled out answers no more and sends no more, and neither does what is below it', () => {
  const bench = switchWithTwoEndpoints();
  const { fabric } = bench;
  bench.write('a', bench.bus('b'), BYTES);
  const address = bench.bus('b');
  fabric.unplug(bench.index('b'));
  expect(bench.read('a', address, 4)).toMatchObject({ status: 'UR', reason: 'linkDown', at: bench.index('dspB') });
  expect(bench.write('a', address, BYTES)).toMatchObject({ status: 'posted', fate: 'unsupportedRequest' });
  expect(bench.write('b', 0x1000, BYTES)).toMatchObject({ status: 'notSent', reason: 'absent' });
  expect(fabric.configRead(bdfOf(bench, 'b'), 0, 4)).toBe(0xffffffff);
  fabric.replug(bench.index('b'));
  expect(bench.read('a', address, 4).bytes).toEqual(BYTES);
  // The whole switch.
  const cpu = bench.cpu('a');
  fabric.unplug(bench.index('usp'));
  expect(fabric.cpuRead(cpu, new Uint8Array(4))).toMatchObject({
    status: 'UR',
    reason: 'linkDown',
    at: bench.index('rp'),
  });
  expect(bench.write('a', address, BYTES).status).toBe('notSent');
});

test('a completion for a requester that was pulled out is unexpected where it was', () => {
  const bench = switchWithTwoEndpoints();
  const target = new Doorbell();
  bench.fabric.attachBar(bench.index('b'), 0, {
    read: (_, into) => {
      into.fill(1);
      return true;
    },
    write: () => {
      bench.fabric.unplug(bench.index('a'));
      return true;
    },
    bulkLength: () => 0,
  });
  expect(target.bulkLength()).toBe(0);
  expect(bench.write('a', bench.bus('b'), BYTES).fate).toBe('delivered');
  expect(bench.read('a', bench.bus('b'), 4).status).toBe('notSent');
});

test('preparing sets enables on the function and all bridges above, and says which', () => {
  const off = { memorySpace: false, busMaster: false };
  const bench = switchWithTwoEndpoints({ a: { ...ONE_BAR, ...off }, portA: off, rp: { busMaster: false } });
  expect(bench.write('a', 0x1000, BYTES).status).toBe('notSent');
  expect(prepare(bench.fabric, [bench.index('a'), bench.index('b')])).toEqual([
    { index: bench.index('rp'), name: bench.fn('rp').name, memorySpace: false, busMaster: true },
    { index: bench.index('dspA'), name: bench.fn('dspA').name, memorySpace: true, busMaster: true },
    { index: bench.index('a'), name: bench.fn('a').name, memorySpace: true, busMaster: true },
  ]);
  expect(bench.write('a', 0x1000, BYTES).fate).toBe('delivered');
  expect(bench.write('b', bench.bus('a'), BYTES).fate).toBe('delivered');
  expect(prepare(bench.fabric, [bench.index('a')])).toEqual([]);
});

test('time: the slowest link of the way rules, and only the line rate counts', () => {
  const slow = { speedGts: 8, width: 4 };
  const bench = switchWithTwoEndpoints({ portA: { link: slow }, portB: { link: { speedGts: 32, width: 16 } } });
  const length = 2 ** 20;
  bench.fabric.memoryWrite(bench.index('a'), bench.bus('b'), new Uint8Array(length));
  const rate = (8 * 4 * 128) / 130 / 8;
  const wire = length + (length / 256) * 24;
  const fast = (32 * 16 * 128) / 130 / 8;
  expect(bench.fabric.clock.nowNs).toBeCloseTo(wire / rate + 24 / rate + 24 / fast, 3);
});

test('links are counted in both directions, in TLPs and in bytes on the wire', () => {
  const bench = switchWithTwoEndpoints();
  bench.write('a', bench.bus('b'), new Uint8Array(512));
  bench.read('a', 0x1000, 512);
  expect(bench.fabric.links.of(bench.index('dspA'))).toEqual({
    port: bench.index('dspA'),
    upTlps: 2 + 1,
    upBytes: 2 * (24 + 256) + 20,
    downTlps: 2,
    downBytes: 2 * (20 + 256),
  });
  expect(bench.fabric.links.of(bench.index('dspB'))).toMatchObject({
    upTlps: 0,
    downTlps: 2,
    downBytes: 2 * (24 + 256),
  });
  expect(bench.fabric.links.busy().map((link) => bench.nameOf(link.port))).toEqual(['rp', 'dspA', 'dspB']);
});

test('a trace keeps times that do not fall within a TLP, and no more hops than it has room for', () => {
  const bench = switchWithTwoEndpoints();
  const trace = new Trace(6);
  const stop = bench.fabric.watch(trace.record);
  bench.read('a', bench.bus('b') + 250, 12);
  stop();
  bench.write('a', bench.bus('b'), BYTES);
  expect(trace.hops).toHaveLength(6);
  expect(trace.dropped).toBe(6);
  expect(trace.hops.map((hop) => hop.kind)).toEqual([...Array(4).fill('memoryRead'), ...Array(2).fill('completion')]);
  for (let at = 1; at < 4; at++)
    expect(trace.hops[at]?.timeNs).toBeGreaterThanOrEqual(trace.hops[at - 1]?.timeNs as number);
  expect(trace.hops[4]).toMatchObject({ address: bench.bus('b') + 250, length: 6, timeNs: trace.hops[3]?.timeNs });
  trace.clear();
  expect(trace.hops).toEqual([]);
});

test('an own piece of memory may be put behind a BAR, and shared', () => {
  const bench = switchWithTwoEndpoints();
  const shared = new SparseMemory(2 ** 22);
  bench.fabric.attachBar(bench.index('a'), 0, shared);
  bench.fabric.attachBar(bench.index('b'), 0, shared);
  bench.write('a', bench.bus('b') + 5, BYTES);
  expect(bench.read('b', bench.bus('a') + 5, 4).bytes).toEqual(BYTES);
});

test('a requester ID names a function', () => {
  const bench = switchWithTwoEndpoints();
  expect(bdfFromRoutingId(0, bench.fn('a').requesterId)).toEqual(bdfOf(bench, 'a'));
});
