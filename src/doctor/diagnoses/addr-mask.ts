/** A BAR that lies higher than the peer, or the IOMMU of a guest, can address. */

import { hex } from '../../core/hex.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from './context.ts';
import type { Diagnosis } from './diagnosis.ts';
import { factEvidence } from './evidence.ts';
import type { Finding } from './finding.ts';
import { BY_HAND, NOTHING } from './finding.ts';
import { isProvider } from './roles.ts';
import { guestEvidence } from './virtual-machine.ts';
import { listed } from './words.ts';

export const ADDR_MASK: Diagnosis = {
  id: 'ADDR-MASK',
  aliases: [],
  severity: 'warning',
  meaning: 'a BAR lies higher than a peer or the guest’s IOMMU can address',
  symptom: 'works once BARs lie lower; "DMA mask too narrow for high BARs"',
  needs: 'BAR addresses; dma_mask_bits of each client, which lspci does not print',
  diagnose,
};

/** Width of addresses in the virtual IOMMU of QEMU and others where nobody asks for more. */
const GUEST_BITS = 39;
/** What older GPUs of AMD can address. */
const GPU_BITS = 44;

function diagnose(context: DoctorContext): Finding[] {
  const high: { readonly fn: PciFunction; readonly bar: number; readonly end: number }[] = [];
  let gpus = 0;
  for (const [index, role] of context.roles.entries()) {
    if (role === null) continue;
    const fn = context.functions[index] as PciFunction;
    if (role === 'gpu' && fn.vendorId === 0x1002) gpus++;
    if (!isProvider(fn, role)) continue;
    for (const { busAddress, size, index: bar, space } of fn.bars) {
      if (space === 'memory' && busAddress !== null) high.push({ fn, bar, end: busAddress + (size ?? 1) });
    }
  }
  const inGuest = guestEvidence(context.machine) !== null;
  const bits = inGuest ? GUEST_BITS : GPU_BITS;
  const over = high.filter(({ end }) => end > 2 ** bits);
  if (over.length === 0 || (!inGuest && gpus === 0)) return [];
  const names = [...new Set(over.map(({ fn }) => fn.name))];
  return [
    {
      ...NOTHING,
      id: 'ADDR-MASK',
      severity: inGuest ? 'warning' : 'note',
      sure: 'unknown',
      title: inGuest
        ? `BARs of ${listed(names)} lie above ${GUEST_BITS} bits, the default width of a guest’s IOMMU`
        : `BARs of ${listed(names)} lie above ${GPU_BITS} bits, which older GPUs of AMD cannot address`,
      at: names,
      functions: names,
      evidence: over.slice(0, 8).map(({ fn, bar, end }) =>
        factEvidence(fn, 'bars', {
          register: `BAR${bar}`,
          offset: 0x10 + 4 * bar,
          value: hex(end - 1),
          meaning: `its last byte needs ${Math.ceil(Math.log2(end))} bits`,
        }),
      ),
      why: 'A client that cannot put the address on the wire, or an IOMMU without tables that wide, fails the mapping or faults.',
      fixes: [
        {
          ...BY_HAND,
          what: inGuest
            ? 'Give the guest’s IOMMU more bits (QEMU: aw-bits=48)'
            : 'In the firmware setup, lower "MMIO high base" and "MMIO high size" until all BARs lie below the mask',
          cost: 'A reboot; all BARs move.',
          undo: ['the old setting'],
          reboot: true,
        },
      ],
      missing: { what: 'how many bits each client addresses', command: 'grep . /sys/bus/pci/devices/*/dma_mask_bits' },
    },
  ];
}
