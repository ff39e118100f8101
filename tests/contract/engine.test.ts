/** Both engines under the one contract. */

import { newQemuBed, newSimBed } from './bed.ts';
import { engineContract } from './engine.ts';
import { missingQemu } from './missing-qemu.ts';

engineContract({
  name: 'sim',
  newBed: newSimBed,
  notProvable: [
    {
      test: 'the controller was written by others',
      what: 'registers',
      reason: 'driver and controller are both ours',
    },
  ],
});

engineContract({
  name: 'qemu',
  newBed: newQemuBed,
  missing: missingQemu(),
  notProvable: [
    {
      test: 'between peers below one switch nothing reaches the root port',
      what: 'routing',
      reason: 'QEMU sends every peer transaction through the root complex',
    },
    {
      test: 'request redirect sends it up to the root complex and back',
      what: 'acs',
      reason: 'QEMU’s switch ports have no ACS, and its root ports enforce none',
    },
    {
      test: 'IOMMU on: a bus address below the same switch is reached without translation',
      what: 'routing',
      reason: 'with VT-d on QEMU translates every peer transaction, so a raw bus address faults',
    },
  ],
});
