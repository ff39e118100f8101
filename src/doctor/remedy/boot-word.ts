/**
 * A word for the kernel's command line, merged with what the line has: nothing is printed that is there already, what says the opposite or
 * the same otherwise is taken out, and a list keeps its other items. What two options of `pci=` name is merged by `acs-word.ts`.
 */

import type { Machine } from '../../machine/machine.ts';
import {
  type CommandLine,
  type PciOption,
  parseCommandLine,
  plainKey,
  type Token,
} from '../command-line/command-line.ts';
import { optionText } from '../command-line/command-line-problem.ts';

export interface BootWord {
  /** `iommu=soft,pt`. */
  readonly parameter: string;
  /** What of the present line it stands for; null where it takes no place. */
  readonly replaces: string | null;
  /** The whole line with it. */
  readonly line: string;
}

/** The word on the machine's line; null where the line says just that already. */
export function bootWord({ cmdline }: Pick<Machine, 'cmdline'>, word: string): BootWord | null {
  const line = parseCommandLine(cmdline ?? '');
  const at = word.indexOf('=');
  const [key, value] = at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
  return key === 'pci' ? pciWord(line, value) : plainWord(line, key, value);
}

/** Options of `pci=` of which the last counts: they set one thing. Linux pci_setup(). */
const ONE_OF: readonly (readonly string[])[] = [
  ['pcie_bus_tune_off', 'pcie_bus_safe', 'pcie_bus_perf', 'pcie_bus_peer2peer'],
];

function pciWord(line: CommandLine, option: string): BootWord | null {
  const key = option.split('=')[0] as string;
  const family = ONE_OF.find((keys) => keys.includes(key)) ?? [key];
  const old = line.pci.filter((one) => family.includes(one.key) || one.key.split('=')[0] === key);
  const last = old.at(-1);
  if (last !== undefined && sameOption(optionText(last), option)) return null;
  return withoutPciOptions(line, old, `pci=${option}`);
}

/** `realloc` says what `realloc=on` says. */
function sameOption(one: string, other: string): boolean {
  const plain = (text: string): string => (text === 'realloc=on' ? 'realloc' : text);
  return plain(one) === plain(other);
}

/** The line without some options of its `pci=` words, and with a word at its end. */
export function withoutPciOptions(line: CommandLine, options: readonly PciOption[], parameter: string): BootWord {
  const words = line.tokens.flatMap(({ text }, index) => {
    if (!options.some(({ token }) => token === index)) return [text];
    const left = line.pci.filter((option) => option.token === index && !options.includes(option));
    return left.length === 0 ? [] : [`pci=${left.map(optionText).join(',')}`];
  });
  return made(line, words, options.map(optionText), parameter);
}

function plainWord(line: CommandLine, key: string, value: string): BootWord | null {
  const isMine = (token: Token): boolean => plainKey(token.key) === plainKey(key);
  const mine = line.tokens.filter(isMine);
  const isList = plainKey(key) === 'iommu' && value !== 'off';
  const merged = isList ? listWith(mine, value) : value;
  const opposite = OPPOSITE[`${plainKey(key)}=${value}`];
  const others = line.tokens.filter((token) => opposite?.(token) === true && !isMine(token));
  const last = mine.at(-1);
  if (last !== undefined && others.length === 0 && valuesOf(last).join() === merged) return null;
  const gone = [...mine, ...others];
  const words = line.tokens.filter((token) => !gone.includes(token)).map(({ text }) => text);
  const parameter = merged === '' ? key : `${key}=${merged}`;
  return made(
    line,
    words,
    line.tokens.filter((token) => gone.includes(token)).map(({ text }) => text),
    parameter,
  );
}

/** Words that set the same thing by another name; the last of them would count. Linux iommu_setup(), iommu_set_def_domain_type(). */
const OPPOSITE: Readonly<Record<string, (token: Token) => boolean>> = {
  'iommu=pt': ({ key }) => plainKey(key) === 'iommu.passthrough',
  'iommu.passthrough=1': (token) => plainKey(token.key) === 'iommu' && valuesOf(token).every((word) => word === 'nopt'),
};

function valuesOf({ value }: Token): string[] {
  return (value ?? '').split(',').filter((word) => word !== '');
}

/** The items of all words of a list with one more; `nopt` and `pt` exclude each other. */
function listWith(tokens: readonly Token[], item: string): string {
  const kept = tokens.flatMap(valuesOf).filter((word) => word !== item && word !== 'pt' && word !== 'nopt');
  return [...new Set(kept), item].join(',');
}

function made(line: CommandLine, words: readonly string[], gone: readonly string[], parameter: string): BootWord {
  return {
    parameter,
    replaces: gone.length === 0 ? null : gone.join(' and '),
    line: [...words, parameter, ...(line.rest === '' ? [] : [line.rest])].join(' '),
  };
}
