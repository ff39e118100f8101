/** Words of the kernel command line that were meant to open roads and did not. */

import { parseCommandLine } from '../command-line.ts';
import { type CommandLineProblem, commandLineProblems, repairedLine } from '../command-line-problems.ts';
import { devicePath } from '../device-path.ts';
import { grubLine } from '../kernel-parameter.ts';
import type { DoctorContext } from './context.ts';
import type { Diagnosis } from './diagnosis.ts';
import { acsEvidence, machineEvidence } from './evidence.ts';
import type { Finding, Fix, Severity } from './finding.ts';
import { BY_HAND, NOTHING } from './finding.ts';

export const BAD_CMDLINE: Diagnosis = {
  id: 'BAD-CMDLINE',
  aliases: [],
  severity: 'error',
  meaning: 'a word of the kernel command line that should open roads has no effect',
  symptom: 'ACS is still on although the command line says otherwise',
  needs: '/proc/cmdline (or --kernel-cmdline), ACS Control, kernel release',
  diagnose,
};

const SEVERITY: Readonly<Record<CommandLineProblem['code'], Severity>> = {
  NO_OP: 'error',
  KERNEL_TOO_OLD: 'error',
  COMMA_FOR_SEMICOLON: 'error',
  STRAY_QUOTE: 'error',
  PREFIX_MISSING: 'error',
  MALFORMED: 'error',
  DEVICE_GONE: 'error',
  NO_EFFECT: 'error',
  REPLACED: 'warning',
  DEFAULTS_LOST: 'warning',
  GROUPS_ONLY: 'warning',
};

function diagnose(context: DoctorContext): Finding[] {
  const { commandLine, machine } = context;
  if (commandLine === null) return [];
  return commandLineProblems(machine, commandLine).map((problem) => findingOf(context, problem));
}

function findingOf(context: DoctorContext, problem: CommandLineProblem): Finding {
  const { machine } = context;
  const names = problem.functions.map((fn) => fn.name);
  // A word about the IOMMU that changes nothing leaves it in its default: nothing fails by it alone.
  const harmless = problem.code === 'NO_OP' && /iommu/.test(problem.token.key);
  return {
    ...NOTHING,
    id: 'BAD-CMDLINE',
    severity: harmless ? 'note' : SEVERITY[problem.code],
    sure: problem.code === 'DEFAULTS_LOST' ? 'likely' : 'certain',
    title: `Kernel command line, ${problem.token.text}: ${problem.message}`,
    at: names,
    functions: names,
    evidence: [
      machineEvidence(machine, 'kernel command line', problem.token.text, problem.code),
      ...problem.functions.map(acsEvidence),
    ],
    why: 'The kernel says little or nothing about a word that it does not know or cannot read: the machine boots, and nothing has changed.',
    fixes: fixesOf(context, problem),
  };
}

function fixesOf(context: DoctorContext, problem: CommandLineProblem): Fix[] {
  const { commandLine, machine } = context;
  if (commandLine === null) return [];
  const fixes: Fix[] = [];
  const after = repairedLine(commandLine, problem);
  if (after !== null) {
    const left = commandLineProblems(machine, parseCommandLine(after));
    const still = left.some((other) => other.code === problem.code && other.token.text === problem.token.text);
    const word = problem.replacement === '' ? null : problem.replacement;
    fixes.push({
      what: word === null ? `Take ${problem.token.text} out of the command line` : 'Write it so',
      commands: word === null ? [] : [word, `in /etc/default/grub: ${grubLine(word)}`],
      cost: 'A reboot.',
      undo: [`put back ${problem.token.text}`],
      reboot: true,
      change: { kind: 'cmdline', before: commandLine.text, after },
      proof: still ? null : 'read again with the word repaired: the problem is gone',
    });
  }
  const wanted = redirecting(context);
  if (
    (problem.code === 'NO_OP' || problem.code === 'DEVICE_GONE' || problem.code === 'MALFORMED') &&
    wanted !== null &&
    /acs/.test(problem.token.text)
  ) {
    fixes.push({
      ...BY_HAND,
      what: 'What does open the switches of this machine',
      commands: [wanted, `in /etc/default/grub: ${grubLine(wanted)}`],
      cost: 'Isolation between the devices below: see ACS-REDIR-SWITCH.',
      undo: ['take the parameter out again'],
      reboot: true,
    });
  }
  if (problem.code === 'NO_EFFECT') {
    fixes.push({
      ...BY_HAND,
      what: 'See what the kernel said of it, and whether firmware or a script writes the register later',
      commands: ["dmesg | grep -i 'acs'"],
      cost: 'None: it only looks.',
    });
  }
  if (problem.code === 'GROUPS_ONLY') {
    fixes.push({
      ...BY_HAND,
      what: 'Take it out where the groups of virtual machines do not need it: they are not what they say',
      cost: 'Groups become as large as the hardware makes them.',
      undo: ['put it back'],
      reboot: true,
    });
  }
  return fixes;
}

/** The parameter for the ports that redirect between wanted pairs; null where none does. */
function redirecting(context: DoctorContext): string | null {
  const names = new Set(
    context.cases.flatMap((item) => (item.common >= 0 ? [...(item.named.get('ACS_REDIRECT') ?? [])] : [])),
  );
  if (names.size === 0) return null;
  const paths = context.functions
    .map((fn, index) => (names.has(fn.name) ? (devicePath(context.machine.hierarchy, index) ?? fn.name) : null))
    .filter((path) => path !== null);
  return `pci=disable_acs_redir=${paths.join(';')}`;
}
