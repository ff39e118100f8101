/** Words of the kernel command line that were meant to open roads and did not. */

import { bootChange } from '../change/parameter-change.ts';
import { inPathForm } from '../command-line/acs-parameter.ts';
import { parseCommandLine } from '../command-line/command-line.ts';
import { optionText } from '../command-line/command-line-problem.ts';
import { type CommandLineProblem, commandLineProblems, repairedLine } from '../command-line/command-line-problems.ts';
import type { DoctorContext } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { acsEvidence, machineEvidence } from '../facts/evidence.ts';
import { examplesOf, redirectingIn } from '../facts/redirecting.ts';
import type { Finding, Fix, MachineChange } from '../finding.ts';
import { BY_HAND, LOOK, NOTHING } from '../finding.ts';
import { judged, notProved, type Proof } from '../proof.ts';
import { acsRemedy } from '../remedy/acs-remedy.ts';
import { bootLines } from '../remedy/boot-fix.ts';
import { isolationCautions, isolationCostWords } from '../remedy/isolation-words.ts';
import { portsOf, Trial } from '../remedy/trial.ts';
import { type Situation, severityOf } from '../severity.ts';

export const BAD_CMDLINE: Diagnosis = {
  id: 'BAD-CMDLINE',
  aliases: [],
  meaning: 'a word of the kernel command line that should open roads has no effect',
  symptom: 'ACS is still on although the command line says otherwise',
  needs: '/proc/cmdline (or --kernel-cmdline), ACS Control, kernel release',
  diagnose,
};

/** What a problem comes to for the machine, where the word is one about ACS. */
const SITUATION: Readonly<Record<CommandLineProblem['code'], 'ineffective' | 'partlyEffective' | 'defaultsLost'>> = {
  NO_OP: 'ineffective',
  KERNEL_TOO_OLD: 'ineffective',
  COMMA_FOR_SEMICOLON: 'ineffective',
  BLANK_IN_LIST: 'ineffective',
  CUT_SHORT: 'partlyEffective',
  STRAY_QUOTE: 'ineffective',
  PREFIX_MISSING: 'ineffective',
  MALFORMED: 'ineffective',
  DEVICE_GONE: 'ineffective',
  NO_ACS: 'ineffective',
  NO_EFFECT: 'ineffective',
  REPLACED: 'partlyEffective',
  DEFAULTS_LOST: 'defaultsLost',
  BEHIND_DASHES: 'ineffective',
  GROUPS_ONLY: 'partlyEffective',
};

/** What writing the word differently comes to. */
const REPAIRS: Readonly<Record<CommandLineProblem['code'], string>> = {
  NO_OP: 'Write what the kernel knows',
  KERNEL_TOO_OLD: 'Write what this kernel knows',
  COMMA_FOR_SEMICOLON: 'Part the devices with semicolons',
  BLANK_IN_LIST: 'Write the list without blanks',
  CUT_SHORT: 'Write the whole list, in quotes',
  STRAY_QUOTE: 'Write it without the quote',
  PREFIX_MISSING: 'Write pci= in front of it',
  MALFORMED: 'Correct the entry that cannot be read, or leave it out',
  DEVICE_GONE: 'Leave out what names nothing',
  NO_ACS: 'Leave out what has no ACS',
  NO_EFFECT: 'Write it differently',
  REPLACED: 'Write one word for all',
  DEFAULTS_LOST: 'Write config_acs=, which keeps SV and UF',
  BEHIND_DASHES: 'Write it in front of the dashes',
  GROUPS_ONLY: 'Write what changes registers',
};

/** A longer word is told by its beginning: the evidence has the whole of it. */
const WORD_MAX = 24;

function diagnose(context: DoctorContext): Finding[] {
  const { commandLine, machine } = context;
  if (commandLine === null) return [];
  return commandLineProblems(machine, commandLine).map((problem) => findingOf(context, problem));
}

/** A word about the IOMMU that changes nothing leaves it in its default. */
function situationOf({ code, token }: CommandLineProblem): Situation<'BAD-CMDLINE'> {
  const situation = SITUATION[code];
  if (!/iommu/.test(token.key)) return situation;
  if (code === 'NO_OP') return 'defaultIommu';
  return situation === 'ineffective' ? 'ineffectiveIommu' : situation;
}

function findingOf(context: DoctorContext, problem: CommandLineProblem): Finding {
  const { machine } = context;
  const names = problem.functions.map((fn) => fn.name);
  return {
    ...NOTHING,
    id: 'BAD-CMDLINE',
    severity: severityOf('BAD-CMDLINE', situationOf(problem), context),
    sure: problem.code === 'DEFAULTS_LOST' || problem.code === 'CUT_SHORT' ? 'likely' : 'certain',
    title: `Kernel command line, ${beginningOf(problem.token.text)}: ${problem.message}`,
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

function beginningOf(text: string): string {
  return text.length <= WORD_MAX ? text : `${text.slice(0, WORD_MAX - 3)}...`;
}

/** Where something else than the word is to be changed, or found out. */
const BY_CODE: Readonly<Partial<Record<CommandLineProblem['code'], Fix>>> = {
  NO_EFFECT: {
    ...LOOK,
    what: 'See what the kernel said of it, and whether firmware or a script writes the register later',
    commands: ["sudo dmesg | grep -iE 'acs|iommu'"],
  },
  KERNEL_TOO_OLD: {
    ...BY_HAND,
    kind: 'kernelRelease',
    what: 'Run a kernel that knows the word: 6.12 or later for config_acs=, 4.19 or later for disable_acs_redir=',
    cost: 'A new kernel.',
    takeBack: 'boot the old one',
    reboot: true,
    proof: notProved('firmwareRegisters'),
  },
};

function fixesOf(context: DoctorContext, problem: CommandLineProblem): Fix[] {
  const repair = repairOf(context, problem);
  const useless = ['NO_OP', 'DEVICE_GONE', 'NO_ACS', 'MALFORMED'].includes(problem.code);
  // Where the word as it should be opens them already, one parameter is enough.
  const opens = repair !== null && repair.change !== null && portsOf(repair.change).length > 0;
  const wanted = useless && !opens && /acs/i.test(problem.token.text) ? openerOf(context, problem) : null;
  return [repair, wanted, BY_CODE[problem.code] ?? null].filter((fix) => fix !== null);
}

/** The line with the word repaired. */
function repairOf(context: DoctorContext, problem: CommandLineProblem): Fix | null {
  const { commandLine, machine } = context;
  // In the form that survives renumbering, as the functions are named.
  const replacement = problem.replacement === null ? null : inPathForm(machine, problem.replacement);
  const after = commandLine === null ? null : repairedLine(commandLine, { ...problem, replacement });
  if (commandLine === null || after === null) return null;
  const left = commandLineProblems(machine, parseCommandLine(after));
  const still = left.some((other) => other.code === problem.code && other.message === problem.message);
  const word = replacement === '' ? null : replacement;
  const change = bootChange(machine, after);
  return {
    what: word === null ? `Take ${problem.token.text} out of the command line` : REPAIRS[problem.code],
    ...(word === null ? takenOut(problem) : bootLines(word, problem.token.text)),
    cost: costOf(problem),
    change,
    proof: still ? notProved('stillThere') : repairProof(context, change),
  };
}

/** Nothing is written in place of the word. */
function takenOut({ token }: CommandLineProblem): Pick<Fix, 'kind' | 'commands' | 'undo' | 'takeBack' | 'reboot'> {
  const { kind, commands, undo, reboot, takeBack } = bootLines(token.text, token.text);
  return { kind, commands, undo, reboot, takeBack };
}

function costOf({ code }: CommandLineProblem): string {
  if (code === 'GROUPS_ONLY') return 'A reboot. Groups become as large as the hardware makes them.';
  return 'A reboot.';
}

function repairProof(context: DoctorContext, change: MachineChange): Proof {
  const ports = portsOf(change);
  const changed = new Set(ports.map((port) => port.at.key));
  const cases = context.cases.filter((item) => redirectingIn([item]).some(({ key }) => changed.has(key)));
  const asked = ports.length > 0 && cases.length > 0;
  return judged(
    { kind: 'word', registers: ports.length },
    asked ? { kind: 'pair', type: new Trial(context, examplesOf(context, cases)).worst(change) } : null,
  );
}

/** The parameter for the ports that redirect between wanted pairs, in place of the word; null where none does. */
function openerOf(context: DoctorContext, problem: CommandLineProblem): Fix | null {
  const { machine, commandLine } = context;
  const cases = context.cases.filter((item) => item.common >= 0 && item.named.has('ACS_REDIRECT'));
  const repaired = commandLine === null ? null : repairedLine(commandLine, problem);
  const patient = { ...context, machine: { ...machine, cmdline: repaired ?? machine.cmdline } };
  const pairs = examplesOf(context, cases);
  const remedy = acsRemedy(patient, redirectingIn(cases), pairs);
  const [made] = remedy.words;
  if (made === undefined) return null;
  const kept = otherPciOptions(problem.replacement ?? '');
  const parameter = kept === null ? made.parameter : `${kept},${made.parameter.slice('pci='.length)}`;
  const line = made.change.after ?? made.parameter;
  // What the word says besides stays where it was, and the list follows it.
  const words = kept === null ? [line] : line.split(' ').filter((word) => word !== kept && word !== made.parameter);
  const change = bootChange(machine, kept === null ? line : [...words, parameter].join(' '));
  return {
    what: `What does open the switches of this machine, in place of ${problem.token.text}${kept === null ? '' : ', the rest of which it keeps'}`,
    ...bootLines(parameter, problem.token.text),
    cautions: isolationCautions(machine, remedy.isolation),
    cost: isolationCostWords(remedy.isolation),
    change,
    proof: new Trial(context, pairs).proofOfWord(change),
  };
}

/** The word with nothing in it about ACS: `pci=pcie_bus_perf`; null where it says nothing else. */
function otherPciOptions(text: string): string | null {
  const { pci } = parseCommandLine(text);
  const others = pci.filter(({ key }) => key !== 'disable_acs_redir' && key !== 'config_acs').map(optionText);
  return others.length === 0 ? null : `pci=${others.join(',')}`;
}
