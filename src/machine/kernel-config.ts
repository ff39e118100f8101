/**
 * The configuration that a kernel was built with: /proc/config.gz, /boot/config-RELEASE. Only the symbols that decide something about
 * peer-to-peer DMA are read, and captured: the rest names hosts, paths and keys of whoever built it. Linux:
 * Documentation/kbuild/kconfig-language.rst, drivers/pci/Kconfig.
 */

import type { KernelConfig, Setting } from './host-evidence.ts';

/** Symbols that are read, without `CONFIG_`. All are on, off, `m`, or a number. */
export const KERNEL_SYMBOLS: readonly string[] = [
  '64BIT',
  'ARM64',
  'X86_64',
  'PCI',
  'PCI_P2PDMA',
  'ZONE_DEVICE',
  'MEMORY_HOTPLUG',
  'MEMORY_HOTREMOVE',
  'SPARSEMEM_VMEMMAP',
  'DMA_SHARED_BUFFER',
  'DMABUF_MOVE_NOTIFY',
  'DRM_AMDGPU',
  'HSA_AMD',
  'HSA_AMD_P2P',
  'VFIO_PCI_DMABUF',
  'BLK_DEV_NVME',
  'NVME_MULTIPATH',
  'NVME_TARGET',
  'PCIEAER',
  'PCI_QUIRKS',
  'PCI_REALLOC_ENABLE_AUTO',
  'PCIE_BUS_TUNE_OFF',
  'PCIE_BUS_DEFAULT',
  'PCIE_BUS_SAFE',
  'PCIE_BUS_PERFORMANCE',
  'PCIE_BUS_PEER2PEER',
  'INTEL_IOMMU',
  'INTEL_IOMMU_DEFAULT_ON',
  'AMD_IOMMU',
  'IOMMU_DEFAULT_PASSTHROUGH',
  'IOMMU_DEFAULT_DMA_LAZY',
  'IOMMU_DEFAULT_DMA_STRICT',
];

const SYMBOLS: string = KERNEL_SYMBOLS.join('|');
const HEAD = /^# Linux\/\S+ (\d+\.\d+\S*) Kernel Configuration/m;

/** Reads the symbols that count; null where `text` is no kernel configuration. */
export function parseKernelConfig(text: string, file: string): KernelConfig | null {
  if (!/^(?:CONFIG_\w+=|# CONFIG_\w+ is not set)/m.test(text)) return null;
  const options = new Map<string, Setting>();
  const pattern = new RegExp(`^(?:CONFIG_(${SYMBOLS})=([ymn]|\\d+)|# CONFIG_(${SYMBOLS}) is not set)[ \\t\\r]*$`, 'gm');
  let line = 1;
  let counted = 0;
  for (const match of text.matchAll(pattern)) {
    for (let at = text.indexOf('\n', counted); at >= 0 && at < match.index; at = text.indexOf('\n', at + 1)) {
      line++;
      counted = at + 1;
    }
    const symbol = (match[1] ?? match[3]) as string;
    options.set(symbol, { value: match[2] ?? 'n', file, line });
  }
  return { file, release: HEAD.exec(text)?.[1] ?? null, options };
}

/** The same symbols as text, for a capture: head and lines as they stand. */
export function kernelConfigText({ release, options }: KernelConfig): string {
  const head = release === null ? '' : `# Linux/kernel ${release} Kernel Configuration\n`;
  const lines = [...options].map(([symbol, { value }]) =>
    value === 'n' ? `# CONFIG_${symbol} is not set\n` : `CONFIG_${symbol}=${value}\n`,
  );
  return head + lines.join('');
}

/** A symbol that stands in every configuration which could name the other: without it the file may be a part of one. */
const WITNESSES: Readonly<Record<string, string>> = {
  ZONE_DEVICE: 'MEMORY_HOTPLUG',
  DMABUF_MOVE_NOTIFY: 'DMA_SHARED_BUFFER',
  HSA_AMD_P2P: 'HSA_AMD',
  NVME_MULTIPATH: 'BLK_DEV_NVME',
};

/**
 * Whether a symbol is on. A symbol that a whole configuration does not name is off, since what it depends on is off, or since the
 * kernel does not know it; null where the file may be a part that does not speak of it.
 */
export function isConfigured(config: KernelConfig, symbol: string): boolean | null {
  const value = config.options.get(symbol)?.value;
  if (value !== undefined) return value !== 'n';
  return config.options.has(WITNESSES[symbol] ?? 'PCI') ? false : null;
}
