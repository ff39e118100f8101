import { expect, test } from 'vitest';
import { card, machineOf, switchBelow, UNLISTED } from '../../tests/doctor/machines.ts';
import type { AcsDescription } from '../pcie/describe.ts';
import { lastValue, parseCommandLine, parseSelector } from './command-line.ts';
import { type CommandLineProblem, commandLineProblems, repairedLine } from './command-line-problems.ts';

test('words are parted by blanks outside double quotes, values lose the quotes, and -- ends the kernel’s part', () => {
  const { tokens } = parseCommandLine('a=1  dyndbg="file x +p"  quiet -- b=2');
  expect(tokens.map(({ key, value }) => [key, value])).toEqual([
    ['a', '1'],
    ['dyndbg', 'file x +p'],
    ['quiet', null],
  ]);
});

test('options of pci= are parted by commas, over all its words', () => {
  const { pci } = parseCommandLine('pci=noaer,disable_acs_redir=0000:00:01.0;0000:00:02.0 pci=realloc');
  expect(pci.map(({ key, value }) => [key, value])).toEqual([
    ['noaer', null],
    ['disable_acs_redir', '0000:00:01.0;0000:00:02.0'],
    ['realloc', null],
  ]);
});

test('the last word with a key counts, and - is _ in a key', () => {
  expect(lastValue(parseCommandLine('iommu=off iommu=pt'), 'iommu')).toBe('pt');
  expect(lastValue(parseCommandLine('nvme-core.multipath=N'), 'nvme_core.multipath')).toBe('N');
  expect(lastValue(parseCommandLine('quiet'), 'iommu')).toBeNull();
});

test('a device is an address, a path, or vendor and device', () => {
  for (const text of ['00:1c.0', '0000:00:1c.0/00.0/01.0']) expect(parseSelector(text).kind).toBe('path');
  expect(parseSelector('pci:104c:8233')).toMatchObject({ kind: 'ids', vendor: 0x104c, device: 0x8233 });
  for (const text of ['', '1c.0', '0000:00:1c.8', 'pci:104c', 'gpu'])
    expect(parseSelector(text).kind).toBe('malformed');
});

function problems(cmdline: string, options: { acs?: AcsDescription; kernel?: string } = {}): CommandLineProblem[] {
  const { machine } = machineOf(
    [
      {
        hostBridge: UNLISTED,
        children: [switchBelow('rp', [{ name: 'x', acs: options.acs ?? 'clear', below: [card('a')] }])],
      },
    ],
    { kernel: options.kernel ?? '6.12.1' },
  );
  return commandLineProblems(machine, parseCommandLine(cmdline));
}

// Root port 00:01.0, switch 01:00.0, its downstream port 02:00.0.
test.each([
  ['pci=noacs', 'NO_OP'],
  ['iommu=passthrough', 'NO_OP'],
  ['intel_iommu=pt', 'NO_OP'],
  ['disable_acs_redir=0000:00:01.0', 'PREFIX_MISSING'],
  ["'pci=disable_acs_redir=0000:00:01.0;0000:02:00.0'", 'STRAY_QUOTE'],
  ['pci=disable_acs_redir=0000:00:01.0,0000:02:00.0', 'COMMA_FOR_SEMICOLON'],
  ['pci=disable_acs_redir=0000:77:00.0', 'DEVICE_GONE'],
  ['pci=disable_acs_redir=switch', 'MALFORMED'],
  ['pci=config_acs=0000:00:01.0', 'MALFORMED'],
  ['pci=config_acs=2@0000:00:01.0', 'MALFORMED'],
  ['pci=config_acs=10000000@0000:00:01.0', 'MALFORMED'],
  ['pcie_acs_override=downstream,multifunction', 'GROUPS_ONLY'],
  ['pci=disable_acs_redir=0000:00:01.0 pci=disable_acs_redir=0000:02:00.0', 'REPLACED'],
])('%s: %s, and the repaired line has the problem no longer', (cmdline, code) => {
  const found = problems(cmdline);
  expect(found.map((problem) => problem.code)).toContain(code);
  const problem = found.find((candidate) => candidate.code === code) as CommandLineProblem;
  const repaired = repairedLine(parseCommandLine(cmdline), problem);
  expect(repaired).not.toBeNull();
  expect(problems(repaired as string).map((left) => left.code)).not.toContain(code);
});

test('a word whose register still redirects had no effect; with the bits clear there is nothing to say', () => {
  const word = 'pci=disable_acs_redir=0000:02:00.0';
  expect(problems(word, { acs: ['SV', 'RR', 'CR', 'UF'] }).map(({ code }) => code)).toEqual(['NO_EFFECT']);
  expect(problems(word, { acs: ['SV', 'UF'] })).toEqual([]);
});

test('config_acs= on a kernel that does not know it yet', () => {
  const word = 'pci=config_acs=00x00xx@0000:02:00.0';
  expect(problems(word, { kernel: '6.1.90' }).map(({ code }) => code)).toEqual(['KERNEL_TOO_OLD']);
  expect(problems(word)).toEqual([]);
});

test('words that nobody knows are left in peace', () => {
  expect(problems('quiet splash foo=bar pci=nomsi,noaer nvidia.NVreg_X=1')).toEqual([]);
});
