/** Files in JSON or YAML, checked against a schema, with the line of every complaint. */

import type { z } from 'zod';
import { alike } from '../core/text.ts';
import { ScenarioError } from './errors.ts';
import { type FieldPath, fieldName } from './field-path.ts';
import { parseText, type TextPlace, withinStack } from './parsed-text.ts';
import { fieldsAt } from './schema-fields.ts';

/** A document that fits its schema, and where its fields stand. */
export interface ReadDocument<T> {
  readonly data: T;
  /** 1-based line of a field, or of the nearest thing around it that is in the file. */
  readonly lineOf: (path: FieldPath) => number;
}

/** Complaint of a field that is left out; schemas with words of their own say the same. */
export const MISSING = 'is missing';

/**
 * Reads `text` (JSON is YAML) and checks it. Throws `ScenarioError` FILE_SYNTAX, FILE_EMPTY or FILE_FIELD with the line.
 *
 * @param page of the documentation that tells what the fields take, for hints
 * @param firstLine line of the file at which the text begins
 */
export function readDocument<T>(
  text: string,
  schema: z.ZodType<T>,
  file: string,
  page: string,
  firstLine = 1,
): ReadDocument<T> {
  const place: TextPlace = { file, page, firstLine };
  const { value, lineOf } = withinStack(place, () => parseText(text, place));
  const result = withinStack(place, () => checkInParts(value, schema));
  if (result.success) return { data: result.data, lineOf };
  const { issues } = result;
  const issue = misspelt(deepest(issues), issues);
  const path = [...(issue?.path ?? [])];
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  if (unknownKey !== undefined) path.push(unknownKey);
  throw new ScenarioError(
    'FILE_FIELD',
    { file, line: lineOf(path), field: fieldName(path) },
    unknownKey === undefined ? (issue?.message ?? 'is not valid') : 'is not a field of this file',
    hintFor(issue, unknownKey, schema, page),
  );
}

type Checked<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly issues: readonly Issue[] };

/** Items of a list that are checked at once: of a long list that is wrong throughout, only the first complaints are wanted. */
const PART = 1000;

/** Checks a value; the longest list of an object part by part. */
function checkInParts<T>(value: unknown, schema: z.ZodType<T>): Checked<T> {
  const key = longestList(value);
  if (key === null) return check(value, schema);
  const whole = value as Record<string, unknown>;
  const items = whole[key] as readonly unknown[];
  const checked: unknown[] = [];
  let data: T | null = null;
  for (let from = 0; from < items.length; from += PART) {
    const part = check({ ...whole, [key]: items.slice(from, from + PART) }, schema);
    if (!part.success) return { success: false, issues: part.issues.map((issue) => shifted(issue, key, from)) };
    data ??= part.data;
    for (const item of (part.data as Record<string, unknown>)[key] as readonly unknown[]) checked.push(item);
  }
  return { success: true, data: { ...data, [key]: checked } as T };
}

function check<T>(value: unknown, schema: z.ZodType<T>): Checked<T> {
  const quick = schema.safeParse(value);
  if (quick.success) return quick;
  const worded = schema.safeParse(value, { error: typeWords, reportInput: true });
  return worded.success ? worded : { success: false, issues: worded.error.issues };
}

/** Name of the list of an object that has more items than one part; null where none has. */
function longestList(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const lengths = Object.entries(value).map(([key, inner]) => [key, Array.isArray(inner) ? inner.length : 0] as const);
  const [longest] = lengths.sort((a, b) => b[1] - a[1]);
  return longest === undefined || longest[1] <= PART ? null : longest[0];
}

/** The issue of an item whose list was cut before it. */
function shifted(issue: Issue, key: string, from: number): Issue {
  const [first, index, ...rest] = issue.path;
  return first === key && typeof index === 'number' ? { ...issue, path: [first, index + from, ...rest] } : issue;
}

/** The hint that fits the complaint: fields that are meant or missing, by the schema of the object that it is about. */
function hintFor(issue: Issue | undefined, unknownKey: string | undefined, schema: z.ZodType, page: string): string {
  const path = issue?.path ?? [];
  if (unknownKey !== undefined) {
    const fields = fieldsAt(schema, path)?.all ?? [];
    const [like] = alike(unknownKey, fields, 1);
    const meant = like === undefined ? '' : `did you mean ${like}? `;
    return fields.length === 0 ? 'check the spelling, or remove it' : `${meant}the fields here: ${fields.join(', ')}`;
  }
  if (issue?.message === MISSING) {
    const needed = fieldsAt(schema, path.slice(0, -1))?.required ?? [];
    if (needed.length > 0) return `these fields must be there: ${needed.join(', ')}`;
  }
  const values = issue?.code === 'invalid_value' ? issue.values.map(String) : [];
  const [like] = values.length === 0 || typeof issue?.input !== 'string' ? [] : alike(issue.input, values, 1);
  const field = path.findLast((part) => typeof part === 'string') ?? 'each field';
  return like === undefined ? `${page} says what ${String(field)} takes` : `did you mean ${like}?`;
}

/** Where a field is missing whose name was written wrong: the complaint about the name. */
function misspelt(issue: Issue | undefined, issues: readonly Issue[]): Issue | undefined {
  const field = issue?.message === MISSING ? issue.path.at(-1) : undefined;
  if (issue === undefined || typeof field !== 'string') return issue;
  const around = fieldName(issue.path.slice(0, -1));
  const other = issues.find((one) => one.code === 'unrecognized_keys' && fieldName(one.path) === around);
  return other?.code === 'unrecognized_keys' && alike(field, other.keys, 1).length > 0 ? other : issue;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** Own words for a value of the wrong kind, where the schema has none for the field. */
function typeWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_type') return undefined;
  const { input } = issue;
  if (input === undefined) return MISSING;
  const kind = Array.isArray(input) ? 'array' : typeof input;
  const is = input === null ? 'null' : kind === 'boolean' ? 'true or false' : (TYPE_WORDS[kind] ?? kind);
  return `is ${is}, and ${TYPE_WORDS[issue.expected] ?? issue.expected} is wanted`;
}

type Issue = z.core.$ZodIssue;

/** The complaint that says most: of the alternatives of a union the one that got furthest into the value. */
function deepest(issues: readonly Issue[]): Issue | undefined {
  const [first] = issues;
  if (first?.code !== 'invalid_union') return first;
  let best: Issue = first;
  for (const branch of first.errors) {
    const inner = deepest(branch);
    const path = [...first.path, ...(inner?.path ?? [])];
    if (inner !== undefined && path.length > best.path.length) best = { ...inner, path };
  }
  return best;
}
