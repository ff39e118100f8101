/**
 * Whose rule a pair stands under, and what that rule says. The kernel's P2PDMA is one judge of several: NVIDIA's driver, CUDA, NCCL,
 * GPUDirect Storage and ROCm decide by rules of their own, and some never ask the kernel.
 */

import type { Role } from '../../machine/roles.ts';
import type { JudgeContext } from '../../p2p/judge.ts';
import type { LinkWord } from '../../p2p/link-word.ts';
import type { PairVerdict } from '../../p2p/verdict.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { Certainty } from '../finding.ts';
import type { RuleId } from './rules.ts';

/** Who decides. */
export type Decider =
  | 'kernelP2pdma'
  | 'nvidiaDriver'
  | 'cudaTransport'
  | 'gpudirectRdma'
  | 'nccl'
  | 'gds'
  | 'amdgpu'
  | 'rocm'
  | 'xe'
  | 'kernelRdma'
  | 'userSpace'
  | 'rootComplex';

/**
 * `writesOnly`: writes pass, reads do not. `depends`: on something that the capture does not show. `notAsked`: the users of this pair
 * never ask this judge, whatever it would say.
 */
export type Answer = 'yes' | 'no' | 'writesOnly' | 'depends' | 'notAsked';

/** A line of a log or a table of a tool that answers for the judge itself. It beats the table of rules. */
export interface Held {
  readonly decider: Decider;
  readonly answer: Answer;
  /** What it says, without a full stop: `nvidia-smi topo -p2p says GNS for this pair`. */
  readonly words: string;
  readonly file: string;
  /** 1-based; null where the file has no lines. */
  readonly line: number | null;
}

/** Something that moves the answer. */
export interface RuleSetting {
  /** As it is written: `NCCL_P2P_LEVEL=PHB`. */
  readonly setting: string;
  /** What it does, one clause. */
  readonly effect: string;
}

/** What one judge says of one pair. */
export interface Opinion {
  readonly decider: Decider;
  /** What it decides, a noun phrase: `CUDA peer access over PCIe`. */
  readonly decides: string;
  readonly answer: Answer;
  /** Why, one or two sentences with full stops. */
  readonly words: string;
  readonly sure: Certainty;
  /** The command that asks the judge itself. */
  readonly ask: string;
  readonly settings: readonly RuleSetting[];
  /** The rows of the table that it rests on; none where a tool has answered. */
  readonly rules: readonly RuleId[];
  /** The line in hand that answered; null where the table did. */
  readonly held: Held | null;
}

/** What every judge is shown of a pair. `master` does the DMA, `owner` has the memory. */
export interface RulePair {
  readonly judge: JudgeContext;
  readonly provider: number;
  readonly client: number;
  readonly owner: PciFunction;
  readonly master: PciFunction;
  readonly ownerRole: Role | null;
  readonly masterRole: Role | null;
  readonly verdict: PairVerdict;
  readonly link: LinkWord;
}

/** Vendors whose devices have rules of their own. */
export const VENDOR_NVIDIA = 0x10de;
export const VENDOR_AMD = 0x1002;
export const VENDOR_INTEL = 0x8086;

/** Whether both ends are GPUs or accelerators of one vendor. */
export function areGpusOf({ owner, master, ownerRole, masterRole }: RulePair, vendor: number): boolean {
  return owner.vendorId === vendor && master.vendorId === vendor && isGpu(ownerRole) && isGpu(masterRole);
}

/** The end that is a GPU of `vendor`, where the other end has `role`; null where the pair is not such a one. */
export function gpuBeside(
  { owner, master, ownerRole, masterRole }: RulePair,
  vendor: number,
  role: Role,
): PciFunction | null {
  if (owner.vendorId === vendor && isGpu(ownerRole) && masterRole === role) return owner;
  return master.vendorId === vendor && isGpu(masterRole) && ownerRole === role ? master : null;
}

/** Whether a role is one that computes. */
export function isGpu(role: Role | null): boolean {
  return role === 'gpu' || role === 'accelerator';
}
