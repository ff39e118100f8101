/** What a schema says of a place in a document: which fields an object may have there, and which it must. For hints. */

import type { z } from 'zod';
import type { FieldPath } from './field-path.ts';

export interface SchemaFields {
  readonly all: readonly string[];
  readonly required: readonly string[];
}

/** The parts of a zod schema that are looked at, whichever kind it is. */
interface SchemaDef {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly getter?: () => z.ZodType;
}

/** The fields of the object at `path`, or null where the schema has none there. */
export function fieldsAt(schema: z.ZodType, path: FieldPath): SchemaFields | null {
  let places = objectsAndLists(schema);
  for (const part of path) {
    places = places.flatMap((place) => {
      const { shape, element } = defOf(place);
      const inner = typeof part === 'number' ? element : shape?.[String(part)];
      return inner === undefined ? [] : objectsAndLists(inner);
    });
  }
  const shape = places.map((place) => defOf(place).shape).find((one) => one !== undefined);
  if (shape === undefined) return null;
  const all = Object.keys(shape);
  return { all, required: all.filter((field) => defOf(shape[field] as z.ZodType).type !== 'optional') };
}

/** The objects and lists that a schema may stand for: what is optional, lazy, piped or a choice taken apart. */
function objectsAndLists(schema: z.ZodType): z.ZodType[] {
  const { type, innerType, in: input, out, options, getter } = defOf(schema);
  if (type === 'object' || type === 'array') return [schema];
  const inner = [innerType, input, out, getter?.(), ...(options ?? [])];
  return inner.flatMap((one) => (one === undefined ? [] : objectsAndLists(one)));
}

function defOf(schema: z.ZodType): SchemaDef {
  return schema._zod.def as unknown as SchemaDef;
}
