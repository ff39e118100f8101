/** All commands: name, arguments, options, help. What each does is in its own file, loaded when it is called. */

import type { Command } from 'commander';
import type { CommandSpec } from './command-spec.ts';

const MACHINE_HELP =
  'live (the default on Linux), a captured folder or archive, an lspci listing (hex or text), - for standard input, or example:NAME';

/** Adds MACHINE and the options that every command with a machine has. */
export function withMachine(command: Command): void {
  command.argument('[machine]', MACHINE_HELP);
  withMachineOptions(command);
}

/** The options that every command with a machine has, for those that place MACHINE themselves. */
export function withMachineOptions(command: Command): void {
  command
    .option(
      '--policy <name>',
      'whose rules: linux-6.1, linux-6.12, linux-7.0, any linux-X.Y between, or directional (default: the machine’s kernel)',
    )
    .option('--cpu <vendor:family>', 'the CPU of a dump that names none, e.g. AuthenticAMD:23 or GenuineIntel:6')
    .option('--kernel-cmdline <text>', 'the kernel command line of a dump that holds none')
    .option(
      '--with <file>',
      'more evidence of the same machine: a log, a table, a drawing; may be repeated',
      (file: string, files: readonly string[]) => [...files, file],
      [],
    );
}

const JSON_HELP = 'one JSON document on stdout';

/** In the order of `p2pdma --help`. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'check',
    summary: 'what is wrong with this machine’s peer-to-peer traffic, where, and how to fix it',
    examples: [
      'p2pdma check                                    this computer, the worst first',
      'p2pdma check -                                  a paste: a log, a table, three lines of lspci',
      'p2pdma check topo.txt dmesg.txt p2pbw.txt       all that is known of one computer',
      'p2pdma check host.tar.gz --verbose              all evidence, all fixes, what each costs and how to undo it',
      'p2pdma check host.txt --pairs 03:00.0,06:00.0   as if these were to be paired',
      'p2pdma check host.txt --markdown > ticket.md',
      'p2pdma check --explain ACS-REDIR-SWITCH         what a diagnosis means',
    ],
    shape: (command) => {
      command.argument(
        '[inputs...]',
        'MACHINE as in p2pdma matrix --help, or any scrap of it: logs, tables, measurements, several files, - for a paste',
      );
      withMachineOptions(command);
      command
        .option('--verbose', 'all findings with evidence, every fix, its cost, its undo and its proof')
        .option(
          '--prove',
          'as --verbose; each fix that changes registers is run on the simulated fabric, before and after',
        )
        .option('--explain <id>', 'one diagnosis: what it means, and its findings in full')
        .option('--only <ids>', 'only these diagnoses, commas between')
        .option('--pairs <sel>', 'the functions to be paired, all with all (default: GPUs, accelerators, NICs, NVMe)')
        .option('--fail-on <level>', 'exit with 1 on findings at or above: error, warning, note, never', 'never')
        .option('--markdown', 'a report to paste into a ticket')
        .option('--json', JSON_HELP);
    },
    load: () => import('./check.ts'),
  },
  {
    name: 'matrix',
    summary: 'every pair of devices: can they do peer-to-peer DMA, and by which road',
    examples: [
      'p2pdma matrix                                  this computer',
      'p2pdma matrix host.tar.gz --providers memory --clients 03:00.0,id:144d:',
      'sudo lspci -Dxxxx | p2pdma matrix - --json',
    ],
    shape: (command) => {
      withMachine(command);
      command
        .option(
          '--providers <sel>',
          'endpoints, memory, all, gpus, nics, nvmes, accelerators, or selectors with commas between',
          'memory',
        )
        .option('--clients <sel>', 'the same', 'endpoints')
        .option('--full', 'every row of a large machine instead of its groups')
        .option('--json', JSON_HELP);
    },
    load: () => import('./matrix.ts'),
  },
  {
    name: 'topo',
    summary: 'the tree of a machine: ports, ACS, links, BARs, NUMA nodes, IOMMU groups',
    examples: ['p2pdma topo', 'p2pdma topo host.txt', 'p2pdma topo host.tar.gz --json'],
    shape: (command) => {
      withMachine(command);
      command.option('--json', JSON_HELP);
    },
    load: () => import('./topo.ts'),
  },
  {
    name: 'explain',
    summary: 'one pair, hop by hop: what decided, and the smallest change that would open a better road',
    examples: [
      'p2pdma explain 03:00.0 06:00.0                    of this computer: 06:00.0 does DMA to memory of 03:00.0',
      'p2pdma explain host.tar.gz 03:00.0 06:00.0',
      'p2pdma explain host.txt id:10de:2330 id:144d:a824 --json',
    ],
    shape: (command) => {
      command
        .usage('[options] [machine] <provider> <client>')
        .argument('[names...]', 'MACHINE as in p2pdma matrix --help, then the two functions');
      withMachineOptions(command);
      command.option('--json', JSON_HELP);
    },
    load: () => import('./explain.ts'),
  },
  {
    name: 'whose',
    summary: 'whose an address is: RAM, a BAR at an offset, a window, reserved, or nothing; explains IOMMU fault lines',
    examples: [
      'p2pdma whose host.tar.gz 0xfe800000',
      'p2pdma whose host.tar.gz 0xfe800000 --by 06:00.0',
      'dmesg | p2pdma whose host.tar.gz                each DMAR, AMD-Vi or SMMU fault in it',
    ],
    shape: (command) => {
      command
        .usage('[options] [machine] [address...]')
        .argument(
          '[names...]',
          'MACHINE as in p2pdma matrix --help, then addresses in hex; none: dmesg on standard input',
        );
      withMachineOptions(command);
      command.option('--by <function>', 'the function that used the address').option('--json', JSON_HELP);
    },
    load: () => import('./whose.ts'),
  },
  {
    name: 'diff',
    summary: 'two captures of one machine: what changed, and which verdicts flipped because of it',
    examples: ['p2pdma diff before.tar.gz after.tar.gz', 'p2pdma diff before.txt after.txt --json'],
    shape: (command) => {
      command
        .usage('[options] <before> <after>')
        .argument('<before>', 'the machine as it was: as MACHINE in p2pdma matrix --help')
        .argument('<after>', 'the machine as it is');
      withMachineOptions(command);
      command.option('--json', JSON_HELP);
    },
    load: () => import('./diff.ts'),
  },
  {
    name: 'capture',
    summary: 'this computer as a tarball for another one to read, without serial numbers and host name',
    examples: ['sudo p2pdma capture -o host.tar.gz', 'p2pdma matrix host.tar.gz'],
    shape: (command) => {
      command
        .requiredOption('-o, --output <file>', 'where to write: .tar.gz, .tgz or .tar')
        .option('--json', JSON_HELP);
    },
    load: () => import('./capture.ts'),
  },
  {
    name: 'dispute',
    summary: 'an answer that is wrong, packed with its inputs and a place for the truth, so that it can become a test',
    examples: ['p2pdma dispute paste.txt -o case.tar.gz', 'p2pdma dispute host.txt dmesg.txt -o case.tar.gz'],
    shape: (command) => {
      command.argument('<inputs...>', 'the files that the answer was about, - for standard input');
      withMachineOptions(command);
      command.requiredOption('-o, --output <file>', 'the archive, .tar.gz or .tar').option('--json', JSON_HELP);
    },
    load: () => import('./dispute.ts'),
  },
  {
    name: 'examples',
    summary: 'the machines that ship with p2pdma, to try it on',
    examples: ['p2pdma examples', 'p2pdma matrix example:one-switch'],
    shape: (command) => {
      command.option('--json', JSON_HELP);
    },
    load: () => import('./examples.ts'),
  },
  {
    name: 'demo',
    summary: 'the mail’s five vectors on a captured machine, from the distance to the bytes',
    examples: ['p2pdma demo', 'p2pdma demo --cpu GenuineIntel:6              the same machine with another CPU'],
    shape: (command) => {
      command.option('--cpu <vendor:family>', 'another CPU than the machine’s, e.g. AuthenticAMD:23 or GenuineIntel:6');
    },
    load: () => import('./demo.ts'),
  },
  {
    name: 'map',
    summary: 'map the vectors of a bio: RAM, peers through the host bridge or below a switch, own BARs',
    examples: [
      'p2pdma map host.tar.gz --bio bio.yaml           a table of vectors and segments',
      'p2pdma map host.tar.gz --bio bio.json --json    the same for scripts',
      'p2pdma map host.txt --bio many.jsonl --iommu on --ram 0x100000-0x7fffffff',
    ],
    shape: (command) => {
      withMachine(command);
      command
        .requiredOption('--bio <file>', 'the bio: JSON or YAML, or .jsonl with one bio a line')
        .option(
          '--classify <how>',
          'flags, lookup, page, premapped or certified (default: flags if a vector has one, else lookup)',
        )
        .option('--trust', 'let the flags decide: no table is consulted')
        .option('--iommu <mode>', 'on, off or passthrough (default: what the machine says of the device)')
        .option(
          '--ram <start-end>',
          'declare RAM, hex, end inclusive; may be repeated',
          (value: string, all: string[]) => [...all, value],
          [],
        )
        .option('--no-merge', 'every vector its own segment')
        .option('--nvme', 'also the PRPs and SGLs that an NVMe driver would write')
        .option('--json', JSON_HELP);
    },
    load: () => import('./map.ts'),
  },
  {
    name: 'run',
    summary: 'run a scenario: a machine and transfers, every hop watched and every byte compared',
    examples: [
      'p2pdma run example:the-mail                      one that ships with p2pdma: p2pdma examples',
      'p2pdma run scenario.yaml --step                  every hop of every TLP',
      'p2pdma run scenario.yaml --trace trace.json      for Perfetto or chrome://tracing',
      'p2pdma run example:ram-and-peer-one-iova --engine qemu',
    ],
    shape: (command) => {
      command
        .argument(
          '<scenario>',
          'a scenario file, YAML or JSON (docs/SCENARIOS.md), example:NAME, or - for standard input',
        )
        .option('--engine <name>', 'sim: our fabric; qemu: a real QEMU machine; both, compared', 'sim')
        .option('--trace <file>', 'write every hop in the Trace Event format')
        .option('--step', 'print every hop')
        .option('--save-machine <file>', 'with qemu: write the machine that was enumerated, .tar.gz or .tar')
        .option('--json', JSON_HELP);
    },
    load: () => import('./run.ts'),
  },
  {
    name: 'qemu',
    summary: 'a QEMU command line that rebuilds the shape of a machine, and what had to be left out',
    examples: [
      'p2pdma qemu host.tar.gz                         a script, with comments',
      'p2pdma qemu host.txt --json',
    ],
    shape: (command) => {
      withMachine(command);
      command.option('--json', JSON_HELP);
    },
    load: () => import('./qemu.ts'),
  },
  {
    name: 'pages',
    summary: 'what struct pages for every memory BAR would cost, against range records',
    examples: ['p2pdma pages host.tar.gz', 'p2pdma pages example:iommu-lazy-switch4-acs-off2 --json'],
    shape: (command) => {
      withMachine(command);
      command.option('--json', JSON_HELP);
    },
    load: () => import('./pages.ts'),
  },
  {
    name: 'completion',
    summary: 'completion of commands and options for bash, zsh or fish',
    examples: ['eval "$(p2pdma completion bash)"', 'p2pdma completion fish > ~/.config/fish/completions/p2pdma.fish'],
    shape: (command) => {
      command.argument('<shell>', 'bash, zsh or fish');
    },
    load: async () => (await import('./completion.ts')).completionOf(COMMANDS),
  },
  {
    name: 'man',
    summary: 'the manual page',
    examples: ['p2pdma man | man -l -', 'p2pdma man > p2pdma.1'],
    shape: () => {},
    load: async () => (await import('./man.ts')).manOf(COMMANDS),
  },
];
