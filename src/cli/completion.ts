/** `p2pdma completion`: scripts for bash, zsh and fish, made from the command tree. */

import type { CommandSpec } from './command-spec.ts';
import { type ArgumentEntry, type CommandEntry, commandTree, type OptionEntry } from './command-tree.ts';
import { valuesOf, wordsOf } from './completion-words.ts';
import type { CommandModule, Invocation } from './context.ts';
import { UsageError } from './errors.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';

const SHELLS = { bash, zsh, fish } as const;

/** The command for the tree of `specs`. */
export function completionOf(specs: readonly CommandSpec[]): CommandModule {
  return { run: (invocation) => run(invocation, specs) };
}

async function run({ args, context }: Invocation, specs: readonly CommandSpec[]): Promise<ExitCode> {
  const [shell = ''] = args;
  if (!Object.hasOwn(SHELLS, shell)) {
    throw new UsageError({
      code: 'USAGE_ARGUMENT_VALUE',
      path: 'SHELL',
      message: `there is no completion for '${shell}'`,
      hint: 'shells: bash, zsh, fish',
    });
  }
  await context.out.write(SHELLS[shell as keyof typeof SHELLS](commandTree(specs)));
  return EXIT_DONE;
}

/** For `eval "$(p2pdma completion bash)"`. */
export function bash(tree: readonly CommandEntry[]): string {
  const options = tree.map(({ name, options }) => `    ${name}) words="${optionWords(options).join(' ')}" ;;`);
  const values = valueCases(tree, (values) => `words="${values.join(' ')}"; files=`);
  const places = tree.map((entry) => {
    const takes = takesOf(entry);
    const words = takes === null ? [] : wordsOf(takes);
    return `      ${entry.name}) words="${words.join(' ')}"${takes === 'shell' || takes === null ? '; files=' : ''} ;;`;
  });
  return [
    '# bash completion of p2pdma: eval "$(p2pdma completion bash)"',
    '_p2pdma() {',
    // Bash takes words apart at colons, and addresses are full of them: the word is read off the line.
    `  local line=\${COMP_LINE:0:COMP_POINT} words="" files=1 current colons parts`,
    `  current=\${line##*[[:space:]]}`,
    '  COMPREPLY=()',
    `  read -r -a parts <<< "$line"`,
    // What is being typed is no part yet.
    `  if [ -n "$current" ]; then unset "parts[-1]"; fi`,
    `  if [ \${#parts[@]} -lt 2 ]; then`,
    `    COMPREPLY=($(compgen -W "${tree.map(({ name }) => name).join(' ')} --help --version" -- "$current"))`,
    '    return',
    '  fi',
    `  local command=\${parts[1]} previous=\${parts[-1]}`,
    '  if [[ $current == -* ]]; then',
    '    files=',
    '    case $command in',
    ...options.map((line) => `  ${line}`),
    '    esac',
    '  else',
    '    case $previous in',
    ...values.map((line) => `      ${line}`),
    '      *) case $command in',
    ...places,
    '      esac ;;',
    '    esac',
    '  fi',
    '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"; if [ -n "$files" ]; then compgen -f -- "$current"; fi)',
    '  if [[ $COMP_WORDBREAKS == *:* ]]; then',
    `    colons=\${current%"\${current##*:}"}`,
    `    COMPREPLY=("\${COMPREPLY[@]#"$colons"}")`,
    '  fi',
    '}',
    'complete -o filenames -F _p2pdma p2pdma',
    '',
  ].join('\n');
}

/** All words that begin with a dash. */
function optionWords(options: readonly OptionEntry[]): string[] {
  const words = options.flatMap(({ short, long }) => (short === null ? [long] : [short, long]));
  return [...words, '--help'];
}

/** A line of `case` for each option whose values are known, and one for all others that take a value. */
function valueCases(tree: readonly CommandEntry[], line: (values: readonly string[]) => string): string[] {
  const options = tree.flatMap((entry) => entry.options).filter(({ takesValue }) => takesValue);
  const known = [...new Set(options.map(({ long }) => long).filter((long) => valuesOf(long).length > 0))];
  const others = options.filter(({ long }) => valuesOf(long).length === 0);
  const names = [...new Set(others.flatMap(({ short, long }) => (short === null ? [long] : [short, long])))];
  return [...known.map((long) => `${long}) ${line(valuesOf(long))} ;;`), `${names.join('|')}) ;;`];
}

/** What the arguments of a command may be: of those that we have, each command takes one kind. */
function takesOf({ arguments: [first] }: CommandEntry): ArgumentEntry['takes'] | null {
  return first?.takes ?? null;
}

/** For a file `_p2pdma` in a folder of `$fpath`, or `eval`. */
export function zsh(tree: readonly CommandEntry[]): string {
  const quoted = (text: string): string =>
    text.replaceAll("'", '’').replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', ' ');
  // A colon ends a part of a specification.
  const listed = (words: readonly string[]): string =>
    `(${words.map((word) => word.replaceAll(':', '\\:')).join(' ')})`;
  const optionSpec = ({ short, long, takesValue, description }: OptionEntry): string => {
    const values = valuesOf(long);
    const value = takesValue ? `:value:${values.length === 0 ? '_files' : listed(values)}` : '';
    const text = `[${quoted(description)}]${value}`;
    return short === null ? `'${long}${text}'` : `'(${short} ${long})'{${short},${long}}'${text}'`;
  };
  const placeSpec = (entry: CommandEntry): string[] => {
    const takes = takesOf(entry);
    if (takes === null) return [];
    return takes === 'shell' ? [`'*:shell:${listed(wordsOf('shell'))}'`] : [`'*:${takes}:_p2pdma_${takes}'`];
  };
  const cases = tree.map(
    (entry) =>
      `    ${entry.name}) _arguments ${[...entry.options.map(optionSpec), "'--help[examples and options]'", ...placeSpec(entry)].join(' ')} ;;`,
  );
  const places = (['machine', 'scenario'] as const).map(
    (takes) => `_p2pdma_${takes}() { _alternative 'words:${takes}:${listed(wordsOf(takes))}' 'files:file:_files' }`,
  );
  return [
    '#compdef p2pdma',
    '# zsh completion of p2pdma: p2pdma completion zsh > a folder of $fpath/_p2pdma',
    ...places,
    '_p2pdma() {',
    '  local -a commands',
    `  commands=(${tree.map(({ name, summary }) => `'${name}:${quoted(summary)}'`).join(' ')})`,
    '  if (( CURRENT == 2 )); then',
    "    _describe 'command' commands",
    '    return',
    '  fi',
    '  local command=$words[2]',
    '  shift words; (( CURRENT-- ))',
    '  case $command in',
    ...cases,
    '  esac',
    '}',
    // As a file of $fpath it is the function itself; with eval it only names it.
    'if [[ $funcstack[1] == _p2pdma ]]; then _p2pdma "$@"; else compdef _p2pdma p2pdma; fi',
    '',
  ].join('\n');
}

/** For `p2pdma completion fish > ~/.config/fish/completions/p2pdma.fish`. */
export function fish(tree: readonly CommandEntry[]): string {
  const quoted = (text: string): string => text.replaceAll("'", '’');
  const optionLine = (name: string, { short, long, takesValue, description }: OptionEntry): string => {
    const values = valuesOf(long);
    const value = !takesValue ? '' : values.length === 0 ? ' -r' : ` -x -a '${values.join(' ')}'`;
    const letter = short === null ? '' : ` -s ${short.slice(1)}`;
    return `complete -c p2pdma -n '__fish_seen_subcommand_from ${name}'${letter} -l ${long.slice(2)}${value} -d '${quoted(description)}'`;
  };
  const placeLine = (entry: CommandEntry): string[] => {
    const takes = takesOf(entry);
    const from = `complete -c p2pdma -n '__fish_seen_subcommand_from ${entry.name}'`;
    if (takes === null) return [`${from} -f`];
    return [`${from}${takes === 'shell' ? ' -f' : ''} -a '${wordsOf(takes).join(' ')}'`];
  };
  return [
    '# fish completion of p2pdma: p2pdma completion fish > ~/.config/fish/completions/p2pdma.fish',
    ...tree.map(
      ({ name, summary }) => `complete -c p2pdma -f -n __fish_use_subcommand -a ${name} -d '${quoted(summary)}'`,
    ),
    ...tree.flatMap((entry) => [...entry.options.map((option) => optionLine(entry.name, option)), ...placeLine(entry)]),
    '',
  ].join('\n');
}
