import { expect, test } from 'vitest';
import { busAlone, ncclAddress, printedAddress } from './device-label.ts';

test.each([
  ['00000000:C1:00.0', '0000:c1:00.0', []],
  ['00010000:C1:00.0', '10000:c1:00.0', []],
  ['0000:c1:00', '0000:c1:00.0', ['function']],
  ['c2:0.0', '0000:c2:00.0', ['domain']],
  ['17:00', '0000:17:00.0', ['domain', 'function']],
  ['17', null, []],
  ['17:20.0', null, []],
  ['0000:c1:00.8', null, []],
  ['', null, []],
])('%j is the function %s, without %j', (text, address, assumed) => {
  expect(printedAddress(text)).toEqual({ address, assumed });
});

test.each([
  ['18000', '0000:18:00.0'],
  ['1000', '0000:01:00.0'],
  ['cb010', '0000:cb:01.0'],
  ['cb011', '0000:cb:01.1'],
  ['200000', '0002:00:00.0'],
  ['100000000000', '1000000:00:00.0'],
  ['0', '0000:00:00.0'],
  ['18ff8', null],
  ['xyz', null],
  ['fffffffffffff', null],
])("NCCL's %s is %s", (digits, address) => {
  expect(ncclAddress(digits).address).toBe(address);
});

test('a bus alone names a function only by what is assumed', () => {
  expect(busAlone(0xc1)).toEqual({ address: '0000:c1:00.0', assumed: ['domain', 'device', 'function'] });
  expect(busAlone(0x100).address).toBeNull();
});
