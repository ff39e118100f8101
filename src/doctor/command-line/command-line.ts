/**
 * The kernel command line by its real grammar: words parted by white space, double quotes keep a word together, options of `pci=`
 * parted by commas, devices inside one option by semicolons. Linux: next_arg() in lib/cmdline.c, pci_setup(),
 * Documentation/admin-guide/kernel-parameters.txt.
 */

/** One word. */
export interface Token {
  /** As it stands, quotes included. */
  readonly text: string;
  /** In front of the first `=`. */
  readonly key: string;
  /** Behind it, without the quotes around it; null where there is no `=`. */
  readonly value: string | null;
  /** Quotes inside, or such as only a shell or a word processor knows, or a backslash stand in it: the kernel takes them as letters. */
  readonly oddQuotes: boolean;
}

/** One option of `pci=`. */
export interface PciOption {
  /** Position of its word in `tokens`. */
  readonly token: number;
  readonly key: string;
  readonly value: string | null;
}

export interface CommandLine {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** All options of all `pci=` words, in order. */
  readonly pci: readonly PciOption[];
  /** What stands from `--` on, the dashes included: the first process has it, not the kernel. `''` where there is none. */
  readonly rest: string;
}

/** Takes a command line apart. What stands behind `--` is not the kernel's. Never refuses: the kernel does not either. */
export function parseCommandLine(text: string): CommandLine {
  const words = wordsOf(text);
  const end = words.indexOf('--');
  const tokens = (end < 0 ? words : words.slice(0, end)).map(tokenOf);
  const pci: PciOption[] = [];
  tokens.forEach((token, index) => {
    if (token.key !== 'pci' || token.value === null) return;
    for (const option of token.value.split(',')) {
      const at = option.indexOf('=');
      pci.push({
        token: index,
        key: at < 0 ? option : option.slice(0, at),
        value: at < 0 ? null : option.slice(at + 1),
      });
    }
  });
  return { text, tokens, pci, rest: end < 0 ? '' : words.slice(end).join(' ') };
}

/** The kernel takes `-` and `_` for the same in the names of parameters. */
export function plainKey(key: string): string {
  return key.replaceAll('-', '_');
}

/** The value of the last word with that key, `''` where it has none; null where there is no such word. The last one counts. */
export function lastValue(line: CommandLine, key: string): string | null {
  const token = line.tokens.findLast((candidate) => plainKey(candidate.key) === plainKey(key));
  return token === undefined ? null : (token.value ?? '');
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let quoted = false;
  for (const letter of text) {
    if (letter === '"') quoted = !quoted;
    if (!quoted && /\s/.test(letter)) {
      if (word !== '') words.push(word);
      word = '';
    } else word += letter;
  }
  if (word !== '') words.push(word);
  return words;
}

/** What a shell or a word processor takes for quotes, and the kernel for letters. */
const ODD_QUOTES = /['\\`\u2018-\u201f]/;

/**
 * The kernel takes off a double quote in front of the word or of its value, and the one at its end; any other is a letter. next_arg() in
 * lib/cmdline.c.
 */
function tokenOf(text: string): Token {
  const isQuoted = text.startsWith('"');
  let bare = isQuoted ? text.slice(1) : text;
  if (isQuoted && bare.endsWith('"')) bare = bare.slice(0, -1);
  const at = bare.indexOf('=');
  const key = at < 0 ? bare : bare.slice(0, at);
  let value = at < 0 ? null : bare.slice(at + 1);
  if (value?.startsWith('"')) value = value.slice(1).replace(/"$/, '');
  return { text, key, value, oddQuotes: ODD_QUOTES.test(text) || `${key}${value ?? ''}`.includes('"') };
}

/** How a parameter names functions. */
export type DeviceSelector =
  | { readonly kind: 'path'; readonly text: string }
  | {
      readonly kind: 'ids';
      readonly text: string;
      /** 0 is any, of each of the four. */
      readonly vendor: number;
      readonly device: number;
      readonly subsystemVendor: number;
      readonly subsystem: number;
    }
  | { readonly kind: 'malformed'; readonly text: string };

const PATH = /^(?:[0-9a-f]{1,8}:)?[0-9a-f]{1,2}:[0-9a-f]{1,2}\.[0-7](?:\/[0-9a-f]{1,2}\.[0-7])*$/i;
const IDS = /^pci:([0-9a-f]{1,4}):([0-9a-f]{1,4})(?::([0-9a-f]{1,4}):([0-9a-f]{1,4}))?$/i;

/** Reads one device of a list. */
export function parseSelector(text: string): DeviceSelector {
  if (PATH.test(text)) return { kind: 'path', text };
  const match = IDS.exec(text);
  if (match === null) return { kind: 'malformed', text };
  const number = (at: number): number => Number.parseInt(match[at] ?? '0', 16);
  return {
    kind: 'ids',
    text,
    vendor: number(1),
    device: number(2),
    subsystemVendor: number(3),
    subsystem: number(4),
  };
}
