/** Paths to values in a document, and their names. */

/** A way to a value in a document: `['transfers', 2, 'device']`. */
export type FieldPath = readonly PropertyKey[];

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
