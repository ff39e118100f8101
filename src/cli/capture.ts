/** `p2pdma capture`: this computer as a tarball, for another computer to read. */

import { hostname } from 'node:os';
import { plural } from '../core/words.ts';
import { MachineError } from '../machine/errors.ts';
import { type Capture, captureRoot } from '../machine/read/live/capture-root.ts';
import { DirectoryTree } from '../machine/read/live/directory-tree.ts';
import { kernelMessages } from '../machine/read/live/kernel-messages.ts';
import { unpackConfig } from '../machine/read/live/read-live.ts';
import { tarOf } from '../machine/read/live/write-archive.ts';
import { type Invocation, textOption } from './context.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { archiveBytes, isCompressedArchive, writeOutput } from './output-file.ts';

/** Runs the command. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const file = textOption(invocation, 'output') ?? '';
  const isCompressed = isCompressedArchive(file, '--output', 'p2pdma capture -o host.tar.gz');
  const tree = new DirectoryTree('/');
  const capture = captureRoot(tree, {
    hostName: hostname(),
    kernelLog: kernelMessages(),
    gunzip: unpackConfig,
  });
  if (capture.functions === 0) {
    throw new MachineError({
      code: 'INPUT_NO_PCI',
      path: 'live',
      message: 'this computer shows no PCI: there is nothing in /sys/bus/pci/devices',
      hint: 'capture on the machine itself, not in a container without /sys',
    });
  }
  const bytes = archiveBytes(await tarOf(capture.entries), isCompressed);
  writeOutput(file, bytes);
  if (context.json) await context.out.json(documentOf(capture, file, bytes.length));
  else for (const line of reportLines(capture, file, bytes.length)) await context.out.write(`${line}\n`);
  for (const { what, why, command } of capture.missing) {
    context.note(
      `note: not in the capture: ${what}: ${why}. ${AS_ROOT.has(what) ? 'Run again with sudo, or add' : 'Add'} what this prints: ${command}`,
    );
  }
  return EXIT_DONE;
}

/** What the command itself gets as root. */
const AS_ROOT: ReadonlySet<string> = new Set([
  'registers',
  'ACS and every other capability',
  'the memory map',
  'the kernel’s log',
]);

function reportLines(capture: Capture, file: string, bytes: number): string[] {
  const cmdline = capture.cmdlineRedacted ? ', what names disks, networks and users on the kernel command line' : '';
  return [
    `${file}: ${plural(capture.functions, 'function')}, ${bytes} bytes`,
    `Taken along: ${collected(capture).join(', ')}.`,
    `Removed: serial numbers of ${plural(capture.serialNumbers, 'function')}, VPD registers of ${capture.vpd}, the host name${cmdline}.`,
    `Read it with: p2pdma matrix ${file}`,
  ];
}

/** Kinds of evidence in the capture, by the paths that hold them. */
const PARTS: readonly (readonly [what: string, path: RegExp])[] = [
  ['registers', /\/config$/],
  ['BARs', /\/resource$/],
  ['links', /\/current_link_speed$/],
  ['DMA masks', /\/dma_mask_bits$/],
  ['peer-to-peer memory', /\/p2pmem\/size$/],
  ['IOMMU groups', /^sys\/kernel\/iommu_groups\//],
  ['IOMMU units', /^sys\/class\/iommu\//],
  ['memory map', /^proc\/iomem$/],
  ['CPU', /^proc\/cpuinfo$/],
  ['kernel release', /^proc\/version$/],
  ['kernel command line', /^proc\/cmdline$/],
  ['kernel configuration', /^proc\/config$/],
  ['lines of the kernel’s log about PCI', /^var\/log\/dmesg$/],
  ['modules', /^proc\/modules$/],
  ['parameters of modules', /\/parameters\/|^proc\/driver\/nvidia\/params$/],
  ['settings of GPUDirect Storage', /^etc\/cufile\.json$/],
  ['RAID arrays of NVMe drives', /^proc\/mdstat$/],
];

function collected({ entries }: Capture): string[] {
  return PARTS.filter(([, path]) => entries.some((entry) => path.test(entry.path))).map(([what]) => what);
}

function documentOf(capture: Capture, file: string, bytes: number): object {
  const { functions, headersOnly, serialNumbers, vpd, cmdlineRedacted, missing } = capture;
  return {
    schemaVersion: 1,
    command: 'capture',
    file,
    bytes,
    functions,
    headersOnly,
    collected: collected(capture),
    missing,
    removed: { serialNumbers, vpd, hostName: true, kernelCmdline: cmdlineRedacted },
  };
}
