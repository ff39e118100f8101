/** Sizes as people write them: `4096`, `64KiB`, `0x1000`. */

import { z } from 'zod';
import { MISSING } from './document.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Bytes of a size text, possibly negative; null where it is none. */
export function parseSize(text: string): number | null {
  const match = /^([+-]?)(0x[0-9a-fA-F]+|\d+(?:\.\d+)?)\s*([KMGT]iB|B)?$/.exec(text.trim());
  if (!match) return null;
  const bytes = Number(match[2]) * (UNITS[match[3] ?? ''] as number);
  if (!Number.isSafeInteger(bytes)) return null;
  return match[1] === '-' && bytes !== 0 ? -bytes : bytes;
}

/** Schema of a size: a whole number of bytes, or text with a unit. */
export const sizeSchema: z.ZodType<number> = bytesSchema(
  'is no size: write 4096, 0x1000 or 64KiB',
  (bytes) => bytes >= 0,
);

/** Schema of a distance between addresses, which may be negative. */
export const signedSizeSchema: z.ZodType<number> = bytesSchema(
  'is no number of bytes: write 4096, -0x1000 or -16TiB',
  () => true,
);

function bytesSchema(words: string, fits: (bytes: number) => boolean): z.ZodType<number> {
  return z
    .union([z.number(), z.string()], { error: ({ input }) => (input === undefined ? MISSING : words) })
    .transform((value, context): number => {
      const bytes = typeof value === 'number' ? (Number.isSafeInteger(value) ? value : null) : parseSize(value);
      if (bytes !== null && fits(bytes)) return bytes;
      context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} ${words}` });
      return z.NEVER;
    });
}
