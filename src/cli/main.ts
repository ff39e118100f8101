/** The command `p2pdma`: parses the command line, runs one command, turns what went wrong into words and an exit code. */

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { alike } from '../core/text.ts';
import type { CommandSpec } from './command-spec.ts';
import { COMMANDS } from './commands.ts';
import type { CliContext } from './context.ts';
import { didYouMean, errorDocument, errorText, UsageError, type UsageErrorCode } from './errors.ts';
import { EXIT_DONE, EXIT_INTERRUPTED, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { Output, OutputClosed, outputWidth } from './output.ts';
import { progressOn } from './progress.ts';

const EXAMPLES = `Examples:
  p2pdma check                                     what is wrong with this computer, where, and how to fix it
  p2pdma matrix                                    which pairs of this computer's devices can do P2PDMA
  p2pdma explain 03:00.0 06:00.0                   one pair: the road, what decided, what would change it
  p2pdma topo                                      the tree with ports, ACS, links, BARs
  p2pdma matrix example:one-switch                 a machine that ships with p2pdma
  sudo lspci -Dnnvvvxxxx > host.txt                dump another machine, then: p2pdma check host.txt
`;

/** Runs the command line of this process and sets its exit code. */
export async function runProcess(): Promise<void> {
  process.on('SIGINT', () => process.exit(EXIT_INTERRUPTED));
  // A reader of stderr that has gone must not cost the answer.
  process.stderr.on('error', () => {});
  process.exitCode = await main(process.argv.slice(2));
}

/** Runs one command line, without `node` and the script's name. Everything ends here: nothing is thrown. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const json = wantsJson(argv);
  const out = new Output(process.stdout);
  try {
    if (argv[0] === '--version' || argv[0] === '-V') {
      await out.write(`${version()}\n`);
      return EXIT_DONE;
    }
    const words = commandFirst(argv);
    if (words[0] === 'help') checkHelpTopic(words[1]);
    const parsed = parse(words);
    if (parsed.kind === 'nothing') {
      const code = await report(missingCommand(), out, json);
      if (!json) process.stderr.write(`\n${parsed.help}`);
      return code;
    }
    if (parsed.kind === 'help') {
      await out.write(parsed.text);
      return EXIT_DONE;
    }
    const command = await parsed.spec.load();
    const context = contextOf(out, json, parsed.options['color'] !== false);
    const code = await command.run({ args: parsed.args, options: parsed.options, context });
    await out.flush();
    return code;
  } catch (error) {
    return await report(error, out, json);
  }
}

async function report(error: unknown, out: Output, json: boolean): Promise<ExitCode> {
  // Whoever read stdout has all he wanted.
  if (error instanceof OutputClosed) return EXIT_DONE;
  process.stderr.write(errorText(error));
  out.discard();
  if (json && !out.started) {
    try {
      await out.json(errorDocument(error));
    } catch {
      // stdout itself is what failed: stderr has the words.
    }
  }
  return exitCodeOf(error);
}

function contextOf(out: Output, json: boolean, colorWanted: boolean): CliContext {
  const { stdout } = process;
  const terminal = stdout.isTTY === true;
  const noColor = (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  return {
    out,
    note: (line) => process.stderr.write(`${line}\n`),
    progress: progressOn(process.stderr),
    json,
    color: terminal && colorWanted && !noColor,
    columns: widthOf(),
    version,
  };
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function widthOf(): number {
  return outputWidth(process.stdout.columns, process.env['COLUMNS'], process.stderr.columns);
}

/** Whether the answer must be JSON, also where the command line cannot be parsed. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

/** `--json` is understood in front of the command as well. */
function commandFirst(argv: readonly string[]): readonly string[] {
  const [first, second, ...rest] = argv;
  if (first !== '--json') return argv;
  return second === undefined ? [] : [second, first, ...rest];
}

type Parsed =
  /** No command was named. */
  | { readonly kind: 'nothing'; readonly help: string }
  | { readonly kind: 'help'; readonly text: string }
  | {
      readonly kind: 'command';
      readonly spec: CommandSpec;
      readonly args: readonly string[];
      readonly options: Readonly<Record<string, unknown>>;
    };

function parse(argv: readonly string[]): Parsed {
  let printed = '';
  let chosen: Parsed | null = null;
  const program = new Command('p2pdma')
    .description('Which PCIe devices can do peer-to-peer DMA, by which road, why not, and what would change it.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        printed += text;
      },
      writeErr: () => {},
      getOutHelpWidth: widthOf,
    })
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
    .option('-V, --version', 'print the version')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', '\np2pdma COMMAND --help shows examples and options of one command.');
  for (const spec of COMMANDS) {
    const command = program.command(spec.name).description(spec.summary);
    spec.shape(command);
    command
      .option('--no-color', 'no colour, as with NO_COLOR in the environment')
      .addHelpText('before', `Examples:\n${spec.examples.map((line) => `  ${line}\n`).join('')}`)
      .action(() => {
        chosen = { kind: 'command', spec, args: command.args, options: command.opts() };
      });
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help that was asked for, with --help or with the command help, has been printed by now.
    const isHelp = error.code === 'commander.helpDisplayed' || error.code === 'commander.help';
    if (isHelp && printed !== '') return { kind: 'help', text: printed };
    if (!isHelp) throw usageErrorOf(error, argv);
  }
  if (chosen !== null) return chosen;
  program.outputHelp();
  return { kind: 'nothing', help: printed };
}

/** `help foo` is a question about a command that there is not, not one about all of them. */
function checkHelpTopic(topic: string | undefined): void {
  const names = COMMANDS.map((spec) => spec.name);
  if (topic === undefined || topic === 'help' || topic.startsWith('-') || names.includes(topic)) return;
  throw unknownCommand(topic, names);
}

function unknownCommand(name: string, names: readonly string[]): UsageError {
  return new UsageError({
    code: 'USAGE_COMMAND_UNKNOWN',
    path: 'p2pdma',
    message: `unknown command '${name}'`,
    hint: didYouMean(alike(name, names, 1), `commands: ${names.join(', ')}`),
  });
}

function missingCommand(): UsageError {
  return new UsageError({
    code: 'USAGE_COMMAND_MISSING',
    path: 'p2pdma',
    message: 'names no command',
    hint: `commands: ${COMMANDS.map((spec) => spec.name).join(', ')}; p2pdma --help shows examples`,
  });
}

const USAGE_CODES: Readonly<Record<string, UsageErrorCode>> = {
  'commander.unknownOption': 'USAGE_OPTION_UNKNOWN',
  'commander.missingArgument': 'USAGE_ARGUMENT_MISSING',
  'commander.excessArguments': 'USAGE_ARGUMENT_EXCESS',
  'commander.missingMandatoryOptionValue': 'USAGE_OPTION_VALUE',
  'commander.optionMissingArgument': 'USAGE_OPTION_VALUE',
  'commander.invalidArgument': 'USAGE_ARGUMENT_VALUE',
};

function usageErrorOf(error: CommanderError, argv: readonly string[]): UsageError {
  const [first = ''] = argv;
  const spec = COMMANDS.find((candidate) => candidate.name === first);
  const [message = ''] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /\((Did you mean .*\?)\)/.exec(error.message)?.[1];
  const help = `p2pdma ${spec === undefined ? '' : `${spec.name} `}--help shows what there is`;
  const names = COMMANDS.map((candidate) => candidate.name);
  if (error.code === 'commander.unknownCommand') return unknownCommand(first, names);
  const hint = `${suggestion === undefined ? '' : `${suggestion} `}${help}`;
  return new UsageError({
    code: USAGE_CODES[error.code] ?? 'USAGE_ARGUMENT_VALUE',
    path: spec === undefined ? 'p2pdma' : `p2pdma ${spec.name}`,
    message,
    hint,
  });
}
