/**
 * Opens a case: each input is a capture, or a text in which whatever is known is recognised. The parts of one machine are joined: a
 * listing, a drawing of its tree, ACSCtl lines with addresses, its command line, its kernel's log.
 */

import { utf8Bytes } from '../evidence/clean/line-ends.ts';
import type { EvidenceItem } from '../evidence/items.ts';
import { recognise } from '../evidence/recognise.ts';
import type { SourceBlock } from '../evidence/source-block.ts';
import type { FunctionItem } from '../evidence/topology/skeleton.ts';
import { buildMachine, type MachineEvidence } from '../machine/build.ts';
import { nameFunctions } from '../machine/infer/named-functions.ts';
import type { Machine } from '../machine/machine.ts';
import { compressionOf, isTar } from '../machine/read/archive/signature.ts';
import { plainText } from '../machine/read/lspci/plain-text.ts';
import { readLspci } from '../machine/read/lspci/read-lspci.ts';
import { readMachine } from '../machine/read/read-machine.ts';
import { withAcsLines } from './acs-lines.ts';
import { type Case, type Contradiction, itemsOf, type MachineOrigin } from './case.ts';
import { withDrawing } from './drawn-functions.ts';
import { CaseError } from './errors.ts';
import { besideCapture, logOfCapture, withKernelFacts } from './kernel-facts.ts';

/** Something that was given: bytes or text with what to call it, or a machine that was read already. */
export interface CaseInput {
  readonly name: string;
  readonly content: Uint8Array | ArrayBuffer | string | Machine;
  /** What a machine that was read already is. Left out: a capture. */
  readonly origin?: MachineOrigin;
}

/**
 * Opens a case over everything that was given about one computer.
 *
 * @throws CaseError where nothing was given, nothing at all was recognised, or two machines were given
 * @throws MachineError for an archive that cannot be read
 */
export async function openCase(inputs: readonly CaseInput[]): Promise<Case> {
  const first = Array.isArray(inputs) ? (inputs as readonly CaseInput[])[0] : undefined;
  if (first === undefined) throw nothingGiven();
  const texts: TextInput[] = [];
  let capture: { readonly machine: Machine; readonly origin: MachineOrigin; readonly name: string } | null = null;
  for (const { name, content, origin } of inputs) {
    const machine = await machineOf(content, name);
    if (machine === null) texts.push({ name, bytes: bytesOf(content as Exclude<CaseInput['content'], Machine>) });
    else if (capture !== null) throw twoMachines(capture.name, name);
    else capture = { machine, origin: origin ?? 'capture', name };
  }
  const blocks = texts.flatMap(({ name, bytes }) => recognise(bytes, name).blocks);
  const listed = texts.flatMap(({ name, bytes }) => readLspci(plainText(bytes), name).evidence ?? []);
  const contradictions: Contradiction[] = [];
  if (capture !== null) {
    const { machine, origin } = capture;
    const own = logOfCapture(machine);
    return {
      source: first.name,
      machine: besideCapture(machine, blocks),
      origin,
      blocks: [...own, ...blocks],
      contradictions,
    };
  }
  const { machine, origin } = await putTogether(first.name, listed, blocks, contradictions);
  if (machine === null && blocks.every(({ kind }) => kind === 'unknown')) throw nothingRecognised(texts, blocks);
  return { source: first.name, machine, origin, blocks, contradictions };
}

interface TextInput {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function bytesOf(content: Uint8Array | ArrayBuffer | string): Uint8Array {
  if (typeof content === 'string') return utf8Bytes(content);
  return content instanceof ArrayBuffer ? new Uint8Array(content) : content;
}

/** The machine of an archive, or the one that was given; null for a text. */
async function machineOf(content: CaseInput['content'], name: string): Promise<Machine | null> {
  if (typeof content === 'string') return null;
  if (!(content instanceof Uint8Array || content instanceof ArrayBuffer)) return content;
  const bytes = bytesOf(content);
  return compressionOf(bytes) !== null || isTar(bytes) ? readMachine(bytes, name) : null;
}

/** One machine from the parts that texts show; null where they show no function's place. */
async function putTogether(
  source: string,
  listed: readonly MachineEvidence[],
  blocks: readonly SourceBlock[],
  contradictions: Contradiction[],
): Promise<{ readonly machine: Machine | null; readonly origin: MachineOrigin | null }> {
  const drawing = itemsOf(blocks, 'lspci-tree');
  const topology = blocks.flatMap(({ items }) => items.filter(isFunction));
  if (listed.length === 0 && drawing.length + topology.length === 0) return { machine: null, origin: null };
  const evidence = joined(source, listed, contradictions);
  // A drawing shows every bridge: what a topology file left out is taken from it.
  const placed = withDrawing(evidence.functions, drawing.length > 0 ? drawing : topology);
  const functions = withAcsLines(placed, itemsOf(blocks, 'lspci-acsctl'));
  await nameFunctions(functions);
  return {
    machine: buildMachine(withKernelFacts({ ...evidence, functions }, blocks)),
    origin: listed.length > 0 ? 'listing' : 'drawing',
  };
}

/** A function of hwloc's or NCCL's topology file, with an address. NCCL's log shows parts of a tree only. */
function isFunction(item: EvidenceItem): item is FunctionItem {
  return item.kind !== 'nccl-log' && 'what' in item && item.what === 'function' && 'parent' in item;
}

/** The evidence of several listings of one machine. Each function once: the one with more registers, then the later. */
function joined(source: string, listed: readonly MachineEvidence[], contradictions: Contradiction[]): MachineEvidence {
  const [only] = listed;
  if (only === undefined) return { source, functions: [] };
  if (listed.length === 1) return only;
  const byAddress = new Map<string, MachineEvidence['functions'][number]>();
  for (const { functions } of listed) {
    for (const facts of functions) {
      const { domain, bus, device, function: fn } = facts.bdf;
      const key = `${domain}/${bus}/${device}/${fn}`;
      const known = byAddress.get(key);
      if (known === undefined || known.config.length <= facts.config.length) byAddress.set(key, facts);
    }
  }
  const kernels = [...new Set(listed.flatMap(({ kernel }) => kernel ?? []))];
  if (kernels.length > 1) {
    const message = `two kernels are named, ${kernels.join(' and ')}: the files are of two machines or two boots`;
    contradictions.push({ message, file: source, line: null });
  }
  const last = <Value>(of: (evidence: MachineEvidence) => Value | null | undefined): Value | undefined =>
    listed.reduce<Value | undefined>((found, evidence) => of(evidence) ?? found, undefined);
  return {
    ...only,
    source,
    functions: [...byAddress.values()],
    iomem: last(({ iomem }) => (iomem !== undefined && iomem.length > 0 ? iomem : undefined)),
    cpu: last(({ cpu }) => cpu),
    architecture: last(({ architecture }) => architecture),
    kernel: kernels.length === 1 ? kernels[0] : null,
    cmdline: last(({ cmdline }) => cmdline),
    host: last(({ host }) => host),
    extendedListed: listed.some(({ extendedListed }) => extendedListed === true),
    notes: listed.flatMap(({ notes }) => notes ?? []),
  };
}

function nothingGiven(): CaseError {
  return new CaseError({
    code: 'CASE_EMPTY',
    path: 'inputs',
    message: 'nothing was given',
    hint: 'give a capture, a listing of lspci, a log, or the output of a tool',
  });
}

function twoMachines(one: string, other: string): CaseError {
  return new CaseError({
    code: 'CASE_TWO_MACHINES',
    path: other,
    message: `is a capture of a machine, and so is ${one}: a case is about one machine`,
    hint: `to compare two captures: p2pdma diff ${one} ${other}`,
  });
}

/** Lines of an unknown text that a message shows, and characters of each. */
const SHOWN_LINES = 2;
const SHOWN_LENGTH = 60;

function nothingRecognised(texts: readonly TextInput[], blocks: readonly SourceBlock[]): CaseError {
  const { name } = texts[0] as TextInput;
  if (blocks.length === 0) {
    return new CaseError({
      code: 'CASE_EMPTY',
      path: name,
      message: 'holds nothing but blanks',
      hint: USEFUL,
    });
  }
  const begins = beginningOf((texts[0] as TextInput).bytes);
  return new CaseError({
    code: 'CASE_UNKNOWN',
    path: name,
    message: `nothing in it is recognised; it begins with: ${begins}`,
    hint: USEFUL,
  });
}

const USEFUL =
  'useful: sudo lspci -Dnnvvvxxxx, the kernel log (sudo dmesg), nvidia-smi topo -m, nvidia-smi topo -p2p r, a bandwidth table';

function beginningOf(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, 400)).replace(/[^\x20-\x7e\n]/g, '.');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines
    .slice(0, SHOWN_LINES)
    .map((line) => `"${line.trim().slice(0, SHOWN_LENGTH)}"`)
    .join(', ');
}
