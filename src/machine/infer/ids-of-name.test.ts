import { expect, test } from 'vitest';
import { bytesOf } from '../../core/text.ts';
import { readMachine } from '../read/read-machine.ts';
import { DEVICE_NAMES } from './device-names.ts';
import { idsOfName } from './ids-of-name.ts';

const only = (vendorId: number, deviceId: number | null) => [{ vendorId, deviceId }];

test('a name gives the ids that have it, whatever list of vendors printed it', () => {
  for (const [name, vendor, device] of [
    ['Intel Corporation Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D DMI2', 0x8086, 0x6f00],
    ['Intel Corporation Ice Lake Memory Map/VT-d', 0x8086, 0x09a2],
    ['Intel Corporation Sky Lake-E DMI3 Registers', 0x8086, 0x2020],
    ['Intel Corporation Sandy Bridge DMI2', 0x8086, 0x3c00],
    ['Intel Corporation 440FX - 82441FX PMC [Natoma]', 0x8086, 0x1237],
    ['Advanced Micro Devices, Inc. [AMD] Starship/Matisse Root Complex', 0x1022, 0x1480],
    ['Advanced Micro Devices [AMD] Family 17h (Models 00h-0fh) Root Complex', 0x1022, 0x1450],
    ['NVIDIA Corporation GA102 [GeForce RTX 3090]', 0x10de, 0x2204],
    ['Advanced Micro Devices, Inc. [AMD/ATI] Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]', 0x1002, 0x73bf],
    ['Mellanox Technologies MT28908 Family [ConnectX-6]', 0x15b3, 0x101b],
    ['PLX Technology, Inc. PEX 8747 48-Lane, 5-Port PCI Express Gen 3 (8.0 GT/s) Switch', 0x10b5, 0x8747],
  ] as const) {
    expect(idsOfName(name), name).toEqual(only(vendor, device));
  }
});

test('what a list did not know is printed as a number, and read so', () => {
  expect(idsOfName('Advanced Micro Devices, Inc. [AMD] Device 14e8')).toEqual(only(0x1022, 0x14e8));
  expect(idsOfName('Intel Corporation Unknown device 29c0')).toEqual(only(0x8086, 0x29c0));
  expect(idsOfName('Device 1e52:401e')).toEqual(only(0x1e52, 0x401e));
});

test('several ids with one name are all given, of two makers too; a name of the maker alone gives the maker', () => {
  const virtualBridges = idsOfName('Intel Corporation Core Processor DMI');
  expect(virtualBridges.length).toBeGreaterThan(1);
  expect(new Set(virtualBridges.map(({ vendorId }) => vendorId))).toEqual(new Set([0x8086]));
  expect(idsOfName('Red Hat, Inc. Something newer').map(({ vendorId }) => vendorId)).toEqual([0x1af4, 0x1b36]);
  expect(idsOfName('Intel Corporation Some Host Bridge of 2031')).toEqual(only(0x8086, null));
  expect(idsOfName('Nobody Ltd. Some device')).toEqual([]);
  // No vendor is found by the beginning of a word, no device by its end.
  expect(idsOfName('IBMX Bridge')).toEqual([]);
  expect(idsOfName('Intel Corporation Registers')).toEqual(only(0x8086, null));
});

test('the table: vendors and devices ascend, no line is doubled, and it stays small', () => {
  const vendors: string[] = [];
  let last = '';
  const seen = new Set<string>();
  for (const line of DEVICE_NAMES.trim().split('\n')) {
    expect(line).toMatch(/^(?: [0-9a-f]{4} \S.*|[0-9a-f]{4} \S.*)$/);
    if (line.startsWith(' ')) {
      expect(line.slice(1, 5) >= last, `${vendors.at(-1)} ${line}`).toBe(true);
      last = line.slice(1, 5);
      const key = `${vendors.at(-1)}${line}`;
      expect(seen.has(key), key).toBe(false);
      seen.add(key);
    } else {
      expect(line > (vendors.at(-1) ?? ''), line).toBe(true);
      vendors.push(line);
      last = '';
    }
  }
  expect(DEVICE_NAMES.length).toBeLessThan(128 * 1024);
});

const LISTING = `00:00.0 Host bridge: Intel Corporation Xeon E5/Core i7 DMI2 (rev 07)
\tControl: I/O- Mem- BusMaster- SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-
\tStatus: Cap- 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-

00:02.0 PCI bridge: Intel Corporation Xeon E5/Core i7 IIO PCI Express Root Port 2a (rev 07) (prog-if 00 [Normal decode])
\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0

01:00.0 3D controller: NVIDIA Corporation GK210GL [Tesla K80] (rev a1)
`;

test('a listing without numbers has them by its names; numbers that are printed are believed', async () => {
  const { hierarchy } = await readMachine(bytesOf(LISTING), 'host.txt');
  const ids = hierarchy.functions.map(({ vendorId, deviceId, isNamedOnly }) => [vendorId, deviceId, isNamedOnly]);
  expect(ids).toEqual([
    [0x8086, 0x3c00, true],
    [0x8086, 0x3c04, true],
    [0x10de, 0x102d, true],
  ]);
  const printed = LISTING.replace('DMI2 (rev', 'DMI2 [8086:0e00] (rev');
  const [first] = (await readMachine(bytesOf(printed), 'host.txt')).hierarchy.functions;
  expect([first?.deviceId, first?.isNamedOnly]).toEqual([0x0e00, false]);
});
