/** `p2pdma completion`: scripts for bash, zsh and fish, made from the command tree. */

import { type CommandEntry, commandTree } from './command-tree.ts';
import type { CommandSpec } from './commands.ts';
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
  const cases = tree.map(
    ({ name, options }) =>
      `    ${name}) words="${options
        .flatMap(({ short, long }) => [short, long])
        .filter((word) => word !== null)
        .join(' ')} --help" ;;`,
  );
  return [
    '# bash completion of p2pdma: eval "$(p2pdma completion bash)"',
    '_p2pdma() {',
    `  local current=\${COMP_WORDS[COMP_CWORD]} words=""`,
    '  COMPREPLY=()',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W "${tree.map(({ name }) => name).join(' ')} --help --version" -- "$current"))`,
    '    return',
    '  fi',
    `  case \${COMP_WORDS[1]} in`,
    ...cases,
    '  esac',
    '  case $current in',
    '    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;',
    '    *) COMPREPLY=($(compgen -f -- "$current")) ;;',
    '  esac',
    '}',
    'complete -o filenames -F _p2pdma p2pdma',
    '',
  ].join('\n');
}

/** For a file `_p2pdma` in a folder of `$fpath`, or `eval`. */
export function zsh(tree: readonly CommandEntry[]): string {
  const quoted = (text: string): string =>
    text.replaceAll("'", '’').replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', ' ');
  const cases = tree.map(({ name, options }) => {
    const specs = options.map(
      ({ long, takesValue, description }) => `'${long}[${quoted(description)}]${takesValue ? ':value:_files' : ''}'`,
    );
    return `    ${name}) _arguments ${[...specs, "'*:file:_files'"].join(' ')} ;;`;
  });
  return [
    '#compdef p2pdma',
    '# zsh completion of p2pdma: p2pdma completion zsh > a folder of $fpath/_p2pdma',
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
    'compdef _p2pdma p2pdma',
    '',
  ].join('\n');
}

/** For `p2pdma completion fish > ~/.config/fish/completions/p2pdma.fish`. */
export function fish(tree: readonly CommandEntry[]): string {
  const quoted = (text: string): string => text.replaceAll("'", '’');
  return [
    '# fish completion of p2pdma: p2pdma completion fish > ~/.config/fish/completions/p2pdma.fish',
    ...tree.map(
      ({ name, summary }) => `complete -c p2pdma -n __fish_use_subcommand -a ${name} -d '${quoted(summary)}'`,
    ),
    ...tree.flatMap(({ name, options }) =>
      options.map(
        ({ short, long, takesValue, description }) =>
          `complete -c p2pdma -n '__fish_seen_subcommand_from ${name}'${short === null ? '' : ` -s ${short.slice(1)}`} -l ${long.slice(2)}${takesValue ? ' -r' : ''} -d '${quoted(description)}'`,
      ),
    ),
    '',
  ].join('\n');
}
