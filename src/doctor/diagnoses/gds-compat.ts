/** GPUDirect Storage: NVMe drives and NVIDIA GPUs in one machine, and which of its preconditions the capture shows to be met. */

import { listed } from '../../core/words.ts';
import { hostEvidenceOf } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type DoctorContext, namesOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import type { Certainty, Evidence, Finding, Fix } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { moduleLines, UPDATE_INITRAMFS } from '../remedy/boot-fix.ts';
import { rebindLines } from '../remedy/sysfs.ts';
import { severityOf } from '../severity.ts';
import { driverEvidence, type GdsDevices, gdsPreconditions, type Precondition } from './gds-preconditions.ts';

export const GDS_COMPAT: Diagnosis = {
  id: 'GDS-COMPAT',
  aliases: [],
  meaning: 'preconditions of GPUDirect Storage are not met, or not in the capture',
  symptom: '"NVMe P2PDMA : Unsupported", cuFile error 5008, or it works and nothing is direct',
  needs: 'drivers of GPUs and drives, kernel command line, modules and their parameters, cufile.json',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const devices = devicesOf(context);
  const { gpus, drives } = devices;
  // One GPU beside one drive is a desktop; GDS is for machines that are built for it.
  if (gpus.length === 0 || drives.length === 0 || (context.intent === null && gpus.length + drives.length < 4))
    return [];
  const wrongDrivers = [
    ...gpus.filter((index) => otherDriver(context, index, 'nvidia')),
    ...drives.filter((index) => otherDriver(context, index, 'nvme')),
  ];
  const conditions = gdsPreconditions(context, devices);
  if (wrongDrivers.length > 0) return [driverFinding(context, devices, wrongDrivers, conditions)];
  const failed = conditions.filter(({ isMet }) => isMet === false);
  const unknown = conditions.filter(({ isMet }) => isMet === null);
  if (failed.length === 0 && unknown.length === 0) return [];
  const other = otherWay(context);
  // With nvidia-fs the drives need none of this, but an NVMe driver that was changed for it, which nothing here shows.
  if (failed.length === 0 || other === 'open') return [unknownFinding(context, devices, conditions)];
  return [failedFinding(context, devices, { conditions, failed, sure: other === 'closed' ? 'certain' : 'likely' })];
}

function devicesOf({ roles, functions }: DoctorContext): GdsDevices {
  const gpus: number[] = [];
  const drives: number[] = [];
  for (const [index, role] of roles.entries()) {
    if (role === 'gpu' && (functions[index] as PciFunction).vendorId === 0x10de) gpus.push(index);
    if (role === 'nvme') drives.push(index);
  }
  return { gpus, drives };
}

/** Whether nvidia-fs, the older way, may serve in place of P2PDMA. */
function otherWay({ machine }: DoctorContext): 'open' | 'closed' | 'unknown' {
  const { modules } = hostEvidenceOf(machine);
  if (modules?.byName.has('nvidia_fs')) return 'open';
  return modules?.complete ? 'closed' : 'unknown';
}

function otherDriver({ functions }: DoctorContext, index: number, wanted: string): boolean {
  const { driver } = functions[index] as PciFunction;
  return driver !== null && driver !== wanted;
}

const WHY =
  'cuFile falls back to copies through system memory without an error where one of its preconditions is missing.';
const ASK = { what: 'modules, cufile.json and the block stack', command: 'gdscheck -p' } as const;

function evidenceOf(
  context: DoctorContext,
  { gpus, drives }: GdsDevices,
  conditions: readonly Precondition[],
): Evidence[] {
  const drivers = [...gpus, ...drives]
    .slice(0, 8)
    .map((index) => driverEvidence(context.functions[index] as PciFunction, gpus.includes(index) ? 'nvidia' : 'nvme'));
  return [...conditions.flatMap(({ evidence }) => evidence), ...drivers];
}

function driverFinding(
  context: DoctorContext,
  devices: GdsDevices,
  wrong: readonly number[],
  conditions: readonly Precondition[],
): Finding {
  const drivers = wrong.map((index) => (context.functions[index] as PciFunction).driver ?? 'no driver');
  return {
    ...NOTHING,
    id: 'GDS-COMPAT',
    severity: severityOf('GDS-COMPAT', 'driver', context),
    sure: 'certain',
    title: `GPUDirect Storage cannot use ${listed(namesOf(context, wrong))}: bound to ${listed([...new Set(drivers)])}`,
    at: namesOf(context, wrong),
    functions: namesOf(context, [...devices.gpus, ...devices.drives]),
    evidence: [
      ...wrong
        .slice(0, 8)
        .map((index) =>
          driverEvidence(context.functions[index] as PciFunction, devices.gpus.includes(index) ? 'nvidia' : 'nvme'),
        ),
      ...conditions.filter(({ isMet }) => isMet === false).flatMap(({ evidence }) => evidence),
    ],
    why: WHY,
    fixes: [
      {
        ...BY_HAND,
        kind: 'sysfs',
        what: 'Bind the drivers nvidia and nvme',
        commands: wrong.slice(0, 8).flatMap((index) => {
          const { name, driver } = context.functions[index] as PciFunction;
          const wanted = devices.gpus.includes(index) ? 'nvidia' : 'nvme';
          return rebindLines(name, driver, wanted);
        }),
        cost: 'What uses the device now, a virtual machine or SPDK, loses it.',
        takeBack: 'the same with the old driver',
      },
    ],
  };
}

function failedFinding(
  context: DoctorContext,
  devices: GdsDevices,
  found: {
    readonly conditions: readonly Precondition[];
    readonly failed: readonly Precondition[];
    readonly sure: Certainty;
  },
): Finding {
  const { failed } = found;
  const problems = failed.map(({ problem }) => problem);
  return {
    ...NOTHING,
    id: 'GDS-COMPAT',
    severity: severityOf('GDS-COMPAT', 'failed', context),
    sure: found.sure,
    title: `GPUDirect Storage is not direct between ${listed(namesOf(context, devices.gpus))} and ${listed(namesOf(context, devices.drives))}: ${listed(problems)}`,
    at: namesOf(context, devices.gpus),
    functions: namesOf(context, [...devices.gpus, ...devices.drives]),
    evidence: [...failed.flatMap(({ evidence }) => evidence), ...othersOf(found)],
    why: WHY,
    fixes: failed.map(fixOf),
    missing:
      found.sure === 'certain'
        ? null
        : { what: 'whether nvidia-fs serves in its place', command: 'lsmod | grep nvidia_fs' },
  };
}

function othersOf({
  conditions,
  failed,
}: {
  readonly conditions: readonly Precondition[];
  readonly failed: readonly Precondition[];
}): Evidence[] {
  return conditions.filter((condition) => !failed.includes(condition)).flatMap(({ evidence }) => evidence);
}

function fixOf({ problem, lines }: Precondition): Fix {
  return {
    ...BY_HAND,
    what: `Since ${problem}:`,
    ...lines,
    cost: lines.reboot ? 'A reboot, or the driver loaded again.' : 'None.',
  };
}

const CHECKLIST: Fix = {
  ...BY_HAND,
  what: 'Go through the preconditions in this order: Linux 6.2 with CONFIG_PCI_P2PDMA; a road between GPU and drive; NVIDIA’s open driver, 565 or later, with RMForceStaticBar1=1; NVMe multipath off; no md-raid; use_pci_p2pdma true in cufile.json',
  ...moduleLines([
    'options nvidia NVreg_RegistryDwords="RMForceStaticBar1=1;RmForceDisableIomapWC=1;"',
    'options nvme_core multipath=N',
  ]),
  commands: [UPDATE_INITRAMFS, 'gdscheck -p   # after the boot'],
  cost: 'A reboot, or the drivers loaded again; without multipath a drive with two ports has one.',
};

function unknownFinding(context: DoctorContext, devices: GdsDevices, conditions: readonly Precondition[]): Finding {
  const names = namesOf(context, [...devices.gpus, ...devices.drives]);
  const failed = conditions.filter(({ isMet }) => isMet === false);
  return {
    ...NOTHING,
    id: 'GDS-COMPAT',
    severity: severityOf('GDS-COMPAT', 'open'),
    sure: 'open',
    title: `Whether GPUDirect Storage is direct between ${listed(names)} is not in this capture`,
    functions: names,
    evidence: evidenceOf(context, devices, conditions),
    why: WHY,
    fixes: failed.length > 0 ? failed.map(fixOf) : [CHECKLIST],
    missing: ASK,
  };
}
