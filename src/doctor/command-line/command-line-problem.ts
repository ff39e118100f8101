/** What can be wrong with a word of the kernel command line, as data. */

import type { PciFunction } from '../../pcie/pci-function.ts';
import type { CommandLine, PciOption, Token } from './command-line.ts';

export type CommandLineProblemCode =
  /** No such word in any kernel: it changes nothing. */
  | 'NO_OP'
  /** The kernel that runs does not know it yet. */
  | 'KERNEL_TOO_OLD'
  /** A comma where a semicolon belongs: what follows is another option. */
  | 'COMMA_FOR_SEMICOLON'
  /** The line ends behind the first device of a list: a shell or GRUB has taken the semicolon for the end of a command. */
  | 'CUT_SHORT'
  /** A blank inside a list: what follows is another word. */
  | 'BLANK_IN_LIST'
  /** A quote of a shell has come through, or a backslash: the kernel takes it as a letter. */
  | 'STRAY_QUOTE'
  /** `disable_acs_redir=` without `pci=` before it. */
  | 'PREFIX_MISSING'
  /** The text is no device, or no flags. */
  | 'MALFORMED'
  /** Nothing in this machine has that address: bus numbers may have moved. */
  | 'DEVICE_GONE'
  /** What has that address has no ACS: bus numbers may have moved. */
  | 'NO_ACS'
  /** The device is there, and its register is not as the word says. */
  | 'NO_EFFECT'
  /** Another word, or an entry in front of it, replaces it. */
  | 'REPLACED'
  /** A device that is named loses what the IOMMU has added. */
  | 'DEFAULTS_LOST'
  /** It stands behind `--`: the first process has it, the kernel never. */
  | 'BEHIND_DASHES'
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
  /** Positions of further words that belong to it, and go where it is repaired. */
  readonly others: readonly number[];
  /** Functions whose registers tell. */
  readonly functions: readonly PciFunction[];
}

/** The line with the word of a problem repaired; null where nothing better is known. */
export function repairedLine(line: CommandLine, problem: CommandLineProblem): string | null {
  const { replacement } = problem;
  if (replacement === null) return null;
  if (problem.code === 'BEHIND_DASHES') return beforeDashes(line, problem.token, replacement);
  const words = line.tokens.flatMap((token, index) => {
    if (index === problem.index) return replacement === '' ? [] : [replacement];
    return problem.others.includes(index) ? [] : [token.text];
  });
  return [...words, ...(line.rest === '' ? [] : [line.rest])].join(' ');
}

/** The word in front of the dashes, which stay only where something else stands behind them. */
function beforeDashes(line: CommandLine, token: Token, replacement: string): string {
  const rest = line.rest.split(/\s+/);
  const left = rest.filter((word) => word !== token.text);
  return [...line.tokens.map(({ text }) => text), replacement, ...(left.length > 1 ? left : [])].join(' ');
}

/** An option of `pci=` as it stands. */
export function optionText(option: PciOption): string {
  return option.value === null ? option.key : `${option.key}=${option.value}`;
}

/** The word with one of its options as another text, or without it where that is `''`. */
export function withOption(token: Token, option: PciOption, text: string): string {
  const options = (token.value ?? '').split(',');
  const at = options.indexOf(optionText(option));
  const changed = options.flatMap((old, index) => (index !== at ? [old] : text === '' ? [] : [text]));
  return changed.length === 0 ? '' : `pci=${changed.join(',')}`;
}
