import { expect, test } from 'vitest';
import { isLogLine, LOG_LINES_MAX, parseKernelLog, tellingMessage } from './telling.ts';

test.each<[string, string]>([
  [
    "[    0.299721] pci 0000:00:01.0: BAR 0 [mem 0x1000-0x1fff]: can't assign; no space",
    "pci 0000:00:01.0: BAR 0 [mem 0x1000-0x1fff]: can't assign; no space",
  ],
  [
    '[12345.678901][  T512] DMAR: [DMA Read] Request device [03:00.0] fault addr fc000000',
    'DMAR: [DMA Read] Request device [03:00.0] fault addr fc000000',
  ],
  ['[Sun Nov 22 18:40:38 2026] AMD-Vi: Event logged', 'AMD-Vi: Event logged'],
  ['[Sun Nov  2 18:40:38 2026] AMD-Vi: Event logged', 'AMD-Vi: Event logged'],
  [
    '<4>[    1.000000] arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:',
    'arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:',
  ],
  [
    'Nov 22 18:40:38 gpu7 kernel: [    1.5] nvme 0000:03:00.0: added peer-to-peer DMA memory 0x1-0x2',
    'nvme 0000:03:00.0: added peer-to-peer DMA memory 0x1-0x2',
  ],
  ['Nov 22 18:40:38 gpu7 kernel: pci 0000:03:00.0: ACS redirect is set', 'pci 0000:03:00.0: ACS redirect is set'],
])('of the line %j the message is kept without stamp and host', (line, message) => {
  expect(tellingMessage(line)).toBe(message);
  expect(isLogLine(line)).toBe(true);
});

test.each<string>([
  '[    1.000000] usb 1-1: SerialNumber: 4711',
  '[    0.000000] Command line: pci=disable_acs_redir=0000:00:1c.0',
  '[    0.000000] Kernel command line: iommu=pt disable_acs_redir=x',
  '[    5.000000] audit: type=1400 DMAR',
  '[    5.000000] systemd[1]: hostname p2pmem',
  'EXT4-fs (nvme0n1p2): mounted filesystem',
  '',
])('the line %j tells nothing about PCI, or carries somebody’s words', (line) => {
  expect(tellingMessage(line)).toBeNull();
});

test('lines are counted from 1 through all lines of the file, those that tell nothing too', () => {
  expect(parseKernelLog('usb\n[ 1.0] DMAR: a\nusb\n[ 2.0] DMAR: b\n', 'log')).toEqual([
    { text: 'DMAR: a', file: 'log', line: 2 },
    { text: 'DMAR: b', file: 'log', line: 4 },
  ]);
});

test('a log that never ends is read up to a bound', () => {
  expect(parseKernelLog('DMAR: x\n'.repeat(LOG_LINES_MAX + 10), 'log').length).toBe(LOG_LINES_MAX);
});
