import { expect, test } from 'vitest';
import { ENVELOPES, envelopeOf, versionNotes } from './envelope.ts';
import { decodeFault, faultRecordOffset, iotlbOffset, supportsLevels } from './vtd-registers.ts';

const version = (major: number, minor: number, micro = 0) => ({ major, minor, micro });

test('a release is given the newest entry that is not newer; one older than all is refused by number', () => {
  expect(envelopeOf(version(7, 2, 22), 'qemu')).toBe(ENVELOPES[0]);
  expect(envelopeOf(version(6, 1), 'qemu')).toBe(ENVELOPES[0]);
  expect(envelopeOf(version(10, 0), 'qemu')).toBe(ENVELOPES[0]);
  for (const old of [version(6, 0, 9), version(5, 2), version(2, 12, 1)]) {
    expect(() => envelopeOf(old, '/usr/bin/q')).toThrow(
      expect.objectContaining({ code: 'QEMU_VERSION', path: '/usr/bin/q' }),
    );
  }
});

test('a release that was not tested says so', () => {
  expect(versionNotes(version(7, 2, 1))).toEqual([]);
  expect(versionNotes(version(8, 0)).join()).toContain('QEMU 8.0.0 was not tested');
  expect(versionNotes(version(7, 1)).length).toBe(1);
});

test('entries are newest first', () => {
  const order = ENVELOPES.map(({ from }) => from.major * 1e6 + from.minor * 1e3 + from.micro);
  expect(order).toEqual([...order].sort((a, b) => b - a));
});

test('VT-d: registers of QEMU’s unit decode to where its faults and its IOTLB are', () => {
  // CAP and ECAP as QEMU 7.2 has them for 39 and 48 bits.
  expect(faultRecordOffset(0x22260206)).toBe(0x220);
  expect(faultRecordOffset(0x222f0606)).toBe(0x220);
  expect(iotlbOffset(0xf42)).toBe(0xf0);
  expect([3, 4, 5].map((levels) => supportsLevels(0x22260206, levels))).toEqual([true, false, false]);
  expect([3, 4, 5].map((levels) => supportsLevels(0x222f0606, levels))).toEqual([true, true, false]);
});

test('VT-d: a fault record tells requester, direction and code, and nothing where F is clear', () => {
  expect(decodeFault(0x80000005, 0x0300)).toEqual({ requester: 0x300, isRead: false, code: 5 });
  expect(decodeFault(0xc0000006, 0x4008)).toEqual({ requester: 0x4008, isRead: true, code: 6 });
  expect(decodeFault(0x40000006, 0x4008)).toBeNull();
});
