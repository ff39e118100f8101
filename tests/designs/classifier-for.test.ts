/** One place knows the designs by name: the command, the scenarios and the demonstrations all ask it. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BvecList } from '../../src/block/bio-vec.ts';
import { CLASSIFY_MODES, classifierFor, classifierName } from '../../src/dma/classifier-for.ts';
import { ROOT } from '../cli/run.ts';
import { MIB, World } from '../map/world.ts';

test('DESIGN12: each of the five designs has its classifier, and flags are verified unless they are trusted', () => {
  const world = new World();
  const tables = { table: world.table, pairs: world.pairs() };
  const names = CLASSIFY_MODES.flatMap((mode) => [false, true].map((trust) => classifierName(mode, trust)));
  expect(names.map((name) => classifierFor(name, tables).name)).toEqual(names);
  expect([...new Set(names)]).toEqual(['flags-verified', 'flags', 'lookup', 'page', 'premapped', 'certified']);
});

test('DESIGN12: lookup, page and verified flags refuse a vector that was queued before its range came', () => {
  const world = new World();
  const tables = { table: world.table, pairs: world.pairs() };
  const list = new BvecList();
  list.push(2 * MIB, 4096, 0);
  for (const name of ['lookup', 'page', 'flags-verified'] as const) {
    const map = (queuedAt?: number) => classifierFor(name, { ...tables, queuedAt }).classify(world.device(), list);
    expect(map().kind[0]).toBe(0);
    expect(() => map(0)).toThrow(/changed its owner/);
  }
});

test('DESIGN12: no other file of src or claims chooses among the classifiers', () => {
  const files = ['src', 'claims'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => join(folder, name)),
  );
  const made = /new (?:TrustingFlags|VerifiedFlags|Lookup|PageDescriptors|Premapped|Certified)\b/g;
  const choosing = files.filter((file) => {
    const found = readFileSync(join(ROOT, file), 'utf8').match(made) ?? [];
    return new Set(found).size > 2;
  });
  expect(choosing).toEqual([join('src', 'dma', 'classifier-for.ts')]);
});
