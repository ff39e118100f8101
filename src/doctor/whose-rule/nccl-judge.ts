/** NCCL and RCCL, which decide on top of the driver by how far two devices stand from each other. */

import { processorOf } from '../../machine/infer/processor.ts';
import { areGpusOf, gpuBeside, type Opinion, type RulePair, VENDOR_NVIDIA } from './opinion.ts';
import { sureOfRules } from './rules.ts';

/** Levels from near to far, and the one that a link of `topo -m` needs: NCCL has no NODE, its PHB reaches over a NUMA node. */
const NEEDED: Partial<Readonly<Record<RulePair['link'], 'PIX' | 'PXB' | 'PHB' | 'SYS'>>> = {
  PIX: 'PIX',
  PXB: 'PXB',
  PHB: 'PHB',
  NODE: 'PHB',
  SYS: 'SYS',
  'SYS?': 'SYS',
};

/** Whether NCCL uses a pair of NVIDIA GPUs, or of a GPU and a network card, by default; null for all others. */
export function ncclOpinion(pair: RulePair): Opinion | null {
  const isPeers = areGpusOf(pair, VENDOR_NVIDIA);
  if (!isPeers && gpuBeside(pair, VENDOR_NVIDIA, 'nic') === null) return null;
  const level = NEEDED[pair.link];
  if (level === undefined) return null;
  const variable = isPeers ? 'NCCL_P2P_LEVEL' : 'NCCL_NET_GDR_LEVEL';
  const isNear = level === 'PIX' || level === 'PXB';
  const isSmallAmd = isPeers && !isNear && isAmdWithTwoGpus(pair);
  const isUsed = isNear || isSmallAmd;
  const what = isPeers ? 'peers' : 'GPUDirect RDMA';
  const rule = isPeers ? 'nccl-p2p-level' : 'nccl-gdr-level';
  return {
    decider: 'nccl',
    decides: `whether NCCL uses ${what} for this pair`,
    answer: isUsed ? 'yes' : 'no',
    words: isUsed
      ? `NCCL uses ${what} here by default (${isSmallAmd ? 'an AMD machine with two GPUs at most' : `${level} is near enough`}), where the driver allows it.`
      : `NCCL uses ${what} up to PXB by default, and these two stand at ${level}: it copies through RAM.`,
    sure: sureOfRules([rule]),
    ask: 'NCCL_DEBUG=INFO NCCL_DEBUG_SUBSYS=INIT,GRAPH,NET <the program>',
    settings: isUsed ? [] : [{ setting: `${variable}=${level}`, effect: `allows ${what} at this distance` }],
    rules: [rule],
    held: null,
  };
}

function isAmdWithTwoGpus({ judge }: RulePair): boolean {
  if (processorOf(judge.machine).vendor !== 'AuthenticAMD') return false;
  return judge.functions.filter((fn) => fn.vendorId === VENDOR_NVIDIA && (fn.classCode ?? 0) >> 8 === 0x03).length <= 2;
}
