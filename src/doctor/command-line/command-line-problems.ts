/**
 * What is wrong with the words of a kernel command line that are meant to open roads for peer traffic: which had effect (the registers
 * tell), which are no words of the kernel's, which are written wrongly, which undo each other. Linux drivers/pci/pci.c:
 * pci_setup(), pci_enable_acs(); what was seen on running kernels is told beside each rule.
 */

import type { Machine } from '../../machine/machine.ts';
import { acsOptionProblems } from './acs-option-problems.ts';
import { type CommandLine, parseCommandLine } from './command-line.ts';
import { type CommandLineProblem, repairedLine } from './command-line-problem.ts';
import { wordProblems } from './word-problems.ts';

export type { CommandLineProblem, CommandLineProblemCode } from './command-line-problem.ts';
export { repairedLine } from './command-line-problem.ts';

/** All problems, in the order of the words. Words that nobody knows are left in peace. */
export function commandLineProblems(machine: Machine, line: CommandLine): CommandLineProblem[] {
  const problems = wordProblems(machine, line);
  // A word that cannot be read as it stands is repaired first: what it would then say, a second reading tells.
  const unreadable = new Set(
    problems.filter(({ code }) => code === 'STRAY_QUOTE' || code === 'BLANK_IN_LIST').map(({ index }) => index),
  );
  for (const option of line.pci) {
    if (!unreadable.has(option.token)) problems.push(...acsOptionProblems(machine, line, option));
  }
  return problems.sort((a, b) => a.index - b.index);
}

/** Repairs that lead to a line without repairable problems; more would go round in circles. */
const REPAIRS_MAX = 64;

/** The whole line with every problem repaired that can be; the line itself where there is none. */
export function correctedLine(machine: Machine, text: string): string {
  let line = text;
  for (let step = 0; step < REPAIRS_MAX; step++) {
    const parsed = parseCommandLine(line);
    const next = commandLineProblems(machine, parsed)
      .map((problem) => repairedLine(parsed, problem))
      .find((repaired) => repaired !== null && repaired !== line);
    if (next === undefined || next === null) return line;
    line = next;
  }
  return line;
}
