/** `p2pdma dispute`: an answer that is wrong, packed with what it was given, so that it can become a test. */

import { hostname } from 'node:os';
import { basename } from 'node:path';
import { plural } from '../core/words.ts';
import { checkCase } from '../doctor/check-case.ts';
import type { CapturedEntry } from '../machine/read/live/captured-entry.ts';
import { redactLogLine } from '../machine/read/live/redact.ts';
import { tarOf } from '../machine/read/live/write-archive.ts';
import { answerLines } from '../report/answer/text.ts';
import { checkDocument } from '../report/check/json.ts';
import { styleOf } from '../report/words/style.ts';
import { openInputs } from './case-argument.ts';
import { type Invocation, textOption } from './context.ts';
import { UsageError } from './errors.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { readInput } from './machine-argument.ts';
import { archiveBytes, isCompressedArchive, writeOutput } from './output-file.ts';

/** What the person is asked; the words are kept short, so that it is filled in. */
const TRUTH = `# What really happened

The answer says: see answer.txt.

- What is wrong with it:
- What was the cause, and how do you know:
- What solved it (setting, slot, release):
- Devices, board, kernel and driver, where the inputs do not name them:
`;

/** Runs the command. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { args, context } = invocation;
  const file = textOption(invocation, 'output') ?? '';
  const isCompressed = isCompressedArchive(file, '--output', 'p2pdma dispute paste.txt -o case.tar.gz');
  if (args.length === 0) throw nothingNamed();
  const inputs = [];
  for (const argument of args) inputs.push(await readInput(argument));
  const texts = inputs.filter(({ content }) => content instanceof Uint8Array);
  if (texts.length < inputs.length) throw notAFile(inputs.find((input) => !texts.includes(input))?.name ?? '');
  const { given, policy } = await openInputs(inputs, invocation);
  const question = { given, policy, result: checkCase(given, policy) };
  const view = { columns: 100, style: styleOf(false), verbose: true };
  const entries: CapturedEntry[] = [
    ...texts.map(({ name, content }, at) =>
      fileEntry(`inputs/${at + 1}-${basename(name)}`, sanitised(content as Uint8Array)),
    ),
    fileEntry('answer.json', `${JSON.stringify(checkDocument(question), null, 2)}\n`),
    fileEntry('answer.txt', `${[...answerLines(question, view)].join('\n')}\n`),
    fileEntry(
      'versions.json',
      `${JSON.stringify({ p2pdma: context.version(), node: process.version, policy: policy.name })}\n`,
    ),
    fileEntry('TRUTH.md', TRUTH),
  ];
  const bytes = archiveBytes(await tarOf(entries), isCompressed);
  writeOutput(file, bytes);
  if (context.json) {
    const packed = entries.map(({ path }) => path);
    await context.out.json({ schemaVersion: 1, command: 'dispute', file, bytes: bytes.length, entries: packed });
    return EXIT_DONE;
  }
  await context.out.write(
    `${file}: ${plural(texts.length, 'input')}, the answer, versions, and TRUTH.md, which asks what really happened\n`,
  );
  context.note(
    'note: host names, MAC and IP addresses, users and serial numbers are taken out of text; registers in a hex dump keep the serial numbers of devices: look before you send it',
  );
  return EXIT_DONE;
}

function fileEntry(path: string, content: string | Uint8Array): CapturedEntry {
  return { kind: 'file', path, bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content };
}

/** A text without what names somebody; an archive as it is, since capture has cleared it. */
function sanitised(bytes: Uint8Array): Uint8Array {
  if (bytes.includes(0)) return bytes;
  const name = hostname();
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  return new TextEncoder().encode(lines.map((line) => redactLogLine(line, name)).join('\n'));
}

function nothingNamed(): UsageError {
  return new UsageError({
    code: 'USAGE_ARGUMENT_MISSING',
    path: 'p2pdma dispute',
    message: 'names no input',
    hint: 'name what the answer was about: p2pdma dispute paste.txt -o case.tar.gz',
  });
}

function notAFile(name: string): UsageError {
  return new UsageError({
    code: 'USAGE_ARGUMENT_VALUE',
    path: name,
    message: 'is no file that can be packed',
    hint: 'capture it first: sudo p2pdma capture -o host.tar.gz, then: p2pdma dispute host.tar.gz -o case.tar.gz',
  });
}
