/**
 * What is wrong with the words of a kernel command line that are meant to open roads for peer traffic: which had effect (the registers
 * tell), which are no words of the kernel's, which are written wrongly, which undo each other. Linux drivers/pci/pci.c:
 * pci_setup(), pci_enable_acs(); what was seen on running kernels is told beside each rule.
 */

import type { Machine } from '../machine/machine.ts';
import { selectFunctions } from '../machine/selector.ts';
import { REDIRECT_BITS } from '../p2p/judge.ts';
import { ACS_SOURCE_VALIDATION, ACS_UPSTREAM_FORWARDING, acsBitNames } from '../pcie/acs.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { type CommandLine, type PciOption, parseSelector, type Token } from './command-line.ts';
import { devicePath } from './device-path.ts';

export type CommandLineProblemCode =
  /** No such word in any kernel: it changes nothing. */
  | 'NO_OP'
  /** The kernel that runs does not know it yet. */
  | 'KERNEL_TOO_OLD'
  /** A comma where a semicolon belongs: what follows is another option. */
  | 'COMMA_FOR_SEMICOLON'
  /** A quote of a shell has come through: the kernel takes it as a letter. */
  | 'STRAY_QUOTE'
  /** `disable_acs_redir=` without `pci=` before it. */
  | 'PREFIX_MISSING'
  /** The text is no device, or no flags. */
  | 'MALFORMED'
  /** Nothing in this machine has that address: bus numbers may have moved. */
  | 'DEVICE_GONE'
  /** The device is there, and its register is not as the word says. */
  | 'NO_EFFECT'
  /** A later word of the same kind replaces it. */
  | 'REPLACED'
  /** A device that is named loses what the IOMMU has added. */
  | 'DEFAULTS_LOST'
  /** It changes the kernel's groups, and no register. */
  | 'GROUPS_ONLY';

export interface CommandLineProblem {
  readonly code: CommandLineProblemCode;
  /** The word that it is about. */
  readonly token: Token;
  /** Position of the word. */
  readonly index: number;
  /** One sentence. */
  readonly message: string;
  /** What the word should be; `''` to leave it out, null where nothing better is known. */
  readonly replacement: string | null;
  /** Functions whose registers tell. */
  readonly functions: readonly PciFunction[];
}

/** Words that people try and no kernel has. */
const NO_OPS: ReadonlyMap<string, string> = new Map([
  ['noacs', 'there is no pci=noacs: the kernel ignores it'],
  ['disable_acs', 'there is no pci=disable_acs: the option is disable_acs_redir=, with a list of devices'],
  ['acs_off', 'there is no pci=acs_off'],
  ['no_acs', 'there is no pci=no_acs'],
  ['acs', 'there is no pci=acs option'],
]);

const BARE_NO_OPS: ReadonlyMap<string, string> = new Map([
  ['noacs', 'the kernel has no word noacs'],
  ['disable_acs', 'the kernel has no word disable_acs'],
  ['pcie_acs', 'the kernel has no word pcie_acs'],
  ['pci_acs', 'the kernel has no word pci_acs'],
]);

/** All problems, in the order of the words. Words that nobody knows are left in peace. */
export function commandLineProblems(machine: Machine, line: CommandLine): CommandLineProblem[] {
  const problems: CommandLineProblem[] = [];
  line.tokens.forEach((token, index) => {
    problems.push(...wordProblems(machine, token, index));
  });
  for (const option of line.pci) problems.push(...optionProblems(machine, line, option));
  return problems.sort((a, b) => a.index - b.index);
}

function wordProblems(machine: Machine, token: Token, index: number): CommandLineProblem[] {
  const problem = (code: CommandLineProblemCode, message: string, replacement: string | null): CommandLineProblem => ({
    code,
    token,
    index,
    message,
    replacement,
    functions: [],
  });
  const key = token.key.replace(/^'+/, '');
  const mattersHere = /acs|iommu|^pci$/.test(key);
  if (token.singleQuoted && mattersHere) {
    return [
      problem(
        'STRAY_QUOTE',
        `single quotes stand in ${token.text}: the kernel takes them as letters and does not know the word`,
        token.text.replaceAll("'", ''),
      ),
    ];
  }
  if (key === 'disable_acs_redir' || key === 'config_acs') {
    return [
      problem('PREFIX_MISSING', `${key}= is an option of pci=, and stands alone here: ignored`, `pci=${token.text}`),
    ];
  }
  const noOp = BARE_NO_OPS.get(key);
  if (noOp !== undefined) return [problem('NO_OP', noOp, '')];
  if (key === 'pcie_acs_override') {
    const message =
      'pcie_acs_override= is known to patched kernels only, and splits IOMMU groups without changing a register: traffic between them still turns round below';
    return [{ ...problem('GROUPS_ONLY', message, ''), functions: [] }];
  }
  if (key === 'iommu' && token.value === 'passthrough') {
    return [problem('NO_OP', 'iommu=passthrough is no word of x86 kernels: iommu=pt is', 'iommu=pt')];
  }
  if ((key === 'intel_iommu' || key === 'amd_iommu') && token.value === 'pt') {
    return [problem('NO_OP', `${key}=pt is not known: iommu=pt is`, 'iommu=pt')];
  }
  const release = releaseOf(machine);
  if (key === 'amd_iommu' && token.value === 'on' && release !== null) {
    return [problem('NO_OP', 'amd_iommu=on changes nothing: the AMD IOMMU is on unless switched off', '')];
  }
  return [];
}

function optionProblems(machine: Machine, line: CommandLine, option: PciOption): CommandLineProblem[] {
  const token = line.tokens[option.token] as Token;
  const base = { token, index: option.token, functions: [] };
  const noOp = NO_OPS.get(option.key);
  if (noOp !== undefined && !token.singleQuoted) {
    return [{ ...base, code: 'NO_OP', message: noOp, replacement: withoutOption(token, option) }];
  }
  if (option.key !== 'disable_acs_redir' && option.key !== 'config_acs') return [];
  if (token.singleQuoted) return [];
  const last = line.pci.findLast((candidate) => candidate.key === option.key);
  if (last !== option) {
    const message = `${option.key}= stands twice: the last one counts, and ${optionText(option)} is lost`;
    return [{ ...base, code: 'REPLACED', message, replacement: withoutOption(token, option) }];
  }
  const old = tooOld(machine, option.key);
  if (old !== null) return [{ ...base, code: 'KERNEL_TOO_OLD', message: old, replacement: null }];
  const strays = straysBehind(line, option);
  if (strays.length > 0) {
    const whole = [optionText(option), ...strays].join(',');
    const repaired = [optionText(option), ...strays].join(';');
    return [
      {
        ...base,
        code: 'COMMA_FOR_SEMICOLON',
        message: `devices of ${option.key}= are parted by semicolons: after the comma, ${strays.join(' and ')} is taken for an option and ignored`,
        replacement: token.text.replace(whole, repaired),
      },
    ];
  }
  return entriesOf(option).flatMap((entry) => entryProblems(machine, entry, { ...base, option }));
}

function optionText(option: PciOption): string {
  return option.value === null ? option.key : `${option.key}=${option.value}`;
}

function withoutOption(token: Token, option: PciOption): string {
  const rest = (token.value ?? '').split(',').filter((text) => text !== optionText(option));
  return rest.length === 0 ? '' : `pci=${rest.join(',')}`;
}

/** Options right behind that are devices: somebody wrote a comma for a semicolon. */
function straysBehind(line: CommandLine, option: PciOption): string[] {
  const strays: string[] = [];
  for (const next of line.pci.slice(line.pci.indexOf(option) + 1)) {
    const text = optionText(next).replace(/^[01xX]*@/, '');
    if (next.token !== option.token || parseSelector(text).kind === 'malformed') break;
    strays.push(optionText(next));
  }
  return strays;
}

/** disable_acs_redir= came with P2PDMA itself, in 4.20; config_acs= is seen on 6.12 and not on 6.1. */
function tooOld(machine: Machine, key: string): string | null {
  const release = releaseOf(machine);
  if (release === null) return null;
  const [major, minor] = release;
  if (key === 'config_acs' && (major < 6 || (major === 6 && minor < 11))) {
    return `config_acs= is not known to Linux ${machine.kernel}: use disable_acs_redir=`;
  }
  if (key === 'disable_acs_redir' && (major < 4 || (major === 4 && minor < 19))) {
    return `disable_acs_redir= is not known to Linux ${machine.kernel}`;
  }
  return null;
}

function releaseOf(machine: Machine): readonly [number, number] | null {
  const match = /^(\d+)\.(\d+)/.exec(machine.kernel ?? '');
  return match ? [Number(match[1]), Number(match[2])] : null;
}

interface Entry {
  /** As it stands between semicolons. */
  readonly text: string;
  /** What the entry names. */
  readonly selector: string;
  /** Bits that it sets, and their values; null where they cannot be read. */
  readonly mask: number;
  readonly value: number;
  readonly error: string | null;
}

/** Highest bit that config_acs= may name: Direct Translated. */
const ACS_BITS_USED = 7;

function entriesOf(option: PciOption): Entry[] {
  return (option.value ?? '').split(';').map((text) => {
    if (option.key === 'disable_acs_redir') return { text, selector: text, mask: REDIRECT_BITS, value: 0, error: null };
    const at = text.indexOf('@');
    const flags = text.slice(0, Math.max(0, at));
    const selector = text.slice(at + 1);
    const broken = (error: string): Entry => ({ text, selector, mask: 0, value: 0, error });
    if (at < 0) return broken(`${text} has no @ between flags and device`);
    if (!/^[01xX]*$/.test(flags)) return broken(`${flags} holds something else than 0, 1 and x`);
    let mask = 0;
    let value = 0;
    for (const [bit, letter] of [...flags].reverse().entries()) {
      if (letter === '0' || letter === '1') {
        if (bit >= ACS_BITS_USED) return broken(`${flags} names bit ${bit}, and ACS Control has seven`);
        mask |= 1 << bit;
        if (letter === '1') value |= 1 << bit;
      }
    }
    return { text, selector, mask, value, error: null };
  });
}

interface EntryPlace {
  readonly token: Token;
  readonly index: number;
  readonly functions: readonly PciFunction[];
  readonly option: PciOption;
}

function entryProblems(machine: Machine, entry: Entry, place: EntryPlace): CommandLineProblem[] {
  const { option, ...base } = place;
  const drop = withoutEntry(base.token, option, entry);
  if (entry.error !== null) {
    return [{ ...base, code: 'MALFORMED', message: `${entry.error}: ignored`, replacement: drop }];
  }
  const selector = parseSelector(entry.selector);
  if (selector.kind === 'malformed') {
    const message = `'${entry.selector}' is no device: the kernel stops reading the list there`;
    return [{ ...base, code: 'MALFORMED', message, replacement: drop }];
  }
  const named =
    selector.kind === 'path' ? byPath(machine, selector.text) : byIds(machine, selector.vendor, selector.device);
  if (named.length === 0) {
    const message = `${option.key}= names ${entry.selector}, and this machine has no such function: bus numbers may have moved`;
    return [{ ...base, code: 'DEVICE_GONE', message, replacement: drop }];
  }
  const problems: CommandLineProblem[] = [];
  const unmoved = named.filter(
    ({ acs }) =>
      acs.state === 'present' &&
      (acs.control & entry.mask & acs.capability) !== (entry.value & acs.capability & entry.mask),
  );
  if (unmoved.length > 0) {
    const which = unmoved
      .map((fn) => `${fn.name} (${fn.acs.state === 'present' ? acsBitNames(fn.acs.control) : ''})`)
      .join(', ');
    const message = `${optionText(option)} had no effect on ${which}: something has written ACS Control since, or the word came too late`;
    problems.push({ ...base, code: 'NO_EFFECT', message, replacement: null, functions: unmoved });
  }
  const lost = option.key === 'disable_acs_redir' ? lostDefaults(machine, named) : [];
  if (lost.length > 0) {
    const paths = lost.map(
      (fn) => `${flagsKept(fn)}@${devicePath(machine.hierarchy, machine.hierarchy.indexOf(fn.bdf)) ?? fn.name}`,
    );
    problems.push({
      ...base,
      code: 'DEFAULTS_LOST',
      message: `a function that disable_acs_redir= names starts from the firmware's word: ${lost.map((fn) => fn.name).join(', ')} lost Source Validation and Upstream Forwarding, which the IOMMU had asked for`,
      replacement:
        lost.length === named.length && entriesOf(option).length === 1 ? `pci=config_acs=${paths.join(';')}` : null,
      functions: lost,
    });
  }
  return problems;
}

/** SV and UF on, the redirects off: what the IOMMU wants less what peers need. */
function flagsKept(fn: PciFunction): string {
  const able = fn.acs.state === 'present' ? fn.acs.capability : 0;
  const on = able & (ACS_SOURCE_VALIDATION | ACS_UPSTREAM_FORWARDING);
  return on.toString(2).padStart(ACS_BITS_USED, '0');
}

/** From 6.12 on; and only where an IOMMU had asked for ACS. */
function lostDefaults(machine: Machine, named: readonly PciFunction[]): PciFunction[] {
  const release = releaseOf(machine);
  if (release === null || release[0] < 6 || (release[0] === 6 && release[1] < 11)) return [];
  if (machine.iommuGroupTypes.size === 0) return [];
  const wanted = ACS_SOURCE_VALIDATION | ACS_UPSTREAM_FORWARDING;
  return named.filter(({ acs }) => acs.state === 'present' && (acs.capability & wanted & ~acs.control) !== 0);
}

function withoutEntry(token: Token, option: PciOption, entry: Entry): string {
  const rest = (option.value ?? '').split(';').filter((text) => text !== entry.text);
  if (rest.length === 0) return withoutOption(token, option);
  const options = (token.value ?? '')
    .split(',')
    .map((text) => (text === optionText(option) ? `${option.key}=${rest.join(';')}` : text));
  return `pci=${options.join(',')}`;
}

function byPath(machine: Machine, text: string): PciFunction[] {
  try {
    return selectFunctions(machine.hierarchy, text, 'pci=').map(
      (index) => machine.hierarchy.functions[index] as PciFunction,
    );
  } catch {
    return [];
  }
}

function byIds(machine: Machine, vendor: number, device: number): PciFunction[] {
  return machine.hierarchy.functions.filter(
    (fn) => (vendor === 0 || fn.vendorId === vendor) && (device === 0 || fn.deviceId === device),
  );
}

/** The line with the word of a problem repaired; null where nothing better is known. */
export function repairedLine(line: CommandLine, problem: CommandLineProblem): string | null {
  const { replacement } = problem;
  if (replacement === null) return null;
  const words = line.tokens.map((token, index) => (index === problem.index ? replacement : token.text));
  return words.filter((word) => word !== '').join(' ');
}
