/** What NVIDIA's driver says in the kernel's log: lines that begin with `NVRM:`, in its own words; and GPUDirect Storage's module. */

import type { NvidiaSays } from './items.ts';
import { hexNumber, type LogSubject, sentences } from './log-reader.ts';

/** `PCI:0000:01:00`, as Xid lines name a GPU, is function 0. */
const GPU = String.raw`PCI:([0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2})(?:\.[0-7])?`;

const says = (nvidia: NvidiaSays) => ({ what: 'nvidia', says: nvidia }) as const;
const gpu = (name: string | undefined): string | null => (name === undefined ? null : `${name.toLowerCase()}.0`);

export const nvidiaSubject: LogSubject = sentences(
  ['NVRM: ', 'nvidia-fs:', 'nvidia_fs:', 'nvfs_'],
  [
    {
      pattern: new RegExp(`NVRM: Xid \\(${GPU}\\): (\\d{1,4})\\b`),
      says: ([, at, code]) => says({ kind: 'xid', at: gpu(at) as string, code: Number(code) }),
    },
    {
      pattern: /NVRM: .{0,80}?peer DMA address (0x[0-9a-f]{1,16}) is not aligned at (0x[0-9a-f]{1,16})/i,
      says: ([, address, alignment]) => {
        const [start, step] = [hexNumber(address), hexNumber(alignment)];
        return start === null || step === null
          ? null
          : says({ kind: 'peerUnaligned', address: start, alignment: step });
      },
    },
    {
      pattern: /NVRM: .{0,120}?IOMMU mapping failed(?: from (GPU ?\d{1,3}) to (GPU ?\d{1,3}))?/i,
      says: ([, from, to]) => says({ kind: 'peerMapFailed', from: from ?? null, to: to ?? null }),
    },
    {
      pattern: new RegExp(`NVRM: BAR(\\d) is (\\S{1,12}) @ 0x[0-9a-f]{1,16}(?: \\(${GPU}\\))?`),
      says: ([, bar, size, at]) => says({ kind: 'barInvalid', at: gpu(at), bar: Number(bar), size: size as string }),
    },
    {
      pattern: /NVRM: (?:loading |.{0,20})NVIDIA UNIX (.{0,40}?)Kernel Module.{0,24}? (\d{3}\.\d{1,3}(?:\.\d{1,3})?)\b/,
      says: ([, kind, version]) =>
        says({ kind: 'driver', version: version as string, isOpen: /\bOpen\b/.test(kind as string) }),
    },
    {
      pattern: /NVRM: .{0,60}?Assertion failed: (\S.{0,200})$/,
      says: ([, condition]) => says({ kind: 'assertion', condition: condition as string }),
    },
    {
      pattern: /NVRM: (.{0,200}?\b(?:[Pp]eer|P2P|BAR[0-9]?|IOMMU|[Bb]ar1)\w{0,40}.{0,200})$/,
      says: ([, message]) => says({ kind: 'other', message: message as string }),
    },
    {
      pattern: /\b(?:nvidia-fs|nvidia_fs|nvfs_\w{1,60}): ?(\S.{0,200})$/,
      says: ([, message]) => ({ what: 'nvidiaFs', message: message as string }),
    },
  ],
);
