import { expect, test } from 'vitest';
import { type FaultLine, parseFaultLine, readFaults } from './fault-line.ts';

/** What a kernel prints, by its release, and what it means. */
const LINES: readonly (readonly [line: string, fault: Partial<FaultLine>])[] = [
  // Intel: 5.14 and newer, with and without a process address space; 4.2 and newer; a release that prints PASID apart.
  [
    'DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0xfffff000 [fault reason 0x06] PTE Read access is not set',
    {
      iommu: 'DMAR',
      what: 'memory',
      by: '0000:03:00.0',
      domainTold: false,
      address: 0xfffff000,
      access: 'read',
      reason: 'PTE Read access is not set',
    },
  ],
  [
    'DMAR: [DMA Write PASID 0x1] Request device [6e:01.0] fault addr 0x7f0000001000 [fault reason 0x51] SM: Present bit in first-level paging entry is clear',
    { iommu: 'DMAR', by: '0000:6e:01.0', address: 0x7f0000001000, access: 'write' },
  ],
  [
    'DMAR: [DMA Write] Request device [82:00.0] fault addr 38f000000000 [fault reason 05] PTE Write access is not set',
    { iommu: 'DMAR', by: '0000:82:00.0', address: 0x38f000000000, access: 'write' },
  ],
  [
    'DMAR: [DMA Read] Request device [3b:00.1] PASID ffffffff fault addr e000f000 [fault reason 06] PTE Read access is not set',
    { iommu: 'DMAR', by: '0000:3b:00.1', address: 0xe000f000, access: 'read' },
  ],
  [
    'dmar: DMAR:[DMA Read] Request device [03:00.0] fault addr fffff000',
    { iommu: 'DMAR', by: '0000:03:00.0', address: 0xfffff000, access: 'read', reason: null },
  ],
  [
    'DMAR: [DMA Read NO_PASID] Request device [0x03:0x00.0] fault addr 0xfffff000 [fault reason 0x06] PTE Read access is not set',
    { by: '0000:03:00.0', address: 0xfffff000 },
  ],
  // Interrupt remapping, of both ages.
  [
    'DMAR: [INTR-REMAP] Request device [f0:1f.7] fault index 0x8 [fault reason 0x22] Present field in the IRTE entry is clear',
    { iommu: 'DMAR', what: 'interrupt', by: '0000:f0:1f.7', address: null, access: null },
  ],
  [
    'dmar: INTR-REMAP: Request device [[f0:1f.7] fault index 8',
    { iommu: 'DMAR', what: 'interrupt', by: '0000:f0:1f.7', reason: null },
  ],
  // AMD: the device inside the brackets without and with its domain, and before them; flags that say interrupt.
  [
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=04:00.0 domain=0x000e address=0x0000000000100000 flags=0x0020]',
    {
      iommu: 'AMD-Vi',
      what: 'memory',
      by: '0000:04:00.0',
      domainTold: false,
      address: 0x100000,
      access: 'write',
      reason: null,
    },
  ],
  [
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=0001:04:00.0 domain=0x000e address=0x100000 flags=0x0000]',
    { by: '0001:04:00.0', domainTold: true, access: 'read' },
  ],
  [
    'nvidia 0000:c1:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0012 address=0xd0000000 flags=0x0000]',
    { by: '0000:c1:00.0', domainTold: true, address: 0xd0000000, access: 'read' },
  ],
  [
    'nvme 0000:03:00.0: Event logged [IO_PAGE_FAULT domain=0x0012 address=0xd0000000 flags=0x0070]',
    { by: '0000:03:00.0', address: 0xd0000000, access: 'write' },
  ],
  [
    'nvme 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0012 address=0xfee00000 flags=0x0008]',
    { what: 'interrupt', by: '0000:03:00.0', address: null, access: null },
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:00:14.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a00]',
    { by: '0000:00:14.0', address: null, access: null, reason: 'INVALID_DEVICE_REQUEST' },
  ],
  // ARM: v2, and v3 since 6.14.
  [
    'arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0x80000000, fsynr=0x11, cbfrsynra=0x300, cb=1',
    { iommu: 'SMMU', by: null, address: 0x80000000, access: 'write', reason: 'stream 0x300' },
  ],
  [
    'arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0xfffff000 ipa: 0x0',
    {
      iommu: 'SMMU',
      by: '0000:01:00.0',
      domainTold: true,
      address: 0xfffff000,
      access: null,
      reason: 'F_TRANSLATION, stream 0x100',
    },
  ],
  [
    'arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: (unassigned sid) sid: 0x100 ssid: 0x0 iova: 0xfffff000 ipa: 0x0',
    { by: null, address: 0xfffff000 },
  ],
];

/** What may stand before a line: a time, a priority, both, the prefix of a journal, an ISO time, colours. */
const PREFIXES: readonly string[] = [
  '',
  '[   12.345678] ',
  '<3>[   12.345678] ',
  'Nov 22 18:00:00 host kernel: ',
  '2026-11-22T18:00:00,123456+00:00 ',
  'kern  :err   : [Sun Nov 22 18:00:00 2026] ',
  '\u001b[32m[   12.345678] \u001b[0m\u001b[33m',
];

test.each(LINES)('%s', (line, fault) => {
  for (const prefix of PREFIXES) {
    expect(parseFaultLine(prefix + line), prefix).toMatchObject(fault);
    expect(parseFaultLine(`${prefix}${line}\r`), prefix).toMatchObject(fault);
  }
});

test.each([
  'DMAR: IOMMU enabled',
  'DMAR: DRHD: handling fault status reg 3',
  'dmar_fault: 120 callbacks suppressed',
  'AMD-Vi: Interrupt remapping enabled',
  'AMD-Vi: Event logged [COMMAND_HARDWARE_ERROR address=0x100000 flags=0x0000]',
  'arm-smmu-v3: ias 44-bit, oas 44-bit',
  'arm-smmu 5000000.iommu: Unexpected global fault, this could be serious',
  'IO_PAGE_FAULT',
  '',
])('no fault: %s', (line) => {
  expect(parseFaultLine(line)).toBeNull();
});

test('DMAR: kernels before 4.2 print the cause on a line of its own', () => {
  const log = readFaults([
    'dmar: DRHD: handling fault status reg 2',
    'dmar: DMAR:[DMA Read] Request device [03:00.0] fault addr fffff000',
    'DMAR:[fault reason 06] PTE Read access is not set',
    'dmar: INTR-REMAP: Request device [[f0:1f.7] fault index 8',
    'INTR-REMAP:[fault reason 34] Present field in the IRTE entry is clear',
    '',
  ]);
  expect(log.faults.map(({ line, fault }) => [line, fault.what])).toEqual([
    [2, 'memory'],
    [4, 'interrupt'],
  ]);
  expect(log.faults[0]?.fault.reason).toBe('PTE Read access is not set');
  expect(log.otherLines).toBe(1);
});

test('SMMU v3: an event in raw words is one fault, its stream, direction and address read from them', () => {
  const head = '[    9.1] arm-smmu-v3 arm-smmu-v3.3.auto: ';
  const log = readFaults([
    `${head}event 0x10 received:`,
    `${head}\t0x0000010000000010`,
    `${head}\t0x0000020800000000`,
    `${head}\t0x00000000fffff040`,
    `${head}\t0x0000000000000000`,
    `${head}event 0x13 received:`,
    `${head}\t0x0000020000000013`,
    `${head}\t0x0000000000000000`,
    `${head}\t0x0000008000001000`,
    `${head}\t0x0000000000000000`,
    'nvme nvme0: I/O 3 QID 1 timeout, aborting',
  ]);
  expect(log.faults).toEqual([
    {
      line: 1,
      fault: expect.objectContaining({ address: 0xfffff040, access: 'read', reason: 'F_TRANSLATION, stream 0x100' }),
    },
    {
      line: 6,
      fault: expect.objectContaining({
        address: 0x8000001000,
        access: 'write',
        reason: 'F_PERMISSION, stream 0x200',
      }),
    },
  ]);
  expect(log.otherLines).toBe(1);
});

test('SMMU v3: an event whose words were cut off is no fault, and is counted', () => {
  expect(readFaults(['arm-smmu-v3 arm-smmu-v3.3.auto: event 0x10 received:'])).toEqual({ faults: [], otherLines: 1 });
  expect(
    readFaults([
      'arm-smmu-v3 arm-smmu-v3.3.auto: event 0x02 received:',
      'arm-smmu-v3 arm-smmu-v3.3.auto: \t0x0000010000000002',
    ]),
  ).toEqual({
    faults: [],
    otherLines: 2,
  });
});

test('SMMU v3: the second line of an event since 6.14 tells the direction', () => {
  const head = 'arm-smmu-v3 arm-smmu-v3.0.auto: ';
  const log = readFaults([
    `${head}event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0xfffff000 ipa: 0x0`,
    `${head}unpriv data write s1 "Input address caused fault" stag: 0x0`,
  ]);
  expect(log.faults[0]?.fault.access).toBe('write');
  expect(log.otherLines).toBe(0);
});

test.each([
  'arm-smmu',
  'arm-smmu-v3 ',
  'arm-smmu context fault: ',
  'arm-smmu-v3 event: x client: y sid: 0x1 ',
  'DMAR: [DMA Read] Request device [03:00.0] ',
  'IO_PAGE_FAULT ',
])('a line that repeats %s ten thousand times is read as soon as any other', (part) => {
  const start = performance.now();
  expect(readFaults([part.repeat(10_000)])).toEqual({ faults: [], otherLines: 1 });
  expect(performance.now() - start).toBeLessThan(1000);
});
