/** What root complexes do with traffic between devices. */

import { expect, test } from 'vitest';
import type { RootComplexBehaviour } from '../../src/fabric/index.ts';
import { pattern, switchWithTwoEndpoints, twoRootPorts } from './trees.ts';

const BYTES = [1, 2, 3, 4];

test.each<[RootComplexBehaviour, string, string]>([
  ['forward', 'delivered', 'SC'],
  ['sameHostBridgeOnly', 'delivered', 'SC'],
  ['unsupportedRequest', 'unsupportedRequest', 'UR'],
  ['drop', 'dropped', 'timeout'],
  ['corrupt', 'delivered', 'SC'],
  ['writesOnly', 'delivered', 'UR'],
])('between root ports of one host bridge, %s: a write is %s, a read ends with %s', (rootComplex, fate, status) => {
  const bench = twoRootPorts({ rootComplex });
  expect(bench.write('a', bench.cpu('b'), BYTES).fate).toBe(fate);
  expect(bench.read('a', bench.cpu('b'), 4).status).toBe(status);
  // RAM is always served, peers below one switch too, and so is the CPU.
  expect(bench.read('a', 0x1000, 4).status).toBe('SC');
  expect(bench.fabric.cpuRead(bench.cpu('b'), new Uint8Array(4)).status).toBe('SC');
});

test('E11: between host bridges, a root complex that forwards within one only answers Unsupported Request', () => {
  const bench = twoRootPorts({ rootComplex: 'sameHostBridgeOnly', busOffsets: [0, 0] });
  expect(bench.read('a', bench.cpu('b'), 4)).toMatchObject({ status: 'UR', reason: 'rootComplexRefuses', at: -1 });
  const forwarding = twoRootPorts({ busOffsets: [0, 0] });
  expect(forwarding.read('a', forwarding.cpu('b'), 4).status).toBe('SC');
});

test('a corrupting root complex changes bytes without anybody noticing, the same bytes in every run', () => {
  const bytes = pattern(1000);
  const images = [0, 1].map(() => {
    const bench = twoRootPorts({ rootComplex: 'corrupt' });
    expect(bench.write('a', bench.cpu('b') + 40, bytes)).toMatchObject({ status: 'posted', fate: 'delivered' });
    expect(bench.fabric.errors.count).toBe(0);
    return bench.bytes('b', 40, 1000);
  });
  expect(images[0]).toEqual(images[1]);
  const wrong = [...bytes].flatMap((byte, at) => (byte === images[0]?.[at] ? [] : [at]));
  expect(wrong).toEqual([24, 88, 152, 216, 280, 344, 408, 472, 536, 600, 664, 728, 792, 856, 920, 984]);
  const clean = twoRootPorts({ rootComplex: 'corrupt' });
  clean.write('a', 0x1000, BYTES);
  expect(clean.read('a', 0x1000, 4).bytes).toEqual(BYTES);
});

test('the behaviour may change while the machine runs', () => {
  const bench = twoRootPorts();
  expect(bench.write('a', bench.cpu('b'), BYTES).fate).toBe('delivered');
  bench.fabric.rootComplex.behaviour = 'drop';
  expect(bench.write('a', bench.cpu('b'), BYTES).fate).toBe('dropped');
});

test('below one switch the root complex has no say', () => {
  const bench = switchWithTwoEndpoints({ rootComplex: 'drop' });
  expect(bench.read('a', bench.bus('b'), 4).status).toBe('SC');
});

test('the CPU reaches RAM and BARs, and reads all ones from nowhere', () => {
  const bench = twoRootPorts({ busOffsets: [2 ** 32] });
  expect(bench.fabric.cpuWrite(bench.cpu('a') + 3, Uint8Array.of(...BYTES)).fate).toBe('delivered');
  expect(bench.bytes('a', 3, 4)).toEqual(BYTES);
  const into = new Uint8Array(4);
  expect(bench.fabric.cpuRead(2 ** 51, into)).toMatchObject({ status: 'UR' });
  expect([...into]).toEqual([255, 255, 255, 255]);
  expect(bench.road(() => bench.fabric.cpuRead(bench.cpu('a'), into))).toEqual([
    'read rc:issue rc:forward rpA:downstream a:accept',
    'completion a:issue rpA:upstream rc:accept',
  ]);
});
