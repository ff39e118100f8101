/** GPUDirect RDMA and GPUDirect Storage: how a network card or a drive gets at the memory of an NVIDIA GPU. */

import { kernelKnows } from '../../machine/kernel-release.ts';
import { hostEvidenceOf } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { nvidiaChip } from './nvidia-chip.ts';
import { gpuBeside, type Opinion, type RulePair, type RuleSetting, VENDOR_NVIDIA } from './opinion.ts';
import { type RuleId, sureOfRules } from './rules.ts';

const VENDOR_MELLANOX = 0x15b3;
/** What a Data Direct function is by its class. */
const CLASS_DATA_DIRECT = 0x0801;

/** Functions of ConnectX cards that do the DMA of others (Data Direct). */
export function dataDirectFunctions(functions: readonly PciFunction[]): PciFunction[] {
  return functions.filter(({ vendorId, classCode }) => vendorId === VENDOR_MELLANOX && classCode === CLASS_DATA_DIRECT);
}

/** By which door a network card takes memory of an NVIDIA GPU; null for any other pair. */
export function gpudirectRdmaOpinion(pair: RulePair): Opinion | null {
  const gpu = gpuBeside(pair, VENDOR_NVIDIA, 'nic');
  if (gpu === null) return null;
  const isGeForce = nvidiaChip(gpu)?.isGeForce === true;
  const others = dataDirectFunctions(pair.judge.functions);
  const rules: RuleId[] = ['nvidia-asks-nobody', 'gdr-two-doors'];
  if (isGeForce) rules.push('gdr-professional-only');
  if (others.length > 0) rules.push('gdr-data-direct');
  const sentences = [
    isGeForce
      ? `${gpu.name} is a GeForce, and GPUDirect RDMA is for professional GPUs.`
      : 'NVIDIA’s driver gives the card the addresses, by the module nvidia-peermem or as a dma-buf.',
    ...(isGeForce ? [] : [doorWords(pair)]),
    ...(others.length === 0
      ? []
      : [
          `With Data Direct the traffic leaves from ${others.map(({ name }) => name).join(', ')}: judge that pair too.`,
        ]),
  ];
  return {
    decider: 'gpudirectRdma',
    decides: 'whether the network card reads and writes GPU memory',
    answer: isGeForce ? 'no' : 'depends',
    words: sentences.join(' '),
    sure: isGeForce ? sureOfRules(['gdr-professional-only']) : 'likely',
    ask: 'lsmod | grep peermem; ib_write_bw --use_cuda=0 --use_cuda_dmabuf',
    settings: isGeForce ? [] : [DMABUF],
    rules,
    held: null,
  };
}

const DMABUF: RuleSetting = {
  setting: 'NCCL_DMABUF_ENABLE=1',
  effect: 'is NCCL’s default; 0 leaves it to nvidia-peermem',
};

/** Which doors the capture shows open. */
function doorWords({ judge }: RulePair): string {
  const { modules } = hostEvidenceOf(judge.machine);
  const isTooOld = kernelKnows(judge.machine.kernel, 'rdmaDmaBuf') === false;
  if (modules?.byName.has('nvidia_peermem')) return 'nvidia-peermem is loaded.';
  if (modules?.complete === true) {
    return isTooOld
      ? `nvidia-peermem is not loaded, and Linux ${judge.machine.kernel} is older than 5.12, which dma-buf needs: neither door is open.`
      : 'nvidia-peermem is not loaded: dma-buf is the door, which needs the open kernel modules.';
  }
  return isTooOld
    ? `Linux ${judge.machine.kernel} is older than 5.12: only nvidia-peermem will do.`
    : 'dma-buf needs the open kernel modules and Linux 5.12.';
}

/** Chips that GPUDirect Storage takes by P2PDMA: professional ones since Ampere. */
const GDS_GENERATIONS: ReadonlySet<string> = new Set(['ampere', 'ada', 'hopper', 'blackwell']);

/** Which of its two modes GPUDirect Storage can take for an NVIDIA GPU and a drive; null for any other pair. */
export function gdsOpinion(pair: RulePair): Opinion | null {
  const gpu = gpuBeside(pair, VENDOR_NVIDIA, 'nvme');
  if (gpu === null) return null;
  const { modules, cufile } = hostEvidenceOf(pair.judge.machine);
  const chip = nvidiaChip(gpu);
  const hasModule = modules?.byName.has('nvidia_fs') === true;
  if (hasModule && cufile?.get('use_pci_p2pdma')?.value !== 'true') {
    return opinionOf({
      answer: 'depends',
      words:
        'nvidia-fs is loaded: NVIDIA’s driver gives the drive the addresses, and the kernel’s P2PDMA is not asked.',
      sure: 'likely',
      rules: ['gds-nvidia-fs'],
    });
  }
  if (chip !== null && (chip.isGeForce || !GDS_GENERATIONS.has(chip.generation))) {
    return opinionOf({
      answer: 'no',
      words: `${gpu.name} (${chip.name}) is not among the GPUs that GPUDirect Storage takes by P2PDMA: professional ones since Ampere. Otherwise it copies through RAM.`,
      sure: sureOfRules(['gds-p2pdma']),
      rules: ['gds-p2pdma'],
    });
  }
  return opinionOf({
    answer: pair.verdict.type === 'notSupported' ? 'no' : 'depends',
    words:
      pair.verdict.type === 'notSupported'
        ? 'Without nvidia-fs it goes by the kernel’s P2PDMA, which refuses this pair: it copies through RAM.'
        : 'Without nvidia-fs it goes by the kernel’s P2PDMA, with Linux 6.2, the open driver 565 or newer and a static BAR1.',
    sure: pair.verdict.type === 'notSupported' ? sureOfRules(['gds-p2pdma']) : 'likely',
    rules: ['gds-p2pdma', 'gds-nvidia-fs'],
  });
}

function opinionOf(found: Pick<Opinion, 'answer' | 'words' | 'sure' | 'rules'>): Opinion {
  return {
    decider: 'gds',
    decides: 'whether GPUDirect Storage is direct',
    ask: 'gdscheck -p',
    settings: [{ setting: 'use_pci_p2pdma in /etc/cufile.json', effect: 'chooses the mode without nvidia-fs' }],
    held: null,
    ...found,
  };
}
