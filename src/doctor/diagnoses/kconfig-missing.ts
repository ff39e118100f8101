/** The hardware could, and the kernel was built without it. CONFIG_PCI_P2PDMA, since Linux 4.20. */

import type { DoctorContext } from './context.ts';
import type { Diagnosis } from './diagnosis.ts';
import { machineEvidence } from './evidence.ts';
import type { Finding } from './finding.ts';
import { BY_HAND, NOTHING } from './finding.ts';

export const KCONFIG_MISSING: Diagnosis = {
  id: 'KCONFIG-MISSING',
  aliases: [],
  severity: 'error',
  meaning: 'the kernel has no peer-to-peer DMA',
  symptom: 'supported in hardware, and every interface says no',
  needs: 'kernel release; the kernel’s configuration, or p2pmem/ of sysfs, which shows that it is on',
  diagnose,
};

const COMMAND =
  "(zcat /proc/config.gz || cat /boot/config-$(uname -r)) | grep -E 'PCI_P2PDMA|ZONE_DEVICE|DMABUF_MOVE_NOTIFY|HSA_AMD_P2P'";

function diagnose(context: DoctorContext): Finding[] {
  const { machine, functions, cases } = context;
  if (cases.every((item) => item.type === 'notSupported')) return [];
  if (functions.some((fn) => fn.facts.sysfs?.p2pmem !== undefined)) return [];
  const match = /^(\d+)\.(\d+)/.exec(machine.kernel ?? '');
  const [major, minor] = [Number(match?.[1] ?? Number.NaN), Number(match?.[2] ?? Number.NaN)];
  if (major < 4 || (major === 4 && minor < 20)) {
    return [
      {
        ...NOTHING,
        id: 'KCONFIG-MISSING',
        severity: context.intent === null ? 'warning' : 'error',
        sure: 'certain',
        title: `Linux ${machine.kernel} has no peer-to-peer DMA: it came with 4.20`,
        evidence: [machineEvidence(machine, 'kernel release', machine.kernel as string, 'older than 4.20')],
        why: 'No driver of this kernel can ask for a peer’s memory by the kernel’s interfaces.',
        fixes: [
          {
            ...BY_HAND,
            what: 'Run a newer kernel; 6.2 or later for user space',
            cost: 'A new kernel.',
            undo: ['boot the old one'],
            reboot: true,
          },
        ],
      },
    ];
  }
  return [
    {
      ...NOTHING,
      id: 'KCONFIG-MISSING',
      severity: 'note',
      sure: 'unknown',
      title: 'Whether this kernel was built with peer-to-peer DMA is not in the capture',
      why: 'Without CONFIG_PCI_P2PDMA every interface says no, whatever the hardware can. Ubuntu has it on since 24.04; other distributions differ.',
      missing: { what: 'the kernel’s configuration', command: COMMAND },
    },
  ];
}
