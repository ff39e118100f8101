/** Each diagnosis on a machine that has it, and on its closest twin that has not; fixes flip what they promise, and undo restores. */

import { expect, test } from 'vitest';
import { checkMachine, isAtLeast } from '../../src/doctor/diagnoses/check-machine.ts';
import type { DiagnosisId, Finding } from '../../src/doctor/diagnoses/finding.ts';
import { reversed, withChange } from '../../src/doctor/diagnoses/machine-change.ts';
import { DIAGNOSES } from '../../src/doctor/diagnoses/table.ts';
import { buildMachine } from '../../src/machine/build.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { formatBdf } from '../../src/pcie/bdf.ts';
import { buildTree } from '../../src/pcie/build-tree.ts';
import type { AcsDescription, DeviceDescription, RootBusDescription } from '../../src/pcie/describe.ts';
import type { FunctionFacts, SysfsFacts } from '../../src/pcie/function-facts.ts';
import { LISTED, LISTED_SAME_ONLY, UNLISTED } from './machines.ts';

const INTEL = { vendor: 'GenuineIntel', family: 6 };
const ON: AcsDescription = ['SV', 'RR', 'CR', 'UF'];
const MIB = 2 ** 20;

type Facts = Partial<Pick<Machine, 'kernel' | 'cmdline' | 'cpu'>> & {
  readonly groups?: ReadonlyMap<number, string>;
  /** Attributes of sysfs by the name of the part. */
  readonly sysfs?: Readonly<Record<string, Partial<SysfsFacts>>>;
};

function machine(rootBuses: readonly RootBusDescription[], told: Facts = {}): Machine {
  const tree = buildTree({ rootBuses });
  const nameOf = new Map([...tree.names].map(([name, bdf]) => [formatBdf(bdf), name]));
  const functions = tree.facts.map((facts): FunctionFacts => {
    const own = told.sysfs?.[nameOf.get(formatBdf(facts.bdf)) ?? ''];
    return own === undefined ? facts : { ...facts, sysfs: { ...EMPTY, ...facts.sysfs, ...own } };
  });
  return buildMachine({
    source: 'described',
    functions,
    cpu: told.cpu ?? INTEL,
    kernel: told.kernel ?? '6.12.1',
    cmdline: told.cmdline,
    iommuGroupTypes: told.groups,
  });
}

const EMPTY: SysfsFacts = {
  folder: 'sys/function',
  parent: undefined,
  rootBus: undefined,
  vendorId: undefined,
  deviceId: undefined,
  classCode: undefined,
  subsystemVendorId: undefined,
  subsystemId: undefined,
  resources: undefined,
  numaNode: undefined,
  iommuGroup: undefined,
  driver: undefined,
  physicalFunction: undefined,
  link: undefined,
  p2pmem: undefined,
};

/** A compute accelerator with a BAR of 256 MiB. */
function gpu(name: string, options: object = {}): DeviceDescription {
  return {
    kind: 'endpoint',
    name,
    functions: [
      {
        vendorId: 0x10de,
        deviceId: 0x2330,
        classCode: 0x030200,
        bars: [{ size: 256 * MIB, prefetchable: true }],
        ...options,
      },
    ],
  };
}

function drive(name: string): DeviceDescription {
  return { kind: 'endpoint', name, functions: [{ classCode: 0x010802, bars: [{ size: 2 ** 14 }] }] };
}

/** Two devices below one switch; `acs` of the first port. */
function oneSwitch(
  acs: AcsDescription,
  hostBridge: { vendorId: number; deviceId: number } = UNLISTED,
  second = gpu('b'),
): RootBusDescription[] {
  return [
    {
      hostBridge,
      children: [
        {
          kind: 'rootPort',
          name: 'rp',
          acs: 'clear',
          below: [
            {
              kind: 'switch',
              name: 'sw',
              ports: [
                { name: 'x', acs, below: [gpu('a')] },
                { name: 'y', acs: 'clear', below: [second] },
              ],
            },
          ],
        },
      ],
    },
  ];
}

/** Two devices, each below a root port of its own. */
function twoPorts(
  hostBridge: { vendorId: number; deviceId: number },
  acs: AcsDescription = 'clear',
  second = gpu('b'),
): RootBusDescription[] {
  return [
    {
      hostBridge,
      children: [
        { kind: 'rootPort', name: 'p', acs, below: [gpu('a')] },
        { kind: 'rootPort', name: 'q', acs, below: [second] },
      ],
    },
  ];
}

function twoRoots(hostBridge: { vendorId: number; deviceId: number }): RootBusDescription[] {
  return [
    { hostBridge, children: [{ kind: 'rootPort', name: 'p', below: [gpu('a')] }] },
    { bus: 0x80, hostBridge, children: [{ kind: 'rootPort', name: 'q', below: [gpu('b')] }] },
  ];
}

function findings(built: Machine, id: DiagnosisId): Finding[] {
  return checkMachine(built, POLICIES['linux-6.12']).findings.filter((finding) => finding.id === id);
}

/** Findings that claim something: no questions. */
const claims = (built: Machine, id: DiagnosisId): Finding[] =>
  findings(built, id).filter((finding) => finding.sure !== 'unknown');

const translated = { a: { iommuGroup: 1 }, b: { iommuGroup: 2 } };
const groups = (type: string): Map<number, string> =>
  new Map([
    [1, type],
    [2, type],
  ]);

const PAIRS: readonly [id: DiagnosisId, has: () => Machine, hasNot: () => Machine][] = [
  ['ACS-REDIR-SWITCH', () => machine(oneSwitch(ON)), () => machine(oneSwitch(['SV', 'UF']))],
  ['HB-NOT-LISTED', () => machine(twoPorts(UNLISTED)), () => machine(twoPorts(LISTED))],
  ['HB-SPLIT', () => machine(twoRoots(LISTED_SAME_ONLY)), () => machine(twoRoots(LISTED))],
  [
    'IOMMU-TRANSLATED',
    () => machine(twoPorts(LISTED, ON), { sysfs: translated, groups: groups('DMA-FQ') }),
    () => machine(twoPorts(LISTED, ON), { sysfs: translated, groups: groups('identity') }),
  ],
  [
    'BAD-CMDLINE',
    () => machine(oneSwitch('clear'), { cmdline: 'quiet pci=noacs' }),
    () => machine(oneSwitch('clear'), { cmdline: 'quiet pci=noaer' }),
  ],
  [
    'MPS',
    () => machine(oneSwitch('clear', UNLISTED, gpu('b', { maxPayload: 128 }))),
    () => machine(oneSwitch('clear', UNLISTED, gpu('b', { maxPayload: 256 }))),
  ],
  [
    'KCONFIG-MISSING',
    () => machine(oneSwitch('clear'), { kernel: '4.18.0' }),
    () => machine(oneSwitch('clear'), { kernel: '5.4.0' }),
  ],
  [
    'NO-PROVIDER',
    () => machine([{ children: [{ kind: 'rootPort', below: [drive('d')] }] }]),
    () => machine([{ children: [{ kind: 'rootPort', below: [gpu('a')] }] }]),
  ],
  [
    'CROSS-SOCKET',
    () => machine(twoRoots(LISTED), { sysfs: { a: { numaNode: 0 }, b: { numaNode: 1 } } }),
    () => machine(twoRoots(LISTED), { sysfs: { a: { numaNode: 0 }, b: { numaNode: 0 } } }),
  ],
  [
    'VM-TOPOLOGY',
    () => machine(oneSwitch('clear', UNLISTED, gpu('b', { vendorId: 0x1b36 }))),
    () => machine(oneSwitch('clear', UNLISTED, gpu('b', { vendorId: 0x1002 }))),
  ],
  [
    'FALSE-GRANT',
    () => machine(twoPorts(LISTED, 'clear', gpu('b', { vendorId: 0x1b36 }))),
    () => machine(twoPorts(UNLISTED, 'clear', gpu('b', { vendorId: 0x1b36 }))),
  ],
  [
    'GDS-COMPAT',
    () =>
      machine(oneSwitch('clear', UNLISTED, drive('b')), {
        sysfs: { b: { driver: 'vfio-pci', p2pmem: { size: MIB, available: MIB, published: true } } },
      }),
    () =>
      machine(oneSwitch('clear', UNLISTED, drive('b')), {
        sysfs: { b: { driver: 'nvme', p2pmem: { size: MIB, available: MIB, published: true } } },
      }),
  ],
  [
    'VMD-DOMAIN',
    () => machine([{ domain: 0x10000, children: [{ kind: 'rootPort', below: [drive('d')] }] }]),
    () => machine([{ domain: 0x1, children: [{ kind: 'rootPort', below: [drive('d')] }] }]),
  ],
  [
    'GROUP-LIE',
    () => machine(twoPorts(LISTED, 'clear', gpu('b')), { sysfs: { p: { iommuGroup: 1 }, a: { iommuGroup: 2 } } }),
    () => machine(twoPorts(LISTED, 'clear', gpu('b')), { sysfs: { p: { iommuGroup: 1 }, a: { iommuGroup: 1 } } }),
  ],
];

test.each(PAIRS)('%s is found where it is, and not on the closest machine that has it not', (id, has, hasNot) => {
  expect(claims(has(), id).length).toBeGreaterThan(0);
  expect(claims(hasNot(), id)).toEqual([]);
});

test.each(PAIRS)(
  '%s: a fix that can be made on a copy removes the finding there, and its undo restores the machine exactly',
  (id, has) => {
    const sick = has();
    for (const finding of claims(sick, id)) {
      for (const { change, undo } of finding.fixes) {
        if (change === null) continue;
        expect(undo.length).toBeGreaterThan(0);
        const healed = withChange(sick, change);
        expect(claims(healed, id).map(({ title }) => title)).not.toContain(finding.title);
        const back = withChange(healed, reversed(change));
        expect(back.cmdline).toBe(sick.cmdline);
        expect([...back.iommuGroupTypes]).toEqual([...sick.iommuGroupTypes]);
        expect(back.hierarchy.functions.map((fn) => [fn.name, [...fn.config.bytes]])).toEqual(
          sick.hierarchy.functions.map((fn) => [fn.name, [...fn.config.bytes]]),
        );
      }
    }
  },
);

test('the fixes of ACS, IOMMU, payload and command line can all be proved on a copy', () => {
  const kinds = PAIRS.flatMap(([id, has]) =>
    claims(has(), id).flatMap(({ fixes }) => fixes.flatMap(({ change }) => (change === null ? [] : [change.kind]))),
  );
  expect(new Set(kinds)).toEqual(new Set(['acs', 'groupType', 'maxPayload', 'boot']));
});

test('ACS-REDIR-SWITCH is an error where nothing else leads there, a warning where the host bridge will do', () => {
  expect(claims(machine(oneSwitch(ON, UNLISTED)), 'ACS-REDIR-SWITCH')).toMatchObject([{ severity: 'error' }]);
  expect(claims(machine(oneSwitch(ON, LISTED)), 'ACS-REDIR-SWITCH')).toMatchObject([{ severity: 'warning' }]);
});

test('a desktop with one GPU and one drive, whose host bridge no kernel trusts, has no error', () => {
  const desktop = machine(twoPorts(UNLISTED, 'clear', drive('b')));
  expect(
    checkMachine(desktop, POLICIES['linux-6.12']).findings.filter((finding) => isAtLeast(finding, 'warning')),
  ).toEqual([]);
});

test('the same desktop has one where the user names the two', () => {
  const desktop = machine(twoPorts(UNLISTED, 'clear', drive('b')));
  const asked = desktop.hierarchy.functions.flatMap((fn, index) =>
    fn.isBridge || fn.classCode === 0x0600 ? [] : [index],
  );
  const { findings: found } = checkMachine(desktop, POLICIES['linux-6.12'], { asked });
  expect(found[0]).toMatchObject({ id: 'HB-NOT-LISTED', severity: 'error' });
});

test('sound, USB and slow network functions are never paired', () => {
  const plain = (classCode: number): DeviceDescription => ({
    kind: 'endpoint',
    functions: [{ classCode, bars: [{ size: MIB }] }],
  });
  const built = machine([
    {
      hostBridge: UNLISTED,
      children: [0x040300, 0x0c0330, 0x028000, 0x010601].map((code) => ({
        kind: 'rootPort' as const,
        below: [plain(code)],
      })),
    },
  ]);
  const { pairs } = checkMachine(built, POLICIES['linux-6.12']);
  expect(pairs).toEqual({ busAddr: 0, thruHostBridge: 0, notSupported: 0, unknown: 0 });
});

test('missing evidence makes a question with the command that answers it, never a claim', () => {
  const whole = machine(oneSwitch(ON));
  const functions = whole.hierarchy.functions.map(({ facts }): FunctionFacts => {
    const bytes = facts.config.bytes.slice(0, 64);
    return {
      ...facts,
      config: new (facts.config.constructor as new (bytes: Uint8Array) => typeof facts.config)(bytes),
    };
  });
  const short = buildMachine({ source: 'described', functions, cpu: INTEL, kernel: '6.12.1' });
  const found = checkMachine(short, POLICIES['linux-6.12']).findings.filter((finding) => finding.sure === 'unknown');
  for (const finding of found) expect(finding.missing?.command ?? '').not.toBe('');
});

test('every diagnosis of the table has a name of its own, a meaning, a symptom and its needs', () => {
  expect(new Set(DIAGNOSES.map(({ id }) => id)).size).toBe(DIAGNOSES.length);
  for (const { meaning, symptom, needs } of DIAGNOSES)
    for (const text of [meaning, symptom, needs]) expect(text.length).toBeGreaterThan(10);
});
