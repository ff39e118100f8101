import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SEVERITIES } from './finding.ts';
import { severityOf, worstSeverity } from './severity.ts';
import { DIAGNOSES } from './table.ts';

test('each diagnosis has a worst severity, and the table names no situation worse than that', () => {
  for (const { id } of DIAGNOSES) expect(SEVERITIES).toContain(worstSeverity(id));
  expect(worstSeverity('HIDDEN-LINK')).toBe('note');
  expect(worstSeverity('MPS')).toBe('warning');
  expect(worstSeverity('ACS-REDIR-SWITCH')).toBe('error');
});

test('a situation with one severity needs no machine; one with a rule does', () => {
  expect(severityOf('MPS', 'longPackets')).toBe('warning');
  // @ts-expect-error: a rule is given the machine.
  expect(() => severityOf('ACS-REDIR-SWITCH', 'refused')).toThrow('belowSwitch is given the machine');
});

test('no diagnosis writes a severity of its own: all come from the table', () => {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const sources = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  const literal = /severity:[^,\n]*'(?:error|warning|note)'/;
  const found = sources.filter((name) => literal.test(readFileSync(`${folder}${name}`, 'utf8')));
  expect(sources.length).toBeGreaterThan(40);
  expect(found).toEqual([]);
});
