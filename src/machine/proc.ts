/** The files of /proc that a verdict needs: iomem, cpuinfo, version. Linux Documentation/filesystems/proc.rst. */

import { joinRanges, type Range } from '../core/range.ts';
import type { Cpu, IomemEntry } from './machine.ts';

const IOMEM_LINE = /^( *)([0-9a-fA-F]+)-([0-9a-fA-F]+) : (.*)$/;

/** Reads /proc/iomem. Lines of zeros, as a reader without root gets them, are left out. */
export function parseIomem(text: string): IomemEntry[] {
  const entries: IomemEntry[] = [];
  for (const line of text.split('\n')) {
    const match = IOMEM_LINE.exec(line.trimEnd());
    if (!match) continue;
    const start = Number.parseInt(match[2] as string, 16);
    const end = Number.parseInt(match[3] as string, 16) + 1;
    if ((start === 0 && end === 1) || end > 2 ** 53) continue;
    entries.push({ start, end, name: match[4] as string, depth: (match[1] as string).length / 2 });
  }
  return entries;
}

/** The RAM of a memory map: `System RAM`, sorted and joined. */
export function ramOf(iomem: readonly IomemEntry[]): Range[] {
  return joinRanges(iomem.filter((entry) => entry.name.startsWith('System RAM')));
}

/**
 * The first processor of /proc/cpuinfo; null where nothing of it is named. Each architecture prints its own words: Arm the implementer's
 * number, POWER the model, RISC-V its instruction sets, LoongArch a family that is no number.
 */
export function parseCpuinfo(text: string): Cpu | null {
  const field = (name: string): string | undefined => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim();
  const isLoongson = /^Loongson/i.test(field('CPU Family') ?? '');
  const isRiscv = /^rv\d/.test(field('isa') ?? '');
  const other = isLoongson ? 'Loongson' : isRiscv ? 'RISC-V' : undefined;
  const vendor = field('vendor_id') ?? field('CPU implementer') ?? other ?? field('cpu');
  if (vendor === undefined || vendor === '') return null;
  const family = field('cpu family');
  return { vendor, family: family !== undefined && /^\d+$/.test(family) ? Number.parseInt(family, 10) : null };
}

/** The release in /proc/version or `uname -a`: `6.12.117`, `5.15.0-91-generic`. */
export function parseKernelRelease(text: string): string | null {
  return /Linux(?: version| \S+)? (\d+\.\d+\S*)/.exec(text)?.[1] ?? null;
}
