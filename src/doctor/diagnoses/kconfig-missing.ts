/**
 * The hardware could, and the kernel was built, or told, not to. CONFIG_PCI_P2PDMA, since Linux 4.20, for all; CONFIG_HSA_AMD_P2P and
 * CONFIG_DMABUF_MOVE_NOTIFY for AMD's GPUs. Linux drivers/pci/Kconfig, drivers/gpu/drm/amd/amdkfd/Kconfig, drivers/dma-buf/Kconfig.
 */

import { listed } from '../../core/words.ts';
import { isConfigured } from '../../machine/kernel-config.ts';
import { kernelKnows, sinceRelease } from '../../machine/kernel-release.ts';
import { hostEvidenceOf } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type DoctorContext, namesOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { machineEvidence, settingEvidence } from '../facts/evidence.ts';
import { configEvidence, type KernelSupport, kernelHasP2p } from '../facts/kernel-has-p2p.ts';
import { logEvidence, loggedOf } from '../facts/log-evidence.ts';
import type { Finding, Fix } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { kernelConfigLines, wordFix } from '../remedy/boot-fix.ts';
import { severityOf } from '../severity.ts';

export const KCONFIG_MISSING: Diagnosis = {
  id: 'KCONFIG-MISSING',
  aliases: [],
  meaning: 'the kernel has no peer-to-peer DMA',
  symptom: 'supported in hardware, and every interface says no',
  needs: 'kernel release; the kernel’s configuration, or p2pmem/ of sysfs, which shows that it is on',
  diagnose,
};

/** With the symbols that show which others were asked for. */
const COMMAND =
  "(zcat /proc/config.gz || cat /boot/config-$(uname -r)) | grep -E '^(# )?CONFIG_(PCI|PCI_P2PDMA|ZONE_DEVICE|MEMORY_HOTPLUG|DMA_SHARED_BUFFER|DMABUF_MOVE_NOTIFY|HSA_AMD|HSA_AMD_P2P)[= ]'";

function diagnose(context: DoctorContext): Finding[] {
  if (context.cases.length === 0) return [];
  const support = kernelHasP2p(context.machine);
  const isOpen = context.cases.some((item) => item.type !== 'notSupported');
  switch (support.state) {
    case 'off':
      // Where no pair could anyway, an old kernel is not what to begin with; a configuration that was captured is told.
      return isOpen || support.why === 'config' ? [missingFinding(context, support, isOpen)] : [];
    case 'on':
      return [...amdFindings(context), ...mappingFinding(context), ...hotplugFinding(context)];
    case 'unknown':
      return isOpen ? [unknownFinding(), ...amdFindings(context)] : [];
  }
}

const NEWER_KERNEL: Fix = {
  ...BY_HAND,
  kind: 'kernelRelease',
  what: `Run a newer kernel; ${sinceRelease('userMapping')} or later for user space`,
  cost: 'A new kernel.',
  takeBack: 'boot the old one',
  reboot: true,
};

function missingFinding(
  context: DoctorContext,
  support: Extract<KernelSupport, { readonly state: 'on' | 'off' }>,
  isOpen: boolean,
): Finding {
  const { machine } = context;
  const byRelease = support.why === 'release';
  const config = hostEvidenceOf(machine).kernelConfig;
  const needsZones = config !== null && isConfigured(config, 'ZONE_DEVICE') === false;
  return {
    ...NOTHING,
    id: 'KCONFIG-MISSING',
    severity: severityOf('KCONFIG-MISSING', isOpen ? 'missing' : 'missingUseless', context),
    sure: 'certain',
    title: byRelease
      ? `Linux ${machine.kernel} has no peer-to-peer DMA: it came with ${sinceRelease('peerToPeer')}`
      : `This kernel${machine.kernel === null ? '' : `, Linux ${machine.kernel},`} was built without peer-to-peer DMA: CONFIG_PCI_P2PDMA is off${needsZones ? ', as is CONFIG_ZONE_DEVICE, which it needs' : ''}`,
    evidence: support.evidence,
    why: 'No driver of this kernel can ask for a peer’s memory by the kernel’s interfaces: every map of it is refused, whatever the hardware can.',
    fixes: [
      byRelease
        ? NEWER_KERNEL
        : {
            ...BY_HAND,
            what: 'Boot a kernel that was built with it: Ubuntu’s since 24.04, or your own with these lines',
            ...kernelConfigLines(['CONFIG_ZONE_DEVICE=y', 'CONFIG_PCI_P2PDMA=y']),
            cost: 'A new kernel. 64 bytes of RAM for each 4 KiB of memory that is offered to peers.',
          },
    ],
  };
}

function unknownFinding(): Finding {
  return {
    ...NOTHING,
    id: 'KCONFIG-MISSING',
    severity: severityOf('KCONFIG-MISSING', 'open'),
    sure: 'open',
    title: 'Whether this kernel was built with peer-to-peer DMA is not in the capture',
    why: 'Without CONFIG_PCI_P2PDMA every interface says no, whatever the hardware can. Ubuntu has it on since 24.04; other distributions differ.',
    missing: { what: 'the kernel’s configuration', command: COMMAND },
  };
}

/** AMD's GPUs ask for more: their driver's own symbol, dma-buf that may move, and a parameter that can close it. */
function amdFindings(context: DoctorContext): Finding[] {
  const { machine, functions, roles } = context;
  const gpus = [...roles.entries()].flatMap(([index, role]) => {
    const fn = functions[index] as PciFunction;
    return role === 'gpu' && fn.vendorId === 0x1002 && (fn.driver === null || fn.driver === 'amdgpu') ? [index] : [];
  });
  const peers = roles.filter((role) => role === 'gpu' || role === 'accelerator' || role === 'nic').length;
  if (gpus.length === 0 || peers < 2) return [];
  const { kernelConfig, modules } = hostEvidenceOf(machine);
  const module = modules?.byName.get('amdgpu');
  const parameter = module?.parameters.get('pcie_p2p');
  const names = namesOf(context, gpus);
  const severity = severityOf('KCONFIG-MISSING', 'amd');
  const base = { ...NOTHING, id: 'KCONFIG-MISSING', severity, at: names, functions: names } as const;
  if (parameter !== undefined && /^[N0]$/i.test(parameter.value)) {
    return [
      {
        ...base,
        sure: 'certain',
        title: `amdgpu was told to do no peer-to-peer: pcie_p2p is off, so ${listed(names)} share nothing`,
        evidence: [settingEvidence(parameter, { register: 'amdgpu.pcie_p2p', meaning: 'off; its default is on' })],
        why: 'ROCm then copies between GPUs through system memory.',
        fixes: [
          {
            ...BY_HAND,
            what: 'Take pcie_p2p=0 out of the command line and of /etc/modprobe.d, or set it to 1',
            ...wordFix(machine, 'amdgpu.pcie_p2p=1')?.lines,
            cost: 'None.',
          },
        ],
      },
    ];
  }
  // A module with a version is AMD's own package, which is built with a configuration of its own.
  if (kernelConfig === null || (module !== undefined && module.version !== null)) return [];
  const isOff = (symbol: string): boolean =>
    kernelConfig.options.get(symbol)?.value === 'n' ||
    (isConfigured(kernelConfig, symbol) === false && kernelKnows(machine.kernel, 'amdPeersAlways') === false);
  const off = ['HSA_AMD_P2P', 'DMABUF_MOVE_NOTIFY'].filter(isOff);
  if (off.length === 0) return [];
  const words = off.map((symbol) => `CONFIG_${symbol}`);
  return [
    {
      ...base,
      sure: 'likely',
      title: `This kernel was built without ${listed(words)}, which ROCm needs for peers of ${listed(names)}`,
      evidence: ['HSA_AMD', ...off].map((symbol) => configEvidence(machine, symbol)),
      why: 'The GPU’s driver then neither opens its memory to other GPUs nor exports it to network cards; RCCL looks for these lines itself, and copies through system memory.',
      fixes: [
        {
          ...BY_HAND,
          what: 'Boot a kernel that was built with them, or install AMD’s own driver package (amdgpu-dkms)',
          ...kernelConfigLines(['CONFIG_DMABUF_MOVE_NOTIFY=y', 'CONFIG_HSA_AMD_P2P=y']),
          cost: 'A new kernel, or a module from outside of it.',
        },
      ],
    },
  ];
}

/** Memory that is published, on a kernel whose user space cannot map it. */
function mappingFinding({ machine, functions }: DoctorContext): Finding[] {
  const publishers = functions.filter((fn) => fn.facts.sysfs?.p2pmem?.published === true).map((fn) => fn.name);
  if (kernelKnows(machine.kernel, 'userMapping') !== false || publishers.length === 0) return [];
  const since = sinceRelease('userMapping');
  return [
    {
      ...NOTHING,
      id: 'KCONFIG-MISSING',
      severity: severityOf('KCONFIG-MISSING', 'mapping'),
      sure: 'certain',
      title: `Programs cannot map the memory that ${listed(publishers)} publish: that came with Linux ${since}`,
      functions: publishers,
      evidence: [machineEvidence(machine, 'kernel release', machine.kernel as string, `older than ${since}`)],
      why: 'Drivers of the kernel can use it; p2pmem/allocate of sysfs is missing.',
      fixes: [NEWER_KERNEL],
    },
  ];
}

/** arm64: memory of a BAR above what the kernel can map gets no page structures, and so no peer-to-peer memory. */
function hotplugFinding({ machine }: DoctorContext): Finding[] {
  const [first] = loggedOf(machine, 'outsideHotplug');
  if (first === undefined) return [];
  return [
    {
      ...NOTHING,
      id: 'KCONFIG-MISSING',
      severity: severityOf('KCONFIG-MISSING', 'hotplug'),
      sure: 'certain',
      title: 'This kernel cannot add memory where a BAR lies: the driver’s offer of it to peers failed',
      evidence: [logEvidence(first.line, null, 'the BAR is outside of what can be hot-plugged')],
      why: 'Peer-to-peer memory needs page structures, and a kernel with narrow addresses makes them only for a part of what the hardware can address.',
      fixes: [
        {
          ...BY_HAND,
          what: 'A kernel with wider virtual addresses, or a firmware that places BARs lower',
          ...kernelConfigLines(['CONFIG_ARM64_VA_BITS_52=y']),
          cost: 'A new kernel, or all BARs move.',
        },
      ],
    },
  ];
}
