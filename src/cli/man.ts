/** `p2pdma man`: the manual page, made from the command tree. The macros are those of man(7). */

import { wrap } from '../report/words/style.ts';
import type { CommandSpec } from './command-spec.ts';
import { type CommandEntry, commandTree } from './command-tree.ts';
import type { CommandModule, Invocation } from './context.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';

/** The command for the tree of `specs`. */
export function manOf(specs: readonly CommandSpec[]): CommandModule {
  return { run: (invocation) => run(invocation, specs) };
}

async function run({ context }: Invocation, specs: readonly CommandSpec[]): Promise<ExitCode> {
  await context.out.write(manPage(commandTree(specs), context.version()));
  return EXIT_DONE;
}

const EXITS: readonly (readonly [number, string])[] = [
  [0, 'done, and what was asked holds'],
  [1, 'done, and the answer is no, or there are findings at or above --fail-on'],
  [2, 'usage'],
  [3, 'input unreadable, malformed or inconsistent'],
  [4, 'the evidence does not suffice'],
  [5, 'engines disagree, or data does not match'],
  [70, 'a mistake in p2pdma'],
  [130, 'interrupted'],
];

const MACHINES: readonly (readonly [string, string])[] = [
  ['live', 'this computer, from /sys and /proc'],
  ['FOLDER or ARCHIVE', 'a captured root, as p2pdma capture makes it; .tar, .tar.gz, .tgz, .tar.bz2'],
  ['FILE', 'what lspci printed: hex (lspci -xxxx), text (lspci -vvv), or both (lspci -Dnnvvvxxxx)'],
  ['-', 'any of these on standard input'],
  ['example:NAME', 'a machine that ships with p2pdma: p2pdma examples lists them'],
];

/** Characters of a line of the source, before hyphens are escaped. */
const SOURCE_WIDTH = 70;

/** The page. */
export function manPage(tree: readonly CommandEntry[], release: string): string {
  const lines = [
    `.TH P2PDMA 1 "" "p2pdma ${release}" "User Commands"`,
    '.SH NAME',
    'p2pdma \\- which PCIe devices can do peer-to-peer DMA, by which road, and why not',
    '.SH SYNOPSIS',
    '.B p2pdma',
    '.I command',
    '[options] [arguments]',
    '.SH MACHINE',
    'Most commands take a machine. It may be left out on Linux: this computer is read then.',
    ...MACHINES.flatMap(([form, meaning]) => ['.TP', `.B ${escaped(form)}`, ...filled(meaning)]),
    '.SH COMMANDS',
    ...tree.flatMap(commandLines),
    '.SH EXIT STATUS',
    ...EXITS.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, ...filled(meaning)]),
    '.SH ENVIRONMENT',
    '.TP',
    '.B NO_COLOR',
    'no colour where it is set and not empty',
    '.TP',
    '.B COLUMNS',
    'the width of the output where it is no terminal',
    '',
  ];
  return lines.join('\n');
}

function commandLines({ name, summary, usage, examples, options, arguments: places }: CommandEntry): string[] {
  return [
    `.SS ${name}`,
    ...filled(summary),
    '.PP',
    `.B p2pdma ${name}`,
    escaped(usage),
    ...places.flatMap((place) => ['.TP', `.I ${escaped(place.name)}`, ...filled(place.description)]),
    ...options.flatMap(({ flags, description }) => ['.TP', `.B ${escaped(flags)}`, ...filled(description)]),
    '.PP',
    'Examples:',
    '.nf',
    ...examples.map((line) => `  ${escaped(line)}`),
    '.fi',
  ];
}

/** Lines of the source are short; the reader fills them again. */
function filled(text: string): string[] {
  return wrap(text, SOURCE_WIDTH).map(escaped);
}

/** Hyphens are to be copied, backslashes to be printed; a line may not begin as a macro. */
function escaped(text: string): string {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('’', "'");
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}
