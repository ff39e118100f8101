/** GPUDirect Storage: NVMe drives and NVIDIA GPUs in one machine, and what of its preconditions a capture shows. */

import type { PciFunction } from '../../pcie/pci-function.ts';
import { lastValue } from '../command-line.ts';
import { type DoctorContext, namesOf } from './context.ts';
import type { Diagnosis } from './diagnosis.ts';
import { factEvidence, machineEvidence } from './evidence.ts';
import type { Evidence, Finding } from './finding.ts';
import { BY_HAND, NOTHING } from './finding.ts';
import { listed } from './words.ts';

export const GDS_COMPAT: Diagnosis = {
  id: 'GDS-COMPAT',
  aliases: [],
  severity: 'warning',
  meaning: 'preconditions of GPUDirect Storage are not met, or not in the capture',
  symptom: '"NVMe P2PDMA : Unsupported", cuFile error 5008, or it works and nothing is direct',
  needs: 'drivers of GPUs and drives, kernel command line; modules and cufile.json, which no capture of PCI holds',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const gpus: number[] = [];
  const drives: number[] = [];
  for (const [index, role] of context.roles.entries()) {
    const fn = context.functions[index] as PciFunction;
    if (role === 'gpu' && fn.vendorId === 0x10de) gpus.push(index);
    if (role === 'nvme') drives.push(index);
  }
  // One GPU beside one drive is a desktop; GDS is for machines that are built for it.
  if (gpus.length === 0 || drives.length === 0 || (context.intent === null && gpus.length + drives.length < 4))
    return [];
  const multipath = context.commandLine === null ? null : lastValue(context.commandLine, 'nvme_core.multipath');
  const wrongGpus = gpus.filter((index) => otherDriver(context, index, 'nvidia'));
  const wrongDrives = drives.filter((index) => otherDriver(context, index, 'nvme'));
  const wrong = [...wrongGpus, ...wrongDrives];
  const evidence: Evidence[] = [...gpus, ...drives].slice(0, 16).map((index) => {
    const fn = context.functions[index] as PciFunction;
    const wanted = gpus.includes(index) ? 'nvidia' : 'nvme';
    return factEvidence(fn, 'driver', {
      register: 'driver',
      value: fn.driver ?? 'none, or not known',
      meaning: `${wanted} is needed`,
    });
  });
  evidence.push(
    machineEvidence(context.machine, 'nvme_core.multipath', multipath ?? 'not on the command line', 'N is needed'),
  );
  const names = namesOf(context, [...gpus, ...drives]);
  return [
    {
      ...NOTHING,
      id: 'GDS-COMPAT',
      severity: wrong.length > 0 && context.intent !== null ? 'warning' : 'note',
      sure: wrong.length > 0 ? 'certain' : 'unknown',
      title:
        wrong.length > 0
          ? `GPUDirect Storage cannot use ${listed(namesOf(context, wrong))}: bound to ${listed([...new Set(wrong.map((index) => (context.functions[index] as PciFunction).driver ?? 'no driver'))])}`
          : `Whether GPUDirect Storage is direct between ${listed(names)} is not in this capture`,
      at: namesOf(context, wrong),
      functions: names,
      evidence,
      why: 'cuFile falls back to copies through system memory without an error where one of its preconditions is missing.',
      fixes: [
        {
          ...BY_HAND,
          what: 'Go through the preconditions in order: drivers nvidia and nvme bound; NVreg RMForceStaticBar1=1; nvme_core multipath=N; no md-raid under the file system; use_pci_p2pdma true in cufile.json; GPU and drive below one root complex',
          commands: ['options nvme_core multipath=N   (in /etc/modprobe.d/)', 'gdscheck -p'],
          cost: 'A reboot, or the drivers loaded again; without multipath a drive with two ports has one.',
          undo: ['take the lines out again'],
          reboot: true,
        },
      ],
      missing: wrong.length > 0 ? null : { what: 'modules, cufile.json and the block stack', command: 'gdscheck -p' },
    },
  ];
}

function otherDriver({ functions }: DoctorContext, index: number, wanted: string): boolean {
  const { driver } = functions[index] as PciFunction;
  return driver !== null && driver !== wanted;
}
