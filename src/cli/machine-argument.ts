/** MACHINE, the argument that names a machine: live, a folder, a file, standard input, or an example. */

import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { alike } from '../core/text.ts';
import { MachineError } from '../machine/errors.ts';
import type { Machine, ReadNote } from '../machine/machine.ts';
import { compressionOf } from '../machine/read/archive/signature.ts';
import { CAPTURE_LIMIT, TooLongError, tooLong } from '../machine/read/archive/unpack-limit.ts';
import { Intake, tooLarge } from '../machine/read/intake.ts';
import { olderThanPolicies, type Policy } from '../p2p/policy.ts';
import { cpuText } from '../report/words/cpu-text.ts';
import { type Invocation, textOption } from './context.ts';
import { didYouMean, UsageError } from './errors.ts';
import { examplePath, examples } from './examples-folder.ts';
import { cpuOption, policyOption } from './options.ts';

/** Beyond this a file is not read. */
const FILE_MAX = 1024 * 1024 * 1024;
const CHUNK = 1024 * 1024;

export interface LoadedMachine {
  readonly machine: Machine;
  readonly policy: Policy;
}

/**
 * Reads the machine that `argument` names (`live` where it is left out), with `--cpu`, `--kernel-cmdline` and `--policy`
 * applied. Notes of the reader go to stderr.
 *
 * @throws UsageError for a bad option, MachineError for an input that is no machine
 */
export async function loadMachine(argument: string | undefined, invocation: Invocation): Promise<LoadedMachine> {
  checkOptions(invocation);
  const beside = withFiles(invocation);
  const read = beside.length === 0 ? await readMachineArgument(argument) : await joinedMachine(argument, beside);
  return withOptions(read, invocation);
}

/** The files of `--with`, in the order in which they were given. */
export function withFiles(invocation: Invocation): readonly string[] {
  const value = invocation.options['with'];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** A machine with the evidence of other files beside it. */
async function joinedMachine(argument: string | undefined, beside: readonly string[]): Promise<Machine> {
  const inputs = [await readInput(argument)];
  for (const file of beside) inputs.push(await readInput(file));
  const { openCase } = await import('../case/open-case.ts');
  const { machine, source } = await openCase(inputs);
  if (machine !== null) return machine;
  throw new MachineError({
    code: 'INPUT_NO_PCI',
    path: source,
    message: 'shows no machine, and neither do the files of --with',
    hint: `p2pdma check ${inputs.map(({ name }) => name).join(' ')} says what they show without one`,
  });
}

/** Refuses bad options, before a large file is read. */
export function checkOptions(invocation: Invocation): void {
  const cpu = textOption(invocation, 'cpu');
  if (cpu !== undefined) cpuOption(cpu);
  const policy = textOption(invocation, 'policy');
  if (policy !== undefined) policyOption(policy, null);
}

/** A machine with `--cpu`, `--kernel-cmdline` and `--policy` applied; notes of its reader go to stderr. */
export function withOptions(read: Machine, invocation: Invocation): LoadedMachine {
  const { context } = invocation;
  const cpuGiven = textOption(invocation, 'cpu');
  const cpu = cpuGiven === undefined ? undefined : cpuOption(cpuGiven);
  const policyGiven = textOption(invocation, 'policy');
  if (cpu !== undefined && read.cpu !== null && cpuText(read.cpu) !== cpuText(cpu)) {
    context.note(
      `note: --cpu ${cpuText(cpu)} is taken instead of ${cpuText(read.cpu) ?? read.cpu.vendor} of the capture`,
    );
  }
  const machine: Machine = {
    ...read,
    cpu: cpu ?? read.cpu,
    cmdline: textOption(invocation, 'kernelCmdline') ?? read.cmdline,
  };
  for (const line of noteLines(machine.notes)) context.note(line);
  const older = policyGiven === undefined ? olderThanPolicies(machine.kernel) : null;
  if (older !== null) context.note(`note: ${older}`);
  return { machine, policy: policyOption(policyGiven, machine.kernel) };
}

/** Notes of one kind that are shown. */
const ALIKE_MAX = 3;

/** What the reader noticed, a line each; of many that are alike the first few, so that the answer is not pushed off the screen. */
export function noteLines(notes: readonly ReadNote[]): string[] {
  const byCode = new Map<string, ReadNote[]>();
  for (const note of notes) {
    const alike = byCode.get(note.code);
    if (alike === undefined) byCode.set(note.code, [note]);
    else alike.push(note);
  }
  return [...byCode.values()].flatMap((alike) => {
    const shown = alike.length <= ALIKE_MAX + 1 ? alike : alike.slice(0, ALIKE_MAX);
    const lines = shown.map(({ file, line, message }) => `note: ${file}${line === null ? '' : `:${line}`}: ${message}`);
    const hidden = alike.length - shown.length;
    return hidden === 0 ? lines : [...lines, `note: and ${hidden} more like these`];
  });
}

/** Reads the machine that `argument` names, as it is: no option is applied, and notes are left in it. */
export async function readMachineArgument(argument: string | undefined): Promise<Machine> {
  const { name, content } = await readInput(argument);
  if (!(content instanceof Uint8Array)) return content;
  const { readMachine } = await import('../machine/read/read-machine.ts');
  try {
    const machine = await readMachine(content, name);
    const isWhole = machine.hierarchy.rootBuses.every(({ evidence }) => evidence !== null);
    return isWhole ? machine : ((await machineOfParts(name, content)) ?? machine);
  } catch (error) {
    const isTree = error instanceof MachineError && TREES.has(error.code);
    const machine = isTree ? await machineOfParts(name, content) : null;
    if (machine !== null) return machine;
    throw error;
  }
}

/** Refusals of a text that shows a tree without registers. */
const TREES: ReadonlySet<string> = new Set(['INPUT_TREE_DRAWING', 'INPUT_TOPOLOGY_XML']);

/** A machine put together from what stands in one text: a drawing beside a few listed devices, a topology file. */
async function machineOfParts(name: string, content: Uint8Array): Promise<Machine | null> {
  const { openCase } = await import('../case/open-case.ts');
  return (await openCase([{ name, content }])).machine;
}

/** What an argument names: a machine that was read from a file system, or bytes, of which gzip is undone. */
export interface ReadInput {
  readonly name: string;
  readonly content: Uint8Array | Machine;
}

/** Reads what `argument` names. */
export async function readInput(argument: string | undefined): Promise<ReadInput> {
  if (argument === undefined && process.platform !== 'linux') {
    throw new UsageError({
      code: 'USAGE_MACHINE_MISSING',
      path: 'MACHINE',
      message: 'names no machine, and only Linux can be read live',
      hint: 'name a capture, or try one that ships with p2pdma: p2pdma examples',
    });
  }
  if (argument === undefined || argument === 'live') {
    const { readLive } = await import('../machine/read/live/read-live.ts');
    return { name: 'live', content: await readLive() };
  }
  if (argument === '-') return { name: 'stdin', content: await gunzipped(await standardInput(), 'stdin') };
  if (argument.startsWith('example:')) {
    const bytes = readFileSync(exampleFile(argument.slice('example:'.length)));
    return { name: argument, content: await gunzipped(bytes, argument) };
  }
  const kind = kindOf(argument);
  if (kind === 'folder') {
    const { readDirectory } = await import('../machine/read/live/read-live.ts');
    try {
      return { name: argument, content: await readDirectory(argument) };
    } catch (error) {
      throw insideRoot(argument, error) ?? error;
    }
  }
  return { name: argument, content: await gunzipped(fileBytes(argument), argument) };
}

/** A folder without PCI that lies inside a captured root: the root is meant. Null where it is not so. */
function insideRoot(path: string, error: unknown): MachineError | null {
  if (!(error instanceof MachineError) || error.code !== 'INPUT_NO_PCI') return null;
  const inside = /^(.*?)\/?\bsys(?:\/(?:bus|devices)\b.*)?\/?$/.exec(path);
  if (inside === null) return null;
  const root = inside[1] === '' ? (path.startsWith('/') ? 'live' : '.') : (inside[1] as string);
  const hint = `name the folder that holds sys, not one inside it: ${root}`;
  return new MachineError({ code: error.code, path, message: error.message, hint, cause: error });
}

/**
 * Undoes gzip with the library that Node brings, which starts ten milliseconds sooner than the portable one, within the same
 * bounds. A stream that it finds damaged is left as it is: the reader words what is wrong.
 */
async function gunzipped(bytes: Uint8Array, source: string): Promise<Uint8Array> {
  if (compressionOf(bytes) !== 'gzip') return bytes;
  const { createGunzip } = await import('node:zlib');
  const intake = new Intake(source);
  const stream = createGunzip({ chunkSize: CHUNK });
  stream.end(bytes);
  try {
    for await (const piece of stream) {
      intake.add(piece as Buffer);
      const limit = CAPTURE_LIMIT(stream.bytesWritten);
      if (intake.length > limit) throw new TooLongError(limit);
    }
  } catch (error) {
    if (error instanceof MachineError) throw error;
    if (error instanceof TooLongError) throw tooLong(bytes.length, source, error);
    return bytes;
  }
  return intake.bytes();
}

function exampleFile(name: string): string {
  const names = examples().map((example) => example.name);
  if (names.includes(name)) return examplePath(name);
  throw new UsageError({
    code: 'USAGE_EXAMPLE_UNKNOWN',
    path: `example:${name}`,
    message: 'there is no such example',
    hint: didYouMean(alike(name, names, 1), 'the list: p2pdma examples'),
  });
}

function kindOf(path: string): 'folder' | 'file' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    throw unreadable(path, error as NodeJS.ErrnoException);
  }
}

function fileBytes(path: string): Uint8Array {
  try {
    return readUpTo(path);
  } catch (error) {
    if (error instanceof MachineError) throw error;
    throw unreadable(path, error as NodeJS.ErrnoException);
  }
}

/** A file that may be a device or a pipe, which need not end. */
function readUpTo(path: string): Uint8Array {
  const { size } = statSync(path);
  if (size > FILE_MAX) throw tooLarge(path, FILE_MAX);
  if (size > 0) return readFileSync(path);
  const intake = new Intake(path);
  const piece = Buffer.allocUnsafe(CHUNK);
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const count = readSync(file, piece);
      if (count === 0) return intake.bytes();
      intake.add(piece.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

function unreadable(path: string, error: NodeJS.ErrnoException): MachineError {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
    return new MachineError({
      code: 'INPUT_NOT_FOUND',
      path,
      message: 'there is no such file or folder',
      hint: notFoundHint(path),
      errno: error.code,
      cause: error,
    });
  }
  return new MachineError({
    code: 'INPUT_UNREADABLE',
    path,
    message: `cannot be read: ${error.code ?? error.message}`,
    hint:
      error.code === 'EACCES'
        ? 'ask its owner for read permission, or run as a user who has it'
        : 'check the file, or copy it again',
    errno: error.code,
    cause: error,
  });
}

function notFoundHint(path: string): string {
  const forms = 'MACHINE is live, a captured folder or archive, an lspci listing, - or example:NAME';
  try {
    const similar = alike(basename(path), readdirSync(dirname(path)));
    return similar.length === 0 ? forms : `nearest in that folder: ${similar.join(', ')}; ${forms}`;
  } catch {
    return forms;
  }
}

async function standardInput(): Promise<Uint8Array> {
  const intake = new Intake('stdin');
  for await (const piece of process.stdin) intake.add(piece as Buffer);
  return intake.bytes();
}
