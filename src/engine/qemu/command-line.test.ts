import { expect, test } from 'vitest';
import { commandLine, STANDALONE } from './command-line.ts';
import type { QemuDevice, QemuMachineDescription, QemuRootPort } from './machine-description.ts';

const MIB = 2 ** 20;

function machine(...children: (QemuRootPort | QemuDevice)[]): QemuMachineDescription {
  return { rootBuses: [{ bus: 0, children }] };
}

function devices(description: QemuMachineDescription): string[] {
  return commandLine(description, STANDALONE).options.flatMap(([option, value]) =>
    option === '-device' ? [value] : [],
  );
}

function refusal(description: QemuMachineDescription): { path: string; message: string } {
  try {
    commandLine(description, STANDALONE);
  } catch (error) {
    return error as { path: string; message: string };
  }
  throw new Error('nothing was refused');
}

test('a switch with a controller and a memory, in the words of QEMU', () => {
  const ports = [
    { below: [{ kind: 'nvme', cmbBytes: 64 * MIB } as const] },
    { below: [{ kind: 'memory', bytes: 4096 } as const] },
  ];
  const description = machine({ kind: 'rootPort', below: [{ kind: 'switch', ports }] });
  expect(devices({ ...description, iommuLevels: 3 })).toEqual([
    'intel-iommu,intremap=off,aw-bits=39',
    'pcie-root-port,id=p0,bus=pcie.0,addr=0x1,chassis=1,slot=2',
    'x3130-upstream,id=p1,bus=p0,addr=0x0',
    'xio3130-downstream,id=p2,bus=p1,addr=0x0,chassis=1,slot=3',
    'nvme,id=p3,serial=p3,drive=p3d,mdts=10,cmb_size_mb=64,bus=p2,addr=0x0',
    'xio3130-downstream,id=p4,bus=p1,addr=0x1,chassis=1,slot=4',
    'ivshmem-plain,id=p5,memdev=p5m,bus=p4,addr=0x0',
  ]);
});

test('further root buses are pxb-pcie, from slot 30 of pcie.0 downwards, before what stands on them', () => {
  const description: QemuMachineDescription = {
    rootBuses: [
      { bus: 0, bypassIommu: true, children: [] },
      { bus: 64, children: [{ kind: 'rootPort' }] },
      { bus: 128, bypassIommu: true, children: [] },
    ],
  };
  expect(devices(description)).toEqual([
    'pxb-pcie,id=root64,bus_nr=64,bus=pcie.0,addr=0x1e',
    'pcie-root-port,id=p1,bus=root64,addr=0x0,chassis=1,slot=2',
    'pxb-pcie,id=root128,bus_nr=128,bus=pcie.0,addr=0x1d,bypass_iommu=on',
  ]);
  expect(commandLine(description, STANDALONE).options[0]?.[1]).toContain('default_bus_bypass_iommu=on');
});

test('function 0 of a device comes last, as QEMU wants it; slots and chassis never repeat', () => {
  const below = [
    { kind: 'placeholder', place: { device: 0, function: 0 } },
    { kind: 'placeholder', place: { device: 0, function: 5 } },
  ] as const;
  expect(devices(machine({ kind: 'rootPort', below })).slice(1)).toEqual([
    'pci-testdev,id=p1,bus=p0,addr=0x0.5,multifunction=on',
    'pci-testdev,id=p2,bus=p0,addr=0x0,multifunction=on',
  ]);
  const many = Array.from({ length: 24 }, (): QemuRootPort => {
    const ports = Array.from({ length: 30 }, () => ({}));
    return { kind: 'rootPort', below: [{ kind: 'switch', ports }] };
  });
  const slots = devices(machine(...many)).flatMap((text) => /chassis=\d+,slot=\d+/.exec(text) ?? []);
  expect(slots.length).toBe(24 * 31);
  expect(new Set(slots).size).toBe(slots.length);
});

test('bridges to conventional PCI nest as another kind, and leave slot 0 free', () => {
  const inner: QemuDevice = { kind: 'pciBridge', below: [{ kind: 'placeholder' }] };
  expect(devices(machine({ kind: 'rootPort', below: [{ kind: 'pciBridge', below: [inner] }] })).slice(1)).toEqual([
    'pcie-pci-bridge,id=p1,bus=p0,addr=0x0',
    'pci-bridge,id=p2,chassis_nr=2,bus=p1,addr=0x1',
    'pci-testdev,id=p3,bus=p2,addr=0x1',
  ]);
});

test('names find parts with their route and their backing', () => {
  const description = machine({ kind: 'rootPort', name: 'port', acs: 0x1d, below: [{ kind: 'nvme', name: 'disk' }] });
  const { parts, backing } = commandLine(description, STANDALONE);
  expect(parts).toEqual([
    { id: 'p0', name: 'port', kind: 'rootPort', rootBus: 0, route: [{ device: 1, function: 0 }], acsControl: 0x1d },
    {
      id: 'p1',
      name: 'disk',
      kind: 'nvme',
      rootBus: 0,
      route: [
        { device: 1, function: 0 },
        { device: 0, function: 0 },
      ],
      acsControl: 0,
    },
  ]);
  expect(backing.map(({ id, part }) => [id, part?.name ?? null])).toEqual([
    ['ram', null],
    ['p1d', 'disk'],
  ]);
});

test('what no command line can say is refused where it stands', () => {
  const cases: readonly [QemuMachineDescription, path: string][] = [
    [{ rootBuses: [] }, 'rootBuses'],
    [{ rootBuses: [{ bus: 3, children: [] }] }, 'rootBuses'],
    [{ ...machine(), ramBytes: 4096 * MIB }, 'ramBytes'],
    [{ ...machine(), ramBytes: MIB + 1 }, 'ramBytes'],
    [
      {
        rootBuses: [
          { bus: 0, children: [] },
          { bus: 256, children: [] },
        ],
      },
      'rootBuses[1]',
    ],
    [machine({ kind: 'memory', bytes: 3 * MIB }), 'rootBuses[0].children[0].bytes'],
    [machine({ kind: 'memory', bytes: 2048 }), 'rootBuses[0].children[0].bytes'],
    [machine({ kind: 'nvme', cmbBytes: 512 * 1024 }), 'rootBuses[0].children[0].cmbBytes'],
    [machine({ kind: 'nvme', namespaceBytes: 1000 }), 'rootBuses[0].children[0].namespaceBytes'],
    [machine({ kind: 'nvme', name: 'x' }, { kind: 'nvme', name: 'x' }), 'rootBuses[0].children[1].name'],
    [machine(...Array.from({ length: 31 }, (): QemuDevice => ({ kind: 'placeholder' }))), 'rootBuses[0].children[30]'],
    [
      machine({ kind: 'rootPort', below: [{ kind: 'nvme', place: { device: 1, function: 0 } }] }),
      'rootBuses[0].children[0].below[0]',
    ],
    [
      machine({ kind: 'rootPort', below: [{ kind: 'nvme', place: { device: 0, function: 1 } }] }),
      'rootBuses[0].children[0].below',
    ],
  ];
  for (const [description, path] of cases) {
    expect(refusal(description)).toMatchObject({ code: 'QEMU_MACHINE', path });
  }
});
