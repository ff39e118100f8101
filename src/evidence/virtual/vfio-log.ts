/**
 * What QEMU and other monitors say when a device that a guest has cannot be mapped: by VFIO's type 1, by iommufd, or for the width of an
 * IOMMU. QEMU hw/vfio, hw/i386/intel_iommu.c.
 *
 *   qemu-system-x86_64: vfio_container_dma_map(0x5766..., 0x380022000000, 0x108000, 0x7d91...) = -22 (Invalid argument)
 *   0000:00:02.1: PCI peer-to-peer transactions on BARs are not supported.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { fullName } from '../pci/bdf-words.ts';
import { type ItemPlace, linesOf, type Recogniser } from '../recogniser.ts';

type VfioSays =
  /** A range of guest addresses was refused. */
  | {
      readonly what: 'mapFailed';
      readonly iova: number | null;
      readonly size: number | null;
      readonly errno: number | null;
    }
  /** The monitor itself says that peers will not work. */
  | { readonly what: 'peersUnsupported'; readonly at: string | null }
  /** iommufd refused a range that is no RAM. */
  | { readonly what: 'ioasMapFailed'; readonly isBar: boolean }
  /** A range lies outside of what the IOMMU takes. */
  | { readonly what: 'outsideWindow'; readonly start: number; readonly end: number }
  /** The guest's IOMMU is wider than the host's. */
  | { readonly what: 'tooWide'; readonly guestBits: number; readonly hostBits: number }
  | { readonly what: 'groupNotViable'; readonly group: number }
  | { readonly what: 'gaveUp' };

export type VfioItem = VfioSays & ItemPlace & { readonly kind: 'vfio-log'; readonly text: string };

const number = (digits: string | undefined): number | null => {
  const value = digits === undefined ? Number.NaN : Number.parseInt(digits, 16);
  return Number.isSafeInteger(value) ? value : null;
};

interface Form {
  readonly pattern: RegExp;
  readonly says: (match: RegExpExecArray) => VfioSays | null;
}

/** Errors that lines name by their words alone. Linux errno.h. */
const ERRNOS: Readonly<Record<string, number>> = {
  'Bad address': 14,
  'Invalid argument': 22,
  'Cannot allocate memory': 12,
  'File exists': 17,
  'No space left on device': 28,
  'Operation not permitted': 1,
};

const FORMS: readonly Form[] = [
  {
    pattern:
      /\b(?:vfio_container_dma_map|vfio_dma_map|vfio_legacy_dma_map|iommufd_backend_map_dma|iommufd_cdev_map)\(\S{1,24}, (0x[0-9a-f]{1,16}), (0x[0-9a-f]{1,16}).{0,40}?\)(?: = -(\d{1,3}))?/,
    says: ([, iova, size, errno]) => ({
      what: 'mapFailed',
      iova: number(iova),
      size: number(size),
      errno: errno === undefined ? null : Number(errno),
    }),
  },
  {
    pattern: /\bVFIO_(?:IOMMU_)?MAP_DMA (?:failed)?:? ?(?:-?(\d{1,3})\b)?([A-Z][a-z ]{3,40})?/,
    says: ([, errno, words]) => ({
      what: 'mapFailed',
      iova: null,
      size: null,
      errno: errno === undefined ? (ERRNOS[words?.trim() ?? ''] ?? null) : Number(errno),
    }),
  },
  {
    pattern: /(?:([0-9a-f:]{7,16}\.[0-7]): )?PCI peer-to-peer transactions on BARs are not supported/i,
    says: ([, at]) => ({ what: 'peersUnsupported', at: at === undefined ? null : fullName(at) }),
  },
  {
    pattern: /\bIOMMU_IOAS_MAP(?:_FILE)? failed: [A-Z][a-z ]{3,40}(, PCI BAR\?)?/,
    says: ([, isBar]) => ({ what: 'ioasMapFailed', isBar: isBar !== undefined }),
  },
  {
    pattern: /\bcan't map guest IOVA region (0x[0-9a-f]{1,16})\.\.(0x[0-9a-f]{1,16})/,
    says: ([, first, last]) => {
      const [start, end] = [number(first), number(last)];
      return start === null || end === null ? null : { what: 'outsideWindow', start, end: end + 1 };
    },
  },
  {
    pattern: /\baw-bits (\d{2}) ?> ?host (?:IOMMU )?aw-bits (\d{2})\b/i,
    says: ([, guest, host]) => ({ what: 'tooWide', guestBits: Number(guest), hostBits: Number(host) }),
  },
  {
    pattern: /\bgroup (\d{1,5}) is not viable\b/,
    says: ([, group]) => ({ what: 'groupNotViable', group: Number(group) }),
  },
  { pattern: /\bvfio: DMA mapping failed, unable to continue/, says: () => ({ what: 'gaveUp' }) },
];

/** As much of a line is kept. */
const TEXT_MAX = 300;

/** Recognises lines of virtual machine monitors about VFIO. */
export const vfioLog: Recogniser<VfioItem> = linesOf<VfioItem>({
  kind: 'vfio-log',
  words: [
    'dma_map(',
    '_map_dma(',
    'cdev_map(',
    'MAP_DMA',
    'PCI peer-to-peer transactions',
    'IOMMU_IOAS_MAP',
    'guest IOVA region',
    'aw-bits',
    'is not viable',
    'vfio: DMA mapping failed',
  ],
  readLine: ({ bare, number: line }: CleanLine, { file }) => {
    for (const { pattern, says } of FORMS) {
      const match = pattern.exec(bare);
      const meaning = match === null ? null : says(match);
      if (meaning !== null) return [{ kind: 'vfio-log', file, line, text: bare.slice(0, TEXT_MAX), ...meaning }];
    }
    return null;
  },
});
