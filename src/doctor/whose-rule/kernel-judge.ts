/** The kernel's P2PDMA, its RDMA, and the drivers of user programs and guests, which ask neither. */

import { mailCase } from '../../p2p/verdict.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { Certainty } from '../finding.ts';
import { type Answer, areGpusOf, gpuBeside, type Opinion, type RulePair, VENDOR_NVIDIA } from './opinion.ts';
import { sureOfRules } from './rules.ts';

/** Drivers that hand a device to a user program or to a guest. */
const USER_DRIVERS: ReadonlySet<string> = new Set([
  'vfio-pci',
  'mlx5_vfio_pci',
  'nvgrace_gpu_vfio_pci',
  'uio_pci_generic',
  'igb_uio',
]);

/** Whether a function belongs to a user program or a guest. */
export function isOfUserSpace({ driver }: PciFunction): boolean {
  return driver !== null && USER_DRIVERS.has(driver);
}

const TYPE_WORDS = {
  a: 'refuses',
  b1: 'allows it through the host bridge',
  b2: 'allows it by bus address',
  c: 'allows it',
  '?': 'cannot be told from this capture',
} as const;

/** What `pci_p2pdma` answers, and whether the users of this pair ask it at all. */
export function kernelOpinion(pair: RulePair): Opinion {
  const { verdict, provider, client } = pair;
  const bypass = whoBypasses(pair);
  const says = TYPE_WORDS[mailCase(verdict.type, provider === client)];
  return {
    decider: 'kernelP2pdma',
    decides: 'mappings by dma-buf, NVMe and RDMA in the kernel',
    answer: bypass === null ? answerOf(pair) : 'notAsked',
    words:
      bypass === null
        ? `${verdict.type === 'unknown' ? 'What it says' : 'It'} ${says}.`
        : `${bypass}${verdict.type === 'unknown' ? '' : ` If it were asked: it ${says}.`}`,
    sure: bypass === null ? sureOf(verdict.type) : verdict.type === 'unknown' ? 'certain' : 'likely',
    ask: 'sudo dmesg | grep -i p2pdma',
    settings: [],
    rules: ['kernel-asked'],
    held: null,
  };
}

function answerOf({ verdict }: RulePair): Answer {
  if (verdict.type === 'unknown') return 'depends';
  return verdict.type === 'notSupported' ? 'no' : 'yes';
}

function sureOf(type: RulePair['verdict']['type']): Certainty {
  return type === 'unknown' ? 'open' : 'certain';
}

/** Why nobody asks the kernel about this pair, as a sentence; null where it is asked. */
function whoBypasses(pair: RulePair): string | null {
  const { owner, master } = pair;
  if (isOfUserSpace(owner) || isOfUserSpace(master)) return 'VFIO and UIO never ask it.';
  if (areGpusOf(pair, VENDOR_NVIDIA) && hasStockDriver(owner) && hasStockDriver(master))
    return 'NVIDIA’s driver never asks it about its own GPUs.';
  const gpu = gpuBeside(pair, VENDOR_NVIDIA, 'nic');
  return gpu !== null && hasStockDriver(gpu) ? 'GPUDirect RDMA never asks it.' : null;
}

/** NVIDIA's own driver, or none that the capture shows: nouveau and others ask the kernel. */
function hasStockDriver({ driver }: PciFunction): boolean {
  return driver === null || driver === 'nvidia';
}

/** RDMA with memory of a peer: which doors are open to it. Null where no network card takes part, or an NVIDIA GPU does. */
export function kernelRdmaOpinion(pair: RulePair): Opinion | null {
  const { ownerRole, masterRole } = pair;
  if (masterRole !== 'nic' && ownerRole !== 'nic') return null;
  if (gpuBeside(pair, VENDOR_NVIDIA, 'nic') !== null) return null;
  return {
    decider: 'kernelRdma',
    decides: 'which memory an RDMA program may register',
    answer: 'depends',
    words:
      'Peer memory reaches the card as a dma-buf (ibv_reg_dmabuf_mr) or from a target in the kernel (nvmet). ibv_reg_mr() of it is refused, and rxe and siw, which copy in software, take none.',
    sure: sureOfRules(['rdma-user-memory']),
    ask: 'rdma link; sudo dmesg | grep -iE "p2p|EREMOTEIO"',
    settings: [],
    rules: ['rdma-user-memory'],
    held: null,
  };
}

/** SPDK, DPDK and guests. Null where both ends have drivers of the kernel. */
export function userSpaceOpinion({ owner, master }: RulePair): Opinion | null {
  const theirs = [owner, master].filter(isOfUserSpace);
  const [first] = theirs;
  if (first === undefined) return null;
  const isUio = theirs.some(({ driver }) => driver === 'igb_uio' || driver === 'uio_pci_generic');
  return {
    decider: 'userSpace',
    decides: 'mappings of a user program (SPDK, DPDK) or of a guest',
    answer: 'depends',
    words: `${theirs.map(({ name }) => name).join(' and ')} ${theirs.length === 1 ? 'belongs' : 'belong'} to ${first.driver}: ${
      isUio
        ? 'UIO maps nothing, the program hands out physical addresses, and the IOMMU must not translate.'
        : 'VFIO type1 maps BARs of peers into the IOMMU itself; iommufd takes them as dma-bufs since Linux 6.19. The path is the hardware’s matter.'
    }`,
    sure: sureOfRules(['user-space-drivers']),
    ask: 'sudo dmesg | grep -iE "vfio|DMAR|AMD-Vi"',
    settings: [],
    rules: ['user-space-drivers'],
    held: null,
  };
}
