/**
 * Whole words of the command line: words of no kernel, quotes that came through, lists broken by blanks, words about the IOMMU that the
 * groups contradict. Linux Documentation/admin-guide/kernel-parameters.txt; lib/cmdline.c: next_arg().
 */

import { nearest } from '../../core/text.ts';
import type { Machine } from '../../machine/machine.ts';
import {
  type CommandLine,
  type PciOption,
  parseCommandLine,
  parseSelector,
  plainKey,
  type Token,
} from './command-line.ts';
import {
  type CommandLineProblem,
  type CommandLineProblemCode,
  optionText,
  withOption,
} from './command-line-problem.ts';
import { mayBeX86, passthroughOf } from './iommu-words.ts';

/** Options of `pci=` that open or close roads, or place BARs. */
const PCI_OPTIONS: readonly string[] = [
  'disable_acs_redir',
  'config_acs',
  'pcie_bus_tune_off',
  'pcie_bus_safe',
  'pcie_bus_perf',
  'pcie_bus_peer2peer',
  'realloc',
];

/**
 * Values of the words about an IOMMU. Linux iommu_setup() in arch/x86/kernel/pci-dma.c, intel_iommu_setup(), parse_amd_iommu_options();
 * Documentation/admin-guide/kernel-parameters.txt.
 */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  iommu: [
    ...['off', 'force', 'noforce', 'biomerge', 'panic', 'nopanic', 'merge', 'nomerge', 'forcesac', 'allowdac', 'nodac'],
    ...[
      'usedac',
      'soft',
      'pt',
      'nopt',
      'allowed',
      'memaper',
      'leak',
      'fullflush',
      'nofullflush',
      'noagp',
      'noaperture',
    ],
    'calgary',
  ],
  intel_iommu: [
    ...['on', 'off', 'igfx_off', 'forcedac', 'strict', 'sp_off', 'sm_on', 'sm_off', 'tboot_noforce', 'ecs_off'],
    ...['pasid28', 'nobounce'],
  ],
  amd_iommu: [
    ...[
      'on',
      'off',
      'fullflush',
      'force_enable',
      'force_isolation',
      'pgtbl_v1',
      'pgtbl_v2',
      'irtcachedis',
      'nohugepages',
    ],
    'v2_pgsizes_only',
  ],
};

/** `acs` as a part of a name. No kernel has an option with it but the two. */
const ABOUT_ACS = /(?:^|[_.-])(?:no|disable|off)?acs(?:$|[_.=:-])/i;

/** Problems of whole words, and of options of `pci=` that are none. */
export function wordProblems(machine: Machine, line: CommandLine): CommandLineProblem[] {
  const swallowed = new Set<number>();
  const problems: CommandLineProblem[] = [];
  line.tokens.forEach((token, index) => {
    if (swallowed.has(index)) return;
    const place = { token, index, others: [] as number[], functions: [] };
    const found = spellingProblem(line, index);
    if (found !== null) {
      for (const other of found.others) swallowed.add(other);
      problems.push({ ...place, ...found });
      return;
    }
    const meaning = meaningProblem(machine, line, token, index);
    if (meaning !== null) problems.push({ ...place, ...meaning });
    for (const option of line.pci) {
      if (option.token !== index) continue;
      const unknown = unknownOption(token, option);
      if (unknown !== null) problems.push({ ...place, ...unknown });
    }
  });
  return [...problems, ...behindDashes(line)];
}

/** Words about ACS and the IOMMU that the kernel never sees. */
function behindDashes(line: CommandLine): CommandLineProblem[] {
  const { tokens } = parseCommandLine(line.rest.slice('--'.length));
  return tokens.flatMap((token): CommandLineProblem[] => {
    const key = plainKey(token.key);
    const isAboutPeers = key === 'pci' ? ABOUT_ACS.test(token.text) : PCI_OPTIONS.includes(key) || /iommu/.test(key);
    if (!isAboutPeers) return [];
    const message =
      'it stands behind --, and what stands there is handed to the first process: the kernel never reads it';
    const replacement = PCI_OPTIONS.includes(key) ? `pci=${token.text}` : token.text;
    const index = line.tokens.length;
    return [{ code: 'BEHIND_DASHES', token, index, message, replacement, others: [], functions: [] }];
  });
}

type Found = Pick<CommandLineProblem, 'code' | 'message' | 'replacement'> & { readonly others: readonly number[] };

function found(code: CommandLineProblemCode, message: string, replacement: string | null): Found {
  return { code, message, replacement, others: [] };
}

/** How it is written: the kernel cannot read what is meant. */
function spellingProblem(line: CommandLine, index: number): Found | null {
  const token = line.tokens[index] as Token;
  const bare = token.text.replace(/['"\\`\u2018-\u201f]/g, '');
  const key = token.key.replace(/^['`\u2018-\u201f]+/, '');
  if (token.oddQuotes && (/acs|iommu/.test(bare) || /^pci$/i.test(key))) {
    const message = `a quote or backslash of a shell has come through in ${token.text}: the kernel takes it as a letter and does not know the word`;
    return found('STRAY_QUOTE', message, bare);
  }
  if (key !== 'pci' && /^pci$/i.test(key)) {
    return found('NO_OP', `${key}= is no word of the kernel's: pci= is, in small letters`, `pci=${token.value ?? ''}`);
  }
  if (key === 'pci' && /disable_acs_redir=|config_acs=/.test(token.value ?? '')) {
    const others = continuation(line, index);
    if (others.length > 0) {
      const rest = others.map((at) => (line.tokens[at] as Token).text);
      const whole = [token.text, ...rest].join(';').replace(/;{2,}/g, ';');
      const message = `a blank ends the list of ${token.text}: ${rest.join(' and ')} is another word to the kernel, which ignores it`;
      return { code: 'BLANK_IN_LIST', message, replacement: whole, others };
    }
  }
  return null;
}

/** Words behind a list that are devices, or flags at a device: the list went on there. */
function continuation(line: CommandLine, index: number): number[] {
  const others: number[] = [];
  for (let at = index + 1; at < line.tokens.length; at++) {
    const texts = (line.tokens[at] as Token).text.split(';').filter((text) => text !== '');
    const isList = texts.every((text) => parseSelector(text.replace(/^[01xX]*@/, '')).kind !== 'malformed');
    if (!isList) break;
    others.push(at);
  }
  return others;
}

/** What it says: a word that the kernel does not have, or that something else contradicts. */
function meaningProblem(machine: Machine, line: CommandLine, token: Token, index: number): Found | null {
  const { value } = token;
  const key = plainKey(token.key);
  const option = PCI_OPTIONS.find((name) => key === name || key === `pci.${name}`);
  if (option !== undefined) {
    const wanted = `pci=${option}${value === null ? '' : `=${value}`}`;
    return found('PREFIX_MISSING', `${key} is an option of pci=, and stands alone here: ignored`, wanted);
  }
  if (key === 'pcie_acs_override') {
    const message =
      'pcie_acs_override= is known to patched kernels only, and splits IOMMU groups without changing a register: traffic between them still turns round below';
    return found('GROUPS_ONLY', message, '');
  }
  if (ABOUT_ACS.test(key) && key !== 'pci') {
    return found(
      'NO_OP',
      `the kernel has no word ${key}: pci=disable_acs_redir= with a list of devices is what there is`,
      '',
    );
  }
  return iommuProblem(machine, line, token, index);
}

function iommuProblem(machine: Machine, line: CommandLine, token: Token, index: number): Found | null {
  const { value } = token;
  const key = plainKey(token.key);
  const words = (value ?? '').split(',');
  const isIommu = key === 'iommu' || key === 'intel_iommu' || key === 'amd_iommu';
  if (isIommu && words.includes('passthrough')) {
    return found('NO_OP', `${key}=passthrough is no word of the kernel's: iommu=pt is`, 'iommu=pt');
  }
  if ((key === 'intel_iommu' || key === 'amd_iommu') && words.includes('pt')) {
    const rest = words.filter((word) => word !== 'pt').join(',');
    const kept = rest === '' ? '' : `${key}=${rest} `;
    return found('NO_OP', `pt is no value of ${key}=: iommu=pt is what there is`, `${kept}iommu=pt`);
  }
  if (key === 'amd_iommu' && value === 'on') {
    return found('NO_OP', 'amd_iommu=on changes nothing: the AMD IOMMU is on unless switched off', '');
  }
  if (key === 'iommu' && words.includes('pt') && !mayBeX86(machine)) {
    return found('NO_OP', 'iommu= is a word of x86 kernels: here iommu.passthrough=1 is', 'iommu.passthrough=1');
  }
  const values = VALUES[key] ?? [];
  const wrong = words.find((word) => word.length > 1 && !word.includes('=') && !values.includes(word));
  const [meant, other] = wrong === undefined ? [] : values.filter((candidate) => isSlip(wrong, candidate));
  // What is like no value at all may be of a kernel that is newer than this list.
  if (wrong !== undefined && meant !== undefined && other === undefined) {
    const repaired = words.map((word) => (word === wrong ? meant : word)).join(',');
    return found('NO_OP', `${wrong} is no value of ${key}=: ${meant} is meant`, `${token.key}=${repaired}`);
  }
  const pass = passthroughOf(token);
  if (pass === null) return null;
  const later = line.tokens.findLastIndex((other) => passthroughOf(other) !== null);
  if (later !== index) {
    const last = line.tokens[later] as Token;
    if (passthroughOf(last) === pass) return null;
    return found('REPLACED', `${token.text} and ${last.text} contradict each other: the last one counts`, '');
  }
  // The kernel's groups tell whether it was heard.
  const types = new Set(machine.iommuGroupTypes.values());
  if (pass && types.size > 0 && [...types].every((type) => type === 'DMA' || type === 'DMA-FQ')) {
    const message = `${token.text} had no effect: all IOMMU groups of this machine are of type ${[...types].sort().join(' and ')}`;
    return found('NO_EFFECT', message, null);
  }
  return null;
}

/** A letter too few or too many at the end, two that changed places, capitals: `of` is not far from `on` either, and never meant so. */
function isSlip(word: string, value: string): boolean {
  const written = word.toLowerCase();
  const letters = (text: string): string => [...text].sort().join('');
  return value.startsWith(written) || written.startsWith(value) || letters(written) === letters(value);
}

/** An option of `pci=` that no kernel has and that is meant to be one of those that open roads. */
function unknownOption(token: Token, option: PciOption): Found | null {
  if (token.oddQuotes || PCI_OPTIONS.includes(option.key)) return null;
  const isMeant = ABOUT_ACS.test(option.key) || /^pcie_bus_(?!safe|perf)/.test(option.key);
  if (!isMeant) return null;
  // A colon for the first equals sign: the key has swallowed the list.
  const colon = /^(disable_acs_redir|config_acs)[:@](.+)$/.exec(optionText(option));
  if (colon !== null) {
    const text = `${colon[1]}=${colon[2]}`;
    return found('NO_OP', `there is no pci=${optionText(option)}: ${text} is meant`, withOption(token, option, text));
  }
  const near = /p2p|peer/i.test(option.key) ? 'pcie_bus_peer2peer' : nearest(option.key, PCI_OPTIONS, 1)[0];
  const isTypo =
    near !== undefined &&
    (option.value !== null || near.startsWith('pcie_bus')) &&
    option.key.startsWith('pcie_bus') === near.startsWith('pcie_bus') &&
    isNear(option.key, near);
  const value = option.value === null ? '' : `=${option.value}`;
  const replacement = withOption(token, option, isTypo ? `${near}${value}` : '');
  const hint = isTypo ? `: ${near} is meant` : ': disable_acs_redir= with a list of devices is what there is';
  return found('NO_OP', `there is no pci=${option.key}${hint}`, replacement);
}

/** Most of the letters are the same. */
function isNear(text: string, name: string): boolean {
  const letters = new Set(name);
  const same = [...text.toLowerCase().replaceAll('-', '_')].filter((letter) => letters.has(letter)).length;
  return text.length > name.length / 2 && same >= text.length - 3;
}
