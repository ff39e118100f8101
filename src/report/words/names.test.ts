import { expect, test } from 'vitest';
import { buildTree } from '../../pcie/build-tree.ts';
import { ConfigSpace } from '../../pcie/config-space.ts';
import type { TextFacts } from '../../pcie/function-facts.ts';
import { PciFunction } from '../../pcie/pci-function.ts';
import { fullName, idsText, namesFrom } from './names.ts';

const PCI_IDS = `# a comment
10de  NVIDIA Corporation
\t10f0  GH100 audio
\t2330  GH100 [H100 SXM5 80GB]
\t\t10de 16c1  a subsystem
# a comment within
\t2331  GH100 [H100 PCIe]
144d  Samsung Electronics Co Ltd
\ta824  PM173X
\t\t10de 2330  a subsystem of another vendor
C 01  Mass storage controller
\t08  Non-Volatile memory controller
\t\t02  NVM Express
C 03  Display controller
`;

function fnOf(vendorId: number, deviceId: number, classCode: number): PciFunction {
  const { hierarchy } = buildTree({
    rootBuses: [{ hostBridge: null, children: [{ kind: 'endpoint', functions: [{ vendorId, deviceId, classCode }] }] }],
  });
  return hierarchy.functions[0] as PciFunction;
}

const names = namesFrom(Buffer.from(PCI_IDS));

test('pci.ids names vendor, device and class', () => {
  const fn = fnOf(0x144d, 0xa824, 0x010802);
  expect(names.deviceOf(fn)).toBe('Samsung Electronics Co Ltd PM173X');
  expect(names.classOf(fn)).toBe('Non-Volatile memory controller');
  expect(names.deviceOf(fnOf(0x10de, 0x2331, 0x030200))).toBe('NVIDIA Corporation GH100 [H100 PCIe]');
});

test('what the list lacks is named as far as it goes: vendor alone, base class alone, numbers', () => {
  expect(names.deviceOf(fnOf(0x144d, 0x2330, 0x030200))).toBe('Samsung Electronics Co Ltd device 2330');
  expect(names.classOf(fnOf(0x144d, 0x2330, 0x030200))).toBe('Display controller');
  expect(names.deviceOf(fnOf(0x1234, 0x0001, 0xff0000))).toBe('[1234:0001]');
  expect(names.classOf(fnOf(0x1234, 0x0001, 0xff0000))).toBe('class ff00');
});

test('without a list the dump’s own text names the function, else numbers', () => {
  const fn = fnOf(0x144d, 0xa824, 0x010802);
  const text: TextFacts = { className: 'NVM', deviceName: 'Samsung drive', lines: {}, file: 'dump.txt' };
  const told = new PciFunction({ ...fn.facts, text });
  const bare = namesFrom(null);
  expect([bare.classOf(told), bare.deviceOf(told)]).toEqual(['NVM', 'Samsung drive']);
  expect([bare.classOf(fn), bare.deviceOf(fn)]).toEqual(['Non-Volatile memory controller', '[144d:a824]']);
  expect(fullName(fn, bare)).toBe('Non-Volatile memory controller: [144d:a824]');
  expect(fullName(fn, names)).toBe('Non-Volatile memory controller: Samsung Electronics Co Ltd PM173X [144d:a824]');
  const nothing = new PciFunction({ ...fn.facts, config: ConfigSpace.UNKNOWN, sysfs: null });
  expect([bare.classOf(nothing), bare.deviceOf(nothing), idsText(nothing)]).toEqual([
    'class not known',
    'device not known',
    '',
  ]);
});

test('a list that begins with an entry, has letters beyond ASCII and no last newline is read to its end', () => {
  const short = namesFrom(Buffer.from('144d  Müller & Söhne\n\ta824  Größe\nC 01  Mass storage'));
  const fn = fnOf(0x144d, 0xa824, 0x010000);
  expect(short.deviceOf(fn)).toBe('Müller & Söhne Größe');
  expect(short.classOf(fn)).toBe('Mass storage');
});
