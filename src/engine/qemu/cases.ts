/**
 * What QEMU shows of each case of the mail, by how its VT-d treats the mapping device. QEMU 7.2, hw/pci: a device's DMA goes into
 * the address space that the IOMMU gives it, and from there straight to RAM or BAR. Links, switches and root ports have no part in
 * it, so bytes and translation are shown, and roads are not. Every cell is demonstrated, or its reason is, by
 * tests/qemu/cases.test.ts.
 *
 *     mapping device -> [ VT-d, where it is on ] -> system memory: RAM and every BAR
 *            `-> its own CMB, by CBA: before any of it
 */

import type { CaseShown } from '../register.ts';

const NO_ROAD = 'QEMU sends every peer transaction through the root complex: no switch routes it, no ACS redirects it';
const NO_BUS_ADDRESS =
  'VT-d of QEMU translates every peer transaction, also below one switch: an address that is not mapped faults, so this is (b1) here';

export const QEMU_CASES: readonly CaseShown[] = [
  { case: 'a', iommu: 'off', seen: 'arrives by address', notProvable: null },
  { case: 'a', iommu: 'on', seen: 'arrives by IOVA', notProvable: null },
  { case: 'a', iommu: 'passthrough', seen: 'arrives by address', notProvable: null },
  { case: 'b1', iommu: 'off', seen: 'arrives by address', notProvable: null },
  { case: 'b1', iommu: 'on', seen: 'arrives by IOVA', notProvable: null },
  { case: 'b1', iommu: 'passthrough', seen: 'arrives by address', notProvable: null },
  { case: 'b2', iommu: 'off', seen: 'arrives, road unseen', notProvable: NO_ROAD },
  { case: 'b2', iommu: 'on', seen: 'bus address faults', notProvable: NO_BUS_ADDRESS },
  { case: 'b2', iommu: 'passthrough', seen: 'arrives, road unseen', notProvable: NO_ROAD },
  { case: 'c', iommu: 'off', seen: 'stays inside', notProvable: null },
  { case: 'c', iommu: 'on', seen: 'stays inside, unmapped', notProvable: null },
  { case: 'c', iommu: 'passthrough', seen: 'stays inside', notProvable: null },
];
