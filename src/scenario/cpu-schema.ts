/**
 * The CPU of a described machine: `VENDOR:FAMILY`, the vendor as CPUID says it (leaf 0, twelve characters). The kernel's rules
 * compare this text: a vendor that is only nearly right would be judged as one that nobody knows.
 */

import { z } from 'zod';
import { alike } from '../core/text.ts';
import type { Cpu } from '../machine/machine.ts';

/** Vendors that Linux names, arch/x86/kernel/cpu. What CPUID pads with blanks stands here without. */
const VENDORS = ['AuthenticAMD', 'CentaurHauls', 'GenuineIntel', 'HygonGenuine', 'Shanghai'] as const;
const VENDOR_CHARACTERS = 12;

/** Schema of a CPU. Another vendor is taken if it could be one: twelve characters, and no slip of a known one. */
export const cpuSchema: z.ZodType<Cpu> = z
  .string()
  .regex(/^[^:\s]+:(0x[0-9a-fA-F]+|\d+)$/, 'is no VENDOR:FAMILY, e.g. AuthenticAMD:23')
  .transform((text, context): Cpu => {
    const [vendor, family] = text.split(':') as [string, string];
    const refusal = vendorRefusal(vendor);
    if (refusal !== null) context.addIssue({ code: 'custom', message: refusal });
    return { vendor, family: Number(family) };
  });

function vendorRefusal(vendor: string): string | null {
  if (VENDORS.some((known) => known === vendor)) return null;
  const [like] = alike(vendor, VENDORS, 1);
  if (like !== undefined) return `'${vendor}' is no vendor that CPUID says: it says '${like}'`;
  if (vendor.length === VENDOR_CHARACTERS) return null;
  return `'${vendor}' is no vendor that CPUID says: twelve characters, as ${VENDORS.join(', ')}`;
}
