export { mailDistance, PCI_P2PDMA_THRU_HOST_BRIDGE, p2pdmaDistance } from './distance.ts';
export { findProvider, nearestProviders, p2pdmaDistanceMany } from './find.ts';
export { JudgeContext } from './judge.ts';
export type { AllowedHostBridge, Policy, PolicyName } from './policy.ts';
export { POLICIES, POLICY_NAMES, policyForKernel } from './policy.ts';
export type { MailCase, MapType, PairVerdict, Reason, ReasonCode } from './verdict.ts';
export { mailCase } from './verdict.ts';
