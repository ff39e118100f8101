/** `p2pdma whose`: what an address is on a machine, and what the fault lines of dmesg mean. */

import { existsSync } from 'node:fs';
import { hex, parseHex } from '../core/hex.ts';
import { RangeTable } from '../dma/range-table.ts';
import { type AddressOwner, addressOwner, busAddressOwner, type FindBar } from '../doctor/facts/address-owner.ts';
import { type FaultLine, readFaults } from '../doctor/log/fault-line.ts';
import { faultRequester } from '../doctor/log/fault-requester.ts';
import type { Machine } from '../machine/machine.ts';
import { selectFunction } from '../machine/selector.ts';
import { p2pdmaDistance } from '../p2p/distance.ts';
import { JudgeContext } from '../p2p/judge.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { interruptSentences, ownerDocument, ownerSentences, roadDocument, type Use } from '../report/whose/words.ts';
import { count, wrap } from '../report/words/style.ts';
import { type CliContext, type Invocation, textOption } from './context.ts';
import { UsageError } from './errors.ts';
import { EXIT_DONE, EXIT_NO, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';

/** One address, or one fault, that was asked for. */
interface Asked {
  readonly address: number | null;
  readonly by: PciFunction | null;
  readonly fault: FaultLine | null;
  /** Line of standard input. */
  readonly line: number | null;
  /** Lines of standard input that say the same. */
  readonly times: number;
}

/** Runs the command: 1 where an address belongs to nothing. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const { machineArgument, addresses } = placeArguments(invocation.args);
  if (machineArgument === '-' && addresses.length === 0) {
    throw nothingAsked('standard input cannot be both the machine and the fault lines');
  }
  const { machine, policy } = await loadMachine(machineArgument, invocation);
  const byText = textOption(invocation, 'by');
  const by = byText === undefined ? null : selectFunction(machine.hierarchy, byText, '--by');
  const asked: Asked[] = addresses.map((address) => ({ address, by, fault: null, line: null, times: 1 }));
  if (asked.length === 0) asked.push(...(await faultsOfInput(machine, by, context)));
  const answer = answerer(machine, new JudgeContext(machine, policy));
  const answers = asked.map(answer);
  if (context.json) {
    await context.out.json({
      schemaVersion: 1,
      command: 'whose',
      machine: {
        source: machine.source,
        functions: machine.hierarchy.functions.length,
        ramKnown: machine.ram.length > 0,
      },
      addresses: answers.map(answerDocument),
    });
  } else {
    if (answers.length === 0) context.out.append('No fault is reported.\n');
    for (const one of answers)
      for (const line of answerLines(machine, one, context.columns)) context.out.append(`${line}\n`);
    if (machine.ram.length === 0) {
      context.note('note: the capture holds no memory map, so RAM cannot be told: capture as root, or see /proc/iomem');
    }
  }
  return answers.some(({ owner }) => owner?.kind === 'nothing') ? EXIT_NO : EXIT_DONE;
}

/** `owner` is null for an interrupt that was refused. */
type Answer = Asked & Use & { readonly owner: AddressOwner | null };

function answerer(machine: Machine, judge: JudgeContext): (asked: Asked) => Answer {
  const table = RangeTable.ofMachine(machine);
  const findBar: FindBar = (address) => {
    const index = table.find(address);
    if (index < 0 || table.at(index).kind !== 'bar') return null;
    const { provider, bar } = table.at(index);
    return { fn: machine.hierarchy.functions[provider] as PciFunction, bar };
  };
  return (asked) => {
    const { address, by, fault } = asked;
    if (fault?.what === 'interrupt') return { ...asked, owner: null, road: null, asBus: null };
    // An address of 2^53 or more is beyond all memory.
    if (address === null) return { ...asked, owner: { kind: 'nothing' }, road: null, asBus: null };
    const owner = addressOwner(machine, address, findBar, by);
    const asBus = busAddressOwner(machine, address, by);
    const isOther = asBus !== null && !(owner.kind === 'bar' && owner.fn === asBus.fn && owner.bar === asBus.bar);
    const road = owner.kind === 'bar' && by !== null ? p2pdmaDistance(owner.fn, by, judge) : null;
    return { ...asked, owner, road, asBus: isOther ? asBus : null };
  };
}

function* answerLines(machine: Machine, answer: Answer, columns: number): Generator<string> {
  const { address, fault, owner, line, times } = answer;
  const shown = address === null ? 'an address of 2^53 or more' : hex(address);
  const more = times === 1 ? '' : ` and ${times - 1} more`;
  const who = answer.by?.name ?? fault?.by ?? null;
  const what = fault?.what === 'interrupt' ? 'interrupt' : `${fault?.access ?? 'access'} of ${shown}`;
  const head =
    fault === null ? shown : `line ${line}${more}: ${fault.iommu} fault, ${what}${who === null ? '' : ` by ${who}`}`;
  const words =
    owner === null && fault !== null
      ? interruptSentences(fault)
      : ownerSentences(machine, owner as AddressOwner, answer);
  yield* wrap(`${head}: ${words.join(' ')}`, columns, '  ');
}

function answerDocument(answer: Answer): object {
  const { address, by, fault, line, owner, times, asBus } = answer;
  const faultDocument = (told: FaultLine): object => {
    const { iommu, what, access, reason } = told;
    return { fault: { iommu, what, access, reason, line, times } };
  };
  return {
    address: address === null ? null : hex(address),
    by: by?.name ?? fault?.by ?? null,
    ...(fault === null ? {} : faultDocument(fault)),
    ...(owner === null ? { kind: 'interrupt' } : ownerDocument(owner)),
    ...(owner?.kind === 'bar' && by !== null ? { road: roadDocument(owner, answer) } : {}),
    ...(asBus === null ? {} : { asBusAddress: ownerDocument(asBus) }),
  };
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

async function faultsOfInput(machine: Machine, by: PciFunction | null, context: CliContext): Promise<Asked[]> {
  if (process.stdin.isTTY) throw nothingAsked('no address is given, and nothing is on standard input');
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const { faults, otherLines } = readFaults(Buffer.concat(chunks).toString('latin1').split('\n'));
  if (faults.length === 0 && otherLines === 0) {
    throw nothingAsked('no address is given, and standard input is empty');
  }
  if (otherLines > 0) {
    context.note(
      `note: ${count(otherLines, 'other line')} on standard input ${otherLines === 1 ? 'reports' : 'report'} no fault`,
    );
  }
  const asked = new Map<string, Asked>();
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
