/** Files in JSON or YAML, checked against a schema, with the line of every complaint. */

import { LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { alike } from '../core/text.ts';
import { ScenarioError } from './errors.ts';
import { type FieldPath, fieldsAt } from './schema-fields.ts';

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
  // Most files are JSON and right: then there is no need to know where each value stands, unless somebody asks.
  const plain = plainJson(text);
  const fitting = plain === undefined ? null : schema.safeParse(plain);
  if (fitting?.success) {
    let found: ReadDocument<T> | null = null;
    const lineOf = (path: FieldPath): number => {
      found ??= readWithLines(text, schema, file, page, firstLine);
      return found.lineOf(path);
    };
    return { data: fitting.data, lineOf };
  }
  return readWithLines(text, schema, file, page, firstLine);
}

/**
 * The value of JSON text; undefined where it is none, or names a key twice in one object. A key is a string with a colon
 * behind it, so the keys of the text are counted against those of the value.
 */
function plainJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
    let written = 0;
    for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (match[1] !== undefined) written++;
    return written === keysIn(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value);
  return (Array.isArray(value) ? 0 : inner.length) + inner.reduce<number>((sum, item) => sum + keysIn(item), 0);
}

function readWithLines<T>(
  text: string,
  schema: z.ZodType<T>,
  file: string,
  page: string,
  firstLine: number,
): ReadDocument<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line + firstLine - 1;
  const [syntax] = document.errors;
  if (syntax) {
    const several = syntax.code === 'MULTIPLE_DOCS';
    const message = several ? 'holds more than one YAML document' : `is neither JSON nor YAML: ${syntax.message}`;
    const hint = several ? 'keep one, without --- between' : 'check brackets, quotes and indentation at this line';
    throw new ScenarioError('FILE_SYNTAX', { file, line: lineAt(syntax.pos[0]) }, message, hint);
  }
  if (document.contents === null) {
    throw new ScenarioError('FILE_EMPTY', { file, line: firstLine }, 'holds nothing', `${page} shows what it takes`);
  }
  const lineOf = (path: FieldPath): number => lineOfNode(document, path, lineAt) ?? firstLine;
  const value = plainValue(document, file, lineOf);
  const result = schema.safeParse(value, { error: typeWords, reportInput: true });
  if (result.success) return { data: result.data, lineOf };
  const { issues } = result.error;
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

/** The plain value of a document. A value that contains itself (a YAML alias to what encloses it) is refused. */
function plainValue(document: Document, file: string, lineOf: (path: FieldPath) => number): unknown {
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    const message = `cannot be expanded: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new ScenarioError('FILE_SYNTAX', { file, line: lineOf([]) }, message, 'use fewer aliases');
  }
  const cycle = cycleIn(value, [], []);
  if (cycle === null) return value;
  const message = 'contains itself: an alias refers to what encloses it';
  throw new ScenarioError(
    'FILE_FIELD',
    { file, line: lineOf(cycle), field: fieldName(cycle) },
    message,
    'write the part out',
  );
}

/** Path to the first value that is its own ancestor, or null. */
function cycleIn(value: unknown, path: FieldPath, above: readonly object[]): FieldPath | null {
  if (typeof value !== 'object' || value === null) return null;
  if (above.includes(value)) return path;
  const around = [...above, value];
  for (const [key, inner] of Object.entries(value)) {
    const cycle = cycleIn(inner, [...path, Array.isArray(value) ? Number(key) : key], around);
    if (cycle !== null) return cycle;
  }
  return null;
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

type Document = ReturnType<typeof parseDocument>;

function lineOfNode(document: Document, path: FieldPath, lineAt: (offset: number) => number): number | null {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true) as Node | undefined;
    if (node?.range) return lineAt(node.range[0]);
  }
  return null;
}

/** `vectors[2].address`. */
export function fieldName(path: FieldPath): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

/** The parts of a field name: `vectors[2].address` becomes `['vectors', 2, 'address']`. */
export function fieldPath(name: string): FieldPath {
  return [...name.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map((match) =>
    match[2] === undefined ? (match[1] ?? '') : Number(match[2]),
  );
}
