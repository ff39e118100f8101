/**
 * What the processor is, as far as anybody asks for peer-to-peer DMA: x86 or not, AMD's Zen or newer or not. /proc/cpuinfo says it where it
 * was captured; otherwise the root complex does, because it is part of the processor. One inference for all commands. Linux asks for the
 * vendor and the family alone: cpu_supports_p2pdma() in drivers/pci/p2pdma.c.
 */

import { hexDigits } from '../../core/hex.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { CLASS_HOST_BRIDGE, CLASS_PCI_BRIDGE } from '../../pcie/registers.ts';
import type { Machine } from '../machine.ts';
import {
  type AmdPart,
  amdPartOf,
  isHostPart,
  isUnknownAmdRoot,
  type ProcessorPart,
  ZEN_FAMILY,
} from './amd-processors.ts';
import { architectureOf, architectureOfRelease } from './architecture.ts';
import { isDrawn } from './host-bridges.ts';
import { hypervisorOf } from './hypervisor.ts';
import { type Architecture, makerOf, otherX86MakerOf } from './makers.ts';

export interface Processor {
  /** Whether the evidence names it, or its root complex shows it; `unknown` where neither does. */
  readonly evidence: 'told' | 'inferred' | 'unknown';
  /** Null where not known. */
  readonly architecture: Architecture | null;
  /** CPUID vendor string, `AuthenticAMD`; of other architectures what /proc/cpuinfo prints. Null where not known. */
  readonly vendor: string | null;
  /** The families that it may be of, ascending; empty where not known. */
  readonly families: readonly number[];
  /** Whether it is AMD's, of family 23 or newer. Null where that is not known. */
  readonly isZen: boolean | null;
  /** In a few words, `AMD Zen or newer`; null where nothing is known. */
  readonly name: string | null;
  /** What shows it: `root complex 1022:1480 (0000:00:00.0)`. Null where nothing does. */
  readonly from: string | null;
  /** Strong evidence that is no proof, where `isZen` is null. */
  readonly likelyZen: { readonly value: boolean; readonly because: string } | null;
}

const UNKNOWN: Processor = {
  evidence: 'unknown',
  architecture: null,
  vendor: null,
  families: [],
  isZen: null,
  name: null,
  from: null,
  likelyZen: null,
};

const AMD = 'AuthenticAMD';
const VENDOR_INTEL = 0x8086;
const VENDOR_HYGON = 0x1d94;
/** Hygon's processors are Zen by another vendor, of this family. */
const HYGON_FAMILY = 24;

const KNOWN = new WeakMap<Machine, Processor>();

/** The processor of a machine by all that the evidence shows. */
export function processorOf(machine: Machine): Processor {
  let known = KNOWN.get(machine);
  if (known === undefined) {
    known = find(machine);
    KNOWN.set(machine, known);
  }
  return known;
}

function find(machine: Machine): Processor {
  const { cpu } = machine;
  if (cpu !== null && (cpu.vendor !== AMD || cpu.family !== null)) return told(cpu.vendor, cpu.family);
  const { functions } = machine.hierarchy;
  // An engine of the processor may be given to a guest, a bridge may not.
  const inGuest = hypervisorOf(machine) !== null;
  const shown = amdProcessor(functions.filter((fn) => !inGuest || isHostPart(fn))) ?? hygon(functions);
  if (shown !== null) return shown;
  // AMD's, of a family that nothing tells.
  if (cpu !== null)
    return { ...UNKNOWN, evidence: 'told', architecture: 'x86', vendor: AMD, name: AMD, from: 'the CPU' };
  return otherKind(machine) ?? intel(machine) ?? likely(machine) ?? UNKNOWN;
}

/** What the vendor field of /proc/cpuinfo and lscpu holds, by architecture. */
const VENDORS: readonly (readonly [RegExp, Architecture])[] = [
  [/AMD|Intel|Hygon|Centaur|Shanghai|Vortex|Genuine/i, 'x86'],
  [/^0x[0-9a-f]{2}$|^(?:ARM|Apple|Ampere|APM|Cavium|Fujitsu|HiSilicon|NVIDIA|Phytium|Qualcomm|Marvell)$/i, 'arm'],
  [/^POWER|^PPC/i, 'power'],
  [/RISC-V/i, 'riscv'],
  [/Loongson/i, 'loongarch'],
  [/S390/i, 's390'],
];

/** As /proc/cpuinfo or the user says. */
function told(vendor: string, family: number | null): Processor {
  const isAmd = vendor === AMD;
  return {
    ...UNKNOWN,
    evidence: 'told',
    architecture: VENDORS.find(([pattern]) => pattern.test(vendor))?.[1] ?? 'other',
    vendor,
    families: family === null ? [] : [family],
    isZen: isAmd && family !== null && family >= ZEN_FAMILY,
    name: family === null ? vendor : `${vendor} family ${family}`,
    from: 'the CPU',
  };
}

const PARTS: readonly ProcessorPart[] = [
  'root complex',
  'host bridge',
  'root port',
  'IOMMU',
  'data fabric',
  'processor function',
];

/** AMD's processor by its own functions; null where none is shown, or where they contradict each other. */
function amdProcessor(functions: readonly PciFunction[]): Processor | null {
  const seen = new Map<AmdPart, PciFunction>();
  for (const fn of functions) {
    const part = amdPartOf(fn);
    if (part !== null && ![...seen.keys()].some((other) => other.part === part.part && other.name === part.name)) {
      seen.set(part, fn);
    }
  }
  const parts = [...seen.keys()].sort((a, b) => PARTS.indexOf(a.part) - PARTS.indexOf(b.part));
  const [first] = parts;
  if (first === undefined) return null;
  // The first speaks; another may say more exactly which of its families it is.
  let families = first.families;
  let narrowing: AmdPart | null = null;
  for (const part of parts) {
    const both = families.filter((family) => part.families.includes(family));
    if (both.length === 0) return null;
    if (both.length < families.length) narrowing = part;
    families = both;
  }
  const isZen = families.every((family) => family >= ZEN_FAMILY);
  const words = (part: AmdPart): string => `${part.part} ${idsOf(seen.get(part) as PciFunction)}`;
  return {
    ...UNKNOWN,
    evidence: 'inferred',
    architecture: 'x86',
    vendor: AMD,
    families,
    isZen,
    name: isZen ? 'AMD Zen or newer' : 'AMD, older than Zen',
    from: narrowing === null ? words(first) : `${words(first)} and ${words(narrowing)}`,
  };
}

function hygon(functions: readonly PciFunction[]): Processor | null {
  const fn = functions.find(({ vendorId, classCode }) => vendorId === VENDOR_HYGON && classCode === CLASS_HOST_BRIDGE);
  if (fn === undefined) return null;
  return {
    ...UNKNOWN,
    evidence: 'inferred',
    architecture: 'x86',
    vendor: 'HygonGenuine',
    families: [HYGON_FAMILY],
    isZen: false,
    name: 'Hygon, which is not AMD to the kernel',
    from: `root complex ${idsOf(fn)}`,
  };
}

const ARCHITECTURE_WORDS: Readonly<Record<Architecture, string>> = {
  x86: 'x86',
  arm: 'Arm',
  power: 'POWER',
  riscv: 'RISC-V',
  loongarch: 'LoongArch',
  mips: 'MIPS',
  sparc: 'SPARC',
  s390: 's390',
  other: 'not x86',
};

/** Not x86 at all, or x86 of neither AMD nor Intel: no rule for AMD's processors can apply. */
function otherKind(machine: Machine): Processor | null {
  const { kernel } = machine;
  const words = machine.architecture ?? null;
  const named = words === null ? null : architectureOf(words);
  if (named !== null && named !== 'x86')
    return notX86(named, ARCHITECTURE_WORDS[named], `the kernel's machine ${words}`);
  const built = kernel === null ? null : architectureOfRelease(kernel);
  if (built !== null && built !== 'x86') return notX86(built, ARCHITECTURE_WORDS[built], `kernel ${kernel}`);
  // Where the kernel says x86 a root port of another maker is a card's.
  if (named !== null || built !== null) return otherX86(machine);
  for (const fn of firstFunctions(machine)) {
    const maker = makerOf(fn);
    if (maker === null) continue;
    const { architecture, name } = maker;
    const kind = architecture === 'other' ? 'not x86' : ARCHITECTURE_WORDS[architecture];
    return notX86(architecture, `${name}, ${kind}`, `${rootWord(fn)} ${idsOf(fn)}`);
  }
  return otherX86(machine);
}

function notX86(architecture: Architecture, name: string, from: string): Processor {
  return { ...UNKNOWN, evidence: 'inferred', architecture, isZen: false, name, from };
}

function otherX86(machine: Machine): Processor | null {
  for (const fn of firstFunctions(machine)) {
    const name = otherX86MakerOf(fn);
    if (name === null) continue;
    const from = `${rootWord(fn)} ${idsOf(fn)}`;
    return {
      ...UNKNOWN,
      evidence: 'inferred',
      architecture: 'x86',
      isZen: false,
      name: `not AMD's Zen: ${name}`,
      from,
    };
  }
  return null;
}

/** A root bus that starts with a part of an Intel processor or chipset; what a hypervisor draws is none, and so is a card given to a guest. */
function intel(machine: Machine): Processor | null {
  if (hypervisorOf(machine) !== null) return null;
  const fn = firstFunctions(machine).find(
    (first) => first.vendorId === VENDOR_INTEL && !isDrawn(first) && !isCard(first),
  );
  if (fn === undefined) return null;
  return {
    ...UNKNOWN,
    evidence: 'inferred',
    architecture: 'x86',
    vendor: 'GenuineIntel',
    isZen: false,
    name: 'Intel',
    from: `${rootWord(fn)} ${idsOf(fn)}`,
  };
}

/** Storage, network, display and serial bus controllers stand on root buses of guests and of filtered listings, too. */
function isCard({ classCode, portType }: PciFunction): boolean {
  const base = (classCode ?? 0) >> 8;
  return portType !== 'rcIntegratedEndpoint' && [0x01, 0x02, 0x03, 0x04, 0x0c].includes(base);
}

/** An AMD root complex that is newer than the tables. */
function likely(machine: Machine): Processor | null {
  const fn = hypervisorOf(machine) === null ? firstFunctions(machine).find(isUnknownAmdRoot) : undefined;
  if (fn === undefined) return null;
  const because = `host bridge ${idsOf(fn)} is of an AMD processor that is not known here, and all that are older than Zen are`;
  return {
    ...UNKNOWN,
    architecture: 'x86',
    vendor: AMD,
    name: 'AMD, probably Zen or newer',
    from: `host bridge ${idsOf(fn)}`,
    likelyZen: { value: true, because },
  };
}

function firstFunctions({ hierarchy }: Machine): PciFunction[] {
  return hierarchy.rootBuses
    .filter(({ evidence }) => evidence !== null)
    .map(({ first }) => hierarchy.functions[first] as PciFunction);
}

function rootWord(fn: PciFunction): string {
  if (fn.classCode === CLASS_HOST_BRIDGE) return 'host bridge';
  return fn.classCode === CLASS_PCI_BRIDGE ? 'root port' : 'first device of the root bus,';
}

/** `1022:1480 (0000:00:00.0)`. */
function idsOf({ vendorId, deviceId, name }: PciFunction): string {
  const digits = (id: number | null): string => (id === null ? '????' : hexDigits(id, 4));
  return `${digits(vendorId)}:${digits(deviceId)} (${name})`;
}
