import { expect, test } from 'vitest';
import { buildTree } from '../pcie/build-tree.ts';
import type { Hierarchy } from '../pcie/hierarchy.ts';
import { SelectorError, type SelectorErrorCode, selectFunction, selectFunctions } from './selector.ts';

/**
 * 0000:00:00.0 host bridge
 * 0000:00:01.0 root port ── 01:00.0 switch ─┬─ 02:00.0 ── 03:00.0 GPU (256 MiB), 03:00.1 audio (16 KiB)
 *                                           └─ 02:01.0 ── 04:00.0 NVMe (16 KiB)
 * 10000:00:00.0 host bridge, 10000:00:01.0 ── 10000:01:00.0 NVMe (1 MiB)
 */
const { hierarchy } = buildTree({
  rootBuses: [
    {
      children: [
        {
          kind: 'rootPort',
          below: [
            {
              kind: 'switch',
              ports: [
                {
                  below: [
                    {
                      kind: 'endpoint',
                      functions: [
                        { vendorId: 0x10de, deviceId: 0x2330, classCode: 0x030200, bars: [{ size: 2 ** 28 }] },
                        { vendorId: 0x10de, deviceId: 0x10f0, classCode: 0x040300, bars: [{ size: 2 ** 14 }] },
                      ],
                    },
                  ],
                },
                {
                  below: [
                    {
                      kind: 'endpoint',
                      functions: [
                        { vendorId: 0x144d, deviceId: 0xa824, classCode: 0x010802, bars: [{ size: 2 ** 14 }] },
                      ],
                    },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
    {
      domain: 0x10000,
      children: [
        {
          kind: 'rootPort',
          below: [
            {
              kind: 'endpoint',
              functions: [{ vendorId: 0x144d, deviceId: 0xa80a, classCode: 0x010802, bars: [{ size: 2 ** 20 }] }],
            },
          ],
        },
      ],
    },
  ],
});

const select = (text: string): string[] =>
  selectFunctions(hierarchy, text, '--clients').map((index) => (hierarchy as Hierarchy).functions[index]?.name ?? '');

test.each<[string, string[]]>([
  ['0000:03:00.0', ['0000:03:00.0']],
  ['03:00.0', ['0000:03:00.0']],
  ['3:0.0', ['0000:03:00.0']],
  ['10000:01:00.0', ['10000:01:00.0']],
  ['00010000:1:0.0', ['10000:01:00.0']],
  ['/sys/bus/pci/devices/0000:04:00.0', ['0000:04:00.0']],
  ['/sys/bus/pci/devices/0000:04:00.0/', ['0000:04:00.0']],
  ['/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:04:00.0', ['0000:04:00.0']],
  ['03:', ['0000:03:00.0', '0000:03:00.1']],
  ['0:3:', ['0000:03:00.0', '0000:03:00.1']],
  ['*:03:*.1', ['0000:03:00.1']],
  ['.1', ['0000:03:00.1']],
  ['02:01', ['0000:02:01.0']],
  ['10000::', ['10000:00:00.0', '10000:00:01.0', '10000:01:00.0']],
  ['id:144d:', ['0000:04:00.0', '10000:01:00.0']],
  ['id:144d:a824', ['0000:04:00.0']],
  ['ID:144D:A824', ['0000:04:00.0']],
  ['id:*:*:0108', ['0000:04:00.0', '10000:01:00.0']],
  ['id:::03xx', ['0000:03:00.0']],
  ['id:10de::0403', ['0000:03:00.1']],
  ['0000:00:01.0/00.0/01.0/00.0', ['0000:04:00.0']],
  ['00:01.0/00.0', ['0000:01:00.0']],
  ['10000:00:01.0/0.0', ['10000:01:00.0']],
  ['memory', ['0000:03:00.0', '10000:01:00.0']],
  ['endpoints', ['0000:00:00.0', '0000:03:00.0', '0000:03:00.1', '0000:04:00.0', '10000:00:00.0', '10000:01:00.0']],
  ['04:00.0,03:00.0, 03:', ['0000:03:00.0', '0000:03:00.1', '0000:04:00.0']],
])('%s names %j', (text, names) => {
  expect(select(text)).toEqual(names);
});

test('all names every function once, in the order of domain, bus, device and function as numbers', () => {
  const names = select('all');
  expect(names).toHaveLength(hierarchy.functions.length);
  expect(names.indexOf('10000:00:00.0')).toBeGreaterThan(names.indexOf('0000:04:00.0'));
});

function refusedAs(action: () => unknown): { code: SelectorErrorCode; hint: string; path: string } | null {
  try {
    action();
  } catch (error) {
    if (error instanceof SelectorError) return error;
    throw error;
  }
  return null;
}

test.each<[string, SelectorErrorCode]>([
  ['', 'SELECTOR_MALFORMED'],
  ['03:00.0,', 'SELECTOR_MALFORMED'],
  ['03:00.8', 'SELECTOR_MALFORMED'],
  ['03:20.0', 'SELECTOR_MALFORMED'],
  ['nvme0', 'SELECTOR_MALFORMED'],
  ['memori', 'SELECTOR_MALFORMED'],
  ['id:', 'SELECTOR_MALFORMED'],
  ['id:zzzz:1', 'SELECTOR_MALFORMED'],
  ['id:10de:2330:3:4:5', 'SELECTOR_MALFORMED'],
  ['/sys/class/nvme/nvme0', 'SELECTOR_MALFORMED'],
  ['/dev/nvme0', 'SELECTOR_MALFORMED'],
  ['toString', 'SELECTOR_MALFORMED'],
  ['constructor', 'SELECTOR_MALFORMED'],
  ['0000:05:00.0', 'SELECTOR_NO_MATCH'],
  ['id:1234:5678', 'SELECTOR_NO_MATCH'],
  ['0000:00:01.0/01.0', 'SELECTOR_NO_MATCH'],
  ['0000:0f:01.0/00.0', 'SELECTOR_NO_MATCH'],
  ['/sys/bus/pci/devices/0000:05:00.0', 'SELECTOR_NO_MATCH'],
  ['memory,0000:05:00.0', 'SELECTOR_NO_MATCH'],
])('%j is refused as %s', (text, code) => {
  expect(refusedAs(() => select(text))).toMatchObject({ code, path: '--clients' });
});

test('the nearest names are offered', () => {
  expect(refusedAs(() => select('0000:04:00.1'))?.hint).toContain('0000:04:00.0');
  expect(refusedAs(() => select('endpoint'))?.hint).toContain('endpoints');
});

test('one function is asked for: several are refused by name', () => {
  expect(selectFunction(hierarchy, '04:', 'PROVIDER').name).toBe('0000:04:00.0');
  expect(refusedAs(() => selectFunction(hierarchy, '03:', 'PROVIDER'))).toMatchObject({
    code: 'SELECTOR_AMBIGUOUS',
    hint: 'write one in full: 0000:03:00.0, 0000:03:00.1',
  });
});

test('a set may be empty; that is an answer', () => {
  const bare = buildTree({ rootBuses: [{ children: [] }] }).hierarchy;
  expect(selectFunctions(bare, 'memory', '--providers')).toEqual([]);
});

test('for numbers the nearest numbers are offered, not addresses', () => {
  expect(refusedAs(() => select('id:144d:a825'))?.hint).toMatch(/^nearest: id:144d:a824/);
});

test('gpus, nics, nvmes and accelerators are what check pairs, by what it is', () => {
  const names = (set: string): string[] =>
    selectFunctions(hierarchy, set, '--clients').map((index) => (hierarchy.functions[index] as { name: string }).name);
  expect(names('gpus')).toEqual(['0000:03:00.0']);
  expect(names('nvmes')).toEqual(['0000:04:00.0', '10000:01:00.0']);
  expect([names('nics'), names('accelerators')]).toEqual([[], []]);
  expect(names('gpus,nvmes')).toEqual(['0000:03:00.0', '0000:04:00.0', '10000:01:00.0']);
});
