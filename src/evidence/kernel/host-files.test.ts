import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const kinds = (text: string) => blocks(text).map(({ kind }) => kind);

test('iomem: ranges, their names, and how deep they lie', () => {
  const [block] = blocks(
    '100000000-87fffffff : System RAM\n2000000000-3fffffffff : PCI Bus 0000:80\n  2000000000-23ffffffff : 0000:81:00.0\n',
  );
  expect(block).toMatchObject({
    kind: 'iomem',
    items: [
      { start: 0x100000000, end: 0x880000000, name: 'System RAM', depth: 0 },
      { name: 'PCI Bus 0000:80', depth: 0 },
      { start: 0x2000000000, end: 0x2400000000, name: '0000:81:00.0', depth: 1 },
    ],
  });
});

test('iomem: an excerpt keeps its margin out of the depth, and addresses without root are none', () => {
  expect(
    blocks('  2000000000-3fffffffff : PCI Bus 0000:80\n    2000000000-23ffffffff : 0000:81:00.0\n')[0]?.items,
  ).toMatchObject([{ depth: 0 }, { depth: 1 }]);
  expect(blocks('00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n')).toMatchObject([
    { kind: 'iomem', items: [], isComplete: false, doubt: expect.stringMatching(/without root/) },
  ]);
});

test('cpuinfo: the first processor of /proc/cpuinfo', () => {
  const one = (index: number) =>
    `processor\t: ${index}\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7543\nflags\t\t: fpu vme hypervisor\naddress sizes\t: 48 bits physical, 48 bits virtual\n\n`;
  expect(blocks(one(0) + one(1))).toMatchObject([
    {
      kind: 'cpuinfo',
      toLine: 15,
      items: [
        {
          vendor: 'AuthenticAMD',
          family: 25,
          model: 1,
          name: 'AMD EPYC 7543',
          hypervisor: 'unknown',
          physicalBits: 48,
        },
      ],
    },
  ]);
});

test('cpuinfo: lscpu, with flags that a terminal wrapped', () => {
  const text = `Architecture:             x86_64
  Address sizes:          46 bits physical, 57 bits virtual
Vendor ID:                GenuineIntel
  Model name:             Intel(R) Xeon(R) Gold 6330
    CPU family:           6
    Model:                106
    Flags:                fpu vme
                          de pse
Virtualization features:
  Hypervisor vendor:      KVM
NUMA:
  NUMA node(s):           2
`;
  expect(blocks(text)).toMatchObject([
    {
      kind: 'cpuinfo',
      fromLine: 1,
      toLine: 12,
      items: [
        {
          vendor: 'GenuineIntel',
          family: 6,
          model: 106,
          architecture: 'x86_64',
          hypervisor: 'KVM',
          numaNodes: 2,
          physicalBits: 46,
        },
      ],
    },
  ]);
});

test('cpuinfo: an adapter has a vendor, too, and is no processor', () => {
  expect(kinds('hca_id: mlx5_0\n\tvendor_id:\t\t\t0x02c9\n\tvendor_part_id:\t\t\t4125\n')).not.toContain('cpuinfo');
});

test('kernel-config: symbols of a file and of a grep', () => {
  expect(blocks('CONFIG_PCI_P2PDMA=y\n# CONFIG_HSA_AMD_P2P is not set\nCONFIG_DRM_AMDGPU=m\n')[0]?.items).toMatchObject(
    [
      { symbol: 'PCI_P2PDMA', value: 'y' },
      { symbol: 'HSA_AMD_P2P', value: 'n' },
      { symbol: 'DRM_AMDGPU', value: 'm' },
    ],
  );
  expect(blocks('/boot/config-6.8.0-52-generic:CONFIG_PCI_P2PDMA=y\n')[0]?.items).toMatchObject([
    { symbol: 'PCI_P2PDMA' },
  ]);
  expect(kinds('You need CONFIG_PCI_P2PDMA=y for that')).toEqual(['unknown']);
});
