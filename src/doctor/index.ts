export type { IsolationCost, JoinedGroup } from './isolation.ts';
export { isolationCost } from './isolation.ts';
export type { SetpciLine } from './kernel-parameter.ts';
export { acsFlags, configAcs, disableAcsRedir, grubLine, setpciLines, shellQuoted } from './kernel-parameter.ts';
export type { MissingEvidence } from './missing-evidence.ts';
export { missingEvidence } from './missing-evidence.ts';
export type { MoveChange, PortChange, SettingsChange, SmallestChange } from './smallest-change.ts';
export { isBetter, smallestChange } from './smallest-change.ts';
