/** Sizes as people write them: `4096`, `64KiB`, `0x1000`. */

import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Bytes of a size text, or null where it is none. */
export function parseSize(text: string): number | null {
  const match = /^(0x[0-9a-fA-F]+|\d+(?:\.\d+)?)\s*([KMGT]iB|B)?$/.exec(text.trim());
  if (!match) return null;
  const bytes = Number(match[1]) * (UNITS[match[2] ?? ''] as number);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Schema of a size: a whole number of bytes, or text with a unit. */
export const sizeSchema: z.ZodType<number> = z
  .union([z.number(), z.string()], { error: 'is no size: write 4096, 0x1000 or 64KiB' })
  .transform((value, context): number => {
    const bytes = typeof value === 'number' ? (Number.isSafeInteger(value) ? value : null) : parseSize(value);
    if (bytes !== null && bytes >= 0) return bytes;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is no size: write 4096, 0x1000 or 64KiB` });
    return z.NEVER;
  });
