/** GPUs whose drivers ask the kernel, and add conditions of their own: amdgpu with ROCm, i915 and xe. */

import { sizeWords } from '../../core/words.ts';
import { isConfigured } from '../../machine/kernel-config.ts';
import { kernelKnows } from '../../machine/kernel-release.ts';
import { hostEvidenceOf } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type Answer, areGpusOf, isGpu, type Opinion, type RulePair, VENDOR_AMD, VENDOR_INTEL } from './opinion.ts';
import { sureOfRules } from './rules.ts';

/** What a BAR0 shows before it is resized. */
const SMALL_BAR0 = 256 * 2 ** 20;

/** The driver's own conditions for two AMD GPUs; null for any other pair. */
export function amdgpuOpinion(pair: RulePair): Opinion | null {
  if (!areGpusOf(pair, VENDOR_AMD)) return null;
  const failed = failedConditions(pair);
  const isRefused = pair.verdict.type === 'notSupported';
  const answer: Answer = failed.length > 0 || isRefused ? 'no' : 'depends';
  return {
    decider: 'amdgpu',
    decides: 'peer access of HIP over PCIe between these GPUs',
    answer,
    words: `amdgpu asks the kernel’s P2PDMA${isRefused ? ', which refuses' : ''}; it also needs a BAR0 that shows all memory, pcie_p2p=1 and CONFIG_HSA_AMD_P2P. ${
      failed.length > 0 ? `Here: ${failed.join(', and ')}. ` : ''
    }GPUs with an xGMI link use that instead.`,
    // xGMI shows in no listing of PCI.
    sure: 'likely',
    ask: 'rocm-smi --showtopoaccess; rocm-smi --showtopotype',
    settings: [
      { setting: 'amdgpu.pcie_p2p=1', effect: 'is the default' },
      { setting: 'Resizable BAR in the firmware setup', effect: 'lets BAR0 show all memory' },
    ],
    rules: ['amdgpu-peers', 'rocm-xgmi'],
    held: null,
  };
}

/** Conditions that the capture shows to be unmet, as clauses. */
function failedConditions({ owner, judge }: RulePair): string[] {
  const { modules, kernelConfig } = hostEvidenceOf(judge.machine);
  const failed: string[] = [];
  const size = bar0Of(owner);
  if (size !== null && size <= SMALL_BAR0) failed.push(`BAR0 of ${owner.name} is ${sizeWords(size)}`);
  if (/^(?:0|N)$/i.test(modules?.byName.get('amdgpu')?.parameters.get('pcie_p2p')?.value ?? ''))
    failed.push('pcie_p2p is off');
  const isAsked = kernelKnows(judge.machine.kernel, 'amdPeersAlways') === false;
  if (isAsked && kernelConfig !== null && isConfigured(kernelConfig, 'HSA_AMD_P2P') === false)
    failed.push('HSA_AMD_P2P is not built in');
  return failed;
}

function bar0Of({ bars }: PciFunction): number | null {
  return bars.find(({ index }) => index === 0)?.size ?? null;
}

/** ROCm's own switch for peers over PCIe; null where no AMD GPU takes part. */
export function rocmOpinion(pair: RulePair): Opinion | null {
  if (!areGpusOf(pair, VENDOR_AMD)) return null;
  return {
    decider: 'rocm',
    decides: 'whether ROCm and RCCL use peers over PCIe',
    answer: 'depends',
    words: 'Before ROCm 5.7 peers over PCIe also need HSA_FORCE_FINE_GRAIN_PCIE=1; newer releases do not.',
    sure: sureOfRules(['rocm-fine-grain']),
    ask: 'NCCL_DEBUG=INFO <the program>',
    settings: [{ setting: 'HSA_FORCE_FINE_GRAIN_PCIE=1', effect: 'is needed before ROCm 5.7' }],
    rules: ['rocm-fine-grain'],
    held: null,
  };
}

/** Intel GPUs: the kernel decides, and Level Zero says what it found. Null where no Intel GPU offers its memory. */
export function xeOpinion({ owner, ownerRole, verdict }: RulePair): Opinion | null {
  if (owner.vendorId !== VENDOR_INTEL || !isGpu(ownerRole)) return null;
  const isRefused = verdict.type === 'notSupported';
  return {
    decider: 'xe',
    decides: 'peer access of Level Zero and SYCL',
    answer: isRefused ? 'no' : verdict.type === 'unknown' ? 'depends' : 'yes',
    words: `${owner.driver ?? 'i915 or xe'} exports memory as a dma-buf and asks the kernel’s P2PDMA${
      isRefused ? ', which refuses: copies go through RAM.' : '.'
    }`,
    sure: sureOfRules(['xe-asks-kernel']),
    ask: 'zeDeviceCanAccessPeer, or sycl-ls and a copy that is verified',
    settings: [],
    rules: ['xe-asks-kernel'],
    held: null,
  };
}
