/**
 * One PCI function: every fact merged from registers, decoded text and sysfs, and null where no source tells. Registers
 * win over text, the kernel's attributes over both where they are about addresses as the CPU sees them.
 */

import { busFromPhys, type PhysAddr, physAddr } from '../core/address.ts';
import { checkObject } from '../core/argument.ts';
import { type AcsState, acsAt } from './acs.ts';
import { type Bar, barRegisters } from './bar.ts';
import { type Bdf, type BdfKey, bdfKey, formatBdf } from './bdf.ts';
import { ioWindow, memoryWindow, prefetchableWindow, type WindowFact } from './bridge-window.ts';
import {
  CAP_PCI_EXPRESS,
  type CapabilityList,
  conventionalCapabilities,
  EXT_CAP_ACS,
  EXT_CAP_SRIOV,
  extendedCapabilities,
  findCapability,
  findExtendedCapability,
} from './capability.ts';
import type { ConfigSpace } from './config-space.ts';
import {
  type LinkFacts,
  linkAt,
  type PayloadFacts,
  type PortType,
  payloadAt,
  portTypeAt,
  type TagFacts,
  tagsAt,
} from './express.ts';
import type {
  BusNumbers,
  FactName,
  FunctionFacts,
  NamedIds,
  Source,
  SriovFacts,
  SysfsResource,
} from './function-facts.ts';
import * as reg from './registers.ts';
import { isMemoryResource, resourceBar } from './sysfs-resource.ts';

const UNKNOWN_POWERED_DOWN: AcsState = { state: 'unknown', missing: 'poweredDown' };
const UNKNOWN_DENIED: AcsState = { state: 'unknown', missing: 'accessDenied' };
const UNKNOWN_NOT_CAPTURED: AcsState = { state: 'unknown', missing: 'extendedConfigNotCaptured' };
const UNKNOWN_NOT_LISTED: AcsState = { state: 'unknown', missing: 'capabilitiesNotListed' };
const ABSENT: AcsState = { state: 'absent' };

/** What the machine as a whole adds to a function's own evidence. */
export interface FunctionContext {
  /** Bus address minus CPU address on the function's host bridge, bytes, signed. */
  readonly busOffset: number;
  /** Whether the listing shows extended capabilities of any function, so that one not shown is not there. */
  readonly extendedVisible: boolean;
}

const PLAIN: FunctionContext = { busOffset: 0, extendedVisible: true };

export class PciFunction {
  readonly facts: FunctionFacts;
  readonly bdf: Bdf;
  readonly key: BdfKey;
  /** `0000:03:00.0`. */
  readonly name: string;
  readonly #context: FunctionContext;
  #acs: AcsState | undefined;
  #bars: readonly Bar[] | undefined;
  #expressOffset: number | null | undefined;
  #capabilities: CapabilityList | undefined;

  constructor(facts: FunctionFacts, context: FunctionContext = PLAIN) {
    checkObject(facts, 'bdf', 'PciFunction: facts', 'the FunctionFacts of one function');
    this.facts = facts;
    this.bdf = facts.bdf;
    this.key = bdfKey(facts.bdf);
    this.name = formatBdf(facts.bdf);
    this.#context = context;
  }

  get config(): ConfigSpace {
    return this.facts.config;
  }

  /** Bus address minus CPU address, bytes, signed. */
  get busOffset(): number {
    return this.#context.busOffset;
  }

  /** Answered with all ones: in D3cold, or no longer there. */
  get poweredDown(): boolean {
    return this.config.allOnes || (this.config.length === 0 && this.facts.text?.poweredDown === true);
  }

  /** A Virtual Function reads all ones as vendor and device in its registers; sysfs and text know better. */
  get vendorId(): number | null {
    const register = this.#identityRegister(reg.VENDOR_ID);
    return register ?? this.facts.sysfs?.vendorId ?? this.facts.text?.vendorId ?? agreed(this.#namedIds, 'vendorId');
  }

  get deviceId(): number | null {
    const register = this.#identityRegister(reg.DEVICE_ID);
    return register ?? this.facts.sysfs?.deviceId ?? this.facts.text?.deviceId ?? agreed(this.#namedIds, 'deviceId');
  }

  /**
   * All vendors and devices that the function may be: one where its numbers are known, several where a listing prints a name that
   * several have; none where nothing is known. A device is null where only its vendor is known.
   */
  get possibleIds(): readonly NamedIds[] {
    const { vendorId, deviceId } = this;
    if (vendorId !== null && deviceId !== null) return [{ vendorId, deviceId }];
    const named = this.#namedIds;
    return named.length > 0 || vendorId === null ? named : [{ vendorId, deviceId }];
  }

  /** Whether vendor and device are known by the printed name alone. */
  get isNamedOnly(): boolean {
    return this.#namedIds.length > 0;
  }

  get #namedIds(): readonly NamedIds[] {
    const { config, sysfs, text } = this.facts;
    if (sysfs !== null || this.#identityRegister(reg.VENDOR_ID) !== undefined) return NO_IDS;
    if (config.u16(reg.VENDOR_ID) === 0xffff || text?.vendorId !== undefined) return NO_IDS;
    return text?.namedIds ?? NO_IDS;
  }

  #identityRegister(offset: number): number | undefined {
    if (this.config.u16(reg.VENDOR_ID) === 0xffff) return undefined;
    return this.config.u16(offset);
  }

  /** 16 bits, base class and sub-class; null where not known. */
  get classCode(): number | null {
    const register = this.config.u32(reg.REVISION_ID);
    if (register !== undefined && !this.poweredDown) return register >>> 16;
    const sysfs = this.facts.sysfs?.classCode;
    return sysfs !== undefined ? sysfs >>> 8 : (this.facts.text?.classCode ?? null);
  }

  get revision(): number | null {
    return (this.poweredDown ? undefined : this.config.u8(reg.REVISION_ID)) ?? this.facts.text?.revision ?? null;
  }

  get progIf(): number | null {
    return (this.poweredDown ? undefined : this.config.u8(reg.CLASS_CODE)) ?? this.facts.text?.progIf ?? null;
  }

  /** Layout of the header: 0 endpoint, 1 PCI-to-PCI bridge, 2 CardBus bridge; null where not known. */
  get headerType(): 0 | 1 | 2 | null {
    const register = this.poweredDown ? undefined : this.config.u8(reg.HEADER_TYPE);
    if (register !== undefined) {
      const layout = register & 0x7f;
      return layout <= 2 ? (layout as 0 | 1 | 2) : null;
    }
    const text = this.facts.text?.headerType;
    if (text !== undefined) return text;
    const resources = this.facts.sysfs?.resources;
    const classCode = this.classCode;
    if (classCode === null) return null;
    if (classCode === reg.CLASS_PCI_BRIDGE) return 1;
    if (classCode === 0x0607) return 2;
    return resources !== undefined || this.facts.sysfs !== null || this.facts.text?.classCode !== undefined ? 0 : null;
  }

  /** A bridge has a bus below it: header type 1 or 2. Host bridges are not bridges in this sense. */
  get isBridge(): boolean {
    const type = this.headerType;
    return type === 1 || type === 2;
  }

  /** Several functions in this device, by its own header; null where not known. */
  get multiFunction(): boolean | null {
    const register = this.poweredDown ? undefined : this.config.u8(reg.HEADER_TYPE);
    return register === undefined ? null : (register & 0x80) !== 0;
  }

  /** The Command register; from text only the bits that it prints. Null where not known. */
  get command(): number | null {
    const register = this.poweredDown ? undefined : this.config.u16(reg.COMMAND);
    return register ?? this.facts.text?.command ?? null;
  }

  /** Primary, secondary and subordinate bus of a bridge; null where it is none or not known. */
  get busNumbers(): BusNumbers | null {
    if (this.isBridge && this.config.knows(reg.PRIMARY_BUS, 3) && !this.poweredDown) {
      return {
        primary: this.config.u8(reg.PRIMARY_BUS) as number,
        secondary: this.config.u8(reg.SECONDARY_BUS) as number,
        subordinate: this.config.u8(reg.SUBORDINATE_BUS) as number,
      };
    }
    return this.facts.text?.busNumbers ?? null;
  }

  /** Memory window of a bridge: null closed, undefined not known. */
  get memoryWindow(): WindowFact {
    return this.headerType === 1 ? this.#window(memoryWindow, this.facts.text?.memoryWindow) : undefined;
  }

  /** Prefetchable memory window of a bridge: null closed, undefined not known. */
  get prefetchableWindow(): WindowFact {
    return this.headerType === 1 ? this.#window(prefetchableWindow, this.facts.text?.prefetchableWindow) : undefined;
  }

  /** I/O window of a bridge: null closed, undefined not known. */
  get ioWindow(): WindowFact {
    return this.headerType === 1 ? this.#window(ioWindow, this.facts.text?.ioWindow) : undefined;
  }

  #window(decode: (config: ConfigSpace) => WindowFact, text: WindowFact): WindowFact {
    const register = this.poweredDown ? undefined : decode(this.config);
    return register === undefined ? text : register;
  }

  /** Offset of the Express capability; null if there is none, undefined if that is not known. */
  get expressOffset(): number | null | undefined {
    if (this.#expressOffset === undefined && this.config.length > 0 && !this.poweredDown) {
      const offset = findCapability(this.config, CAP_PCI_EXPRESS);
      this.#expressOffset = offset === 0 ? null : offset;
    }
    return this.#expressOffset;
  }

  /** Device/Port Type, `conventional` without an Express capability, null where not known. */
  get portType(): PortType | null {
    const offset = this.expressOffset;
    if (offset === null) return 'conventional';
    if (offset !== undefined) return portTypeAt(this.config, offset) ?? null;
    const text = this.facts.text;
    if (text?.portType !== undefined) return text.portType;
    return text?.capabilitiesListed === true && text.capabilitiesDenied !== true && !this.poweredDown
      ? 'conventional'
      : null;
  }

  /** ACS as far as any source tells. */
  get acs(): AcsState {
    this.#acs ??= this.#mergeAcs();
    return this.#acs;
  }

  #mergeAcs(): AcsState {
    if (this.config.allOnes) return UNKNOWN_POWERED_DOWN;
    if (this.config.length > 0) {
      const offset = findExtendedCapability(this.config, EXT_CAP_ACS);
      if (offset === 0) return ABSENT;
      const registers = offset === undefined ? null : acsAt(this.config, offset);
      if (registers !== null) return registers;
      // Without an Express capability there is no extended space, and ACS lives there.
      if (this.expressOffset === null || this.facts.sysfs?.endsAt256 === true) return ABSENT;
    }
    const text = this.facts.text;
    if (text?.acs !== undefined) return text.acs;
    if (this.portType === 'conventional') return ABSENT;
    if (text?.poweredDown === true) return UNKNOWN_POWERED_DOWN;
    if (text?.capabilitiesDenied === true) return UNKNOWN_DENIED;
    if (text?.capabilitiesListed === true) return this.#context.extendedVisible ? ABSENT : UNKNOWN_NOT_CAPTURED;
    return this.config.length > 0 ? UNKNOWN_NOT_CAPTURED : UNKNOWN_NOT_LISTED;
  }

  /** The function's own memory and I/O ranges, without ROM, bridge windows and VF ranges. */
  get bars(): readonly Bar[] {
    this.#bars ??= this.#mergeBars();
    return this.#bars;
  }

  #mergeBars(): Bar[] {
    const count = this.headerType === 1 ? 2 : this.headerType === 2 ? 1 : 6;
    const registers = this.poweredDown ? [] : barRegisters(this.config, count);
    const resources = this.facts.sysfs?.resources;
    if (resources !== undefined) {
      const bars: Bar[] = [];
      for (let index = 0; index < Math.min(count, resources.length); index++) {
        const bar = resourceBar(index, resources[index] as SysfsResource, this.busOffset);
        if (bar) bars.push(bar);
      }
      return bars;
    }
    const text = this.facts.text?.bars;
    if (registers.length > 0) {
      return registers.map((register) => {
        const printed = text?.find((bar) => bar.index === register.index);
        // A register of address zero is one that nobody has assigned.
        const assigned = register.value !== null && register.value !== 0;
        return {
          index: register.index,
          space: register.space,
          is64Bit: register.is64Bit,
          prefetchable: register.prefetchable,
          busAddress: assigned ? register.value : null,
          // The text prints what the kernel says; a host bridge may shift one window and not another.
          cpuAddress: assigned ? (printed?.cpuAddress ?? this.#cpuAddress(register.value as number)) : null,
          size: printed?.size ?? null,
        };
      });
    }
    return text ?? [];
  }

  #cpuAddress(value: number): PhysAddr | null {
    const address = value - this.busOffset;
    return address >= 0 && address < 2 ** 53 ? physAddr(address) : null;
  }

  /** Link registers; null where the function has none or they are not known. */
  get link(): LinkFacts | null {
    const offset = this.expressOffset;
    const portType = this.portType;
    const register = offset && portType ? linkAt(this.config, offset, portType) : null;
    return register ?? this.facts.text?.link ?? this.facts.sysfs?.link ?? null;
  }

  get payload(): PayloadFacts | null {
    const offset = this.expressOffset;
    return (offset ? payloadAt(this.config, offset) : null) ?? this.facts.text?.payload ?? null;
  }

  /** Tags of ten bits; null where the function is not PCI Express, or that is not known. */
  get tags(): TagFacts | null {
    const offset = this.expressOffset;
    return (offset ? tagsAt(this.config, offset) : null) ?? this.facts.text?.tags ?? null;
  }

  /** SR-IOV of a Physical Function; null where it has none or that is not known. PCIe 9.3.3. */
  get sriov(): SriovFacts | null {
    const offset = this.poweredDown ? undefined : findExtendedCapability(this.config, EXT_CAP_SRIOV);
    if (offset === 0 || (offset === undefined && this.expressOffset === null)) return null;
    if (offset !== undefined) {
      const control = this.config.u16(offset + 8);
      const totalVfs = this.config.u16(offset + 0x0e);
      const numVfs = this.config.u16(offset + 0x10);
      const vfOffset = this.config.u16(offset + 0x14);
      const vfStride = this.config.u16(offset + 0x16);
      if (control !== undefined && totalVfs !== undefined && numVfs !== undefined && vfOffset !== undefined) {
        return { totalVfs, numVfs: control & 1 ? numVfs : 0, vfOffset, vfStride: vfStride ?? 0 };
      }
    }
    return this.facts.text?.sriov ?? null;
  }

  /** All capabilities that the registers hold, conventional and extended. */
  get capabilities(): CapabilityList {
    if (this.#capabilities === undefined) {
      const conventional = conventionalCapabilities(this.config);
      const extended = this.poweredDown ? conventional : extendedCapabilities(this.config);
      this.#capabilities = this.poweredDown
        ? { entries: [], end: 'unknown' }
        : {
            entries: [...conventional.entries, ...extended.entries],
            end: conventional.end === 'complete' ? extended.end : conventional.end,
          };
    }
    return this.#capabilities;
  }

  /** NUMA node; null where the source is silent or says -1. */
  get numaNode(): number | null {
    const node = this.facts.sysfs?.numaNode ?? this.facts.text?.numaNode;
    return node === undefined || node < 0 ? null : node;
  }

  get iommuGroup(): number | null {
    return this.facts.sysfs?.iommuGroup ?? this.facts.text?.iommuGroup ?? null;
  }

  get driver(): string | null {
    return this.facts.sysfs?.driver ?? this.facts.text?.driver ?? null;
  }

  /** Where a fact was read, or null where none of the sources tells it. */
  sourceOf(fact: FactName): Source | null {
    const { text, sysfs, configSource } = this.facts;
    const fromText = (): Source | null => {
      const line = text?.lines[fact];
      return text && line !== undefined ? { kind: 'text', file: text.file, line } : null;
    };
    if (fact === 'numaNode' || fact === 'iommuGroup' || fact === 'driver') {
      return sysfs ? { kind: 'sysfs', file: sysfs.folder, line: null } : fromText();
    }
    if (fact === 'bars' && sysfs?.resources) return { kind: 'sysfs', file: `${sysfs.folder}/resource`, line: null };
    if (fact === 'acs' && this.config.length <= 256) return fromText() ?? configSource;
    return this.config.length > 0 ? configSource : fromText();
  }

  /** This function with other evidence, in the same place: for judging a changed machine. */
  withFacts(facts: FunctionFacts): PciFunction {
    return new PciFunction(facts, this.#context);
  }
}

const NO_IDS: readonly NamedIds[] = [];

/** What all of the ids have in common; null where they differ, or there are none. */
function agreed(ids: readonly NamedIds[], part: keyof NamedIds): number | null {
  const first = ids[0]?.[part] ?? null;
  return ids.every((one) => one[part] === first) ? first : null;
}

/**
 * Bus address minus CPU address as a function's own BARs show it: a register against the kernel's resource. Null where it
 * has no memory BAR that both know. Virtual Functions and bridges are no witnesses: their BAR registers hold other things.
 */
export function observedBusOffset(facts: FunctionFacts): number | null {
  const resources = facts.sysfs?.resources;
  if (resources === undefined || facts.sysfs?.physicalFunction !== undefined) return null;
  if (((facts.config.u8(reg.HEADER_TYPE) ?? 1) & 0x7f) !== 0 || facts.config.u16(0) === 0xffff) return null;
  for (const register of barRegisters(facts.config, 6)) {
    const resource = resources[register.index];
    if (!resource || !isMemoryResource(resource) || register.space !== 'memory') continue;
    if (register.value === null || register.value === 0 || resource.start === 0) continue;
    return register.value - resource.start;
  }
  return null;
}

/** The bus address at which `cpuAddress` of this function's BARs appears. */
export function busAddressOf(fn: PciFunction, cpuAddress: PhysAddr): ReturnType<typeof busFromPhys> {
  return busFromPhys(cpuAddress, fn.busOffset);
}
