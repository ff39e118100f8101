/** A guest sees the tree that its hypervisor draws, not the one that its devices stand in. */

import { listed } from '../../core/words.ts';
import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import { type DoctorContext, namesOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { hypervisorEvidence } from '../facts/evidence.ts';
import type { Finding } from '../finding.ts';
import { BY_HAND, LOOK, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';

export const VM_TOPOLOGY: Diagnosis = {
  id: 'VM-TOPOLOGY',
  aliases: [],
  meaning: 'the capture is of a virtual machine: the tree is the hypervisor’s drawing',
  symptom: 'the guest’s matrix shows PHB for all pairs; "PCI peer-to-peer transactions on BARs are not supported"',
  needs: 'vendor and device IDs',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const guest = hypervisorOf(context.machine);
  if (guest === null) return [];
  const passed: number[] = [];
  context.functions.forEach((fn, index) => {
    const base = (fn.classCode ?? 0) >> 8;
    const large = fn.bars.some((bar) => bar.space === 'memory' && (bar.size ?? 0) >= 2 ** 26);
    const real = fn.vendorId === 0x10de || fn.vendorId === 0x1002 || fn.vendorId === 0x8086;
    if (real && large && (base === 0x03 || base === 0x12)) passed.push(index);
  });
  const names = namesOf(context, passed);
  return [
    {
      ...NOTHING,
      id: 'VM-TOPOLOGY',
      // With one device passed through there is nobody to pair it with.
      severity: severityOf('VM-TOPOLOGY', names.length > 1 ? 'several' : 'alone', context),
      sure: 'certain',
      title: `This is a ${guest.name} guest${names.length === 0 ? '' : ` with ${listed(names)} passed through`}: its tree tells nothing of how the devices stand in the host`,
      at: guest.fn === null ? [] : [guest.fn.name],
      functions: names,
      evidence: [hypervisorEvidence(context.machine, guest)],
      why: 'A guest’s drivers judge by the tree that they see. ACS, switches and host bridges of the host decide what really happens, and BARs of peers must be mapped in the host’s IOMMU.',
      fixes: [
        {
          ...LOOK,
          what: 'Capture and judge the host: p2pdma check there tells which cards share a switch',
          commands: ['sudo p2pdma capture -o host.tar.gz   # on the host'],
        },
        {
          ...BY_HAND,
          what: 'Draw the guest’s tree like the host’s: cards of one switch below one switch of the guest (QEMU: x3130-upstream, xio3130-downstream)',
          commands: ['p2pdma qemu host.tar.gz'],
          cost: 'A restart of the guest.',
          takeBack: 'the old command line',
          reboot: true,
        },
        {
          ...BY_HAND,
          kind: 'use',
          what: 'For NCCL, give the host’s topology as NCCL_TOPO_FILE',
          cost: 'None; it changes what NCCL chooses, not what works.',
        },
      ],
    },
  ];
}
