/** The opinions of judges on a pair, worded for a screen and as JSON. */

import type { Answer, Decider, Opinion } from '../../doctor/whose-rule/opinion.ts';
import { RULES, type RuleId, type RuleRow } from '../../doctor/whose-rule/rules.ts';

/** Who decides, as the subject of a sentence. */
export const DECIDER_WORDS: Readonly<Record<Decider, string>> = {
  kernelP2pdma: 'the kernel’s P2PDMA',
  nvidiaDriver: 'NVIDIA’s driver',
  cudaTransport: 'CUDA’s transport',
  gpudirectRdma: 'GPUDirect RDMA',
  nccl: 'NCCL',
  gds: 'GPUDirect Storage',
  amdgpu: 'amdgpu',
  rocm: 'ROCm',
  xe: 'Intel’s GPU driver',
  kernelRdma: 'RDMA in the kernel',
  userSpace: 'a user program or a guest',
  rootComplex: 'the root complex',
};

/** An answer in a word or two. */
export const ANSWER_WORDS: Readonly<Record<Answer, string>> = {
  yes: 'yes',
  no: 'no',
  writesOnly: 'writes only',
  depends: 'depends',
  notAsked: 'not asked',
};

/** `NVIDIA’s driver: no, likely`. */
export function opinionHead({ decider, answer, sure }: Opinion): string {
  const who = DECIDER_WORDS[decider];
  const head = `${who[0]?.toUpperCase()}${who.slice(1)}: ${ANSWER_WORDS[answer]}`;
  return sure === 'likely' && answer !== 'depends' ? `${head}, likely` : head;
}

/** An opinion as JSON, with the rows that it rests on and their sources. */
export interface OpinionDocument extends Omit<Opinion, 'words' | 'rules'> {
  readonly message: string;
  readonly rules: readonly (RuleRow & { readonly id: RuleId })[];
}

/** Makes the document. */
export function opinionDocument(opinion: Opinion): OpinionDocument {
  const { decider, decides, answer, words, sure, ask, settings, rules, held } = opinion;
  return {
    decider,
    decides,
    answer,
    sure,
    message: words,
    ask,
    settings,
    rules: rules.map((id) => ({ id, ...RULES[id] })),
    held,
  };
}
