/** `p2pdma whose`: what an address is on a machine, and what the fault lines of dmesg mean. */

import { existsSync } from 'node:fs';
import { hex, parseHex } from '../core/hex.ts';
import { RangeTable } from '../dma/range-table.ts';
import { type AddressOwner, addressOwner, type FindBar } from '../doctor/address-owner.ts';
import { type FaultLine, parseFaultLine } from '../doctor/fault-line.ts';
import type { Machine } from '../machine/machine.ts';
import { selectFunction } from '../machine/selector.ts';
import { parseBdf } from '../pcie/bdf.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { type Invocation, textOption } from './context.ts';
import { UsageError } from './errors.ts';
import { EXIT_DONE, EXIT_NO, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';
import { wrap } from './style.ts';
import { ownerDocument, ownerSentences } from './whose-words.ts';

/** One address that was asked for. */
interface Asked {
  readonly address: number;
  readonly by: PciFunction | null;
  readonly fault: FaultLine | null;
  /** Line of standard input. */
  readonly line: number | null;
}

/** Runs the command: 1 where an address belongs to nothing. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const { machineArgument, addresses } = placeArguments(invocation.args);
  const { machine } = await loadMachine(machineArgument, invocation);
  const byText = textOption(invocation, 'by');
  const by = byText === undefined ? null : selectFunction(machine.hierarchy, byText, '--by');
  const asked: Asked[] = addresses.map((address) => ({ address, by, fault: null, line: null }));
  if (asked.length === 0) asked.push(...(await faultsOfInput(machine, by)));
  const table = RangeTable.ofMachine(machine);
  const findBar: FindBar = (address) => {
    const index = table.find(address);
    if (index < 0 || table.at(index).kind !== 'bar') return null;
    const { provider, bar } = table.at(index);
    return { fn: machine.hierarchy.functions[provider] as PciFunction, bar };
  };
  const answers = asked.map((item) => ({ ...item, owner: addressOwner(machine, item.address, findBar, item.by) }));
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
    for (const answer of answers)
      for (const line of answerLines(machine, answer, context.columns)) context.out.append(`${line}\n`);
    if (machine.ram.length === 0) {
      context.note('note: the capture holds no memory map, so RAM cannot be told: capture as root, or see /proc/iomem');
    }
  }
  return answers.some(({ owner }) => owner.kind === 'nothing') ? EXIT_NO : EXIT_DONE;
}

type Answer = Asked & { readonly owner: AddressOwner };

function* answerLines(machine: Machine, answer: Answer, columns: number): Generator<string> {
  const { address, fault, by } = answer;
  const head =
    fault === null
      ? hex(address)
      : `line ${answer.line}: ${fault.iommu} fault, ${fault.access ?? 'access'} of ${hex(address)}${fault.by === null ? '' : ` by ${fault.by}`}`;
  yield* wrap(`${head}: ${ownerSentences(machine, answer.owner, { by, fault }).join(' ')}`, columns, '  ');
}

function answerDocument({ address, by, fault, line, owner }: Answer): object {
  return {
    address: hex(address),
    by: by?.name ?? fault?.by ?? null,
    ...(fault === null ? {} : { fault: { iommu: fault.iommu, access: fault.access, reason: fault.reason, line } }),
    ...ownerDocument(owner),
  };
}

/** MACHINE may be left out; what reads as a number is an address. */
function placeArguments(args: readonly string[]): {
  readonly machineArgument: string | undefined;
  readonly addresses: number[];
} {
  const [first, ...rest] = args;
  const isAddress = (text: string): boolean => parseHex(text) !== null && (text.startsWith('0x') || !existsSync(text));
  const machineArgument = first !== undefined && isAddress(first) ? undefined : first;
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

async function faultsOfInput(machine: Machine, by: PciFunction | null): Promise<Asked[]> {
  if (process.stdin.isTTY) throw nothingAsked('no address is given, and nothing is on standard input');
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const lines = Buffer.concat(chunks).toString('latin1').split('\n');
  const asked: Asked[] = [];
  lines.forEach((text, index) => {
    const fault = parseFaultLine(text);
    if (fault === null) return;
    const bdf = fault.by === null ? null : parseBdf(fault.by);
    const fn = bdf === null ? undefined : machine.hierarchy.at(bdf);
    asked.push({ address: fault.address, by: fn ?? by, fault, line: index + 1 });
  });
  if (asked.length === 0) throw nothingAsked(`none of the ${lines.length} lines on standard input reports a fault`);
  return asked;
}

function nothingAsked(message: string): UsageError {
  return new UsageError({
    code: 'USAGE_ARGUMENT_MISSING',
    path: 'ADDRESS',
    message,
    hint: 'p2pdma whose host.tar.gz 0xfe800000, or: dmesg | p2pdma whose host.tar.gz',
  });
}
