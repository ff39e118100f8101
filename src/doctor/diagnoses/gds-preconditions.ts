/**
 * What GPUDirect Storage asks for to read NVMe drives without nvidia-fs, one precondition after the other, each with what the capture shows
 * of it. NVIDIA, GPUDirect Storage troubleshooting guide, "NVMe P2PDMA"; "GDS Support for NVMe Drives Using Linux PCI P2PDMA".
 */

import { isConfigured } from '../../machine/kernel-config.ts';
import { kernelKnows, sinceRelease } from '../../machine/kernel-release.ts';
import { hostEvidenceOf } from '../../machine/machine.ts';
import { judgePair } from '../../p2p/distance.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { lastValue } from '../command-line/command-line.ts';
import type { DoctorContext } from '../context.ts';
import { factEvidence, machineEvidence, settingEvidence } from '../facts/evidence.ts';
import { configEvidence, kernelHasP2p } from '../facts/kernel-has-p2p.ts';
import type { Evidence, Fix } from '../finding.ts';
import { kernelConfigLines, moduleLines } from '../remedy/boot-fix.ts';

export interface Precondition {
  /** In a sentence: what is wrong where it is not met. */
  readonly problem: string;
  /** Null where the capture does not tell. */
  readonly isMet: boolean | null;
  readonly evidence: readonly Evidence[];
  /** Lines that would meet it, and the way back. */
  readonly lines: Pick<Fix, 'kind' | 'settings' | 'commands' | 'undo' | 'takeBack' | 'reboot'>;
}

/** Drives and GPUs by index. */
export interface GdsDevices {
  readonly gpus: readonly number[];
  readonly drives: readonly number[];
}

/** All preconditions, in the order in which they are best checked. */
export function gdsPreconditions(context: DoctorContext, devices: GdsDevices): Precondition[] {
  return [
    kernelCondition(context),
    roadCondition(context, devices),
    driverRelease(context),
    ...registryCondition(context),
    multipathCondition(context),
    cufileCondition(context),
    raidCondition(context),
  ];
}

function kernelCondition({ machine }: DoctorContext): Precondition {
  const since = sinceRelease('userMapping');
  const isNew = kernelKnows(machine.kernel, 'userMapping');
  const support = kernelHasP2p(machine);
  const isMet = isNew === false || support.state === 'off' ? false : isNew && support.state === 'on' ? true : null;
  return {
    problem: isNew === false ? `Linux ${machine.kernel} is older than ${since}` : 'the kernel lacks CONFIG_PCI_P2PDMA',
    isMet,
    evidence: [
      machineEvidence(machine, 'kernel release', machine.kernel ?? 'not captured', `${since} or later is needed`),
      ...(support.state === 'unknown' ? [] : support.evidence),
    ],
    lines: kernelConfigLines(['CONFIG_PCI_P2PDMA=y']),
  };
}

/** As many pairs of a GPU and a drive are judged. */
const PAIRS_MAX = 4096;

function roadCondition({ judge, functions }: DoctorContext, { gpus, drives }: GdsDevices): Precondition {
  const pairs = gpus.flatMap((gpu) => drives.map((drive) => [gpu, drive] as const)).slice(0, PAIRS_MAX);
  const types = pairs.map(([gpu, drive]) => judgePair(judge, gpu, drive).type);
  const open = types.filter((type) => type === 'busAddr' || type === 'thruHostBridge').length;
  const isUnknown = types.includes('unknown');
  const [gpu] = gpus;
  return {
    problem: 'no drive has a road to a GPU',
    isMet: open > 0 ? true : isUnknown ? null : false,
    evidence: [
      {
        at: gpu === undefined ? null : (functions[gpu] as PciFunction).name,
        register: 'pairs of GPU and drive',
        offset: null,
        value: `${open} of ${pairs.length} open`,
        meaning: 'one is needed; the other findings tell why',
        source: null,
        line: null,
      },
    ],
    lines: { kind: 'move', commands: ['p2pdma matrix'], undo: [], takeBack: 'move the card back', reboot: true },
  };
}

function driverRelease({ machine }: DoctorContext): Precondition {
  const version = hostEvidenceOf(machine).modules?.byName.get('nvidia')?.version ?? null;
  const major = /\b(\d{3,4})\.\d+/.exec(version?.value ?? '')?.[1];
  // Only the long text of /proc/driver/nvidia/version says which of the two modules it is.
  const isOpen = version === null || !version.value.includes('Kernel Module') ? null : version.value.includes('Open');
  const isNew = major === undefined ? null : Number(major) >= 565;
  return {
    problem: 'the driver of the GPU is not NVIDIA’s open one of release 565 or later',
    isMet: isOpen === false || isNew === false ? false : isOpen && isNew ? true : null,
    evidence: [
      settingEvidence(version, {
        register: 'version of nvidia',
        meaning: 'the open module, 565 or later, is needed',
      }),
    ],
    lines: {
      kind: 'byHand',
      commands: ['cat /proc/driver/nvidia/version'],
      undo: [],
      takeBack: 'install the old driver',
      reboot: true,
    },
  };
}

/** Words of RegistryDwords that x86 needs. */
const DWORDS: readonly string[] = ['RMForceStaticBar1', 'RmForceDisableIomapWC'];
const DWORD_LINE = 'options nvidia NVreg_RegistryDwords="RMForceStaticBar1=1;RmForceDisableIomapWC=1;"';

function registryCondition({ machine }: DoctorContext): Precondition[] {
  const vendor = machine.cpu?.vendor ?? null;
  if (vendor !== null && !/^(?:GenuineIntel|AuthenticAMD|HygonGenuine)$/.test(vendor)) return [];
  const parameters = hostEvidenceOf(machine).modules?.byName.get('nvidia')?.parameters;
  const settings = [parameters?.get('RegistryDwords'), parameters?.get('RegistryDwordsPerDevice')].flatMap((setting) =>
    setting === undefined ? [] : [setting],
  );
  const has = (word: string): boolean =>
    settings.some(({ value }) => new RegExp(`(?:^|;)\\s*${word}=(?:1|0x0*1)\\b`, 'i').test(value));
  const lacking = DWORDS.filter((word) => !has(word));
  return [
    {
      problem: `the GPU’s driver runs without ${lacking.map((word) => `${word}=1`).join(' and ')}`,
      isMet: settings.length === 0 ? null : lacking.length === 0,
      evidence: (settings.length === 0 ? [null] : settings).map((setting) =>
        settingEvidence(setting?.value === '' ? { ...setting, value: 'empty' } : setting, {
          register: 'NVreg_RegistryDwords',
          meaning: `${DWORDS.map((word) => `${word}=1`).join('; ')} are needed`,
        }),
      ),
      lines: moduleLines([DWORD_LINE]),
    },
  ];
}

function multipathCondition({ machine, commandLine }: DoctorContext): Precondition {
  const { modules, kernelConfig } = hostEvidenceOf(machine);
  const parameter = modules?.byName.get('nvme_core')?.parameters.get('multipath');
  const given = commandLine === null ? null : lastValue(commandLine, 'nvme_core.multipath');
  const value = parameter?.value ?? given;
  const isBuilt = kernelConfig === null ? null : isConfigured(kernelConfig, 'NVME_MULTIPATH');
  // The running module knows best, then what it was told, then how it was built.
  const isOff = value === null || value === undefined ? (isBuilt === false ? true : null) : /^[N0]/i.test(value);
  const evidence =
    parameter !== undefined
      ? [settingEvidence(parameter, { register: 'nvme_core.multipath', meaning: 'N is needed' })]
      : isBuilt === false && given === null
        ? [configEvidence(machine, 'NVME_MULTIPATH')]
        : [machineEvidence(machine, 'nvme_core.multipath', given ?? 'not on the command line', 'N is needed')];
  return {
    problem: 'NVMe multipath is on',
    isMet: isOff,
    evidence,
    lines: moduleLines(['options nvme_core multipath=N']),
  };
}

function cufileCondition({ machine }: DoctorContext): Precondition {
  const { cufile } = hostEvidenceOf(machine);
  const setting = cufile?.get('use_pci_p2pdma');
  return {
    problem: 'cufile.json does not turn use_pci_p2pdma on',
    // Where the file does not name it, it is off.
    isMet: cufile === null ? null : setting?.value === 'true',
    evidence: [
      settingEvidence(
        setting ?? (cufile === null ? null : { value: 'not named: false', file: 'etc/cufile.json', line: null }),
        { register: 'use_pci_p2pdma', meaning: 'true is needed' },
      ),
    ],
    lines: {
      kind: 'use',
      settings: [{ where: 'in "properties" of /etc/cufile.json', line: '"use_pci_p2pdma": true,' }],
      commands: [],
      undo: [],
      takeBack: 'set it to false again',
      reboot: false,
    },
  };
}

function raidCondition({ machine }: DoctorContext): Precondition {
  const { nvmeRaids } = hostEvidenceOf(machine);
  const raids = [...(nvmeRaids ?? [])];
  return {
    problem: 'drives are members of a RAID of md, which is not supported',
    isMet: nvmeRaids === null ? null : raids.length === 0,
    evidence: raids.map(([register, setting]) =>
      settingEvidence(setting, { register, meaning: 'files on it are copied through system memory' }),
    ),
    lines: {
      kind: 'byHand',
      commands: ['cat /proc/mdstat'],
      undo: [],
      takeBack: 'build the array again, from a copy of the data',
      reboot: false,
    },
  };
}

/** The driver of a function against the one that is needed. */
export function driverEvidence(fn: PciFunction, wanted: string): Evidence {
  return factEvidence(fn, 'driver', {
    register: 'driver',
    value: fn.driver ?? 'none, or not known',
    meaning: `${wanted} is needed`,
  });
}
