import { expect, test } from 'vitest';
import { machineOfParts } from '../../../tests/doctor/twins.ts';
import type { HostEvidence } from '../../machine/host-evidence.ts';
import { NO_HOST_EVIDENCE } from '../../machine/host-evidence.ts';
import type { Machine } from '../../machine/machine.ts';
import { rolesOf } from '../../machine/roles.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import { POLICIES } from '../../p2p/policy.ts';
import type { EndpointDescription, EndpointFunctionDescription, RootBusDescription } from '../../pcie/describe.ts';
import type { Decider, Held, Opinion } from './opinion.ts';
import { RULES, sureOfRules } from './rules.ts';
import { whoseRule } from './whose-rule.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

type Part = Omit<EndpointFunctionDescription, 'name'>;

/** A GPU of NVIDIA by its device ID. */
const nvidia = (deviceId: number, bar1 = 16 * GIB): Part => ({
  vendorId: 0x10de,
  deviceId,
  classCode: 0x030200,
  bars: [
    { index: 0, size: 16 * MIB, is64Bit: false },
    { index: 1, size: bar1, prefetchable: true },
  ],
});
const amd: Part = {
  vendorId: 0x1002,
  deviceId: 0x740f,
  classCode: 0x038000,
  bars: [{ size: 16 * GIB, prefetchable: true }],
};
const intel: Part = {
  vendorId: 0x8086,
  deviceId: 0xe20b,
  classCode: 0x030000,
  bars: [{ size: 16 * GIB, prefetchable: true }],
};
const nic: Part = {
  vendorId: 0x15b3,
  deviceId: 0x1021,
  classCode: 0x020700,
  bars: [{ size: 32 * MIB, prefetchable: true }],
};
const drive: Part = { vendorId: 0x144d, deviceId: 0xa80a, classCode: 0x010802, bars: [{ size: 16 * 1024 }] };
const dataDirect: Part = { vendorId: 0x15b3, deviceId: 0x2100, classCode: 0x080100, bars: [{ size: 32 * MIB }] };

const ZEN = { vendor: 'AuthenticAMD', family: 25 };
const INTEL = { vendor: 'GenuineIntel', family: 6 };

interface Place {
  readonly cpu?: Machine['cpu'];
  readonly kernel?: string;
  readonly host?: Partial<HostEvidence>;
  readonly drivers?: readonly [provider: string | null, client: string | null];
  readonly hostBridge?: RootBusDescription['hostBridge'];
  readonly extra?: Part;
}

function endpoint(name: string, part: Part): EndpointDescription {
  return { kind: 'endpoint', functions: [{ name, ...part }] };
}

function opinionsOf(rootBuses: readonly RootBusDescription[], place: Place, held: readonly Held[] = []): Opinion[] {
  const [provider, client] = place.drivers ?? [null, null];
  const described = machineOfParts(rootBuses, {
    cpu: place.cpu ?? ZEN,
    kernel: place.kernel ?? '6.12.1',
    ...(provider === null && client === null
      ? {}
      : { sysfs: { a: { driver: provider ?? undefined }, b: { driver: client ?? undefined } } }),
  });
  const machine = { ...described, host: { ...NO_HOST_EVIDENCE, ...place.host } };
  const judge = new JudgeContext(machine, POLICIES['linux-6.12']);
  const index = (bus: string): number => machine.hierarchy.functions.findIndex(({ name }) => name === bus);
  const ends = machine.hierarchy.functions.filter(
    ({ isBridge, classCode }) => !isBridge && classCode !== 0x0600 && classCode !== 0x0801 && classCode !== 0x0680,
  );
  const [a, b] = ends.map(({ name }) => index(name)) as [number, number];
  return whoseRule({ judge, roles: rolesOf(machine.hierarchy.functions) }, a, b, held);
}

/** Two parts below two root ports of one host bridge. */
function acrossPorts(a: Part, b: Part, place: Place = {}, held: readonly Held[] = []): Opinion[] {
  const extra = place.extra === undefined ? [] : [{ kind: 'rootPort' as const, below: [endpoint('x', place.extra)] }];
  const hostBridge = place.hostBridge === undefined ? {} : { hostBridge: place.hostBridge };
  return opinionsOf(
    [
      {
        ...hostBridge,
        children: [
          { kind: 'rootPort', below: [endpoint('a', a)] },
          { kind: 'rootPort', below: [endpoint('b', b)] },
          ...extra,
        ],
      },
    ],
    place,
    held,
  );
}

/** Two parts below one switch. */
function belowSwitch(a: Part, b: Part, place: Place = {}): Opinion[] {
  const ports = [{ below: [endpoint('a', a)] }, { below: [endpoint('b', b)] }];
  return opinionsOf([{ children: [{ kind: 'rootPort', below: [{ kind: 'switch', ports }] }] }], place);
}

const of = (opinions: readonly Opinion[], decider: Decider): Opinion | undefined =>
  opinions.find((opinion) => opinion.decider === decider);

const PROFESSIONAL = nvidia(0x26b1);

test('two NVIDIA GPUs: its driver decides, and the kernel is not asked', () => {
  const opinions = belowSwitch(PROFESSIONAL, PROFESSIONAL);
  expect(opinions[0]?.decider).toBe('nvidiaDriver');
  expect(of(opinions, 'kernelP2pdma')?.answer).toBe('notAsked');
});

test('two NVIDIA GPUs with nouveau: the kernel decides, and NVIDIA’s driver says nothing', () => {
  const opinions = belowSwitch(PROFESSIONAL, PROFESSIONAL, { drivers: ['nouveau', 'nouveau'] });
  expect(of(opinions, 'nvidiaDriver')).toBeUndefined();
  expect(of(opinions, 'kernelP2pdma')).toMatchObject({ answer: 'yes', sure: 'certain' });
});

test.each([
  ['Turing', 0x1e07, 'NS'],
  ['Ampere', 0x2204, 'GNS'],
  ['Ada', 0x2684, 'GNS'],
  ['Blackwell', 0x2b85, 'GNS'],
])('a GeForce of the %s generation is likely refused, below a switch too', (generation, id, status) => {
  for (const opinions of [belowSwitch(nvidia(id), nvidia(id)), acrossPorts(nvidia(id), nvidia(id))]) {
    const opinion = of(opinions, 'nvidiaDriver');
    expect(opinion).toMatchObject({ answer: 'no', sure: 'likely' });
    expect(opinion?.words).toContain(generation);
    expect(opinion?.words).toContain(` ${status}.`);
  }
});

test('a GeForce of the Pascal generation goes by its place', () => {
  expect(of(belowSwitch(nvidia(0x1b06), nvidia(0x1b06)), 'nvidiaDriver')).toMatchObject({
    answer: 'yes',
    sure: 'likely',
  });
});

test('two chips get no peers: certain with NVIDIA’s driver, likely where no driver is known', () => {
  const pair = [nvidia(0x26b1), nvidia(0x2235)] as const;
  expect(of(belowSwitch(...pair, { drivers: ['nvidia', 'nvidia'] }), 'nvidiaDriver')).toMatchObject({
    answer: 'no',
    sure: 'certain',
  });
  expect(of(belowSwitch(...pair), 'nvidiaDriver')?.sure).toBe('likely');
});

test('two models of one chip are no two chips', () => {
  expect(of(belowSwitch(nvidia(0x26b1), nvidia(0x26b5)), 'nvidiaDriver')?.answer).toBe('yes');
});

test('professional GPUs across root ports: yes on Zen, CNS in a guest, TNS below two old hubs, else it depends', () => {
  const across = (place: Place): Opinion | undefined =>
    of(acrossPorts(PROFESSIONAL, PROFESSIONAL, place), 'nvidiaDriver');
  expect(across({ cpu: ZEN })).toMatchObject({ answer: 'yes', sure: 'likely' });
  expect(across({ cpu: INTEL })).toMatchObject({ answer: 'depends' });
  const guest = across({ cpu: INTEL, hostBridge: { vendorId: 0x1b36, deviceId: 0x0008 } });
  expect(guest).toMatchObject({ answer: 'no', sure: 'likely' });
  expect(guest?.words).toContain('CNS');
  const hub = { vendorId: 0x8086, deviceId: 0x6f00 };
  const port = { kind: 'rootPort', vendorId: 0x8086, deviceId: 0x6f04 } as const;
  const hubs = opinionsOf(
    [
      { hostBridge: hub, children: [{ ...port, below: [endpoint('a', PROFESSIONAL)] }] },
      { hostBridge: hub, children: [{ ...port, below: [endpoint('b', PROFESSIONAL)] }] },
    ],
    { cpu: INTEL },
  );
  expect(of(hubs, 'nvidiaDriver')?.words).toContain('TNS');
});

test('with NVSwitch the PCIe rules do not count', () => {
  const opinions = acrossPorts(nvidia(0x20b0), nvidia(0x20b0), {
    extra: { vendorId: 0x10de, deviceId: 0x1af1, classCode: 0x068000, bars: [{ size: 32 * MIB }] },
  });
  expect(of(opinions, 'nvidiaDriver')).toMatchObject({ answer: 'yes' });
  expect(of(opinions, 'nvidiaDriver')?.words).toContain('NVLink');
});

test('a table in hand beats the table of rules, and says that it does', () => {
  const held: Held = {
    decider: 'nvidiaDriver',
    answer: 'yes',
    words: 'nvidia-smi topo -p2p says OK for this pair',
    file: 'p2p.txt',
    line: 3,
  };
  const opinion = of(acrossPorts(nvidia(0x2684), nvidia(0x2684), {}, [held]), 'nvidiaDriver');
  expect(opinion).toMatchObject({ answer: 'yes', sure: 'certain', rules: [], held });
  expect(opinion?.words).toContain('The table of rules says otherwise.');
});

test('NCCL: peers up to PXB, and anywhere on an AMD machine with two GPUs; beyond, the variable that changes it', () => {
  expect(of(belowSwitch(PROFESSIONAL, PROFESSIONAL), 'nccl')?.answer).toBe('yes');
  expect(of(acrossPorts(PROFESSIONAL, PROFESSIONAL, { cpu: ZEN }), 'nccl')?.answer).toBe('yes');
  expect(of(acrossPorts(PROFESSIONAL, PROFESSIONAL, { cpu: ZEN, extra: PROFESSIONAL }), 'nccl')).toMatchObject({
    answer: 'no',
    settings: [{ setting: 'NCCL_P2P_LEVEL=PHB' }],
  });
  expect(of(acrossPorts(PROFESSIONAL, PROFESSIONAL, { cpu: INTEL }), 'nccl')?.answer).toBe('no');
  expect(of(acrossPorts(PROFESSIONAL, nic), 'nccl')?.settings).toEqual([
    expect.objectContaining({ setting: 'NCCL_NET_GDR_LEVEL=PHB' }),
  ]);
});

test('GPUDirect RDMA: not for a GeForce; else by the door that the capture shows', () => {
  expect(of(belowSwitch(nvidia(0x2204), nic), 'gpudirectRdma')).toMatchObject({ answer: 'no', sure: 'certain' });
  const withModules = (names: readonly string[], kernel = '6.12.1'): string | undefined =>
    of(
      belowSwitch(PROFESSIONAL, nic, {
        kernel,
        host: {
          modules: {
            byName: new Map(names.map((name) => [name, { version: null, parameters: new Map() }])),
            complete: true,
            file: 'proc/modules',
          },
        },
      }),
      'gpudirectRdma',
    )?.words;
  expect(withModules(['nvidia', 'nvidia_peermem'])).toContain('nvidia-peermem is loaded');
  expect(withModules(['nvidia'])).toContain('dma-buf is the door');
  expect(withModules(['nvidia'], '5.4.0')).toContain('neither door is open');
});

test('Data Direct: the pair to judge is another one', () => {
  const words = of(belowSwitch(PROFESSIONAL, nic), 'gpudirectRdma')?.words;
  expect(words).not.toContain('Data Direct');
  expect(of(acrossPorts(PROFESSIONAL, nic, { extra: dataDirect }), 'gpudirectRdma')?.words).toContain(
    'judge that pair',
  );
});

test('GPUDirect Storage: the kernel decides without nvidia-fs, and for professional GPUs since Ampere only', () => {
  expect(
    of(acrossPorts(PROFESSIONAL, drive, { cpu: INTEL, hostBridge: { vendorId: 0x8086, deviceId: 0x29c1 } }), 'gds')
      ?.answer,
  ).toBe('no');
  expect(of(acrossPorts(PROFESSIONAL, drive), 'gds')?.answer).toBe('depends');
  expect(of(acrossPorts(nvidia(0x2204), drive), 'gds')).toMatchObject({ answer: 'no', sure: 'certain' });
  const modules = {
    byName: new Map([['nvidia_fs', { version: null, parameters: new Map() }]]),
    complete: true,
    file: 'proc/modules',
  };
  expect(of(acrossPorts(PROFESSIONAL, drive, { host: { modules } }), 'gds')?.words).toContain('nvidia-fs is loaded');
});

test('amdgpu asks the kernel and adds its own conditions', () => {
  expect(of(acrossPorts(amd, amd), 'amdgpu')?.answer).toBe('depends');
  const small = { ...amd, bars: [{ size: 256 * MIB, prefetchable: true }] };
  const opinion = of(acrossPorts(small, small), 'amdgpu');
  expect(opinion).toMatchObject({ answer: 'no', sure: 'likely' });
  expect(opinion?.words).toContain('256 MiB');
  expect(of(acrossPorts(amd, amd), 'rocm')).toMatchObject({ sure: 'certain' });
});

test('Intel GPUs: the kernel decides', () => {
  expect(of(belowSwitch(intel, intel), 'xe')?.answer).toBe('yes');
});

test('a device of VFIO: nobody asks the kernel', () => {
  const opinions = belowSwitch(PROFESSIONAL, drive, { drivers: ['vfio-pci', 'vfio-pci'] });
  expect(opinions[0]?.decider).toBe('userSpace');
  expect(of(opinions, 'kernelP2pdma')?.answer).toBe('notAsked');
});

test('a client processor of Intel passes writes only, likely; a server, a guest and a switch are another matter', () => {
  const client = { vendorId: 0x8086, deviceId: 0x7d1a };
  expect(of(acrossPorts(PROFESSIONAL, drive, { cpu: INTEL, hostBridge: client }), 'rootComplex')).toMatchObject({
    answer: 'writesOnly',
    sure: 'likely',
  });
  expect(
    of(
      acrossPorts(PROFESSIONAL, drive, { cpu: INTEL, hostBridge: { vendorId: 0x8086, deviceId: 0x6f00 } }),
      'rootComplex',
    ),
  ).toBeUndefined();
  expect(of(acrossPorts(PROFESSIONAL, drive, { cpu: INTEL }), 'rootComplex')).toBeUndefined();
  expect(
    of(acrossPorts(PROFESSIONAL, drive, { cpu: INTEL, hostBridge: { vendorId: 0x1b36, deviceId: 8 } }), 'rootComplex'),
  ).toBeUndefined();
  expect(of(belowSwitch(PROFESSIONAL, drive, { cpu: INTEL }), 'rootComplex')).toBeUndefined();
});

test('a row with one source, or one that is contradicted, makes an opinion likely', () => {
  for (const [id, row] of Object.entries(RULES)) {
    const isStrong = row.sources.length >= 2 && row.contradictedBy.length === 0;
    expect(sureOfRules([id as keyof typeof RULES]), id).toBe(isStrong ? 'certain' : 'likely');
    for (const { name, date } of [...row.sources, ...row.contradictedBy]) {
      expect(name, id).not.toBe('');
      expect(date, id).toMatch(/^20\d\d-[01]\d$/);
    }
    expect(row.knownFor, id).not.toBe('');
  }
});

test('every opinion of every kind of pair has a command that asks it and an ending to its words', () => {
  const parts = [PROFESSIONAL, nvidia(0x2684, 256 * MIB), amd, intel, nic, drive];
  for (const a of parts)
    for (const b of parts)
      for (const opinions of [belowSwitch(a, b), acrossPorts(a, b)]) {
        expect(of(opinions, 'kernelP2pdma')).toBeDefined();
        for (const { ask, words, decides } of opinions) {
          expect(ask).not.toBe('');
          expect(decides).not.toBe('');
          expect(words).toMatch(/\.$/);
        }
      }
});
