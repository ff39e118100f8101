import { expect, test } from 'vitest';
import { card, machineOf, switchBelow, UNLISTED } from '../../../tests/doctor/machines.ts';
import type { Machine } from '../../machine/machine.ts';
import type { AcsDescription } from '../../pcie/describe.ts';
import { lastValue, parseCommandLine, parseSelector } from './command-line.ts';
import { type CommandLineProblem, commandLineProblems, correctedLine } from './command-line-problems.ts';

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

test.each([
  ['"pci=a b"', 'pci', 'a b'],
  ['pci="a b"', 'pci', 'a b'],
  ['pci="a b', 'pci', 'a b'],
  ['"quiet"', 'quiet', null],
  ['pci=x="a b"', 'pci', 'x="a b"'],
  ['p"ci=a"', 'p"ci', 'a"'],
])('%s is read as Linux reads its quotes', (text, key, value) => {
  expect(parseCommandLine(text).tokens).toMatchObject([{ key, value }]);
});

test('the last word with a key counts, and - is _ in a key', () => {
  expect(lastValue(parseCommandLine('iommu=off iommu=pt'), 'iommu')).toBe('pt');
  expect(lastValue(parseCommandLine('nvme-core.multipath=N'), 'nvme_core.multipath')).toBe('N');
  expect(lastValue(parseCommandLine('quiet'), 'iommu')).toBeNull();
});

test('behind -- nothing is the kernel’s: a word about ACS or the IOMMU there goes in front of the dashes', () => {
  const line = 'quiet -- single pci=disable_acs_redir=0000:02:00.0';
  expect(problems(line)).toMatchObject([{ code: 'BEHIND_DASHES' }]);
  expect(correctedLine(machineWith({}), line)).toMatch(/^quiet pci=disable_acs_redir=0000:02:00\.0(;\S*)? -- single$/);
  expect(problems('quiet -- disable_acs_redir=0000:02:00.0')[0]?.replacement).toBe(
    'pci=disable_acs_redir=0000:02:00.0',
  );
  expect(problems('quiet -- iommu=pt')[0]?.code).toBe('BEHIND_DASHES');
  expect(problems('quiet -- single pci=noaer')).toEqual([]);
});

test.each([
  ['intel_iommu=of', 'intel_iommu=off'],
  ['intel_iommu=on,sm_onn', 'intel_iommu=on,sm_on'],
  ['amd_iommu=offf', 'amd_iommu=off'],
  ['iommu=tp', 'iommu=pt'],
])('%s is no value of an IOMMU’s: %s is meant', (word, meant) => {
  expect(problems(word)).toMatchObject([{ code: 'NO_OP', replacement: meant }]);
});

test.each(['iommu=on', 'iommu=1', 'iommu=memaper=3', 'intel_iommu=on,sm_on', 'amd_iommu=future_word'])(
  '%s: what is like no value, or like two, is left in peace',
  (word) => {
    expect(problems(word)).toEqual([]);
  },
);

test('a device is an address, a path, or vendor and device', () => {
  for (const text of ['00:1c.0', '0000:00:1c.0/00.0/01.0']) expect(parseSelector(text).kind).toBe('path');
  expect(parseSelector('pci:104c:8233')).toMatchObject({ kind: 'ids', vendor: 0x104c, device: 0x8233 });
  for (const text of ['', '1c.0', '0000:00:1c.8', 'pci:104c', 'gpu'])
    expect(parseSelector(text).kind).toBe('malformed');
});

interface MachineOptions {
  /** ACS of the two downstream ports. */
  readonly acs?: AcsDescription;
  readonly second?: AcsDescription;
  readonly kernel?: string;
  readonly groups?: ReadonlyMap<number, string>;
}

/** Root port 00:01.0, switch 01:00.0, its ports 02:00.0 and 02:01.0 with a card each; only the root port and the two have ACS. */
function problems(cmdline: string, options: MachineOptions = {}): CommandLineProblem[] {
  return commandLineProblems(machineWith(options), parseCommandLine(cmdline));
}

function machineWith(options: MachineOptions): Machine {
  const ports = [
    { name: 'x', acs: options.acs ?? 'clear', below: [card('a')] },
    { name: 'y', acs: options.second ?? options.acs ?? 'clear', below: [card('b')] },
  ] as const;
  const { machine } = machineOf([{ hostBridge: UNLISTED, children: [switchBelow('rp', ports)] }], {
    kernel: options.kernel ?? '6.12.1',
  });
  return { ...machine, iommuGroupTypes: options.groups ?? new Map() };
}

const A = '0000:02:00.0';
const B = '0000:02:01.0';
const BOTH = `pci=disable_acs_redir=${A};${B}`;

test.each([
  // Words of no kernel.
  ['pci=noacs', 'NO_OP', ''],
  ['pci=noats,noacs,noaer', 'NO_OP', 'pci=noats,noaer'],
  ['pci=acs=off', 'NO_OP', ''],
  ['noacs', 'NO_OP', ''],
  ['pcie_acs=off', 'NO_OP', ''],
  ['pci=pcie_acs_override=downstream', 'NO_OP', ''],
  ['iommu=passthrough', 'NO_OP', 'iommu=pt'],
  ['intel_iommu=pt', 'NO_OP', 'iommu=pt'],
  ['intel_iommu=on,pt', 'NO_OP', 'intel_iommu=on iommu=pt'],
  ['amd_iommu=on iommu=pt', 'NO_OP', 'iommu=pt'],
  ['pcie_acs_override=downstream,multifunction', 'GROUPS_ONLY', ''],
  // The right word, not as the kernel spells it.
  [`PCI=disable_acs_redir=${A};${B}`, 'NO_OP', BOTH],
  [`pci=disable-acs-redir=${A};${B}`, 'NO_OP', BOTH],
  [`pci=disable_acs_redirect=${A};${B}`, 'NO_OP', BOTH],
  [`pci=DISABLE_ACS_REDIR=${A};${B}`, 'NO_OP', BOTH],
  [`pci=disable_acs_redir:${A};${B}`, 'NO_OP', BOTH],
  ['pci=pcie_bus_p2p', 'NO_OP', 'pci=pcie_bus_peer2peer'],
  [`disable_acs_redir=${A};${B}`, 'PREFIX_MISSING', BOTH],
  [`pci.disable_acs_redir=${A};${B}`, 'PREFIX_MISSING', BOTH],
  ['pcie_bus_peer2peer', 'PREFIX_MISSING', 'pci=pcie_bus_peer2peer'],
  // Quotes, blanks and commas where semicolons belong.
  [`'${BOTH}'`, 'STRAY_QUOTE', BOTH],
  [`\u201c${BOTH}\u201d`, 'STRAY_QUOTE', BOTH],
  [`pci=disable_acs_redir=${A}\\;${B}`, 'STRAY_QUOTE', BOTH],
  ["iommu='pt'", 'STRAY_QUOTE', 'iommu=pt'],
  // A double quote is taken off in front of a word or its value, and nowhere else.
  [`pci=disable_acs_redir="${A};${B}"`, 'STRAY_QUOTE', BOTH],
  [`pci=noaer,disable_acs_redir="${A};${B}"`, 'STRAY_QUOTE', `pci=noaer,disable_acs_redir=${A};${B}`],
  ['intel-iommu=pt', 'NO_OP', 'iommu=pt'],
  [`pci=disable_acs_redir=${A},${B}`, 'COMMA_FOR_SEMICOLON', BOTH],
  [`pci=noaer,disable_acs_redir=${A},${B},nomsi`, 'COMMA_FOR_SEMICOLON', `pci=noaer,disable_acs_redir=${A};${B},nomsi`],
  [`pci=config_acs=xx00x00@${A},xx00x00@${B}`, 'COMMA_FOR_SEMICOLON', `pci=config_acs=xx00x00@${A};xx00x00@${B}`],
  [`pci=disable_acs_redir=${A}; ${B} quiet`, 'BLANK_IN_LIST', `${BOTH} quiet`],
  [`pci=disable_acs_redir=${A} ${B}`, 'BLANK_IN_LIST', BOTH],
  // Entries that cannot be read end the list.
  ['pci=disable_acs_redir=', 'MALFORMED', ''],
  ['pci=disable_acs_redir', 'MALFORMED', ''],
  [`pci=disable_acs_redir=;${A};${B}`, 'MALFORMED', BOTH],
  [`pci=disable_acs_redir=${A};;${B}`, 'MALFORMED', BOTH],
  ['pci=disable_acs_redir=all', 'MALFORMED', ''],
  [`pci=disable_acs_redir=${A};*`, 'MALFORMED', `pci=disable_acs_redir=${A}`],
  ['pci=disable_acs_redir=1af4:000c', 'MALFORMED', 'pci=disable_acs_redir=pci:1af4:000c'],
  ['pci=config_acs=0000:00:01.0', 'MALFORMED', ''],
  [`pci=config_acs=${A}@0000000`, 'MALFORMED', `pci=config_acs=0000000@${A}`],
  [`pci=config_acs=2@${A}`, 'MALFORMED', ''],
  [`pci=config_acs=10000000@${A}`, 'MALFORMED', ''],
  [`pci=config_acs=xxx@${A}`, 'NO_OP', ''],
  // Numbers that moved.
  [`pci=disable_acs_redir=0000:77:00.0;${A};${B}`, 'DEVICE_GONE', BOTH],
  [`pci=disable_acs_redir=0001:02:00.0;${A};${B}`, 'DEVICE_GONE', BOTH],
  [`pci=disable_acs_redir=0000:00:01.0/00.0/07.0;${A};${B}`, 'DEVICE_GONE', BOTH],
  [`pci=disable_acs_redir=0000:03:00.0;${A};${B}`, 'NO_ACS', BOTH],
  // One word undoes another.
  [`pci=disable_acs_redir=${A} pci=disable_acs_redir=${B}`, 'REPLACED', BOTH],
  [`pci=disable_acs_redir=${A},disable_acs_redir=${B}`, 'REPLACED', BOTH],
  [
    `pci=config_acs=0000000@${A} pci=disable_acs_redir=${A};${B}`,
    'REPLACED',
    `pci=config_acs=0000000@${A} pci=disable_acs_redir=${B}`,
  ],
  ['iommu=pt quiet iommu.passthrough=0', 'REPLACED', 'quiet iommu.passthrough=0'],
] as const)('%s: %s, and the repaired line has the problem no longer', (cmdline, code, corrected) => {
  const codes = problems(cmdline).map((problem) => problem.code);
  expect(codes).toContain(code);
  const line = correctedLine(machineWith({}), cmdline);
  expect(line).toBe(corrected);
  expect(problems(line).map((left) => left.code)).not.toContain(code);
});

test.each([
  'quiet splash foo=bar pci=nomsi,noaer nvidia.NVreg_X=1',
  BOTH,
  `"${BOTH}"`,
  `pci="disable_acs_redir=${A};${B}"`,
  `${BOTH};`,
  'pci=disable_acs_redir=02:00.0;02:01.0',
  'pci=disable_acs_redir=0000:00:01.0/00.0/00.0;0000:00:01.0/00.0/01.0',
  'pci=disable_acs_redir=pci:0:0',
  'pci=disable_acs_redir=pci:1af4:000c',
  `pci=disable_acs_redir=${A.toUpperCase()};${B}`,
  `pci=config_acs=0000000@${A};xx00x00@${B}`,
  'pci=realloc,pcie_bus_perf',
  'quiet -- pci=noacs',
  'iommu=pt intel_iommu=on',
  'root=/dev/sda1 module_blacklist=acs_driver packs=1',
])('%s: nothing is wrong with it', (cmdline) => {
  expect(problems(cmdline)).toEqual([]);
  expect(correctedLine(machineWith({}), cmdline)).toBe(cmdline);
});

test('what stands behind -- is kept by a repair', () => {
  expect(correctedLine(machineWith({}), 'pci=noacs quiet -- init=/x')).toBe('quiet -- init=/x');
});

test('a list of one at the end of the line, beside a port that redirects still, was cut at its semicolon', () => {
  const cut = `quiet pci=disable_acs_redir=${A}`;
  const [problem] = problems(cut, { acs: ['SV', 'UF'], second: ['SV', 'RR', 'CR', 'UF'] });
  expect(problem).toMatchObject({
    code: 'CUT_SHORT',
    replacement: `pci=disable_acs_redir=${A};0000:00:01.0/00.0/01.0`,
  });
  expect(problems(`${cut} splash`, { acs: ['SV', 'UF'], second: ['SV', 'RR', 'CR', 'UF'] })).toEqual([]);
  expect(problems(cut, { acs: ['SV', 'UF'] })).toEqual([]);
});

test('iommu= is of x86; other kernels have iommu.passthrough=', () => {
  const arm = { ...machineWith({}), cpu: { vendor: 'ARM', family: null } };
  expect(commandLineProblems(arm, parseCommandLine('iommu=pt'))).toMatchObject([
    { code: 'NO_OP', replacement: 'iommu.passthrough=1' },
  ]);
  expect(problems('iommu=pt')).toEqual([]);
});

test('iommu=pt that no group has heard of had no effect; one group that passes is enough', () => {
  const types = (...list: string[]): Map<number, string> => new Map(list.map((type, group) => [group, type]));
  expect(problems('iommu=pt', { groups: types('DMA', 'DMA-FQ') }).map(({ code }) => code)).toEqual(['NO_EFFECT']);
  expect(problems('iommu=pt', { groups: types('DMA', 'identity') })).toEqual([]);
  expect(problems('iommu=pt')).toEqual([]);
});

test('what disable_acs_redir= costs where an IOMMU had asked for more is told once a word, with the word that keeps it', () => {
  const options = { acs: 'clear', groups: new Map([[1, 'DMA']]) } as const;
  const found = problems(`pci=noaer,disable_acs_redir=${A};${B}`, options);
  expect(found.map(({ code }) => code)).toEqual(['DEFAULTS_LOST']);
  expect(found[0]?.replacement).toBe(
    'pci=noaer,config_acs=0010001@0000:00:01.0/00.0/00.0;0010001@0000:00:01.0/00.0/01.0',
  );
  expect(problems(BOTH, { ...options, kernel: '6.1.90' })).toEqual([]);
});

test('a word whose register still redirects had no effect; with the bits clear there is nothing to say', () => {
  const word = BOTH;
  expect(problems(word, { acs: ['SV', 'RR', 'CR', 'UF'] }).map(({ code }) => code)).toEqual(['NO_EFFECT']);
  expect(problems(word, { acs: ['SV', 'UF'] })).toEqual([]);
});

test('what is to be written in place of disable_acs_redir= names the functions that have ACS, and no others', () => {
  const found = problems('pci=disable_acs_redir=pci:0:0', { groups: new Map([[0, 'DMA']]) });
  const lost = found.find(({ code }) => code === 'DEFAULTS_LOST');
  expect(lost?.replacement).toBe(
    'pci=config_acs=0010001@0000:00:01.0;0010001@0000:00:01.0/00.0/00.0;0010001@0000:00:01.0/00.0/01.0',
  );
});

test('config_acs= without a bit does something where an IOMMU is: the function starts from the firmware’s word', () => {
  const word = `pci=config_acs=xxx@${A}`;
  expect(problems(word, { groups: new Map([[0, 'DMA']]) })).toEqual([]);
  expect(problems(word).map(({ code }) => code)).toEqual(['NO_OP']);
});

test('config_acs= on a kernel that does not know it yet', () => {
  const word = `pci=config_acs=00x00xx@${A}`;
  expect(problems(word, { kernel: '6.1.90' })).toMatchObject([
    { code: 'KERNEL_TOO_OLD', replacement: `pci=disable_acs_redir=${A}` },
  ]);
  // What only clears the redirects can be said in the older word.
  expect(problems(`pci=config_acs=x000000@${A};xx00x00@${B}`, { kernel: '6.1.90' })).toMatchObject([
    { replacement: null },
  ]);
  expect(problems(`pci=config_acs=x000000@${A};x000000@${B}`, { kernel: '6.1.90' })).toMatchObject([
    { replacement: BOTH },
  ]);
  expect(problems(word)).toEqual([]);
});
