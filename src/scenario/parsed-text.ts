/** The value of a text in JSON or YAML, and the line of each part of it. Bounded: neither a large nor a deep text ends in an exception. */

import { LineCounter, type Node, parseDocument } from 'yaml';
import { ScenarioError } from './errors.ts';
import { type FieldPath, fieldName } from './field-path.ts';
import { lineAt, looksLikeJson, offsetOf, repeatedKey, tooDeepAt } from './json-text.ts';

/** Brackets within brackets: a chain of forty switches has as many. */
const DEPTH_MAX = 256;
/** YAML is kept as a tree that takes a hundred times the memory of its text; whoever writes more has a program write it. */
const YAML_MAX = 1024 * 1024;

export interface ParsedText {
  readonly value: unknown;
  /** 1-based line of a field, or of the nearest thing around it that is in the file. */
  readonly lineOf: (path: FieldPath) => number;
}

/** What messages call the text. */
export interface TextPlace {
  readonly file: string;
  /** Page of the documentation that says what the fields take. */
  readonly page: string;
  /** Line of the file at which the text begins. */
  readonly firstLine: number;
}

/** Parses JSON, or else YAML. Throws `ScenarioError` FILE_SYNTAX or FILE_EMPTY with the line. */
export function parseText(text: string, place: TextPlace): ParsedText {
  if (!looksLikeJson(text)) return parseYaml(text, place);
  const deep = tooDeepAt(text, DEPTH_MAX);
  if (deep !== null) throw tooDeep(place, lineAt(text, deep));
  const plain = plainJson(text);
  if (plain.error !== null) {
    // Comments and keys without quotes are YAML.
    if (text.length <= YAML_MAX) return parseYaml(text, place);
    const position = /\bposition (\d+)/.exec(plain.error)?.[1];
    const line = position === undefined ? null : lineAt(text, Number(position)) + place.firstLine - 1;
    throw syntax(place, line, `is no JSON: ${plain.error}`, 'check brackets, quotes and commas at this line');
  }
  const repeated = repeatedKey(text);
  if (repeated !== null) {
    const line = lineAt(text, repeated.at) + place.firstLine - 1;
    throw syntax(place, line, `has the key "${repeated.key}" twice in one object`, 'keep one of them');
  }
  return { value: plain.value, lineOf: (path) => lineAt(text, offsetOf(text, path)) + place.firstLine - 1 };
}

/** Runs `work`; where the value is so deep that the stack does not suffice, that is what is said. */
export function withinStack<T>(place: TextPlace, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isStackOverflow(error)) throw tooDeep(place, null);
    throw error;
  }
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack');
}

function plainJson(text: string): { readonly value: unknown; readonly error: string | null } {
  try {
    return { value: JSON.parse(text), error: null };
  } catch (error) {
    return { value: undefined, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Parses YAML. */
function parseYaml(text: string, place: TextPlace): ParsedText {
  if (text.length > YAML_MAX) {
    const message = `is ${Math.ceil(text.length / 2 ** 20)} MiB of YAML, and ${YAML_MAX / 2 ** 20} MiB is read at most`;
    throw syntax(place, null, message, 'write it as JSON, which may be larger');
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const lineOfOffset = (offset: number): number => lines.linePos(offset).line + place.firstLine - 1;
  const [error] = document.errors;
  if (error) {
    if (error.message.includes('call stack')) throw tooDeep(place, lineOfOffset(error.pos[0]));
    const several = error.code === 'MULTIPLE_DOCS';
    const message = several ? 'holds more than one YAML document' : `is neither JSON nor YAML: ${error.message}`;
    const hint = several ? 'keep one, without --- between' : 'check brackets, quotes and indentation at this line';
    throw syntax(place, lineOfOffset(error.pos[0]), message, hint);
  }
  if (document.contents === null) {
    const { file, page, firstLine } = place;
    throw new ScenarioError('FILE_EMPTY', { file, line: firstLine }, 'holds nothing', `${page} shows what it takes`);
  }
  const lineOf = (path: FieldPath): number => lineOfNode(document, path, lineOfOffset) ?? place.firstLine;
  return { value: plainValue(document, place.file, lineOf), lineOf };
}

/** The plain value of a document. A value that contains itself (a YAML alias to what encloses it) is refused. */
function plainValue(document: Document, file: string, lineOf: (path: FieldPath) => number): unknown {
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    if (isStackOverflow(cause)) throw cause;
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

type Document = ReturnType<typeof parseDocument>;

function lineOfNode(document: Document, path: FieldPath, lineAt: (offset: number) => number): number | null {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true) as Node | undefined;
    if (node?.range) return lineAt(node.range[0]);
  }
  return null;
}

function tooDeep(place: TextPlace, line: number | null): ScenarioError {
  const message = `is nested too deep: at most ${DEPTH_MAX} lists and objects within each other are read`;
  return syntax(place, line, message, `${place.page} shows what it takes`);
}

function syntax({ file }: TextPlace, line: number | null, message: string, hint: string): ScenarioError {
  return new ScenarioError('FILE_SYNTAX', { file, line }, message, hint);
}
