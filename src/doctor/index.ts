export type { IsolationCost, JoinedGroup } from './change/isolation.ts';
export { isolationCost } from './change/isolation.ts';
export { restores, reversed, withChange } from './change/machine-change.ts';
export { bootChange } from './change/parameter-change.ts';
export type { MoveChange, SettingsChange, SmallestChange } from './change/smallest-change.ts';
export { isBetter, smallestChange } from './change/smallest-change.ts';
export { type CaseResult, checkCase } from './check-case.ts';
export type { CheckOptions, CheckResult } from './check-machine.ts';
export { checkMachine, isAtLeast } from './check-machine.ts';
export type { CommandLine, DeviceSelector, PciOption, Token } from './command-line/command-line.ts';
export { parseCommandLine, parseSelector } from './command-line/command-line.ts';
export type { CommandLineProblem, CommandLineProblemCode } from './command-line/command-line-problems.ts';
export { commandLineProblems, correctedLine, repairedLine } from './command-line/command-line-problems.ts';
export type { Diagnosis } from './diagnosis.ts';
export type { MissingEvidence } from './facts/missing-evidence.ts';
export { missingEvidence } from './facts/missing-evidence.ts';
export type {
  Certainty,
  DiagnosisId,
  Evidence,
  Finding,
  Fix,
  FixKind,
  MachineChange,
  Missing,
  Severity,
} from './finding.ts';
export { isProved } from './finding.ts';
export type { PortChange } from './port-change.ts';
export type { Doubt, Judged, NotProved, NotProvedReason, PairRun, Proof, Run, Shown, Tried } from './proof.ts';
export type { AcsRemedy } from './remedy/acs-remedy.ts';
export { acsRemedy } from './remedy/acs-remedy.ts';
export { acsFlags, configAcs, disableAcsRedir, grubLine, shellQuoted } from './remedy/kernel-parameter.ts';
export type { SetpciLine } from './remedy/setpci.ts';
export { setpciLines } from './remedy/setpci.ts';
export type { Patient, RemedyPair } from './remedy/trial.ts';
export { worstSeverity } from './severity.ts';
export { DIAGNOSES } from './table.ts';
