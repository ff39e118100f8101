/** Pastes of public reports: each is recognised as what its index says it holds, of the kinds that have a recogniser. */

import { expect, test } from 'vitest';
import { recognise } from '../../src/evidence/index.ts';
import { MEASURING_TOOLS } from '../../src/evidence/measured/recognisers.ts';
import { RECOGNISERS } from '../../src/evidence/table.ts';
import { sharedFolder } from './shared-folder.ts';

interface Entry {
  readonly file: string;
  readonly kinds: readonly string[];
}

const SCRAPS = sharedFolder('P2PDMA_SCRAPS', 'scraps');
const INDEX = 'INDEX.json';
const HAS_INDEX = SCRAPS.names.includes(INDEX);

test.skipIf(!HAS_INDEX)(`scraps: every paste is recognised as the kinds that its index names${SCRAPS.skipped}`, () => {
  const entries = JSON.parse(Buffer.from(SCRAPS.bytes(INDEX)).toString('utf8')) as readonly Entry[];
  const read = new Set<string>(RECOGNISERS.map(({ kind }) => kind));
  const missing: string[] = [];
  let asked = 0;
  for (const { file, kinds } of entries) {
    const found = new Set<string>(recognise(SCRAPS.bytes(file), file).blocks.map(({ kind }) => kind));
    for (const kind of kinds.filter((name) => read.has(name))) {
      asked++;
      if (!found.has(kind)) missing.push(`${file}: ${kind}, found ${[...found].join(' ')}`);
    }
  }
  console.log(`${asked} kinds asked in ${entries.length} pastes`);
  expect(missing).toEqual([]);
});

test.skipIf(SCRAPS.names.length === 0)(
  `scraps: a paste says the same quoted, indented, fenced and with CRLF${SCRAPS.skipped}`,
  () => {
    const changes: readonly ((text: string) => string)[] = [
      (text) => text.replace(/^/gm, '> '),
      (text) => text.replace(/^(?=.)/gm, '    '),
      (text) => `\`\`\`\n${text}\n\`\`\`\n`,
      (text) => text.replaceAll('\n', '\r\n'),
    ];
    const told = (text: string): string[] => [
      ...new Set(recognise(text, 'paste').blocks.map(({ kind, items }) => `${kind} ${items.length}`)),
    ];
    const different: string[] = [];
    for (const name of SCRAPS.names.filter((file) => file.endsWith('.txt'))) {
      const text = Buffer.from(SCRAPS.bytes(name)).toString('utf8');
      // A fence within a fence ends it, and CR in the middle of a text is an end of line in the other form.
      if (text.includes('```') || text.includes('\r')) continue;
      const plain = told(text);
      for (const [index, change] of changes.entries()) {
        const changed = told(change(text));
        if (changed.join() !== plain.join())
          different.push(`${name} (${index}): ${plain.join(', ')} / ${changed.join(', ')}`);
      }
    }
    expect(different).toEqual([]);
  },
);

test.skipIf(!HAS_INDEX)(
  `scraps: nothing is taken for a measuring tool that the index does not name${SCRAPS.skipped}`,
  () => {
    const tools = new Set<string>(MEASURING_TOOLS.map(({ kind }) => kind));
    const entries = JSON.parse(Buffer.from(SCRAPS.bytes(INDEX)).toString('utf8')) as readonly Entry[];
    const wrong = entries
      // One page holds more than its index names.
      .filter(({ file }) => !file.includes('esc8000a'))
      .flatMap(({ file, kinds }) =>
        recognise(SCRAPS.bytes(file), file)
          .blocks.filter(({ kind }) => tools.has(kind) && !kinds.includes(kind))
          .map(({ kind, fromLine }) => `${file}:${fromLine} ${kind}`),
      );
    expect(wrong).toEqual([]);
  },
);
