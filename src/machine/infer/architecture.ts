/**
 * The kind of processor by what the kernel says of itself: its release, as distributions name their builds, or the machine field of
 * `uname -a` and lscpu. Linux Documentation/arch; names of flavours as Debian, Ubuntu, Fedora, Raspberry Pi and NVIDIA build them.
 */

import type { Architecture } from './makers.ts';

/** Words of `uname -m` and what they are. */
const MACHINES: readonly (readonly [RegExp, Architecture])[] = [
  [/^(?:x86_64|amd64|i[3-6]86|x86)$/, 'x86'],
  [/^(?:aarch64|arm64|armv\d\w*|armhf|arm)$/, 'arm'],
  [/^(?:ppc|ppc64|ppc64le|ppc64el|powerpc\w*)$/, 'power'],
  [/^riscv(?:32|64)$/, 'riscv'],
  [/^(?:loongarch|loongarch64|loong64)$/, 'loongarch'],
  [/^(?:mips\w*|loongson\w*)$/, 'mips'],
  [/^sparc(?:64)?$/, 'sparc'],
  [/^s390x?$/, 's390'],
  [/^(?:ia64|alpha|parisc|hppa|e2k)$/, 'other'],
];

/** Flavours that are built for Arm processors alone; pages of 64 KiB are not built for x86. */
const ARM_FLAVOURS: ReadonlySet<string> = new Set([
  'tegra',
  'raspi',
  'rpi',
  'bluefield',
  '64k',
  'rockchip',
  'rockchip64',
  'sunxi',
]);

/** The architecture that a word of `uname -m` or lscpu names; null where it is none. */
export function architectureOf(word: string): Architecture | null {
  const lower = word.toLowerCase();
  return MACHINES.find(([pattern]) => pattern.test(lower))?.[1] ?? null;
}

/** The architecture that a kernel's release names, `6.1.0-13-arm64`, `6.5.6-300.fc39.x86_64`; null where it names none. */
export function architectureOfRelease(release: string): Architecture | null {
  for (const word of release.split(/[-.+~]/)) {
    const found = architectureOf(word) ?? (ARM_FLAVOURS.has(word) ? 'arm' : null);
    if (found !== null) return found;
  }
  return null;
}
