/** `p2pdma capture`: this computer as a tarball, for another computer to read. */

import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { gzipSync } from 'node:zlib';
import { MachineError } from '../machine/errors.ts';
import { type Capture, captureRoot } from '../machine/read/live/capture-root.ts';
import { DirectoryTree } from '../machine/read/live/directory-tree.ts';
import { tarOf } from '../machine/read/live/write-archive.ts';
import { type Invocation, textOption } from './context.ts';
import { OutputError, UsageError } from './errors.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { count } from './style.ts';

/** Runs the command. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const file = textOption(invocation, 'output') ?? '';
  const compressed = archiveKind(file);
  const tree = new DirectoryTree('/');
  const capture = captureRoot(tree, hostname());
  if (capture.functions === 0) {
    throw new MachineError({
      code: 'INPUT_NO_PCI',
      path: 'live',
      message: 'this computer shows no PCI: there is nothing in /sys/bus/pci/devices',
      hint: 'capture on the machine itself, not in a container without /sys',
    });
  }
  const tar = await tarOf(capture.entries);
  const bytes = compressed ? gzipSync(tar) : tar;
  write(file, bytes);
  if (context.json) await context.out.json(documentOf(capture, file, bytes.length));
  else for (const line of reportLines(capture, file, bytes.length)) await context.out.write(`${line}\n`);
  if (capture.headersOnly > 0) {
    context.note(
      `note: without root only 64 bytes of configuration space of ${count(capture.headersOnly, 'function')} could be read, so ACS is not in the capture: run again with sudo`,
    );
  }
  return EXIT_DONE;
}

function archiveKind(file: string): boolean {
  if (/\.(tar\.gz|tgz)$/.test(file)) return true;
  if (file.endsWith('.tar')) return false;
  throw new UsageError({
    code: 'USAGE_OPTION_VALUE',
    path: '--output',
    message: `'${file}' does not end in .tar.gz, .tgz or .tar`,
    hint: 'for example: p2pdma capture -o host.tar.gz',
  });
}

function write(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new OutputError({
      code: 'OUTPUT_WRITE_FAILED',
      path: file,
      message: `could not be written: ${code ?? message}`,
      hint: 'choose a folder that you may write to',
      errno: code,
      cause,
    });
  }
}

function reportLines(capture: Capture, file: string, bytes: number): string[] {
  const cmdline = capture.cmdlineRedacted ? ', UUIDs and MAC addresses of the kernel command line' : '';
  return [
    `${file}: ${count(capture.functions, 'function')}, ${bytes} bytes`,
    `Removed: serial numbers of ${count(capture.serialNumbers, 'function')}, VPD registers of ${capture.vpd}, the host name${cmdline}.`,
    `Read it with: p2pdma matrix ${file}`,
  ];
}

function documentOf(capture: Capture, file: string, bytes: number): object {
  const { functions, headersOnly, serialNumbers, vpd, cmdlineRedacted } = capture;
  return {
    schemaVersion: 1,
    command: 'capture',
    file,
    bytes,
    functions,
    headersOnly,
    removed: { serialNumbers, vpd, hostName: true, kernelCmdline: cmdlineRedacted },
  };
}
