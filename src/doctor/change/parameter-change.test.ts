import { expect, test } from 'vitest';
import { card, machineOf, switchBelow, UNLISTED } from '../../../tests/doctor/machines.ts';
import type { Machine } from '../../machine/machine.ts';
import type { AcsDescription } from '../../pcie/describe.ts';
import type { FunctionFacts } from '../../pcie/function-facts.ts';
import { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { acsEffects } from '../command-line/acs-parameter.ts';
import { parseCommandLine } from '../command-line/command-line.ts';
import { iommuMaker } from '../command-line/iommu-words.ts';
import type { MachineChange } from '../finding.ts';
import { reversed, withChange } from './machine-change.ts';
import { bootChange } from './parameter-change.ts';

const lineWith = ({ cmdline }: Machine, parameter: string): string => `${cmdline ?? ''} ${parameter}`.trim();

const ON: AcsDescription = ['SV', 'RR', 'CR', 'UF'];

function machine(facts: Partial<Pick<Machine, 'cmdline' | 'kernel' | 'iommuGroupTypes'>> = {}): Machine {
  const ports = [
    { name: 'x', acs: ON, below: [card('a')] },
    { name: 'y', acs: ON, below: [card('b')] },
  ];
  return { ...machineOf([{ hostBridge: UNLISTED, children: [switchBelow('rp', ports)] }]).machine, ...facts };
}

function controls(built: Machine): (number | null)[] {
  return built.hierarchy.functions
    .filter((fn) => fn.portType === 'downstreamPort')
    .map(({ acs }) => (acs.state === 'present' ? acs.control : null));
}

const after = (built: Machine, line: string): (number | null)[] => controls(withChange(built, bootChange(built, line)));
const A = '0000:02:00.0';
const B = '0000:02:01.0';

test.each([
  [`pci=disable_acs_redir=${A}`, [0x11, 0x1d]],
  [`pci=disable_acs_redir=pci:1af4:000c`, [0x11, 0x11]],
  [`pci=disable_acs_redir=${A};nonsense;${B}`, [0x11, 0x1d]],
  [`pci=disable_acs_redir=${A} pci=disable_acs_redir=${B}`, [0x1d, 0x11]],
  [`pci=config_acs=0000001@${A};1@${A};xx1xx0x@${B}`, [0x01, 0x1d]],
  [`pci=config_acs=0000000@${B} pci=disable_acs_redir=${A};${B}`, [0x11, 0]],
  // Translation Blocking is not offered by this port's description: no parameter makes it.
  [`pci=config_acs=1111111@${A}`, [0x1d | 0x62, 0x1d]],
  ['quiet', [0x1d, 0x1d]],
])(
  '%s leaves the registers that Linux leaves: the first entry that matches, the last option, bits that the port has',
  (line, wanted) => {
    const built = machine();
    const [first] = built.hierarchy.functions.filter((fn) => fn.portType === 'downstreamPort');
    const able = first?.acs.state === 'present' ? first.acs.capability : 0;
    expect(after(built, line)).toEqual(wanted.map((control) => control & able));
  },
);

test('on 6.1 config_acs= is not known and changes nothing; disable_acs_redir= before 4.19', () => {
  expect(after(machine({ kernel: '6.1.90' }), `pci=config_acs=0000000@${A}`)).toEqual([0x1d, 0x1d]);
  expect(after(machine({ kernel: '4.18.0' }), `pci=disable_acs_redir=${A}`)).toEqual([0x1d, 0x1d]);
});

test('with an IOMMU a function that is named loses what it had added, from 6.11 on, and one that is named no longer gets it', () => {
  const iommuGroupTypes = new Map([[0, 'DMA']]);
  const line = `pci=disable_acs_redir=${A}`;
  expect(after(machine({ iommuGroupTypes }), line)).toEqual([0, 0x1d]);
  expect(after(machine({ iommuGroupTypes, kernel: '6.1.90' }), line)).toEqual([0x11, 0x1d]);
  const opened = withChange(machine({ iommuGroupTypes }), bootChange(machine({ iommuGroupTypes, cmdline: '' }), line));
  expect(after({ ...opened, cmdline: line }, 'quiet')).toEqual([0x1d, 0x1d]);
});

test('iommu=pt passes every group that translates, intel_iommu=off leaves none, and both come back', () => {
  const types = new Map([
    [0, 'DMA'],
    [1, 'identity'],
    [2, 'DMA-FQ'],
  ]);
  const built = machine({ iommuGroupTypes: types, cmdline: 'quiet' });
  for (const [parameter, wanted] of [
    ['iommu=pt', ['identity', 'identity', 'identity']],
    ['iommu.passthrough=1', ['identity', 'identity', 'identity']],
    ['intel_iommu=off', []],
    ['iommu.passthrough=t', ['identity', 'identity', 'identity']],
    ['iommu=pt iommu=soft', ['identity', 'identity', 'identity']],
    ['iommu=nopt', ['DMA', 'identity', 'DMA-FQ']],
    ['iommu=pt iommu.passthrough=0', ['DMA', 'identity', 'DMA-FQ']],
  ] as const) {
    const change: MachineChange = bootChange(built, lineWith(built, parameter));
    const changed = withChange(built, change);
    expect([...changed.iommuGroupTypes.values()]).toEqual(wanted);
    expect(changed.cmdline).toBe(`quiet ${parameter}`);
    const back = withChange(changed, reversed(change));
    expect([...back.iommuGroupTypes]).toEqual([...types]);
    expect(back.cmdline).toBe('quiet');
  }
});

test('each maker’s word is for its own IOMMU, and iommu= is for x86', () => {
  const changes = (vendor: string | null, line: string): readonly string[] => {
    const cpu = vendor === null ? null : { vendor, family: 6 };
    return bootChange({ ...machine({ iommuGroupTypes: new Map([[0, 'DMA']]) }), cpu }, line).changes.map(
      (one) => one.kind,
    );
  };
  expect(changes('GenuineIntel', 'intel_iommu=off')).toEqual(['iommu']);
  expect(changes('GenuineIntel', 'amd_iommu=off')).toEqual([]);
  expect(changes('AuthenticAMD', 'amd_iommu=off')).toEqual(['iommu']);
  expect(changes('AuthenticAMD', 'intel_iommu=off')).toEqual([]);
  expect(changes('ARM', 'iommu=off')).toEqual([]);
  expect(changes('ARM', 'iommu=pt')).toEqual([]);
  expect(changes('ARM', 'iommu.passthrough=1')).toEqual(['groupType']);
  expect(changes(null, 'amd_iommu=off')).toEqual(['iommu']);
  expect(changes(null, 'iommu=pt')).toEqual(['groupType']);
});

test('an IOMMU that works, that the line asked for as Intel’s and that is no PCI function, is Intel’s whatever the processor', () => {
  const cpu = { vendor: 'AuthenticAMD', family: 23 };
  const guest = { ...machine({ iommuGroupTypes: new Map([[0, 'DMA']]), cmdline: 'intel_iommu=on' }), cpu };
  const kinds = (built: Machine, parameter: string): readonly string[] =>
    bootChange(built, lineWith(built, parameter)).changes.map(({ kind }) => kind);
  expect(kinds(guest, 'intel_iommu=off')).toEqual(['iommu']);
  expect(kinds(guest, 'amd_iommu=off')).toEqual([]);
  expect(iommuMaker(guest, parseCommandLine('intel_iommu=on'))).toBe('intel');
  expect(iommuMaker(guest, parseCommandLine('quiet'))).toBeNull();
  // AMD’s own is a function of class 0806: there the word for Intel’s is idle talk.
  const [first, ...others] = guest.hierarchy.functions;
  const facts = first?.facts as FunctionFacts;
  const own = first?.withFacts({ ...facts, config: facts.config.withU16(0x0a, 0x0806) }) as PciFunction;
  const amd = { ...guest, hierarchy: new Hierarchy([own, ...others]) };
  expect(iommuMaker(amd, parseCommandLine('intel_iommu=on'))).toBe('amd');
  expect(kinds(amd, 'intel_iommu=off')).toEqual([]);
});

test('a line that is not known stays not known', () => {
  const built = machine();
  const change = bootChange(built, lineWith(built, `pci=disable_acs_redir=${A}`));
  expect(withChange(built, change).cmdline).toBeNull();
});

test('what is named twice has the first entry of a list, and config_acs= before disable_acs_redir=', () => {
  const line = parseCommandLine(`pci=config_acs=0000001@${A};0000010@${A} pci=disable_acs_redir=${A};${B}`);
  const effects = [...acsEffects(machine(), line)].map(([, { key, value }]) => [key, value]);
  expect(effects).toEqual([
    ['config_acs', 1],
    ['disable_acs_redir', 0],
  ]);
});
