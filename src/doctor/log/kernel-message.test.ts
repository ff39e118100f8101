import { expect, test } from 'vitest';
import { parseKernelLog } from '../../evidence/kernel/log/telling.ts';
import { type KernelMessage, kernelMessage, kernelMessages } from './kernel-message.ts';

test.each<[string, KernelMessage]>([
  [
    'nvme 0000:03:00.0: ACS redirect is set between the client and provider (0000:06:00.0)',
    { kind: 'acsRedirect', client: '0000:03:00.0', provider: '0000:06:00.0' },
  ],
  [
    'pcieport 10000:03:00.0: cannot be used for peer-to-peer DMA as the client and provider (10000:06:00.0) do not share an upstream bridge or whitelisted host bridge',
    { kind: 'refused', client: '10000:03:00.0', provider: '10000:06:00.0' },
  ],
  [
    'pci 0000:00:00.0: Host bridge not in P2PDMA whitelist: 8086:29c0',
    { kind: 'notListed', at: '0000:00:00.0', hostBridge: '8086:29c0' },
  ],
  ['nvme 0000:03:00.0: added peer-to-peer DMA memory 0xfe000000-0xfe7fffff', { kind: 'provided', at: '0000:03:00.0' }],
  [
    'pcieport 0000:00:1b.0:    [21] ACSViol                (First)',
    { kind: 'aer', at: '0000:00:1b.0', error: 'ACSViol' },
  ],
  ['pcieport 0000:04:01.0: AER:    [18] MalfTLP', { kind: 'aer', at: '0000:04:01.0', error: 'MalfTLP' }],
  [
    "pci 0000:03:00.0: BAR 1 [mem 0x1000-0x1fff 64bit pref]: can't claim; address conflict with System RAM [mem 0x0-0x9fff]",
    { kind: 'ramConflict', at: '0000:03:00.0', bar: 1 },
  ],
  [
    "pci 0000:03:00.0: BAR 1 [mem size 0x800000000 64bit pref]: can't assign; no space",
    { kind: 'noSpace', at: '0000:03:00.0', bar: 1 },
  ],
  [
    'pci 0000:03:00.0: BAR 1: no space for [mem size 0x800000000 64bit pref]',
    { kind: 'noSpace', at: '0000:03:00.0', bar: 1 },
  ],
  ['Hotplugged memory exceeds maximum addressable address, range=[0x1-0x2], maximum=0x1', { kind: 'outsideHotplug' }],
])('%j is understood', (text, message) => {
  expect(kernelMessage(text)).toEqual(message);
});

test.each<string>([
  // A window of a bridge, a BAR of I/O space, a BAR of SR-IOV: none is memory that a peer could have.
  "pci 0000:03:00.0: bridge window [mem size 0x100000]: can't assign; no space",
  "pci 0000:03:00.0: BAR 0 [io  size 0x1000]: can't assign; no space",
  "pci 0000:03:00.0: VF BAR 0 [mem size 0x1000]: can't assign; no space",
  'pci 0000:03:00.0: BAR 13: no space for [io  size 0x1000]',
  "pci 0000:00:02.1: bridge window [mem 0xd8000000-0xde1fffff]: can't claim; address conflict with AMDIF031:00 [mem 0xdd400000-0xdd400fff]",
  'pcieport 0000:00:1d.0:    [20] UnsupReq               (First)',
  'pci 0000:03:00.0: BAR 0 [mem 0x1000-0x1fff]: assigned',
])('%j is another matter', (text) => {
  expect(kernelMessage(text)).toBeNull();
});

test('faults come with the lines that they begin on, and a cause on a line of its own is theirs', () => {
  const log = [
    '[ 1.0] DMAR: [DMA Write] Request device [03:00.0] fault addr fc000000',
    '[ 1.0] DMAR:[fault reason 05] PTE Write access is not set',
    '[ 2.0] nvme 0000:03:00.0: added peer-to-peer DMA memory 0x1-0x2',
  ].join('\n');
  const lines = parseKernelLog(log, 'log');
  const messages = kernelMessages(lines);
  expect(messages.map(({ message, line }) => [message.kind, line.line])).toEqual([
    ['provided', 3],
    ['fault', 1],
  ]);
  expect(messages[1]?.message).toMatchObject({ fault: { address: 0xfc000000, reason: 'PTE Write access is not set' } });
  expect(kernelMessages(lines)).toBe(messages);
});
