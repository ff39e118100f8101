import { describe, expect, test } from 'vitest';
import type { EvidenceItem } from './items.ts';
import { recognise } from './recognise.ts';
import { linesOf, type Recogniser, tableOf } from './recogniser.ts';
import type { SourceBlock } from './source-block.ts';

// Recognisers of formats that exist here only: a table of pairs, its look-alike, and a log.
const place = (file: string, line: number) => ({ kind: 'lspci-acsctl' as const, file, line });
const item = (file: string, line: number, name: string): EvidenceItem => ({
  ...place(file, line),
  function: null,
  name,
  control: 0,
  printed: 0x7f,
  capability: null,
});

const rows = tableOf<EvidenceItem>({
  kind: 'nvidia-smi-topo',
  words: ['HEAD'],
  begins: ({ bare }) => bare.startsWith('HEAD'),
  continues: ({ bare, isBlank }) => (/^ROW\d/.test(bare) ? 'taken' : isBlank ? 'ended' : 'passed'),
  read: (lines, { file }) => {
    const [head, ...body] = lines;
    const wanted = Number(head?.bare.split(' ')[1]);
    if (body.length === 0) return null;
    const items = body.map(({ number, bare }) => item(file, number, bare));
    return { items, isComplete: items.length === wanted, subject: String(wanted) };
  },
});
const lookAlike = tableOf<EvidenceItem>({
  kind: 'rocm-topo',
  words: ['HEAD'],
  begins: ({ bare }) => bare.startsWith('HEAD'),
  continues: ({ isBlank }) => (isBlank ? 'ended' : 'taken'),
  read: (lines, { file }) => {
    const items = lines
      .filter(({ bare }) => bare.startsWith('LINE'))
      .map(({ number, bare }) => item(file, number, bare));
    return items.length === 0 ? null : { items };
  },
});
const log: Recogniser<EvidenceItem> = {
  ...linesOf<EvidenceItem>({
    kind: 'kernel-log',
    words: ['DMAR', 'AER'],
    readLine: ({ bare, number }, { file }) => (/^(?:DMAR|AER): /.test(bare) ? [item(file, number, bare)] : null),
  }),
  bears: (bytes, start) => (bytes[start] === 0x5b ? 'own' : bytes[start] === 0x2a ? 'along' : null),
};
const TOYS = [rows, lookAlike, log];

function blocksOf(text: string): readonly SourceBlock[] {
  return recognise(text, 'paste', TOYS).blocks;
}

/** `kind from-to items`, a line each. */
function shown(text: string): string[] {
  return blocksOf(text).map(
    ({ kind, fromLine, toLine, items, isComplete, isSuperseded, overlaps }) =>
      `${kind} ${fromLine}-${toLine} ${items.length}${isComplete ? '' : ' incomplete'}${isSuperseded ? ' superseded' : ''}${overlaps.length > 0 ? ` with ${overlaps.join(' ')}` : ''}`,
  );
}

describe('blocks are found wherever they stand', () => {
  test('several tools in one paste, with words around them', () => {
    expect(
      shown('Hello,\nthis is it:\n\nHEAD 2\nROW0 a\nROW1 b\n\nand the log says\nDMAR: x\nAER: y\n\nThanks'),
    ).toEqual(['unknown 1-2 0', 'nvidia-smi-topo 4-6 2', 'unknown 8-8 0', 'kernel-log 9-10 2', 'unknown 12-12 0']);
  });

  test.each<[how: string, change: (line: string) => string]>([
    ['as they are', (line) => line],
    ['quoted', (line) => `> ${line}`],
    ['indented', (line) => `    ${line}`],
    ['with CRLF', (line) => `${line}\r`],
    ['in colour', (line) => `\u001b[32m${line}\u001b[0m`],
    ['below mpirun', (line) => `[1,3]<stdout>:${line}`],
    ['below the name of a host', (line) => `node17: ${line}`],
    ['with numbers of grep', (line) => `17:${line}`],
  ])('lines %s', (_how, change) => {
    expect(shown(['HEAD 2', 'ROW0 a', 'ROW1 b'].map(change).join('\n'))).toEqual(['nvidia-smi-topo 1-3 2']);
    expect(shown(change('DMAR: x'))).toEqual(['kernel-log 1-1 1']);
  });

  test('a text of returns alone, and one in UTF-16, have their lines', () => {
    expect(shown('HEAD 2\rROW0 a\rROW1 b\r')).toEqual(['nvidia-smi-topo 1-3 2']);
    const wide = Uint8Array.from([0xff, 0xfe, ...[...'HEAD 1\nROW0'].flatMap((letter) => [letter.charCodeAt(0), 0])]);
    expect(recognise(wide, 'paste', TOYS).blocks.map(({ kind }) => kind)).toEqual(['nvidia-smi-topo']);
  });

  test('a fence ends a table, and fences are nothing unknown', () => {
    expect(shown('<details><summary>x</summary>\n\n```\nHEAD 2\nROW0 a\nROW1 b\n```\n</details>')).toEqual([
      'nvidia-smi-topo 4-6 2',
    ]);
  });

  test('the command above a block belongs to it, and a prompt ends the block above', () => {
    const [first, second] = blocksOf('$ tool -m\nHEAD 1\nROW0 a\nme@host:~$ dmesg | tail\nDMAR: x');
    expect([first?.command, second?.command]).toEqual(['tool -m', 'dmesg | tail']);
    expect([first?.toLine, second?.fromLine]).toEqual([3, 5]);
    expect(shown('$ tool -m\nHEAD 1\nROW0 a')).toEqual(['nvidia-smi-topo 2-3 1']);
  });
});

describe('what is missing, doubled or mixed is said', () => {
  test('a table cut at its end, and one with lines left out', () => {
    expect(shown('HEAD 3\nROW0 a\n')).toEqual(['nvidia-smi-topo 1-2 1 incomplete']);
    expect(shown('HEAD 2\nROW0 a\n...\nROW1 b')).toEqual(['nvidia-smi-topo 1-4 2 incomplete']);
  });

  test('of the same block twice the last complete one counts', () => {
    const whole = 'HEAD 1\nROW0 a\n\n';
    expect(shown(whole + whole)).toEqual(['nvidia-smi-topo 1-2 1 superseded', 'nvidia-smi-topo 4-5 1']);
    expect(shown(`HEAD 2\nROW0 a\nROW1 b\n\nHEAD 2\nROW0 a`)).toEqual([
      'nvidia-smi-topo 1-3 2',
      'nvidia-smi-topo 5-6 1 incomplete superseded',
    ]);
    expect(shown(`${whole}HEAD 2\nROW0 a\nROW1 b`)).toEqual(['nvidia-smi-topo 1-2 1', 'nvidia-smi-topo 4-6 2']);
  });

  test('log lines within a table are read, and both blocks say so', () => {
    expect(shown('HEAD 2\nROW0 a\nDMAR: x\nROW1 b')).toEqual([
      'nvidia-smi-topo 1-4 2 with kernel-log',
      'kernel-log 3-3 1 with nvidia-smi-topo',
    ]);
  });

  test('a block that turns out to be something else is shown to the other recognisers', () => {
    expect(shown('HEAD 1\nLINE a\n\nHEAD 1\nROW0 b')).toEqual(['rocm-topo 1-2 1', 'nvidia-smi-topo 4-5 1']);
    expect(shown('HEAD 1\nnothing\nDMAR: x')).toEqual(['unknown 1-2 0', 'kernel-log 3-3 1']);
  });
});

describe('a log', () => {
  test('lines with its stamp belong to it though they say nothing', () => {
    expect(shown('[1] usb\n[2] usb\nDMAR: x\n* other\n[3] usb\n')).toEqual(['kernel-log 1-5 1']);
    expect(shown('[1] usb\n')).toEqual(['kernel-log 1-1 0']);
    expect(shown('* other\n')).toEqual(['unknown 1-1 0']);
  });

  test('three lines of others end it', () => {
    expect(shown('DMAR: x\na\nb\nDMAR: y')).toEqual(['kernel-log 1-4 2', 'unknown 2-3 0']);
    expect(shown('DMAR: x\na\nb\nc\nDMAR: y')).toEqual(['kernel-log 1-1 1', 'unknown 2-4 0', 'kernel-log 5-5 1']);
  });

  test('of a flood the first lines are read, the rest is counted, and a rare line is not lost in it', () => {
    const [block] = blocksOf(`${'DMAR: x\n'.repeat(20_000)}AER: y\n`);
    expect(block?.items.length).toBe(3001);
    expect(block?.leftOut).toBe(17_000);
    expect(block?.toLine).toBe(20_001);
  });
});

test('blocks and items beyond what is kept are counted', () => {
  const many = recognise('HEAD 1\nROW0 a\n\n'.repeat(2500), 'paste', TOYS);
  expect([many.blocks.length, many.leftOutBlocks]).toEqual([2000, 500]);
});

test('nothing is never something: an empty text and blank lines have no block', () => {
  expect(shown('')).toEqual([]);
  expect(shown('\n \n\t\n')).toEqual([]);
});

test('lines that are too long are cut and counted', () => {
  expect(recognise(`x\n${'y'.repeat(5000)}\n${'z'.repeat(5000)}`, 'paste', TOYS).longLines).toEqual({
    count: 2,
    first: 2,
  });
});
