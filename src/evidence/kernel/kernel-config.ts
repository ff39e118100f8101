/** Symbols of a kernel's configuration: /boot/config-RELEASE, /proc/config.gz, or lines that were grepped out of one. */

import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';

export interface KernelSymbolItem extends ItemPlace {
  readonly kind: 'kernel-config';
  /** Without `CONFIG_`. */
  readonly symbol: string;
  /** `y`, `m`, a number or a text; `n` where the file says "is not set". */
  readonly value: string;
}

const LINE =
  /^\s*(?:[^\s:#]{1,160}:(?:\d{1,7}:)?)?(?:CONFIG_([A-Z0-9_]{1,80})=("[^"]{0,200}"|[\w.-]{1,60})|# CONFIG_([A-Z0-9_]{1,80}) is not set)\s*$/;
/** A configuration has ten thousand symbols; those about these things are kept. */
const ABOUT =
  /PCI|IOMMU|P2P|ZONE_DEVICE|HMM|DMA|NVME|AMD|HSA|VFIO|MEMORY_HOT|SPARSEMEM|INFINIBAND|64BIT|X86_64|ARM64|DRM_|IDENTITY|ACS|CMA|DEVMEM|RESOURCE/;
const OTHER = /^\s*(?:#.{0,200})?$/;

/** Recognises lines of a kernel configuration. */
export const kernelConfig: Recogniser<KernelSymbolItem> = tableOf<KernelSymbolItem>({
  kind: 'kernel-config',
  words: ['CONFIG_'],
  begins: ({ text }) => LINE.test(text),
  continues: ({ text, isBlank }) => (LINE.test(text) || isBlank || OTHER.test(text) ? 'taken' : 'ended'),
  read: (lines, { file }) => {
    const items = lines.flatMap(({ text, number }): KernelSymbolItem[] => {
      const [, symbol, value, unset] = LINE.exec(text) ?? [];
      const name = symbol ?? unset;
      if (name === undefined || (lines.length > 200 && !ABOUT.test(name))) return [];
      return [{ kind: 'kernel-config', file, line: number, symbol: name, value: value?.replaceAll('"', '') ?? 'n' }];
    });
    return { items };
  },
});
