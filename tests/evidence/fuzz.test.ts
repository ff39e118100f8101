/** All recognisers together on damaged pastes, and texts that are made to be slow. `npm run fuzz:pastes` runs ten million lines. */

import { expect, test } from 'vitest';
import { recognise } from '../../src/evidence/index.ts';
import { RECOGNISERS } from '../../src/evidence/table.ts';
import { fuzzPastes } from './fuzz-pastes.ts';
import { SAMPLE_PASTES } from './sample-pastes.ts';

const SEED = Number(process.env['P2PDMA_FUZZ_SEED'] ?? 1);
const LINES = Number(process.env['P2PDMA_FUZZ_LINES'] ?? 100_000);

test(`evidence, ${LINES} damaged lines from seed ${SEED}: blocks of lines that are there, in linear time`, () => {
  const { pastes, lines, kinds } = fuzzPastes(SEED, LINES);
  console.log(`seed ${SEED}: ${lines} lines in ${pastes} pastes: ${JSON.stringify(kinds)}`);
  const sampled = new Set(SAMPLE_PASTES.flatMap((paste) => recognise(paste, 'sample').blocks.map(({ kind }) => kind)));
  if (LINES >= 10_000) expect([...sampled].filter((kind) => kinds[kind] === undefined)).toEqual([]);
}, 36_000_000);

test('every kind that is read has a sample that the fuzzer damages', () => {
  const sampled = new Set(SAMPLE_PASTES.flatMap((paste) => recognise(paste, 'sample').blocks.map(({ kind }) => kind)));
  expect(RECOGNISERS.map(({ kind }) => kind).filter((kind) => !sampled.has(kind))).toEqual([]);
});

test('no word of a recogniser makes a line slow, repeated to four thousand characters, alone and with its sample', () => {
  const slow: string[] = [];
  for (const { kind, words } of RECOGNISERS) {
    // Of the addresses of lspci a few are enough.
    for (const word of words.length > 200 ? words.filter((_word, index) => index % 37 === 0) : words) {
      const line = `${word}${word.repeat(Math.ceil(4096 / word.length))}\n`;
      const start = performance.now();
      recognise(line.repeat(20), 'slow');
      const took = performance.now() - start;
      if (took > 1500) slow.push(`${kind} ${JSON.stringify(word)}: ${took.toFixed(0)} ms`);
    }
  }
  expect(slow).toEqual([]);
}, 600_000);

test('no line of a sample makes a text slow when pieces of it are repeated', () => {
  const slow: string[] = [];
  for (const line of new Set(SAMPLE_PASTES.flatMap((paste) => paste.split('\n')))) {
    for (const part of [line, `${line} `, line.slice(0, line.length / 2), line.replaceAll(/\d/g, '')]) {
      if (part === '') continue;
      const start = performance.now();
      recognise(`${line}${part.repeat(Math.ceil(4096 / part.length))}\n`.repeat(5), 'slow');
      const took = performance.now() - start;
      if (took > 1000) slow.push(`${JSON.stringify(part.slice(0, 60))}: ${took.toFixed(0)} ms`);
    }
  }
  expect(slow).toEqual([]);
}, 600_000);

test.each<[what: string, make: (length: number) => string]>([
  [
    'a log of faults',
    (length) =>
      repeated(
        length,
        (n) =>
          `[ ${n}.0] nvidia 0000:81:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x1 address=0x${n.toString(16)}000 flags=0x0020]\n`,
      ),
  ],
  ['tables that begin and never go on', (length) => repeated(length, () => '\tGPU0\tGPU1\nsomething else\n')],
  [
    'headers that turn out to be grepped',
    (length) => repeated(length, (n) => `80:0${n % 8}.0 PCI bridge: x\n\tACSCtl: SrcValid+ TransBlk-\n`),
  ],
  [
    'drawings that begin again',
    (length) => repeated(length, () => '-[0000:00]-+-00.0\n           +-01.0-[01]----00.0\n'),
  ],
  ['lines of nobody', (length) => repeated(length, (n) => `${n} nothing\n\n`)],
  ['logs and nobody in turn', (length) => repeated(length, () => 'DMAR: IOMMU enabled\na\nb\nc\n')],
  ['tags that never end', (length) => repeated(length, (n) => `<topology a="${n}"\n`)],
  ['brackets that never close', (length) => repeated(length, (n) => `{ "a": [${n},\n`)],
  ['one line without end', (length) => 'GPU0 DMAR: '.repeat(length / 11)],
  ['a listing without end', (length) => `80:01.0 PCI bridge: x\n${'\tControl: I/O+\n'.repeat(length / 15)}`],
])(
  'linear: %s',
  (name, make) => {
    const time = (length: number): number => {
      const text = make(length);
      let fastest = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < 3; attempt++) {
        const start = performance.now();
        recognise(text, name);
        fastest = Math.min(fastest, performance.now() - start);
      }
      return fastest;
    };
    const [small, large] = [time(100_000), time(800_000)];
    // Eight times as much: linear is 8, quadratic 64. Half a second of noise is forgiven.
    expect(large, `${small.toFixed(1)} ms, then ${large.toFixed(1)} ms`).toBeLessThan(24 * small + 500);
  },
  120_000,
);

/** Pieces with a number in each, until they fill about `length` characters. */
function repeated(length: number, piece: (index: number) => string): string {
  const parts: string[] = [];
  for (let index = 0, size = 0; size < length; index++) {
    const part = piece(index);
    parts.push(part);
    size += part.length;
  }
  return parts.join('');
}
