/** A rebuilt machine as text that a shell runs: what differs as comments, then the command line, one option a line. */

import { hex } from '../../core/hex.ts';
import { listed } from '../../core/words.ts';
import type { Machine } from '../../machine/machine.ts';
import { acsBitNames } from '../../pcie/acs.ts';
import { QEMU_COMMAND } from './binary.ts';
import { commandLine, STANDALONE } from './command-line.ts';
import type { QemuMachineDescription, QemuRootPort } from './machine-description.ts';
import { type RebuildOptions, type RebuiltMachine, rebuildMachine } from './rebuild.ts';
import type { RebuildNote } from './rebuild-notes.ts';

/** Longest line of a comment. */
const COLUMNS = 100;
/** Functions named in a note of a report; the others are counted. */
const NAMED = 12;

export interface RebuildText {
  /** Ends with a newline. */
  readonly text: string;
  readonly rebuilt: RebuiltMachine;
}

/** The command line that rebuilds the shape of `machine`, with comments for everything that is not as it was. */
export function rebuildText(machine: Machine, options: RebuildOptions = {}): RebuildText {
  const rebuilt = rebuildMachine(machine, options);
  const count = machine.hierarchy.functions.length;
  const stands = count - rebuilt.leftOut.length;
  const lines: string[] = [
    ...comment(`The shape of ${machine.source} for QEMU 6.1 or later: ${stands} of ${count} functions.`),
    ...comment('Memory and media live in QEMU alone. Add what is to run on it: -kernel, -initrd, -drive, -accel kvm.'),
  ];
  if (rebuilt.notes.length > 0) lines.push('#', '# What is not as it was:');
  for (const note of rebuilt.notes) {
    const named = note.message.startsWith('left out') ? note.functions.length : NAMED;
    lines.push(...comment(noteText(note, named), '  - ', '    '));
  }
  const controls = rootPorts(rebuilt.description).filter((port) => port.acs !== false && (port.acs ?? 0) !== 0);
  if (controls.length > 0) {
    lines.push('#', '# ACS of the root ports is off after power-on. As captured, by the running system:');
    for (const port of controls) lines.push(`#   ${port.name}: ${acsWords(port.acs as number)}`);
  }
  const line = commandLine(rebuilt.description, STANDALONE);
  const parts = line.parts.flatMap(({ id, name }) => (name === null ? [] : [`${id}=${name}`]));
  if (parts.length > 0) lines.push('#', ...comment(`Which part stands for which function: ${parts.join(', ')}.`));
  const words = [['-nodefaults'], ['-no-user-config'], ['-nographic'], ...line.options];
  lines.push([QEMU_COMMAND, ...words.map((option) => `  ${option.join(' ')}`)].join(' \\\n'));
  return { text: `${lines.join('\n')}\n`, rebuilt };
}

/** A note as one sentence: which functions, and what of them. At most `limit` are named, the others counted. */
export function noteText(note: RebuildNote, limit: number = NAMED): string {
  if (note.functions.length === 0) return note.message;
  return `${note.message}: ${listed(note.functions, limit)}`;
}

function rootPorts(description: QemuMachineDescription): QemuRootPort[] {
  return description.rootBuses.flatMap(({ children }) =>
    children.filter((child): child is QemuRootPort => child.kind === 'rootPort'),
  );
}

/** Text as comment lines, broken at spaces. */
function comment(text: string, first = ' ', next = ' '): string[] {
  const lines: string[] = [];
  let line = `#${first}`;
  let isEmpty = true;
  for (const word of text.replaceAll('\n', ' ').split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = `#${next}`;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** The ACS controls of a root port by their short names. */
function acsWords(control: number): string {
  return `${acsBitNames(control)} (${hex(control)})`;
}
