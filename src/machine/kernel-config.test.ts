import { expect, test } from 'vitest';
import { isConfigured, KERNEL_SYMBOLS, kernelConfigText, parseKernelConfig } from './kernel-config.ts';

const TEXT = `#
# Linux/x86 6.12.1 Kernel Configuration
#
CONFIG_DEFAULT_HOSTNAME="gpu7"
CONFIG_PCI=y
# CONFIG_PCI_P2PDMA is not set
CONFIG_PCI_P2PDMA_OTHER=y
CONFIG_DRM_AMDGPU=m
  CONFIG_ZONE_DEVICE=y
`;

test('symbols that count are read with their lines, and no others', () => {
  const config = parseKernelConfig(TEXT, 'proc/config');
  expect(config?.release).toBe('6.12.1');
  expect([...(config?.options ?? [])]).toEqual([
    ['PCI', { value: 'y', file: 'proc/config', line: 5 }],
    ['PCI_P2PDMA', { value: 'n', file: 'proc/config', line: 6 }],
    ['DRM_AMDGPU', { value: 'm', file: 'proc/config', line: 8 }],
  ]);
});

test('what is written for a capture is read back, and holds nothing else', () => {
  const config = parseKernelConfig(TEXT, 'boot/config-6.12.1');
  const text = config === null ? '' : kernelConfigText(config);
  expect(text).not.toContain('gpu7');
  const again = parseKernelConfig(text, 'proc/config');
  expect(again?.release).toBe('6.12.1');
  expect([...(again?.options ?? [])].map(([symbol, { value }]) => [symbol, value])).toEqual([
    ['PCI', 'y'],
    ['PCI_P2PDMA', 'n'],
    ['DRM_AMDGPU', 'm'],
  ]);
});

test('text that is no configuration is none', () => {
  expect(parseKernelConfig('', 'x')).toBeNull();
  expect(parseKernelConfig('PCI=y\n', 'x')).toBeNull();
});

test('a symbol that is not named is off where its witness is named, and not known where it is not', () => {
  const of = (text: string, symbol: string): boolean | null => {
    const config = parseKernelConfig(text, 'x');
    return config === null ? null : isConfigured(config, symbol);
  };
  expect(of('CONFIG_PCI=y\n', 'PCI_P2PDMA')).toBe(false);
  expect(of('CONFIG_ZONE_DEVICE=y\n', 'PCI_P2PDMA')).toBeNull();
  expect(of('CONFIG_PCI=y\n', 'NVME_MULTIPATH')).toBeNull();
  expect(of('CONFIG_BLK_DEV_NVME=m\n', 'NVME_MULTIPATH')).toBe(false);
  expect(of('CONFIG_PCI_P2PDMA=y\n', 'PCI_P2PDMA')).toBe(true);
});

test('every symbol that is looked for can be found', () => {
  const text = KERNEL_SYMBOLS.map((symbol) => `CONFIG_${symbol}=y\n`).join('');
  expect([...(parseKernelConfig(text, 'x')?.options.keys() ?? [])]).toEqual(KERNEL_SYMBOLS);
});
