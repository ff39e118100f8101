/** What Linux says of the machine and of its IOMMU while it boots. */

import { hexNumber, type LogSubject, NAME, sentences } from './log-reader.ts';

export const bootSubject: LogSubject = sentences(
  [
    'Linux version ',
    ' SMP',
    ' PREEMPT',
    'GNU/Linux',
    'ommand line: ',
    'Hypervisor detected',
    'paravirtualized kernel on',
    'CPU0: ',
    'DMI: ',
    'Booting Linux on physical CPU',
    'hysical address',
  ],
  [
    {
      pattern: /^Linux version (\d{1,3}\.\d{1,3}\S{0,100})/,
      says: ([, release]) => ({ what: 'kernel', release: release as string }),
    },
    {
      // uname -a
      pattern: /^Linux \S{1,64} (\d{1,3}\.\d{1,3}\S{0,100}) #\d/,
      says: ([, release]) => ({ what: 'kernel', release: release as string }),
    },
    {
      pattern: /^(?:Kernel c|C)ommand line: (\S.{0,4095})$/,
      says: ([, text]) => ({ what: 'commandLine', parameters: text as string }),
    },
    {
      pattern: /^Hypervisor detected: (\S.{0,60})$/,
      says: ([, name]) => ({ what: 'hypervisor', name: (name as string).trim() }),
    },
    {
      pattern: /^Booting paravirtualized kernel on (?!bare hardware)(\S.{0,60})$/,
      says: ([, name]) => ({ what: 'hypervisor', name: (name as string).trim() }),
    },
    {
      pattern:
        /^(?:smpboot: )?CPU0: (\S.{1,80}?) \((?:family|fam): (0x)?([0-9a-f]{1,3}), model: (?:0x)?([0-9a-f]{1,3})/,
      says: ([, name, prefix, family, model]) => ({
        what: 'cpu',
        name: name as string,
        // Kernels before 3.16 print both without 0x, and in hex as well.
        family: hexNumber(`${prefix ?? ''}${family}`),
        model: hexNumber(model),
      }),
    },
    { pattern: /^DMI: (\S.{0,200})$/, says: ([, name]) => ({ what: 'board', name: name as string }) },
    {
      pattern: /\b(\d{2}) bits? physical|\bphysical address (?:size|width|bits)[: ]{1,2}(\d{2})\b/i,
      says: ([, first, second]) => ({ what: 'physicalWidth', bits: Number(first ?? second) }),
    },
  ],
);

export const iommuSubject: LogSubject = sentences(
  [
    'Default domain type',
    'DMAR: IOMMU',
    'DMAR: Intel(R)',
    'Directed I/O',
    'Host address width',
    'AMD-Vi: ',
    'AMD IOMMUv2',
    'to iommu group',
    'identity map',
    'dentity mapping',
    'passthrough mode',
    'Passthrough',
    'iommu: ',
    'IOMMU disabled',
    'Translation is enabled prior to OS',
  ],
  [
    {
      pattern: /\b[Dd]efault domain type: (Translated|Passthrough)\b(?: \(set (?:via|by) ([\w ]{1,40})\))?/,
      says: ([, type, by]) => ({
        what: 'domainDefault',
        type: type === 'Passthrough' ? 'passthrough' : 'translated',
        by: by ?? null,
      }),
    },
    {
      pattern:
        /^(?:AMD-Vi|DMAR|iommu|Intel-IOMMU): ?(?:Using passthrough domain|Hardware pass ?through|.{0,20}passthrough mode)/i,
      says: () => ({ what: 'domainDefault', type: 'passthrough', by: null }),
    },
    {
      pattern: new RegExp(`\\b${NAME}: Adding to iommu group (\\d{1,5})`),
      says: ([, at, group]) => ({ what: 'iommuGroup', at: at as string, group: Number(group) }),
    },
    {
      pattern: new RegExp(`(?:Setting identity map for device|[Ii]dentity mapping for device) ${NAME}`),
      says: ([, at]) => ({ what: 'identityMap', at: at as string }),
    },
    {
      pattern: /^DMAR: Host address width (\d{2})\b/,
      says: ([, bits]) => ({ what: 'iommuWidth', bits: Number(bits) }),
    },
    { pattern: /^(?:DMAR|Intel-IOMMU|AMD-Vi|iommu): (?:IOMMU )?disabled\b/i, says: () => ({ what: 'iommuOff' }) },
    {
      pattern:
        /^(?:DMAR: (?:IOMMU enabled|Intel\(R\) Virtualization Technology for Directed I\/O)|PCI-DMA: Intel\(R\) Virtualization)/,
      says: () => ({ what: 'iommuOn', iommu: 'DMAR' }),
    },
    {
      pattern:
        /^(?:pci [0-9a-f:.]{10,16}: )?AMD-Vi: (?:Interrupt remapping enabled|Virtual APIC enabled|Lazy IO\/TLB flushing|IO\/TLB flush on unmap|AMD IOMMUv2 (?:loaded|functionality)|Found IOMMU|X2APIC enabled|Enabling IOMMU|Extended features)/,
      says: () => ({ what: 'iommuOn', iommu: 'AMD-Vi' }),
    },
    {
      pattern: /^iommu: DMA domain TLB invalidation policy/,
      says: () => ({ what: 'iommuOn', iommu: 'IOMMU' }),
    },
  ],
);
