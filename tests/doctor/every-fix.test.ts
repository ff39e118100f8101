/**
 * Every fix of every finding on the machines of this folder: one that names a register or a parameter is a change on a copy of the
 * machine, which is judged again and has the finding no longer; its undo leaves everything as it was; one that cannot be tried says so.
 */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { restores, reversed, withChange } from '../../src/doctor/change/machine-change.ts';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import { type Finding, type Fix, isProved } from '../../src/doctor/finding.ts';
import { buildMachine } from '../../src/machine/build.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { ConfigSpace } from '../../src/pcie/config-space.ts';
import type { DeviceDescription } from '../../src/pcie/describe.ts';
import type { FunctionFacts } from '../../src/pcie/function-facts.ts';
import { proofText } from '../../src/report/words/proof.ts';
import { bytesOfDump, CORPUS, dumpNames, SKIPPED } from '../corpus/corpus.ts';
import { readTruth } from '../kernel/truth.ts';
import { LISTED, UNLISTED } from './machines.ts';
import { ACS_ON, gpu, machineOfParts, oneSwitch, TWINS, twoPorts } from './twins.ts';

const POLICY = POLICIES['linux-6.12'];
/** The proof of a fix that opens a switch. */
const BY_BUS = { kind: 'judged', shows: { kind: 'pair', type: 'busAddr' } };
const in2Groups = { a: { iommuGroup: 1 }, b: { iommuGroup: 2 }, x: { iommuGroup: 3 }, y: { iommuGroup: 4 } };
const translated = new Map([1, 2, 3, 4].map((group) => [group, 'DMA']));

/** Command lines that were meant to open the switch of `oneSwitch`: its first port is 02:00.0, its second 02:01.0. */
const LINES: readonly string[] = [
  'pci=noacs',
  'noacs quiet',
  "'pci=disable_acs_redir=0000:02:00.0'",
  'pci=disable_acs_redir=0000:02:00.0,0000:02:01.0',
  'pci=disable_acs_redir=0000:02:01.0; 0000:02:00.0',
  'disable_acs_redir=0000:02:00.0',
  'pci=disable_acs_redir=0000:09:00.0;0000:02:00.0',
  'pci=disable_acs_redir=0000:03:00.0',
  'pci=disable_acs_redir=switch;0000:02:00.0',
  'pci=disable_acs_redirect=0000:02:00.0',
  'pci=config_acs=0000:02:00.0@0000000',
  'pci=disable_acs_redir=0000:02:01.0 pci=disable_acs_redir=0000:02:00.0',
  'pcie_acs_override=downstream quiet',
  'quiet -- pci=disable_acs_redir=0000:02:00.0 single',
  'quiet -- disable_acs_redir=0000:02:00.0',
  'quiet intel_iommu=of',
];

const truth = await readTruth();

/** All machines that have something, by a name. */
const SICK: readonly (readonly [string, () => Machine])[] = [
  ...truth.map(({ machine }) => [`real kernel, ${machine.source}`, () => machine] as const),
  ...TWINS.map(({ id, apart, has }) => [`${id} (${apart})`, has] as const),
  ...LINES.map((cmdline) => [cmdline, () => machineOfParts(oneSwitch(ACS_ON), { cmdline })] as const),
  ['ACS redirects, the host bridge will do', () => machineOfParts(oneSwitch(ACS_ON, LISTED))],
  [
    'ACS redirects, and a line opens another port',
    () => machineOfParts(oneSwitch(ACS_ON), { cmdline: 'quiet pci=disable_acs_redir=0000:02:01.0 splash' }),
  ],
  [
    'ACS redirects, and a line sets another port',
    () => machineOfParts(oneSwitch(ACS_ON), { cmdline: 'pci=config_acs=0000000@0000:02:01.0 splash' }),
  ],
  [
    'ACS redirects, on an older kernel',
    () => machineOfParts(oneSwitch(ACS_ON), { kernel: '6.1.90', cmdline: 'quiet' }),
  ],
  [
    'ACS redirects below a translating IOMMU',
    () =>
      machineOfParts(oneSwitch(ACS_ON, LISTED), { sysfs: in2Groups, groups: translated, cmdline: 'intel_iommu=on' }),
  ],
  ['ACS redirects, and only text tells', () => textOnly(machineOfParts(oneSwitch(ACS_ON), { cmdline: 'pci=noacs' }))],
  [
    'all groups translate',
    () => machineOfParts(twoPorts(LISTED, ACS_ON), { sysfs: in2Groups, groups: translated, cmdline: 'quiet' }),
  ],
  [
    'all groups translate, in spite of iommu=pt',
    () => machineOfParts(twoPorts(LISTED, ACS_ON), { sysfs: in2Groups, groups: translated, cmdline: 'iommu=pt' }),
  ],
  ['packets too long', () => machineOfParts(oneSwitch('clear', UNLISTED, gpu('b', { maxPayload: 512 })))],
];

/** The same machine as a listing of lspci -vvv would show it: no registers, only what their bits mean. */
function textOnly(machine: Machine): Machine {
  const functions = machine.hierarchy.functions.map((fn): FunctionFacts => {
    const { vendorId, deviceId, classCode, portType, acs, busNumbers, bars, payload, command } = fn;
    const text = { vendorId, deviceId, classCode, portType, acs, busNumbers, bars, payload, command };
    const told = Object.fromEntries(Object.entries(text).filter(([, value]) => value !== null));
    return {
      ...fn.facts,
      config: new ConfigSpace(new Uint8Array(0)),
      text: { ...told, capabilitiesListed: true, extendedListed: true, lines: {}, file: 'host.txt' },
    };
  });
  const { cpu, kernel, cmdline } = machine;
  return buildMachine({ source: 'host.txt', functions, cpu, kernel, cmdline });
}

interface FixOf {
  readonly machine: Machine;
  readonly finding: Finding;
  readonly fix: Fix;
}

function fixesOf(machine: Machine): FixOf[] {
  return checkMachine(machine, POLICY).findings.flatMap((finding) =>
    finding.fixes.map((fix) => ({ machine, finding, fix })),
  );
}

/** A line that changes a register, the type of a group, or the command line. */
const CHANGES =
  /^(?:sudo setpci |echo .*\| sudo tee \/sys\/kernel\/iommu_groups\/|(?:pci|iommu|iommu\.passthrough|iommu\.strict|intel_iommu|amd_iommu)=)/;
/** Parameters whose effect no capture of this machine can foretell. */
const NOT_FORETOLD: readonly string[] = ['pci=realloc'];
/** Changes of which no copy can tell what they lead to: the fix says which it is. */
const ONLY_THE_MACHINE: readonly string[] = ['rootComplex', 'groupTypeUnknown'];

const linesOf = (fix: Fix): string[] => [...(fix.settings ?? []).map(({ line }) => line), ...fix.commands];

/** What is a line of a shell script: commands, their undo, commands that tell more, and what a shell reads at boot. */
function shellLines({ fixes, missing }: Finding): string[] {
  const files = fixes.flatMap(({ settings = [] }) =>
    settings.filter(({ where }) => where.includes('/etc/default/grub')),
  );
  const commands = fixes.flatMap((fix) => [...fix.commands, ...fix.undo]);
  return [...commands, ...files.map(({ line }) => line), ...(missing === null ? [] : [missing.command])];
}

/** `in the firmware setup`, `the old settings`: sentences that a shell would take for commands. */
const COMMAND =
  /^(?:sudo |echo \S+ \| sudo tee \/|p2pdma |grep |cat |lsmod |gdscheck |nvbandwidth |GRUB_CMDLINE_LINUX="|\((?:sudo|zcat) )/;

test('every command of every finding, its undo and what asks for more is a line of a shell; words are kept apart', () => {
  const findings = SICK.flatMap(([, sick]) => checkMachine(sick(), POLICY).findings);
  const lines = [...new Set(findings.flatMap(shellLines))];
  expect(lines.length).toBeGreaterThan(60);
  expect(lines.filter((line) => !COMMAND.test(line))).toEqual([]);
  for (const line of lines) {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: `${line}\n`, encoding: 'utf8' });
    expect(stderr, line).toBe('');
    expect(status, line).toBe(0);
  }
  // Registers and attributes are root's.
  expect(lines.filter((line) => /(?<!sudo )setpci|> \/sys|(?<!sudo )dmesg/.test(line))).toEqual([]);
});

test('a line for GRUB stands beside the command that makes it count', () => {
  const fixes = SICK.flatMap(([, sick]) => fixesOf(sick())).map(({ fix }) => fix);
  const written = fixes.filter(({ settings = [] }) =>
    settings.some(({ where }) => where.includes('/etc/default/grub')),
  );
  expect(written.length).toBeGreaterThan(50);
  for (const { commands, undo, reboot } of written) {
    expect(commands.join()).toContain('sudo update-grub || sudo grub2-mkconfig');
    expect(undo).toEqual(commands);
    expect(reboot).toBe(true);
  }
});

test.each(SICK)('%s: a fix that names a register or a parameter is a change on a copy, or says why not', (_, sick) => {
  for (const { finding, fix } of fixesOf(sick())) {
    const lines = linesOf(fix).filter((line) => CHANGES.test(line));
    const label = `${finding.id}: ${fix.what}`;
    if (fix.change === null) {
      expect(['notProved', 'judged'], label).toContain(fix.proof.kind);
      const isTold = fix.proof.kind === 'notProved' && ONLY_THE_MACHINE.includes(fix.proof.because);
      expect(
        lines.filter((line) => !isTold && !NOT_FORETOLD.includes(line)),
        label,
      ).toEqual([]);
    } else {
      expect(fix.undo.length + (fix.takeBack?.length ?? 0), label).toBeGreaterThan(0);
      expect(isProved(fix), `${label}: ${proofText(fix.proof)}`).toBe(true);
    }
  }
});

test.each(SICK)(
  '%s: each such fix removes its finding from the changed machine, and its undo restores it exactly',
  (_, sick) => {
    for (const { machine, finding, fix } of fixesOf(sick())) {
      if (fix.change === null) continue;
      const label = `${finding.id}: ${fix.what}`;
      const healed = withChange(machine, fix.change);
      const left = checkMachine(healed, POLICY).findings.filter((other) => other.id === finding.id);
      expect(
        left.map(({ title }) => title),
        label,
      ).not.toContain(finding.title);
      expect(restores(machine, fix.change), label).toBe(true);
      // The undo has the finding back.
      const back = checkMachine(withChange(healed, reversed(fix.change)), POLICY).findings;
      expect(back, label).toEqual(checkMachine(machine, POLICY).findings);
    }
  },
);

test('a fix that opens a switch makes its pairs go by bus address, and its proof says so', () => {
  let opened = 0;
  for (const [, sick] of SICK) {
    for (const { machine, finding, fix } of fixesOf(sick())) {
      if (finding.id !== 'ACS-REDIR-SWITCH' || fix.change === null) continue;
      opened++;
      const before = checkMachine(machine, POLICY).pairs;
      const after = checkMachine(withChange(machine, fix.change), POLICY).pairs;
      expect(after.busAddr).toBe(before.busAddr + (finding.pairs?.count ?? 0));
      expect(fix.proof).toMatchObject(BY_BUS);
    }
  }
  expect(opened).toBeGreaterThan(20);
});

test('the proofs are of every kind: registers, groups, payload, the IOMMU, boots', () => {
  const kinds = new Set(SICK.flatMap(([, sick]) => fixesOf(sick()).flatMap(({ fix }) => fix.change?.kind ?? [])));
  for (const kind of ['acs', 'groupType', 'maxPayload', 'boot']) expect(kinds).toContain(kind);
});

test('a parameter includes what the line opens already, since a second one would replace it', () => {
  const machine = machineOfParts(oneSwitch(ACS_ON), {
    cmdline: 'quiet pci=noaer,disable_acs_redir=0000:02:01.0 splash',
  });
  const boot = fixesOf(machine).find(({ finding, fix }) => finding.id === 'ACS-REDIR-SWITCH' && fix.reboot);
  expect(boot?.fix.settings?.[0]?.line).toBe('pci=disable_acs_redir=0000:00:01.0/00.0/01.0;0000:00:01.0/00.0/00.0');
  expect(boot?.fix.change).toMatchObject({
    after: 'quiet pci=noaer splash pci=disable_acs_redir=0000:00:01.0/00.0/01.0;0000:00:01.0/00.0/00.0',
  });
});

test('a corrected word names functions by their way from the root, which survives renumbering', () => {
  const line = 'pci=disable_acs_redir=0000:02:00.0,02:01.0 quiet';
  const machine = machineOfParts(oneSwitch(ACS_ON), { cmdline: line });
  const repair = fixesOf(machine).find(({ finding }) => finding.id === 'BAD-CMDLINE')?.fix;
  const word = 'pci=disable_acs_redir=0000:00:01.0/00.0/00.0;0000:00:01.0/00.0/01.0';
  expect(repair?.settings).toEqual([
    { where: 'on the kernel command line', line: word },
    {
      where: 'in /etc/default/grub, and pci=disable_acs_redir=0000:02:00.0,02:01.0 taken out there',
      line: `GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX '${word}'"`,
    },
  ]);
  expect(repair?.change).toMatchObject({ after: `${word} quiet` });
});

test('what opens the switches in place of a word keeps what the word says besides, on paper and in the proof', () => {
  const line = 'quiet pci=pcie_bus_perf,disable_acs_redir=0000:09:00.0,realloc splash';
  const machine = machineOfParts(oneSwitch(ACS_ON), { cmdline: line });
  const fixes = fixesOf(machine).filter(({ finding }) => finding.id === 'BAD-CMDLINE');
  expect(fixes).toHaveLength(2);
  const word = 'pci=pcie_bus_perf,realloc,disable_acs_redir=0000:00:01.0/00.0/00.0';
  expect(fixes[1]?.fix.settings?.map((setting) => setting.line)).toEqual([
    word,
    `GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX '${word}'"`,
  ]);
  expect(fixes[1]?.fix.change).toMatchObject({ after: `quiet splash ${word}` });
  expect(fixes[1]?.fix.proof).toMatchObject(BY_BUS);
});

test('no fix puts a card into the slot of one that is paired itself: that one would have the same trouble where it goes', () => {
  const found = SICK.flatMap(([, sick]) => fixesOf(sick())).filter(({ fix }) => fix.what.startsWith('Move '));
  const notFree = found.filter(({ fix }) => !fix.what.includes('(a free slot)'));
  const paired = notFree.filter(({ finding, fix }) =>
    finding.functions.some((name) => fix.what.includes(` ${name} is now`) || fix.what.includes(` ${name} and `)),
  );
  expect(paired.map(({ fix }) => fix.what)).toEqual([]);
});

test('HB-NOT-LISTED: a free slot of a switch is proposed, be it farther than the slot of another card', () => {
  const port = (name: string, below: DeviceDescription[] = []) => ({ name, acs: 'clear' as const, below });
  const ports = [port('x', [gpu('a')]), port('y', [gpu('b')]), port('z')];
  const children = [
    { kind: 'rootPort' as const, below: [{ kind: 'switch' as const, ports }] },
    { kind: 'rootPort' as const, below: [gpu('c')] },
  ];
  const machine = machineOfParts([{ hostBridge: UNLISTED, children }]);
  const fixes = fixesOf(machine).filter(({ finding }) => finding.id === 'HB-NOT-LISTED');
  expect(fixes[0]?.fix.what).toMatch(/^Move .* \(a free slot\)$/);
});

test('BAD-CMDLINE: what is wrong and what to write are told within one line of a screen, be the word ever so long', () => {
  const findings = SICK.flatMap(([, sick]) =>
    checkMachine(sick(), POLICY).findings.filter(({ id }) => id === 'BAD-CMDLINE'),
  );
  for (const { title, fixes } of findings) {
    expect(title).toMatch(/^Kernel command line, .{1,24}: /);
    expect(fixes[0]?.what).not.toMatch(/^Write it so/);
  }
  const long = findings.find(({ title }) => title.includes('lost Source Validation'));
  expect(long?.title.slice(0, 80)).toMatch(/: 0000:\S+ lost|: 0000:\S+, 0000/);
});

test('IOMMU-TRANSLATED: a group has its type set between the unbinding and the binding of its drivers, and back likewise', () => {
  const sysfs = { ...in2Groups, a: { iommuGroup: 1, driver: 'vfio-pci' } };
  const built = machineOfParts(twoPorts(LISTED, ACS_ON), { sysfs, groups: translated, cmdline: 'quiet' });
  const { fix } = fixesOf(built).find(({ fix }) => fix.kind === 'groupType') as FixOf;
  const lines = (type: string): string[] => [
    'echo 0000:01:00.0 | sudo tee /sys/bus/pci/drivers/vfio-pci/unbind',
    `echo ${type} | sudo tee /sys/kernel/iommu_groups/1/type`,
    'echo 0000:01:00.0 | sudo tee /sys/bus/pci/drivers/vfio-pci/bind',
  ];
  expect(fix.commands.slice(0, 3)).toEqual(lines('identity'));
  expect(fix.undo.slice(0, 3)).toEqual(lines('DMA'));
});

test('IOMMU-TRANSLATED: the word that switches the IOMMU off is the one that it hears', () => {
  const offs = (cpu: Machine['cpu'], cmdline: string): (string | undefined)[] => {
    const built = machineOfParts(twoPorts(LISTED, ACS_ON), { sysfs: in2Groups, groups: translated, cmdline, cpu });
    const fixes = fixesOf(built).filter(({ finding }) => finding.id === 'IOMMU-TRANSLATED');
    return fixes.flatMap(({ fix }) => (fix.what.startsWith('Switch') ? [fix.settings?.[0]?.line] : []));
  };
  const amd = { vendor: 'AuthenticAMD', family: 23 };
  expect(offs(amd, 'intel_iommu=on')).toEqual(['intel_iommu=off']);
  expect(offs(amd, 'quiet')).toEqual(['iommu=off']);
  expect(offs({ vendor: 'GenuineIntel', family: 6 }, 'intel_iommu=on')).toEqual(['intel_iommu=off']);
});

test('ACS-REDIR-SWITCH: where no isolation is lost, no group is said to isolate no longer', () => {
  const costs = SICK.flatMap(([, sick]) => fixesOf(sick())).map(({ fix }) => fix.cost);
  const nothing = costs.filter((cost) => /^No isolation is lost|^With the IOMMU off/.test(cost));
  expect(nothing.length).toBeGreaterThan(0);
  expect(nothing.filter((cost) => cost.includes('no longer isolate'))).toEqual([]);
});

test('where only text tells of ACS, the fixes are proved as well', () => {
  const built = textOnly(machineOfParts(oneSwitch(ACS_ON), { cmdline: 'quiet' }));
  const fixes = fixesOf(built).filter(({ finding }) => finding.id === 'ACS-REDIR-SWITCH');
  expect(fixes.map(({ fix }) => fix.change?.kind)).toEqual(['acs', 'boot', 'boot']);
  for (const { fix } of fixes) expect(fix.proof).toMatchObject(BY_BUS);
});

test.skipIf(CORPUS === null)(`corpus: the same holds for every fix on every dump${SKIPPED}`, async () => {
  for (const name of dumpNames()) {
    const machine = await readMachine(bytesOfDump(name), name);
    for (const { finding, fix } of fixesOf(machine)) {
      const label = `${name}, ${finding.id}: ${fix.what}`;
      const lines = linesOf(fix).filter((line) => CHANGES.test(line) && !NOT_FORETOLD.includes(line));
      if (fix.change === null) expect(lines, label).toEqual([]);
      else {
        expect(restores(machine, fix.change), label).toBe(true);
        const left = checkMachine(withChange(machine, fix.change), POLICY).findings.map(({ title }) => title);
        expect(left, label).not.toContain(finding.title);
      }
    }
  }
});

/** So many switches with so many accelerators each, all redirecting. */
function switches(count: number, cards: number): Machine {
  const children = Array.from({ length: count }, (_, at) => ({
    kind: 'rootPort' as const,
    below: [
      {
        kind: 'switch' as const,
        ports: Array.from({ length: cards }, (_, slot) => ({ acs: ACS_ON, below: [gpu(`card${at}.${slot}`)] })),
      },
    ],
  }));
  return machineOfParts([{ hostBridge: UNLISTED, children }], { cmdline: 'quiet' });
}

test.each([
  [2, 2],
  [4, 4],
  [20, 4],
])(
  '%i switches of %i that redirect are one finding: one block of setpci lines with its undo, and one line at boot that opens all of them',
  (count, cards) => {
    const machine = switches(count, cards);
    const found = fixesOf(machine).filter(({ finding }) => finding.id === 'ACS-REDIR-SWITCH');
    expect(new Set(found.map(({ finding }) => finding)).size).toBe(1);
    const [{ finding }] = found as [FixOf];
    expect(finding.at).toHaveLength(count * cards);
    expect(finding.pairs?.count).toBe(count * cards * (cards - 1));
    expect(found.map(({ fix }) => fix.kind)).toEqual(['setpci', 'kernelParameter', 'kernelParameter']);
    const [now, ...boots] = found.map(({ fix }) => fix);
    expect([now?.commands.length, now?.undo.length]).toEqual([count * cards, count * cards]);
    for (const fix of boots) {
      // Paths that are too long for a kernel are replaced by what the ports are.
      const [word] = fix.settings ?? [];
      if (count === 20 && fix === boots[1]) expect(word?.line).toBe('pci=config_acs=0010001@pci:1af4:000c');
      else expect(word?.line.split(';')).toHaveLength(count * cards);
      expect((fix.change?.kind === 'boot' ? (fix.change.after ?? '') : '').length).toBeLessThan(2048);
    }
    for (const { fix } of found) {
      const healed = fix.change === null ? machine : withChange(machine, fix.change);
      expect(checkMachine(healed, POLICY).findings.filter(({ id }) => id === 'ACS-REDIR-SWITCH')).toEqual([]);
      expect(checkMachine(healed, POLICY).pairs.busAddr).toBe(count * cards * (cards - 1));
      expect(fix.change !== null && restores(machine, fix.change)).toBe(true);
    }
  },
);
