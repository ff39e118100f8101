/** Files in JSON or YAML, checked against a schema, with the line of every complaint. */

import { LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ScenarioError } from './errors.ts';

/** Reads `text` (JSON is YAML) and checks it. `firstLine` is the line in the file at which the text begins. */
export function readDocument<T>(text: string, schema: z.ZodType<T>, file: string, firstLine = 1): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line + firstLine - 1;
  const [syntax] = document.errors;
  if (syntax) {
    const message = `is neither JSON nor YAML: ${syntax.message}`;
    throw new ScenarioError(
      'FILE_SYNTAX',
      { file, line: lineAt(syntax.pos[0]) },
      message,
      'check brackets, quotes and indentation at this line',
    );
  }
  if (document.contents === null) {
    throw new ScenarioError(
      'FILE_EMPTY',
      { file, line: firstLine },
      'holds nothing',
      'see the README for a complete example',
    );
  }
  const result = schema.safeParse(document.toJS());
  if (result.success) return result.data;
  const issue = deepest(result.error.issues);
  const path = [...(issue?.path ?? [])];
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  if (unknownKey !== undefined) path.push(unknownKey);
  throw new ScenarioError(
    'FILE_FIELD',
    { file, line: lineOf(document, path, lineAt) ?? firstLine, field: fieldName(path) },
    unknownKey === undefined ? (issue?.message ?? 'is not valid') : 'is not a field of this file',
    unknownKey === undefined ? 'see the README for a complete example' : 'check the spelling, or remove it',
  );
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

/** Line of the field, or of the nearest thing around it that is in the file. */
function lineOf(document: Document, path: readonly PropertyKey[], lineAt: (offset: number) => number): number | null {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true) as Node | undefined;
    if (node?.range) return lineAt(node.range[0]);
  }
  return null;
}

/** `vectors[2].address`. */
function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
}
