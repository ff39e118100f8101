/**
 * How a function's DMA meets the IOMMU, from every kind of evidence, the strongest first: the type of its group; what the kernel logged of
 * its default; what its command line and its configuration ask for; and, where only the IOMMU itself shows (a group's number in a listing,
 * the function that AMD's IOMMU is, a line of its driver, a fault), that an IOMMU which is on translates unless somebody asked otherwise.
 * Proof of passthrough is the type `identity`, not the word that asks for it. Linux drivers/iommu/iommu.c, iommu_subsys_init().
 */

import type { LogLine } from '../../evidence/kernel/log/telling.ts';
import { processorOf } from '../../machine/infer/processor.ts';
import { isConfigured } from '../../machine/kernel-config.ts';
import { hostEvidenceOf, iommuModeOf, type Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type CommandLine, lastValue } from '../command-line/command-line.ts';
import { isIommuOff, passthroughAsked } from '../command-line/iommu-words.ts';
import type { Certainty, Evidence } from '../finding.ts';
import { factEvidence, identityEvidence, machineEvidence } from './evidence.ts';
import { logEvidence, loggedOf } from './log-evidence.ts';
import { isBelowThunderbolt } from './thunderbolt.ts';

/** `translated`: addresses go through the tables. `identity`: they pass as they are. `off`: no IOMMU is there for the function. */
export type TranslationMode = 'translated' | 'identity' | 'off' | 'unknown';

export interface TranslationState {
  readonly mode: TranslationMode;
  readonly sure: Certainty;
  readonly evidence: readonly Evidence[];
}

const UNKNOWN: TranslationState = { mode: 'unknown', sure: 'open', evidence: [] };

/** The states of a machine's functions: what is the same for all of them is looked up once. */
export class TranslationStates {
  readonly #machine: Machine;
  /** What asks for a mode, the strongest first. */
  readonly #asked: TranslationState | null;
  /** What shows that an IOMMU is on. */
  readonly #present: readonly Evidence[];
  readonly #isEncrypted: boolean;

  constructor(machine: Machine, commandLine: CommandLine | null) {
    this.#machine = machine;
    this.#present = presence(machine, commandLine);
    this.#isEncrypted = commandLine !== null && lastValue(commandLine, 'mem_encrypt') === 'on';
    this.#asked = askedMode(machine, commandLine, this.#present.length > 0);
  }

  of(fn: PciFunction): TranslationState {
    const mode = iommuModeOf(this.#machine, fn);
    if (mode === 'on') return { mode: 'translated', sure: 'certain', evidence: [groupEvidence(this.#machine, fn)] };
    if (mode === 'passthrough')
      return { mode: 'identity', sure: 'certain', evidence: [groupEvidence(this.#machine, fn)] };
    if (mode === 'off') return { mode: 'off', sure: 'certain', evidence: [] };
    const asked = this.#asked;
    if (asked?.mode === 'off') return asked;
    if (asked?.mode === 'identity') return this.#exceptions(fn, asked);
    const shown = [...this.#present, ...(fn.iommuGroup === null ? [] : [groupEvidence(this.#machine, fn)])];
    const evidence = [...(asked?.evidence ?? []), ...shown];
    if (shown.length > 0) return { mode: 'translated', sure: 'likely', evidence };
    return { ...UNKNOWN, evidence };
  }

  /** Devices that are not trusted and machines that encrypt their memory stay translated whatever the command line asks for. */
  #exceptions(fn: PciFunction, asked: TranslationState): TranslationState {
    if (isBelowThunderbolt(this.#machine.hierarchy, fn)) {
      const why = factEvidence(fn, 'identity', {
        register: 'place',
        value: 'below a Thunderbolt port',
        meaning: 'not trusted, so it stays translated',
      });
      return { mode: 'translated', sure: 'likely', evidence: [...asked.evidence, why] };
    }
    if (!this.#isEncrypted) return asked;
    const why = machineEvidence(
      this.#machine,
      'kernel command line',
      'mem_encrypt=on',
      'memory is encrypted, so all stay translated',
    );
    return { mode: 'translated', sure: 'likely', evidence: [...asked.evidence, why] };
  }
}

function groupEvidence(machine: Machine, fn: PciFunction): Evidence {
  const group = fn.iommuGroup;
  const type = group === null ? undefined : machine.iommuGroupTypes.get(group);
  if (type === undefined) {
    return factEvidence(fn, 'iommuGroup', {
      register: 'IOMMU group',
      value: `${group}`,
      meaning: 'an IOMMU is on; the type of the group is not in the capture',
    });
  }
  return factEvidence(fn, 'iommuGroup', {
    register: `type of IOMMU group ${group}`,
    value: type,
    meaning: type === 'identity' ? 'addresses pass as they are' : 'addresses of this function are translated',
  });
}

/** Base class and subclass of an IOMMU as a PCI function. PCI Code and ID Assignment 1.9. */
const CLASS_IOMMU = 0x0806;

/** Lines that only an IOMMU which is on leaves. */
const IOMMU_AT_WORK =
  /\bDMAR: IOMMU enabled|\bAMD-Vi: (?:Interrupt remapping enabled|Found IOMMU|IOMMU performance counters|Lazy IO\/TLB|Virtual APIC)|\bAdding to iommu group \d|\barm-smmu\b.*\b(?:probing hardware|ias \d)|\biommu: Default domain type: Translated/;
const DEFAULT_TYPE = /\biommu: Default domain type: (Translated|Passthrough)\b/;

function presence(machine: Machine, commandLine: CommandLine | null): Evidence[] {
  const found: Evidence[] = [];
  const unit = machine.hierarchy.functions.find(({ classCode }) => classCode === CLASS_IOMMU);
  if (unit !== undefined) found.push(identityEvidence(unit, 'the IOMMU of an AMD processor, which Linux switches on'));
  const line = hostEvidenceOf(machine).kernelLog?.find(({ text }) => IOMMU_AT_WORK.test(text));
  if (line !== undefined) found.push(logEvidence(line, null, 'an IOMMU is on'));
  const [fault] = loggedOf(machine, 'fault');
  if (fault !== undefined) found.push(logEvidence(fault.line, null, 'an IOMMU that refuses is on'));
  const intel = commandLine === null ? undefined : lastValue(commandLine, 'intel_iommu');
  if (intel?.split(',').includes('on'))
    found.push(machineEvidence(machine, 'kernel command line', `intel_iommu=${intel}`, 'switches the IOMMU on'));
  return found;
}

/** The mode that something asks for. A word of the command line stands above what the kernel was built with, its log above both. */
function askedMode(machine: Machine, commandLine: CommandLine | null, isPresent: boolean): TranslationState | null {
  const { kernelLog } = hostEvidenceOf(machine);
  const logged = kernelLog
    ?.map((line) => ({ line, type: DEFAULT_TYPE.exec(line.text)?.[1] }))
    .find(({ type }) => type !== undefined);
  if (logged !== undefined) return loggedDefault(logged.line, logged.type === 'Passthrough');
  if (commandLine !== null) {
    if (isIommuOff(machine, commandLine)) return { mode: 'off', sure: 'likely', evidence: [] };
    const asked = passthroughAsked(machine, commandLine);
    if (asked !== null) {
      const meaning = asked ? 'asks for passthrough; the type of the groups is the proof' : 'asks for translation';
      const evidence = [machineEvidence(machine, 'kernel command line', commandLine.text, meaning)];
      return { mode: asked ? 'identity' : 'translated', sure: 'likely', evidence };
    }
  }
  return built(machine, commandLine) ?? (isPresent ? null : withoutUnit(machine));
}

function loggedDefault(line: LogLine, passes: boolean): TranslationState {
  const evidence = [
    logEvidence(line, null, passes ? 'devices that are trusted pass untranslated' : 'devices are translated'),
  ];
  return { mode: passes ? 'identity' : 'translated', sure: 'likely', evidence };
}

/** What the kernel was built to do where no word says otherwise; a command line that is not known may say otherwise. */
function built(machine: Machine, commandLine: CommandLine | null): TranslationState | null {
  const { kernelConfig } = hostEvidenceOf(machine);
  if (kernelConfig === null || commandLine === null) return null;
  const isOff = (symbol: string): boolean => kernelConfig.options.get(symbol)?.value === 'n';
  const isX86 = kernelConfig.options.get('X86_64')?.value === 'y';
  // No driver of an IOMMU: whatever the hardware has, nothing is translated.
  if (isX86 && isOff('INTEL_IOMMU') && isOff('AMD_IOMMU')) return { mode: 'off', sure: 'likely', evidence: [] };
  return isConfigured(kernelConfig, 'IOMMU_DEFAULT_PASSTHROUGH') === true
    ? { mode: 'identity', sure: 'likely', evidence: [] }
    : null;
}

/** Device number on bus 0 at which a Zen shows its data fabric: a listing that holds it holds the whole bus. */
const DATA_FABRIC = 0x18;

/** A Zen without the function that its IOMMU is: the firmware has switched it off. */
function withoutUnit(machine: Machine): TranslationState | null {
  const { functions } = machine.hierarchy;
  if (processorOf(machine).isZen !== true || functions.some(({ iommuGroup }) => iommuGroup !== null)) return null;
  const fabric = functions.find(({ bdf }) => bdf.domain === 0 && bdf.bus === 0 && bdf.device === DATA_FABRIC);
  if (fabric === undefined) return null;
  const why = machineEvidence(machine, 'functions of bus 0', 'no IOMMU among them', 'the firmware has switched it off');
  return { mode: 'off', sure: 'likely', evidence: [why] };
}
