/** All opinions on one pair: those that decide first, the kernel always among them. */

import type { Role } from '../../machine/roles.ts';
import { judgePair } from '../../p2p/distance.ts';
import type { JudgeContext } from '../../p2p/judge.ts';
import { linkWord } from '../../p2p/link-word.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { amdgpuOpinion, rocmOpinion, xeOpinion } from './gpu-driver-judges.ts';
import { gdsOpinion, gpudirectRdmaOpinion } from './gpudirect-judge.ts';
import { kernelOpinion, kernelRdmaOpinion, userSpaceOpinion } from './kernel-judge.ts';
import { ncclOpinion } from './nccl-judge.ts';
import { cudaTransportOpinion, nvidiaOpinion } from './nvidia-judge.ts';
import type { Held, Opinion, RulePair } from './opinion.ts';
import { rootComplexOpinion } from './root-complex-judge.ts';

/** What is needed of a machine: its judge, and what each function is to somebody who pairs devices. */
export interface RuleContext {
  readonly judge: JudgeContext;
  readonly roles: readonly (Role | null)[];
}

/** Those who decide, then those who decide on top of them, then what bounds both. */
const JUDGES: readonly ((pair: RulePair) => Opinion | null)[] = [
  nvidiaOpinion,
  userSpaceOpinion,
  gpudirectRdmaOpinion,
  gdsOpinion,
  amdgpuOpinion,
  xeOpinion,
  kernelOpinion,
  kernelRdmaOpinion,
  ncclOpinion,
  rocmOpinion,
  cudaTransportOpinion,
  rootComplexOpinion,
];

/**
 * Who decides whether `client` may use memory of `provider` (both by index), and what each would say. `held` are lines of logs and
 * tables in hand that answer for a judge: they take the place of what the table of rules says.
 */
export function whoseRule(
  { judge, roles }: RuleContext,
  provider: number,
  client: number,
  held: readonly Held[] = [],
): Opinion[] {
  const pair: RulePair = {
    judge,
    provider,
    client,
    owner: judge.functions[provider] as PciFunction,
    master: judge.functions[client] as PciFunction,
    ownerRole: roles[provider] ?? null,
    masterRole: roles[client] ?? null,
    verdict: judgePair(judge, provider, client),
    link: linkWord(judge, provider, client),
  };
  const opinions = JUDGES.map((judgeOf) => judgeOf(pair)).filter((opinion) => opinion !== null);
  return opinions.map((opinion) => withHeld(opinion, held));
}

/** What the judge itself has answered beats what a table says of it. That it allows is its opinion, and no proof that data arrives. */
function withHeld(opinion: Opinion, held: readonly Held[]): Opinion {
  const found = held.find(({ decider }) => decider === opinion.decider);
  if (found === undefined) return opinion;
  const differs =
    found.answer !== opinion.answer && opinion.answer !== 'depends' ? ' The table of rules says otherwise.' : '';
  return {
    ...opinion,
    answer: found.answer,
    words: `${found.words}.${differs}`,
    sure: 'certain',
    rules: [],
    held: found,
  };
}
