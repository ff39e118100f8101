import { expect, test } from 'vitest';
import { parseFaultLine } from './fault-line.ts';

test.each([
  [
    'DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0xfffff000 [fault reason 0x06] PTE Read access is not set',
    { iommu: 'DMAR', by: '0000:03:00.0', address: 0xfffff000, access: 'read' },
  ],
  [
    'DMAR: [DMA Write] Request device [0000:82:00.0] fault addr 38f000000000 [fault reason 05] PTE Write access is not set',
    { iommu: 'DMAR', by: '0000:82:00.0', address: 0x38f000000000, access: 'write' },
  ],
  [
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=04:00.0 domain=0x000e address=0x100000 flags=0x0020]',
    { iommu: 'AMD-Vi', by: '0000:04:00.0', address: 0x100000, access: 'write' },
  ],
  [
    'nvidia 0000:c1:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0012 address=0xd0000000 flags=0x0000]',
    { iommu: 'AMD-Vi', by: '0000:c1:00.0', address: 0xd0000000, access: 'read' },
  ],
  [
    'arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0x80000000, fsynr=0x3, cbfrsynra=0x300, cb=1',
    { iommu: 'SMMU', by: null, address: 0x80000000, reason: 'stream 0x300' },
  ],
])('%s', (line, fault) => {
  expect(parseFaultLine(line)).toMatchObject(fault);
  expect(parseFaultLine(`[  12.345678] ${line}`)).toMatchObject(fault);
});

test.each([
  'DMAR: IOMMU enabled',
  'AMD-Vi: Interrupt remapping enabled',
  'arm-smmu-v3: ias 44-bit, oas 44-bit',
  'IO_PAGE_FAULT',
  '',
])('no fault: %s', (line) => {
  expect(parseFaultLine(line)).toBeNull();
});
