/**
 * Seeded damage to pastes of all kinds at once. Whatever comes out, recognising it ends, in time linear in the text, with blocks whose
 * lines are lines of the text and whose numbers are numbers.
 */

import { Prng } from '../../src/core/prng.ts';
import { type Recognition, recognise, SOURCE_KINDS } from '../../src/evidence/index.ts';
import { SAMPLE_PASTES } from './sample-pastes.ts';

/** Lines of one paste. */
const PASTE_LINES = 200;

/** Generous on a loaded computer; a quadratic reader is beyond it at once. */
const START_MS = 300;
const NS_PER_BYTE = 4000;

export interface FuzzedPastes {
  readonly lines: number;
  readonly pastes: number;
  /** Blocks by their kind. */
  readonly kinds: Readonly<Record<string, number>>;
}

/** Recognises pastes of `lines` damaged lines in all, made from `seed`; throws, with the seed of the paste, where a rule is broken. */
export function fuzzPastes(seed: number, lines: number): FuzzedPastes {
  const kinds: Record<string, number> = {};
  const pastes = Math.ceil(lines / PASTE_LINES);
  for (let index = 0; index < pastes; index++) {
    const pasteSeed = (seed + index) >>> 0;
    const paste = damagedPaste(new Prng(pasteSeed));
    try {
      for (const { kind } of timed(paste).blocks) kinds[kind] = (kinds[kind] ?? 0) + 1;
    } catch (cause) {
      throw new Error(`paste of seed ${pasteSeed}: ${cause instanceof Error ? cause.stack : cause}`);
    }
  }
  return { lines: pastes * PASTE_LINES, pastes, kinds };
}

/** Slow only if it is slow three times. */
function timed(paste: Uint8Array): Recognition {
  const limit = START_MS + (paste.length * NS_PER_BYTE) / 1e6;
  let fastest = Number.POSITIVE_INFINITY;
  let recognition: Recognition | null = null;
  for (let attempt = 0; attempt < 3 && fastest > limit; attempt++) {
    const start = performance.now();
    recognition = recognise(paste, 'fuzz');
    fastest = Math.min(fastest, performance.now() - start);
  }
  if (fastest > limit) throw new Error(`took ${fastest.toFixed(0)} ms, more than ${limit.toFixed(0)}`);
  verify(recognition as Recognition);
  return recognition as Recognition;
}

function verify({ blocks, lines }: Recognition): void {
  const kinds = new Set<string>(SOURCE_KINDS);
  for (const block of blocks) {
    const where = `${block.kind} ${block.fromLine}-${block.toLine}`;
    if (!kinds.has(block.kind)) throw new Error(`${where}: is no kind`);
    if (block.fromLine < 1 || block.toLine < block.fromLine || block.toLine > lines)
      throw new Error(`${where} of ${lines}`);
    for (const item of block.items) {
      if (item.line < 1 || item.line > lines) throw new Error(`${where}: item of line ${item.line}`);
      verifyValue(item, where, 0);
    }
  }
}

/** No number that is none, in whatever depth of an item. */
function verifyValue(value: unknown, where: string, depth: number): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${where}: ${value} is no number`);
  if (typeof value !== 'object' || value === null || depth > 8) return;
  for (const part of Object.values(value)) verifyValue(part, where, depth + 1);
}

const LINES: readonly string[] = SAMPLE_PASTES.flatMap((paste) => paste.split('\n'));
const PREFIXES: readonly string[] = [
  '> ',
  '    ',
  '\t',
  '[   12.345678] ',
  'Sep 21 09:59:59 host kernel: ',
  '[1,0]<stdout>:',
  'node17: ',
  '12:',
  '\u001b[32m',
  '```\n',
  '...\n',
];

/** Whole samples and single lines, some of them damaged. */
function damagedPaste(prng: Prng): Uint8Array {
  const lines: string[] = [];
  while (lines.length < PASTE_LINES) {
    const piece = prng.chance(0.5) ? prng.pick(SAMPLE_PASTES).split('\n') : [prng.pick(LINES)];
    const prefix = prng.chance(0.2) ? prng.pick(PREFIXES) : '';
    for (const line of piece) {
      const changed = prng.chance(0.4) ? damagedLine(prefix + line, prng) : prefix + line;
      if (!prng.chance(0.03)) lines.push(changed);
    }
  }
  const end = prng.pick(['\n', '\n', '\n', '\r\n', '\r']);
  const bytes = new Uint8Array(Buffer.from(lines.slice(0, PASTE_LINES).join(end), 'utf8'));
  for (let count = prng.chance(0.3) ? prng.below(40) : 0; count > 0; count--)
    bytes[prng.below(bytes.length)] = prng.below(256);
  return bytes;
}

function damagedLine(line: string, prng: Prng): string {
  const at = prng.below(line.length + 1);
  const to = at + prng.below(Math.min(20, line.length - at) + 1);
  switch (prng.below(9)) {
    case 0:
      return line.slice(0, at);
    case 1:
      return line.slice(0, at) + line.slice(to);
    case 2:
      return line.slice(0, to) + line.slice(at);
    case 3:
      return line.slice(0, at) + prng.pick(LINES) + line.slice(to);
    case 4:
      return line.replace(/\d+/g, (digits) => (prng.chance(0.3) ? '9'.repeat(prng.between(1, 30)) : digits));
    case 5:
      return line.replace(/[0-9a-f]{2,}/gi, (digits) => (prng.chance(0.3) ? 'f'.repeat(prng.between(1, 20)) : digits));
    case 6:
      return (line.slice(at, to) || ' ').repeat(prng.between(1, 600)) + line;
    case 7:
      return line.replaceAll(' ', prng.pick(['', '  ', '\t', '\u00a0', '\n']));
    default:
      return line.slice(0, at) + String.fromCharCode(prng.below(0x3000)) + line.slice(at);
  }
}
