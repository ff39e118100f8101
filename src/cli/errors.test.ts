import { expect, test } from 'vitest';
import { P2pError } from '../core/errors.ts';
import { MachineError } from '../machine/errors.ts';
import { SelectorError } from '../machine/selector.ts';
import { errorDocument, errorText, OutputError, UsageError } from './errors.ts';
import { exitCodeOf } from './exit-codes.ts';

const fields = { path: 'x', message: 'm', hint: 'h' };

test('each kind of refusal has its exit code; what is no refusal is our own mistake', () => {
  expect(exitCodeOf(new UsageError({ ...fields, code: 'USAGE_OPTION_VALUE' }))).toBe(2);
  expect(exitCodeOf(new SelectorError({ ...fields, code: 'SELECTOR_NO_MATCH' }))).toBe(2);
  expect(exitCodeOf(new MachineError({ ...fields, code: 'INPUT_EMPTY' }))).toBe(3);
  expect(exitCodeOf(new OutputError({ ...fields, code: 'OUTPUT_WRITE_FAILED' }))).toBe(3);
  expect(exitCodeOf(new Error('oops'))).toBe(70);
  expect(exitCodeOf('oops')).toBe(70);
});

test('words: path, message, hint', () => {
  const error = new MachineError({ code: 'INPUT_EMPTY', path: 'a.txt', message: 'is empty', hint: 'capture again' });
  expect(errorText(error)).toBe('a.txt: is empty\nhint: capture again\n');
});

test('JSON: the fields, and the error number where Linux has one', () => {
  const refused = new P2pError({ ...fields, code: 'C' });
  expect(errorDocument(refused)).toEqual({
    schemaVersion: 1,
    error: { code: 'C', path: 'x', message: 'm', hint: 'h' },
  });
  const withNumber = new P2pError({ ...fields, code: 'C', errno: 'EREMOTEIO' });
  expect(errorDocument(withNumber)).toMatchObject({ error: { errno: 'EREMOTEIO' } });
});

test('our own mistake asks for a report, in words and in JSON', () => {
  expect(errorText(new Error('oops'))).toMatch(/^p2pdma: internal error: Error: oops[\s\S]*\nhint: .*please report/);
  expect(errorDocument(new TypeError('oops'))).toMatchObject({
    error: { code: 'INTERNAL', message: 'TypeError: oops', hint: expect.stringContaining('please report') },
  });
});
