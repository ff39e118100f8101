export type {
  AccessSize,
  Answer,
  Capability,
  CaseShown,
  EngineFault,
  EngineKind,
  Provable,
  RegisterEngine,
} from './register.ts';
export type {
  MemoryPlace,
  MoveOutcome,
  SegmentOutcome,
  Transfer,
  TransferEnd,
  TransferEngine,
  TransferOutcome,
  TransferRefused,
} from './transfer.ts';
export { DELIVERED, NOT_MOVED, SWALLOWED, UNSEEN } from './transfer.ts';
