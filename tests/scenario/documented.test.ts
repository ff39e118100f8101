import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Names of the fields in the types of scenario files. */
function fieldsOf(source: string): string[] {
  return [...source.matchAll(/^ {2}(\w+)\??: /gm)].map((match) => match[1] as string);
}

test('docs/SCENARIOS.md names every field that a scenario file may have', () => {
  const types = readFileSync(new URL('../../src/scenario/scenario-types.ts', import.meta.url), 'utf8');
  const page = readFileSync(new URL('../../docs/SCENARIOS.md', import.meta.url), 'utf8');
  const fields = [...new Set(fieldsOf(types))];
  console.log(`${fields.length} fields`);
  expect(fields.length).toBeGreaterThan(40);
  expect(fields.filter((field) => !new RegExp(`\\b${field}\\b`).test(page))).toEqual([]);
});
