/** Routing by windows, BARs, enables and bus numbers: facts 5.4 and rows 59, 60, 64 of the edge cases. */

import { expect, test } from 'vitest';
import { prepare } from '../../src/fabric/index.ts';
import { Bench, ONE_BAR, RAM, switchWithTwoEndpoints, twoFunctions, twoRootPorts } from './trees.ts';

const BYTES = [1, 2, 3, 4];

test('E59: with Bus Master Enable off a client sends no TLP at all', () => {
  const bench = switchWithTwoEndpoints({ a: { ...ONE_BAR, busMaster: false } });
  expect(bench.write('a', bench.bus('b'), BYTES)).toMatchObject({
    status: 'notSent',
    reason: 'busMasterOff',
    bytesDelivered: 0,
  });
  expect(bench.read('a', 0x1000, 4)).toMatchObject({ status: 'notSent', bytes: [255, 255, 255, 255] });
  expect(bench.fabric.counters).toMatchObject({ memoryWrites: 0, memoryReads: 0, completions: 0 });
  expect(bench.fabric.links.busy()).toEqual([]);
  // Being written to needs no Bus Master Enable.
  expect(bench.write('b', bench.bus('a'), BYTES).fate).toBe('delivered');
});

test('E59: Bus Master Enable off at the downstream port: Unsupported Request, peers included', () => {
  const bench = switchWithTwoEndpoints({ portA: { busMaster: false } });
  for (const address of [bench.bus('b'), 0x1000]) {
    expect(bench.read('a', address, 4)).toMatchObject({
      status: 'UR',
      reason: 'busMasterOff',
      at: bench.index('dspA'),
    });
  }
  // Completions are no requests: b reads from a.
  expect(bench.read('b', bench.bus('a'), 4).status).toBe('SC');
});

test('E59: Bus Master Enable off at the upstream port stops only what leaves the switch', () => {
  const bench = switchWithTwoEndpoints({ upstream: { busMaster: false } });
  expect(bench.read('a', bench.bus('b'), 4).status).toBe('SC');
  expect(bench.read('a', 0x1000, 4)).toMatchObject({ status: 'UR', at: bench.index('usp') });
});

test('E59: Bus Master Enable off at the root port: Unsupported Request there', () => {
  const bench = switchWithTwoEndpoints({ rp: { busMaster: false } });
  expect(bench.read('a', bench.bus('b'), 4).status).toBe('SC');
  expect(bench.read('a', 0x1000, 4)).toMatchObject({ status: 'UR', reason: 'busMasterOff', at: bench.index('rp') });
});

test('E59: Memory Space Enable off at the provider: it answers Unsupported Request', () => {
  const bench = switchWithTwoEndpoints({ b: { ...ONE_BAR, memorySpace: false } });
  expect(bench.read('a', bench.bus('b'), 4)).toMatchObject({
    status: 'UR',
    reason: 'memorySpaceOff',
    at: bench.index('b'),
  });
});

test('E59: Memory Space Enable off at the port above the provider: nobody in the switch claims', () => {
  const bench = switchWithTwoEndpoints({ portB: { memorySpace: false } });
  expect(bench.read('a', bench.bus('b'), 4)).toMatchObject({
    status: 'UR',
    reason: 'memorySpaceOff',
    at: bench.index('usp'),
  });
  const port = twoRootPorts();
  port.fn('rpB').writeConfig(4, 2, 0x4);
  expect(port.read('a', port.cpu('b'), 4)).toMatchObject({ status: 'UR', reason: 'memorySpaceOff', at: -1 });
});

test('E59: a gap in the windows of the upstream port, which no port claims, is Unsupported Request', () => {
  const bench = switchWithTwoEndpoints({ upstream: { spareMemory: 2 ** 21 }, a: { bars: [{ size: 4096 }] } });
  const gap = bench.fn('usp').memoryEnd - 4096;
  expect(bench.read('a', gap, 4)).toMatchObject({ status: 'UR', reason: 'windowGap', at: bench.index('usp') });
  const redirecting = switchWithTwoEndpoints({
    upstream: { spareMemory: 2 ** 21 },
    a: { bars: [{ size: 4096 }] },
    rules: { unclaimedInSwitch: 'upstream' },
  });
  // Up it goes, and meets the window of the root port from below.
  expect(redirecting.read('a', gap, 4)).toMatchObject({
    status: 'UR',
    reason: 'samePort',
    at: redirecting.index('rp'),
  });
});

test('E59: a window of a port that its device does not fill: the device answers Unsupported Request', () => {
  const bench = switchWithTwoEndpoints({ portB: { spareMemory: 2 ** 20 }, b: { bars: [{ size: 4096 }] } });
  const behind = bench.fn('dspB').memoryEnd - 4;
  expect(bench.read('a', behind, 4)).toMatchObject({ status: 'UR', reason: 'windowGap', at: bench.index('b') });
});

test('E59: a closed window claims nothing', () => {
  const bench = switchWithTwoEndpoints();
  const address = bench.bus('b');
  // Limit below base: closed.
  bench.fn('dspB').writeConfig(0x24, 4, 0x0000fff0);
  bench.fn('dspB').writeConfig(0x28, 4, 0xffffffff);
  bench.fn('dspB').writeConfig(0x2c, 4, 0);
  expect(bench.fn('dspB').prefetchableEnd).toBe(0);
  expect(bench.read('a', address, 4)).toMatchObject({ status: 'UR', reason: 'windowGap', at: bench.index('usp') });
});

test('E60: a posted write to nobody is lost in silence and logged; the same read gets an error completion', () => {
  const bench = switchWithTwoEndpoints({ b: { ...ONE_BAR, memorySpace: false } });
  const address = bench.bus('b');
  expect(bench.write('a', address, BYTES)).toMatchObject({ status: 'posted', fate: 'unsupportedRequest' });
  expect(bench.fabric.errors.entries).toMatchObject([
    { at: bench.index('b'), aer: 'unsupportedRequest', isWrite: true },
  ]);
  const { registers } = bench.fn('b');
  expect(registers.read(registers.aer + 4, 4)).toBe(1 << 20);
  expect(registers.read(registers.express + 0x0a, 2)).toBe(0xa);
  expect(bench.read('a', address, 4)).toMatchObject({ status: 'UR', bytes: [255, 255, 255, 255] });
  expect(bench.fabric.counters).toMatchObject({
    memoryWrites: 1,
    memoryReads: 1,
    completions: 1,
    bytesWritten: 0,
    bytesRead: 0,
  });
});

test('E60: an address that is neither RAM nor MMIO: Unsupported Request at the root complex', () => {
  const bench = twoRootPorts();
  expect(bench.read('a', 0xb0000, 4)).toMatchObject({ status: 'UR', reason: 'noSuchAddress', at: -1 });
  expect(bench.write('a', 2 ** 50, BYTES)).toMatchObject({ status: 'posted', fate: 'unsupportedRequest' });
});

test('E64: a raw request across 4 KiB, or with the wrong header form, is malformed at its first receiver', () => {
  const bench = switchWithTwoEndpoints();
  const { fabric } = bench;
  const a = bench.index('a');
  const address = bench.bus('b');
  expect(address).toBeGreaterThan(2 ** 32);
  const bytes = Uint8Array.of(...BYTES);
  const malformed = { status: 'posted', fate: 'malformed', at: bench.index('dspA') };
  expect(fabric.sendWrite(a, address + 4096 - 2, bytes, '4DW')).toMatchObject({ ...malformed, reason: 'crosses4KiB' });
  expect(fabric.sendWrite(a, address, bytes, '3DW')).toMatchObject({ ...malformed, reason: 'headerForm' });
  expect(fabric.sendWrite(a, 0x1000, bytes, '4DW')).toMatchObject({ ...malformed, reason: 'headerForm' });
  expect(fabric.sendRead(a, address + 4096 - 2, new Uint8Array(4), '4DW')).toMatchObject({
    status: 'timeout',
    fate: 'malformed',
  });
  expect(fabric.errors.entries.map((error) => error.aer)).toEqual([
    'malformedTlp',
    'malformedTlp',
    'malformedTlp',
    'malformedTlp',
    'completionTimeout',
  ]);
  expect(fabric.sendWrite(a, address + 4096 - 4, bytes, '4DW').fate).toBe('delivered');
  expect(fabric.sendWrite(a, 0x1000, bytes, '3DW').fate).toBe('delivered');
  expect(fabric.sendRead(a, 0x1000, bytes, '3DW')).toMatchObject({ status: 'SC', bytesDelivered: 4 });
  expect([...bytes]).toEqual(BYTES);
});

test('E64: a payload above Max_Payload_Size of a receiver is malformed there; requesters cut at their own', () => {
  const bench = switchWithTwoEndpoints({ a: { ...ONE_BAR, maxPayload: 512 }, b: { ...ONE_BAR, maxPayload: 128 } });
  const address = bench.bus('b');
  const long = new Uint8Array(512).fill(7);
  expect(bench.write('a', address, long)).toMatchObject({
    fate: 'malformed',
    reason: 'payloadTooLarge',
    at: bench.index('dspA'),
  });
  bench.fn('dspA').writeConfig(bench.fn('dspA').registers.express + 8, 2, 0x2040);
  expect(bench.fn('dspA').maxPayload).toBe(512);
  expect(bench.write('a', address, long)).toMatchObject({ fate: 'malformed', at: bench.index('b') });
  expect(bench.write('a', address, long.subarray(0, 128)).fate).toBe('delivered');
  // A completion may be too large for somebody too: its requester waits in vain.
  const reader = switchWithTwoEndpoints({ a: { ...ONE_BAR, maxPayload: 128 } });
  expect(reader.read('a', reader.bus('b'), 256)).toMatchObject({
    status: 'timeout',
    reason: 'payloadTooLarge',
    at: reader.index('a'),
  });
  expect(reader.read('a', reader.bus('b'), 128).status).toBe('SC');
});

test('E64: writes are cut at the payload size, reads at the request size, completions at the payload of the completer', () => {
  const bench = switchWithTwoEndpoints({ a: { ...ONE_BAR, maxPayload: 256, maxReadRequest: 1024 } });
  const { counters } = bench.fabric;
  bench.write('a', bench.bus('b') + 4096 - 10, new Uint8Array(20));
  expect(counters.memoryWrites).toBe(2);
  bench.write('a', bench.bus('b') + 16, new Uint8Array(512));
  expect(counters.memoryWrites).toBe(2 + 3);
  bench.read('a', bench.bus('b') + 1000, 2000);
  // Requests [1000,1024) [1024,2048) [2048,3000); completions of 256 bytes: 1, 4, 4.
  expect(counters).toMatchObject({ memoryReads: 3, completions: 9 });
});

test('E64: the root complex cuts completions at its Read Completion Boundary where the rules say so', () => {
  const whole = twoRootPorts();
  whole.read('a', 0x1000, 512);
  expect(whole.fabric.counters.completions).toBe(2);
  const cut = twoRootPorts({ rules: { rootComplexCutsAtRcb: true } });
  cut.read('a', 0x1000 + 60, 512);
  expect(cut.fabric.counters.completions).toBe(9);
});

test('a request that begins in a BAR and ends behind it is aborted by the completer', () => {
  const bench = switchWithTwoEndpoints({ b: { bars: [{ size: 64 }] } });
  expect(bench.read('a', bench.bus('b') + 60, 8)).toMatchObject({ status: 'CA', reason: 'endOfTarget' });
  expect(bench.write('a', bench.bus('b') + 60, [1, 2, 3, 4, 5, 6, 7, 8]).fate).toBe('completerAbort');
  expect(bench.bytes('b', 60, 4)).toEqual([0, 0, 0, 0]);
});

test('E2: two functions below one root port reach each other only if there is an internal route, or the port forwards', () => {
  const none = twoFunctions();
  expect(none.write('f0', none.bus('f1'), BYTES)).toMatchObject({ fate: 'unsupportedRequest', reason: 'samePort' });
  const inside = twoFunctions({ rules: { internalPeerRoute: true } });
  expect(inside.road(() => inside.read('f0', inside.bus('f1'), 4))).toEqual([
    'read f0:issue f0:internalPeer f1:accept',
    'completion f1:issue f1:internalPeer f0:accept',
  ]);
  expect(inside.fabric.links.busy()).toEqual([]);
  const forwarding = twoFunctions({ acsRp: ['RR', 'CR', 'UF'] });
  expect(forwarding.road(() => forwarding.read('f0', forwarding.bus('f1'), 4))).toEqual([
    'read f0:issue rp:redirect rc:forward rp:downstream f1:accept',
    'completion f1:issue rp:redirect rc:forward rp:downstream f0:accept',
  ]);
});

test('E2: with an internal route the functions own redirect bits send them out on the link', () => {
  const redirecting = twoFunctions({
    acs: { control: 0x0c, capability: 0x6c },
    acsRp: ['UF'],
    rules: { internalPeerRoute: true },
  });
  expect(redirecting.road(() => redirecting.read('f0', redirecting.bus('f1'), 4))).toEqual([
    'read f0:issue rp:redirect rc:forward rp:downstream f1:accept',
    'completion f1:issue rp:redirect rc:forward rp:downstream f0:accept',
  ]);
});

test('E3: a Virtual Function is a sibling of its Physical Function, with its own Bus Master Enable and the shared Memory Space', () => {
  const functions = [{ name: 'pf', ...ONE_BAR, sriov: { vfs: 2, bars: [{ size: 65536, prefetchable: true }] } }];
  const bench = new Bench(
    { rootBuses: [{ children: [{ kind: 'rootPort', name: 'rp', below: [{ kind: 'endpoint', functions }] }] }] },
    { rules: { internalPeerRoute: true } },
  );
  const pf = bench.index('pf');
  const [first, second] = [pf + 1, pf + 2].map((index) => bench.fabric.function(index));
  expect(second?.physicalFunction).toBe(bench.fn('pf'));
  const start = second?.bar(0)?.start as number;
  expect(start).toBe((first?.bar(0)?.start as number) + 65536);
  expect(bench.write('pf', start + 8, BYTES).fate).toBe('delivered');
  const into = new Uint8Array(4);
  bench.fabric.barMemory(pf + 2, 0).read(8, into);
  expect([...into]).toEqual(BYTES);
  expect(bench.fabric.memoryRead(pf + 2, bench.bus('pf'), into).status).toBe('SC');
  // VF Memory Space Enable of the Physical Function is off: the Virtual Functions claim nothing, the Physical one does.
  const { sriov } = bench.fn('pf').registers;
  bench.fn('pf').writeConfig(sriov + 8, 2, 1);
  expect(bench.write('pf', start, BYTES)).toMatchObject({ fate: 'unsupportedRequest' });
  expect(bench.fabric.memoryRead(pf + 2, bench.bus('pf'), into).status).toBe('SC');
  expect(prepare(bench.fabric, [pf + 2])).toMatchObject([{ index: pf + 2, memorySpace: true, busMaster: false }]);
  expect(bench.write('pf', start, BYTES).fate).toBe('delivered');
  bench.fabric.function(pf + 1).writeConfig(4, 2, 0);
  expect(bench.fabric.memoryRead(pf + 1, bench.bus('pf'), into).status).toBe('notSent');
});

test('conventional PCI: devices of one bus reach each other on its wires, and a bridge passes the rest', () => {
  const device = (name: string) => ({ kind: 'endpoint', name, functions: [{ bars: [{ size: 4096 }] }] }) as const;
  const bridge = { kind: 'pciBridge', name: 'bridge', below: [device('x'), device('y')] } as const;
  const bench = new Bench({
    rootBuses: [
      {
        children: [
          { kind: 'rootPort', name: 'rp', below: [bridge] },
          { kind: 'rootPort', name: 'rp2', below: [device('e')] },
        ],
      },
    ],
  });
  expect(bench.road(() => bench.read('x', bench.bus('y'), 4))).toEqual([
    'read x:issue bridge:peer y:accept',
    'completion y:issue x:accept',
  ]);
  expect(bench.road(() => bench.read('x', bench.bus('e'), 4))).toEqual([
    'read x:issue bridge:upstream rp:upstream rc:forward rp2:downstream e:accept',
    'completion e:issue rp2:upstream rc:forward rp:downstream bridge:downstream x:accept',
  ]);
  expect(bench.read('e', bench.bus('x'), 4).status).toBe('SC');
  expect(bench.write('x', bench.bus('x'), BYTES)).toMatchObject({ fate: 'unsupportedRequest', reason: 'samePort' });
  expect(bench.write('x', bench.fn('bridge').memoryEnd - 4, BYTES)).toMatchObject({ reason: 'windowGap' });
});

test('integrated endpoints meet the root complex without a link', () => {
  const bench = new Bench({
    rootBuses: [
      {
        children: [
          { kind: 'endpoint', name: 'i', functions: [ONE_BAR] },
          { kind: 'rootPort', name: 'rp', below: [{ kind: 'endpoint', name: 'e', functions: [ONE_BAR] }] },
        ],
      },
    ],
  });
  expect(bench.road(() => bench.read('i', bench.bus('e'), 4))).toEqual([
    'read i:issue rc:forward rp:downstream e:accept',
    'completion e:issue rp:upstream rc:forward i:accept',
  ]);
  expect(bench.road(() => bench.write('e', bench.bus('i'), BYTES))).toEqual([
    'write e:issue rp:upstream rc:forward i:accept',
  ]);
});

test("the switch's own BARs are reached from below and from above", () => {
  const bench = switchWithTwoEndpoints({ upstream: { bars: [{ size: 4096 }] }, portB: { bars: [{ size: 4096 }] } });
  expect(bench.road(() => bench.read('a', bench.bus('usp'), 4))).toEqual([
    'read a:issue dspA:upstream usp:accept',
    'completion usp:issue usp:downstream dspA:downstream a:accept',
  ]);
  expect(bench.road(() => bench.write('a', bench.bus('dspB'), BYTES))).toEqual(['write a:issue dspA:peer dspB:accept']);
  const into = new Uint8Array(4);
  expect(bench.fabric.cpuRead(bench.cpu('dspB'), into).status).toBe('SC');
  expect([...into]).toEqual(BYTES);
});

test('a read that nobody can answer ends by the own timer of its requester, in virtual time', () => {
  const bench = twoRootPorts({ rootComplex: 'drop' });
  expect(bench.read('a', bench.cpu('b'), 4)).toMatchObject({ status: 'timeout', fate: 'dropped' });
  expect(bench.fabric.clock.nowNs).toBeGreaterThanOrEqual(bench.fabric.rules.completionTimeoutNs);
  expect(bench.fabric.errors.entries).toMatchObject([{ aer: null, fate: 'dropped' }, { aer: 'completionTimeout' }]);
});

test('RAM with holes: what begins in RAM and ends in a hole is refused as a whole', () => {
  const bench = twoRootPorts();
  const end = RAM[0]?.end as number;
  expect(bench.write('a', end - 4, BYTES).fate).toBe('delivered');
  expect(bench.write('a', end - 2, BYTES)).toMatchObject({ fate: 'unsupportedRequest', reason: 'endOfTarget' });
  const into = new Uint8Array(4);
  bench.fabric.ram.read(end - 4, into);
  expect([...into]).toEqual(BYTES);
});

test('claims that overlap are told; the function with the lower number keeps the addresses', () => {
  const bench = twoRootPorts();
  expect(bench.fabric.conflicts).toEqual([]);
  // Root port B opens its window over that of A.
  const { prefetchableStart, prefetchableEnd } = bench.fn('rpA');
  for (const offset of [0x24, 0x28, 0x2c])
    bench.fn('rpB').writeConfig(offset, 4, bench.fn('rpA').readConfig(offset, 4));
  expect(bench.fabric.conflicts).toEqual([
    {
      kept: bench.fn('rpA').name,
      lost: bench.fn('rpB').name,
      range: { start: prefetchableStart, end: prefetchableEnd },
    },
  ]);
  expect(bench.write('b', bench.cpu('a'), BYTES)).toMatchObject({ reason: 'samePort', at: bench.index('rpB') });
  expect(bench.fabric.cpuWrite(bench.cpu('a'), Uint8Array.of(...BYTES)).fate).toBe('delivered');
  expect(bench.bytes('a', 0, 4)).toEqual(BYTES);
});
