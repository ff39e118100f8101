/** `p2pdma whose`: what an address is on a machine, and what the fault lines of dmesg mean. */

import { existsSync } from 'node:fs';
import { parseHex } from '../core/hex.ts';
import { plural } from '../core/words.ts';
import { faultRequester } from '../doctor/log/fault-requester.ts';
import { readFaults } from '../evidence/kernel/log/fault-line.ts';
import type { Machine } from '../machine/machine.ts';
import { tooLarge } from '../machine/read/intake.ts';
import { selectFunction } from '../machine/selector.ts';
import { policyForKernel } from '../p2p/policy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { type AskedAddress, whoseAnswers } from '../report/whose/answer.ts';
import { standardInputUpTo } from './bounded-input.ts';
import { type CliContext, type Invocation, textOption } from './context.ts';
import { UsageError } from './errors.ts';
import { EXIT_DONE, EXIT_NO, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';

/** The kernel keeps 16 MiB of messages at most. */
const LOG_MAX = 16 * 1024 * 1024;

/** Runs the command: 1 where an address belongs to nothing. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const { machineArgument, addresses } = placeArguments(invocation.args);
  if (machineArgument === '-' && addresses.length === 0) {
    throw nothingAsked('standard input cannot be both the machine and the fault lines');
  }
  if (machineArgument === undefined && addresses.length === 0 && !process.stdin.isTTY) return judgeLogAlone(invocation);
  const { machine, policy } = await loadMachine(machineArgument, invocation);
  const byText = textOption(invocation, 'by');
  const by = byText === undefined ? null : selectFunction(machine.hierarchy, byText, '--by');
  const asked: AskedAddress[] = addresses.map((address) => ({ address, by, fault: null, line: null, times: 1 }));
  if (asked.length === 0) asked.push(...(await faultsOfInput(machine, by, context)));
  const answers = asked.map(whoseAnswers(machine, policy));
  if (context.json) {
    const { whoseDocument } = await import('../report/whose/json.ts');
    await context.out.json(whoseDocument(machine, answers));
  } else {
    const { answerLines } = await import('../report/whose/text.ts');
    if (answers.length === 0) context.out.append('No fault is reported.\n');
    for (const answer of answers) {
      for (const line of answerLines(machine, answer, context.columns)) context.out.append(`${line}\n`);
    }
    if (machine.ram.length === 0) {
      context.note('note: the capture holds no memory map, so RAM cannot be told: capture as root, or see /proc/iomem');
    }
  }
  return answers.some(({ owner }) => owner?.kind === 'nothing') ? EXIT_NO : EXIT_DONE;
}

/** A log without MACHINE is perhaps a stranger's: it is judged by itself, never by the computer that reads it. */
async function judgeLogAlone({ context }: Invocation): Promise<ExitCode> {
  const log = await standardInputUpTo(LOG_MAX);
  if (log === null)
    throw tooLarge('stdin', LOG_MAX, 'the last lines are what counts: dmesg | tail -n 10000 | p2pdma whose');
  if (log.toString('latin1').trim() === '') throw nothingAsked('no address is given, and standard input is empty');
  const [{ openCase }, { checkCase }] = await Promise.all([
    import('../case/open-case.ts'),
    import('../doctor/check-case.ts'),
  ]);
  const given = await openCase([{ name: 'stdin', content: new Uint8Array(log) }]);
  const policy = policyForKernel(given.machine?.kernel ?? null);
  const question = { given, policy, result: checkCase(given, policy) };
  if (context.json) {
    const { checkDocument } = await import('../report/check/json.ts');
    await context.out.json({ ...checkDocument(question), command: 'whose' });
    return EXIT_DONE;
  }
  context.note('note: no MACHINE is named, so the log is judged alone; p2pdma whose live asks this computer');
  const [{ answerLines }, { styleOf }] = await Promise.all([
    import('../report/answer/text.ts'),
    import('../report/words/style.ts'),
  ]);
  const view = { columns: context.columns, style: styleOf(context.color), verbose: false };
  for (const line of answerLines(question, view)) context.out.append(`${line}\n`);
  return EXIT_DONE;
}

/** MACHINE may be left out; what reads as a number is an address. */
function placeArguments(args: readonly string[]): {
  readonly machineArgument: string | undefined;
  readonly addresses: number[];
} {
  const [first, ...rest] = args;
  const isAddress = (text: string): boolean => parseHex(text) !== null && (text.startsWith('0x') || !existsSync(text));
  // 0x and no hex behind it is a slip of the finger, not the name of a machine.
  const isMeant = (text: string): boolean => isAddress(text) || (/^0x/i.test(text) && !existsSync(text));
  const machineArgument = first !== undefined && isMeant(first) ? undefined : first;
  const texts = machineArgument === undefined ? args : rest;
  return {
    machineArgument,
    addresses: texts.map((text) => {
      const address = parseHex(text);
      if (address !== null) return address;
      throw new UsageError({
        code: 'USAGE_ARGUMENT_VALUE',
        path: 'ADDRESS',
        message: `'${text}' is no address`,
        hint: 'write it in hex, below 2^53: p2pdma whose host.tar.gz 0xfe800000',
      });
    }),
  };
}

async function faultsOfInput(machine: Machine, by: PciFunction | null, context: CliContext): Promise<AskedAddress[]> {
  if (process.stdin.isTTY) throw nothingAsked('no address is given, and nothing is on standard input');
  const log = await standardInputUpTo(LOG_MAX);
  if (log === null)
    throw tooLarge('stdin', LOG_MAX, 'the last lines are what counts: dmesg | tail -n 10000 | p2pdma whose');
  const { faults, otherLines } = readFaults(log.toString('latin1').split('\n'));
  if (faults.length === 0 && otherLines === 0) {
    throw nothingAsked('no address is given, and standard input is empty');
  }
  if (otherLines > 0) {
    context.note(
      `note: ${plural(otherLines, 'other line')} on standard input ${otherLines === 1 ? 'reports' : 'report'} no fault`,
    );
  }
  const asked = new Map<string, AskedAddress>();
  for (const { fault, line } of faults) {
    const { iommu, what, address, access, reason } = fault;
    const fn = faultRequester(machine.hierarchy, fault) ?? by;
    const key = [iommu, what, fault.by, address, access, reason].join(' ');
    const known = asked.get(key);
    asked.set(
      key,
      known === undefined ? { address, by: fn, fault, line, times: 1 } : { ...known, times: known.times + 1 },
    );
  }
  return [...asked.values()];
}

function nothingAsked(message: string): UsageError {
  return new UsageError({
    code: 'USAGE_ARGUMENT_MISSING',
    path: 'ADDRESS',
    message,
    hint: 'p2pdma whose host.tar.gz 0xfe800000, or: dmesg | p2pdma whose host.tar.gz',
  });
}
