export type { QemuBinary, QemuVersion } from './binary.ts';
export { findQemu, formatVersion, probeQemu } from './binary.ts';
export type { QemuEngineOptions } from './boot.ts';
export { QEMU_CASES } from './cases.ts';
export type { BackingRequest, BackingWords, QemuCommandLine, QemuPart } from './command-line.ts';
export { commandLine, STANDALONE } from './command-line.ts';
export type { FoundFunction, SizedBar } from './enumerate.ts';
export type { EnvelopeLimits, QemuEnvelope } from './envelope.ts';
export { ENVELOPES, envelopeOf, versionNotes } from './envelope.ts';
export type { EnvelopeDifference, EnvelopeObservation } from './envelope-check.ts';
export { envelopeDifferences, judgeEnvelope } from './envelope-check.ts';
export type { QemuErrorCode } from './errors.ts';
export { QEMU_INSTALL, QemuError } from './errors.ts';
export { GuestMemory } from './guest-memory.ts';
export type {
  QemuCpu,
  QemuDevice,
  QemuMachineDescription,
  QemuMemory,
  QemuNvme,
  QemuPciBridge,
  QemuPlace,
  QemuPlaceholder,
  QemuRootBus,
  QemuRootPort,
  QemuSwitch,
  QemuSwitchPort,
} from './machine-description.ts';
export { QEMU_CPUS } from './machine-description.ts';
export { QemuEngine } from './qemu-engine.ts';
export type { RebuildOptions, RebuiltMachine } from './rebuild.ts';
export { rebuildMachine } from './rebuild.ts';
export type { RebuildNote, RebuildNoteCode } from './rebuild-notes.ts';
export { noteText, rebuildText } from './rebuild-text.ts';
export type { QemuIommuContext } from './vtd.ts';
export { VtdUnit } from './vtd.ts';
