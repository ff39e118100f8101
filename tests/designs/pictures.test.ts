/** The decision record's pictures are what the script draws. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const FOLDER = new URL('../../docs/decisions/pictures/', import.meta.url);

function contents(): string[] {
  return readdirSync(FOLDER)
    .sort()
    .map((name) => `${name}: ${readFileSync(new URL(name, FOLDER), 'utf8')}`);
}

test('DESIGN4: the pictures are drawn by the script, byte for byte, and each stands in the record', () => {
  const before = contents();
  execFileSync(process.execPath, [new URL('../../dist/scripts/design-pictures.js', import.meta.url).pathname]);
  expect(contents()).toEqual(before);
  const record = readFileSync(new URL('../../docs/decisions/001-designs.md', import.meta.url), 'utf8');
  for (const name of readdirSync(FOLDER)) expect(record).toContain(`(pictures/${name})`);
});
