/** `p2pdma map`: maps the bio of a file, or one a line, and shows or prints what the engine would be given. */

import { P2pError } from '../core/errors.ts';
import { parseHex } from '../core/hex.ts';
import type { Range } from '../core/range.ts';
import { CLASSIFY_MODES, type ClassifyMode } from '../dma/classifier-for.ts';
import type { IommuMode } from '../machine/machine.ts';
import type { PolicyName } from '../p2p/policy.ts';
import { mapDocument } from '../report/map/json.ts';
import { nvmeText } from '../report/map/nvme.ts';
import { mapText } from '../report/map/text.ts';
import { type BioFile, readBioFile } from '../scenario/bio-file.ts';
import { ScenarioError } from '../scenario/errors.ts';
import { BioMapper, type MapSettings } from '../scenario/map-bio.ts';
import { nvmePointers } from '../scenario/nvme-pointers.ts';
import { type Invocation, textOption } from './context.ts';
import { errorDocument, UsageError } from './errors.ts';
import { EXIT_DONE, EXIT_INPUT, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';
import { readText } from './read-text.ts';

/** Runs the command. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const settings = settingsOf(invocation);
  const file = textOption(invocation, 'bio') as string;
  const text = readText(file);
  const { machine, policy } = await loadMachine(invocation.args[0], invocation);
  const mapper = new BioMapper(machine, policy, settings);
  if (file.endsWith('.jsonl')) return runLines(invocation, mapper, text, file, policy.name);
  const bio = readBioFile(text, file);
  const mapped = mapper.map(bio);
  if (settings.trust && mapped.classify !== 'flags')
    context.note('note: --trust has nothing to trust: no vector has a flag, so owners are looked up');
  const nvme = invocation.options['nvme'] === true ? nvmePointers(mapped) : null;
  if (context.json) await context.out.json(mapDocument(mapped, policy.name, nvme));
  else {
    await context.out.write(mapText(bio, mapped, context.columns ?? 100));
    if (nvme !== null) await context.out.write(`\n${nvmeText(nvme)}`);
  }
  return EXIT_DONE;
}

/** One bio a line, one document a line: a refused line is an error document, a malformed one makes the exit 3. */
async function runLines(
  invocation: Invocation,
  mapper: BioMapper,
  text: string,
  file: string,
  policy: PolicyName,
): Promise<ExitCode> {
  const { out } = invocation.context;
  const withNvme = invocation.options['nvme'] === true;
  let code: ExitCode = EXIT_DONE;
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const number = index + 1;
    let document: object;
    try {
      const mapped = mapper.map(readJsonLine(line, file, number));
      document = mapDocument(mapped, policy, withNvme ? nvmePointers(mapped) : null);
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      document = errorDocument(error);
      if (error instanceof ScenarioError) {
        code = EXIT_INPUT;
        document = { ...document, line: number };
      }
    }
    if (out.append(`${JSON.stringify(document)}\n`)) await out.flush();
  }
  return code;
}

/** A line of JSON Lines is JSON, not YAML: what is not must not pass as a plain string. */
function readJsonLine(line: string, file: string, number: number): BioFile {
  try {
    JSON.parse(line);
  } catch (cause) {
    const message = `is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new ScenarioError(
      'FILE_SYNTAX',
      { file, line: number },
      message,
      'a .jsonl file holds one JSON object a line',
    );
  }
  return readBioFile(line, file, number);
}

function settingsOf(invocation: Invocation): MapSettings {
  const { options } = invocation;
  const settings: MapSettings = {
    classify: oneOf<ClassifyMode>(invocation, 'classify', CLASSIFY_MODES),
    trust: options['trust'] === true,
    iommu: oneOf<IommuMode>(invocation, 'iommu', ['on', 'off', 'passthrough']),
    noMerge: options['merge'] === false,
    ram: ((options['ram'] as string[] | undefined) ?? []).map(ramOption),
  };
  if (settings.trust && settings.classify !== null && settings.classify !== 'flags') {
    throw usage(
      '--trust',
      `does not go with --classify ${settings.classify}`,
      '--trust lets flags decide: leave one of the two out',
    );
  }
  return settings;
}

function oneOf<T extends string>(invocation: Invocation, name: string, values: readonly T[]): T | null {
  const value = textOption(invocation, name);
  if (value === undefined) return null;
  if (values.includes(value as T)) return value as T;
  throw usage(`--${name}`, `'${value}' is none of ${values.join(', ')}`, `give --${name} ${values[0]}, for example`);
}

/** `START-END`, hex, end inclusive. */
function ramOption(text: string): Range {
  const [first, last] = text.split('-');
  const start = parseHex(first ?? '');
  const end = parseHex(last ?? '');
  if (start === null || end === null || end < start || text.split('-').length !== 2) {
    throw usage(
      '--ram',
      `'${text}' is no range`,
      'give START-END in hex, the end inclusive: --ram 0x100000-0x7fffffff',
    );
  }
  return { start, end: end + 1 };
}

function usage(path: string, message: string, hint: string): UsageError {
  return new UsageError({ code: 'USAGE_OPTION_VALUE', path, message, hint });
}
