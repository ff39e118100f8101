/**
 * The shape of any machine as a QEMU machine: the same tree of ports, switches and endpoints, with NVMe controllers where there
 * were some and plain memory behind the BARs of everything else. What QEMU cannot be is left out or replaced, and each such
 * case is a note: nothing is dropped in silence.
 *
 *     captured                               QEMU
 *     root port                              pcie-root-port (its ACS controls can be set)
 *     switch upstream, downstream port       x3130-upstream, xio3130-downstream (no ACS)
 *     bridge to conventional PCI             pcie-pci-bridge, below one of those pci-bridge
 *     NVMe controller, its largest other BAR nvme, its buffer in BAR 2
 *     function with a memory BAR             ivshmem-plain, BAR 2
 *     any other function                     pci-testdev, a place holder
 */

import { assertNever } from '../../core/assert.ts';
import { iommuModeOf, type Machine } from '../../machine/machine.ts';
import type { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { CLASS_NVM_EXPRESS } from '../../pcie/registers.ts';
import {
  QEMU_CPUS,
  type QemuCpu,
  type QemuDevice,
  type QemuMachineDescription,
  type QemuPlace,
  type QemuRootBus,
  type QemuRootPort,
  type QemuSwitchPort,
} from './machine-description.ts';
import { type PlainNoteCode, REBUILD_MESSAGES, type RebuildNote, type RebuildNoteCode } from './rebuild-notes.ts';

export interface RebuiltMachine {
  /** Parts are named as the functions that they stand for. */
  readonly description: QemuMachineDescription;
  readonly notes: readonly RebuildNote[];
  /** Functions that have no counterpart. */
  readonly leftOut: readonly string[];
}

export interface RebuildOptions {
  /** Larger memories are made this large: a power of two of whole MiB. Default 256 MiB. */
  readonly memoryLimit?: number;
  /** Bytes of each controller's namespace. Default 64 MiB. */
  readonly namespaceBytes?: number;
  /** Default: 4 levels where the machine's groups show an IOMMU that translates, else none. */
  readonly iommuLevels?: 3 | 4 | null;
  readonly ramBytes?: number;
}

const MIB = 2 ** 20;
const BUSES = 256;
/** Device numbers of a bus. */
const DEVICES = 32;
const BOARD_DEVICES: readonly number[] = [0, 31];

/** Rebuilds a machine. Never refuses: what cannot be is a note. */
export function rebuildMachine(machine: Machine, options: RebuildOptions = {}): RebuiltMachine {
  return new Rebuilder(machine, options).rebuild();
}

class Rebuilder {
  readonly #machine: Machine;
  readonly #hierarchy: Hierarchy;
  readonly #options: RebuildOptions;
  readonly #memoryLimit: number;
  readonly #noted = new Map<RebuildNoteCode, { message: string; functions: string[] }>();
  readonly #leftOut = new Set<string>();
  readonly #children = new Map<number, number[]>();
  readonly #virtual: ReadonlySet<number>;
  #busesLeft = BUSES;
  /** Buses of the root bus that is being built, itself included. */
  #busesHere = 0;

  constructor(machine: Machine, options: RebuildOptions) {
    this.#machine = machine;
    this.#hierarchy = machine.hierarchy;
    this.#options = options;
    this.#memoryLimit = options.memoryLimit ?? 256 * MIB;
    this.#virtual = virtualFunctions(machine.hierarchy);
    machine.hierarchy.parent.forEach((parent, index) => {
      const siblings = this.#children.get(parent) ?? [];
      siblings.push(index);
      this.#children.set(parent, siblings);
    });
  }

  rebuild(): RebuiltMachine {
    const { ramBytes } = this.#options;
    const iommuLevels = this.#iommuLevels();
    const rootBuses = this.#rootBuses();
    this.#note('ROUTING');
    const description: QemuMachineDescription = {
      ...(ramBytes === undefined ? {} : { ramBytes }),
      cpu: this.#cpu(),
      ...(iommuLevels === null ? {} : { iommuLevels }),
      rootBuses,
    };
    const notes = [...this.#noted].map(([code, { message, functions }]) => ({ code, message, functions }));
    return { description, notes, leftOut: [...this.#leftOut] };
  }

  #rootBuses(): QemuRootBus[] {
    const tops = this.#children.get(-1) ?? [];
    const rootBuses: QemuRootBus[] = [];
    let nextBus = 0;
    for (const root of this.#hierarchy.rootBuses) {
      const members = tops.filter((index) => this.#hierarchy.rootBusOf[index] === root.id);
      const isFirst = rootBuses.length === 0 && root.bus === 0;
      if (rootBuses.length === 0 && !isFirst) {
        rootBuses.push({ bus: 0, children: [] });
        nextBus = 1;
      }
      const bus = root.domain === 0 ? Math.max(root.bus, nextBus) : nextBus;
      if (root.domain !== 0) this.#note('DOMAIN', ...members.map((index) => this.#fn(index)));
      if (bus >= BUSES || rootBuses.length > DEVICES - BOARD_DEVICES.length) {
        for (const index of members) this.#leaveOut(bus >= BUSES ? 'BUSES' : 'SLOTS', index);
        continue;
      }
      this.#busesHere = 1;
      this.#busesLeft = BUSES - bus - 1;
      rootBuses.push({ bus, children: this.#onRootBus(members, isFirst) });
      nextBus = bus + this.#busesHere;
    }
    if (rootBuses.length === 0) rootBuses.push({ bus: 0, children: [] });
    return rootBuses;
  }

  #onRootBus(members: readonly number[], isFirst: boolean): (QemuRootPort | QemuDevice)[] {
    const built: { node: QemuRootPort | QemuDevice; fn: PciFunction }[] = [];
    const beside = new Map<number, number[]>();
    for (const index of members) {
      const fn = this.#fn(index);
      if (fn.busOffset !== 0) this.#note('BUS_OFFSET', fn);
      const baseClass = (fn.classCode ?? 0) >>> 8;
      if (isEndpoint(fn) && baseClass === 6) this.#leaveOut('BOARD', index);
      else if (isEndpoint(fn) && !isFirst) beside.set(fn.bdf.device, [...(beside.get(fn.bdf.device) ?? []), index]);
      else {
        const node = this.#node(index, 'root');
        if (node !== null) built.push({ node, fn });
      }
    }
    for (const functions of beside.values()) {
      const node = this.#behindPort(functions);
      if (node !== null) built.push({ node, fn: this.#fn(functions[0] as number) });
    }
    if (!isFirst) return this.#placed(built, []);
    // Each further root bus takes a device number of the first.
    const others = this.#hierarchy.rootBuses.length - 1;
    return this.#placed(built, BOARD_DEVICES, DEVICES - BOARD_DEVICES.length - others);
  }

  /** The functions of one device that stands on a root bus where QEMU has none, below a port of its own. */
  #behindPort(functions: readonly number[]): QemuRootPort | null {
    if (!this.#takeBus(functions[0] as number)) {
      for (const index of functions.slice(1)) this.#leaveOut('BUSES', index);
      return null;
    }
    this.#note('PXB_ENDPOINT', ...functions.map((index) => this.#fn(index)));
    return { kind: 'rootPort', acs: false, below: this.#devicesOnLink(functions) };
  }

  /** Keeps device and function numbers where they are free and where a function 0 shows that there are others. */
  #placed<N extends { readonly place?: QemuPlace }>(
    built: readonly { readonly node: N; readonly fn: PciFunction }[],
    taken: readonly number[],
    room = DEVICES - taken.length,
  ): N[] {
    const kept = built.filter(({ fn }) => {
      const { device } = fn.bdf;
      const isSeen = built.some((other) => other.fn.bdf.device === device && other.fn.bdf.function === 0);
      return !taken.includes(device) && isSeen;
    });
    const numbers = [...new Set(kept.map(({ fn }) => fn.bdf.device))].slice(0, Math.max(room, 0));
    let left = room - numbers.length;
    return built.flatMap((entry) => {
      const { node, fn } = entry;
      const { device } = fn.bdf;
      if (kept.includes(entry) && numbers.includes(device))
        return [{ ...node, place: { device, function: fn.bdf.function } }];
      if (left-- > 0) {
        this.#note('MOVED', fn);
        return [node];
      }
      this.#leaveOut('SLOTS', this.#hierarchy.indexOf(fn.bdf));
      return [];
    });
  }

  #node(index: number, where: 'root' | 'link' | 'conventional'): QemuRootPort | QemuDevice | null {
    const fn = this.#fn(index);
    const { name } = fn;
    if (this.#virtual.has(index)) return this.#leaveOut('VIRTUAL_FUNCTION', index);
    if (isEndpoint(fn)) return this.#children.has(index) ? this.#stray(index) : this.#endpoint(fn, where);
    switch (fn.portType) {
      case 'rootPort': {
        if (where !== 'root' || !this.#takeBus(index)) return where === 'root' ? null : this.#stray(index);
        return { kind: 'rootPort', name, acs: this.#rootPortAcs(fn), below: this.#onLink(index) };
      }
      case 'upstreamPort': {
        if (where !== 'link') return this.#stray(index);
        if (!this.#takeBus(index)) return null;
        if (fn.acs.state === 'present') this.#note('SWITCH_ACS', fn);
        return { kind: 'switch', name, ports: this.#switchPorts(index) };
      }
      case 'conventional':
      case 'pcieToPci': {
        if (!this.#takeBus(index)) return null;
        return { kind: 'pciBridge', name, below: this.#onConventionalBus(index) };
      }
      default:
        return this.#stray(index);
    }
  }

  #rootPortAcs(fn: PciFunction): false | number {
    const { acs } = fn;
    switch (acs.state) {
      case 'absent':
        return false;
      case 'unknown':
        this.#note('ACS_UNKNOWN', fn);
        return 0;
      case 'present':
        return acs.control;
      default:
        return assertNever(acs);
    }
  }

  #switchPorts(index: number): QemuSwitchPort[] {
    const built: { node: QemuSwitchPort; fn: PciFunction }[] = [];
    for (const child of this.#children.get(index) ?? []) {
      const fn = this.#fn(child);
      if (fn.portType !== 'downstreamPort') {
        this.#stray(child);
        continue;
      }
      if (!this.#takeBus(child)) continue;
      if (fn.acs.state === 'present') this.#note('SWITCH_ACS', fn);
      built.push({ node: { name: fn.name, below: this.#onLink(child) }, fn });
    }
    return this.#placed(built, []);
  }

  #onLink(index: number): QemuDevice[] {
    const children = this.#children.get(index) ?? [];
    const onDevice0 = children.filter((child) => this.#fn(child).bdf.device === 0 || this.#virtual.has(child));
    for (const child of children) if (!onDevice0.includes(child)) this.#leaveOut('PLACE', child);
    return this.#devicesOnLink(onDevice0);
  }

  /** Functions of one device, behind a link. */
  #devicesOnLink(children: readonly number[]): QemuDevice[] {
    const built: { node: QemuDevice; fn: PciFunction }[] = [];
    for (const child of children) {
      const node = this.#node(child, 'link');
      if (node !== null && node.kind !== 'rootPort') built.push({ node, fn: this.#fn(child) });
    }
    const [first] = built;
    const isSeen = built.some(({ fn }) => fn.bdf.function === 0);
    if (first !== undefined && !isSeen) this.#note('MOVED', first.fn);
    return built.map(({ node, fn }, index) => {
      return { ...node, place: { device: 0, function: !isSeen && index === 0 ? 0 : fn.bdf.function } };
    });
  }

  #onConventionalBus(index: number): QemuDevice[] {
    const built: { node: QemuDevice; fn: PciFunction }[] = [];
    for (const child of this.#children.get(index) ?? []) {
      const node = this.#node(child, 'conventional');
      if (node !== null && node.kind !== 'rootPort') built.push({ node, fn: this.#fn(child) });
    }
    // Slot 0 of pcie-pci-bridge is taken by its hot-plug controller.
    return this.#placed(built, [0]);
  }

  #endpoint(fn: PciFunction, where: 'root' | 'link' | 'conventional'): QemuDevice {
    const { name } = fn;
    if (fn.acs.state === 'present') this.#note('ENDPOINT_ACS', fn);
    const memories = fn.bars.filter((bar) => bar.space === 'memory');
    if (fn.classCode === CLASS_NVM_EXPRESS && where !== 'conventional') {
      const buffer = Math.max(0, ...memories.filter((bar) => bar.index !== 0).map((bar) => bar.size ?? 0));
      const { namespaceBytes } = this.#options;
      if (buffer > 0 && buffer < MIB) this.#note('SMALL_BUFFER', fn);
      const cmbBytes = buffer < MIB ? 0 : this.#limited(fn, buffer);
      return { kind: 'nvme', name, cmbBytes, ...(namespaceBytes === undefined ? {} : { namespaceBytes }) };
    }
    const isUnknown = memories.length > 0 && memories.every((bar) => bar.size === null);
    if (isUnknown) {
      this.#note('MEMORY_UNKNOWN', fn);
      return { kind: 'memory', name, bytes: MIB };
    }
    const largest = Math.max(0, ...memories.map((bar) => bar.size ?? 0));
    if (largest < 4096) {
      this.#note('PLACEHOLDER', fn);
      return { kind: 'placeholder', name };
    }
    return { kind: 'memory', name, bytes: this.#limited(fn, largest) };
  }

  /** A power of two, at most what was asked for. */
  #limited(fn: PciFunction, bytes: number): number {
    const rounded = 2 ** Math.floor(Math.log2(bytes));
    if (rounded === bytes && bytes <= this.#memoryLimit) return bytes;
    const limited = Math.min(rounded, this.#memoryLimit);
    this.#noteText('MEMORY_SIZE', `with smaller memory: at most ${this.#memoryLimit / MIB} MiB, and powers of two`, fn);
    return limited;
  }

  #takeBus(index: number): boolean {
    if (this.#busesLeft === 0) {
      this.#leaveOut('BUSES', index);
      return false;
    }
    this.#busesLeft--;
    this.#busesHere++;
    return true;
  }

  #stray(index: number): null {
    return this.#leaveOut('STRAY_BRIDGE', index);
  }

  /** Leaves out a function with everything below it. */
  #leaveOut(code: PlainNoteCode, index: number): null {
    this.#note(code, this.#fn(index));
    const forget = (at: number): void => {
      this.#leftOut.add(this.#fn(at).name);
      for (const child of this.#children.get(at) ?? []) forget(child);
    };
    forget(index);
    return null;
  }

  #iommuLevels(): 3 | 4 | null {
    if (this.#options.iommuLevels !== undefined) return this.#options.iommuLevels;
    const modes = this.#hierarchy.functions.map((fn) => iommuModeOf(this.#machine, fn));
    return modes.some((mode) => mode === 'on' || mode === 'passthrough') ? 4 : null;
  }

  #cpu(): QemuCpu {
    const { cpu } = this.#machine;
    if (cpu === null) return 'qemu64';
    const models = Object.entries(QEMU_CPUS) as [QemuCpu, { vendor: string; family: number }][];
    const same = models.find(([, model]) => model.vendor === cpu.vendor && model.family === cpu.family);
    if (same !== undefined) return same[0];
    const alike = models.filter(([, model]) => model.vendor === cpu.vendor).pop();
    const [name, { vendor, family }] = alike ?? (['qemu64', QEMU_CPUS.qemu64] as const);
    this.#noteText(
      'CPU',
      `the CPU is ${vendor} family ${family}; it was ${cpu.vendor} family ${cpu.family ?? 'unknown'}`,
    );
    return name;
  }

  #note(code: PlainNoteCode, ...functions: readonly PciFunction[]): void {
    this.#noteText(code, REBUILD_MESSAGES[code], ...functions);
  }

  #noteText(code: RebuildNoteCode, message: string, ...functions: readonly PciFunction[]): void {
    const noted = this.#noted.get(code) ?? { message, functions: [] };
    for (const { name } of functions) if (!noted.functions.includes(name)) noted.functions.push(name);
    this.#noted.set(code, noted);
  }

  #fn(index: number): PciFunction {
    return this.#hierarchy.functions[index] as PciFunction;
  }
}

/** No bridge, or one that is powered down and so shows nothing below it. */
function isEndpoint(fn: PciFunction): boolean {
  return fn.poweredDown || !fn.isBridge;
}

/** Virtual Functions: those that say so, and those that a Physical Function’s SR-IOV capability counts. */
function virtualFunctions(hierarchy: Hierarchy): Set<number> {
  const virtual = new Set<number>();
  hierarchy.functions.forEach((fn, index) => {
    if (fn.facts.sysfs?.physicalFunction !== undefined) virtual.add(index);
    const { sriov } = fn;
    if (fn.isBridge || sriov === null) return;
    for (let vf = 0; vf < sriov.numVfs; vf++) {
      const key = fn.key + sriov.vfOffset + vf * sriov.vfStride;
      const at = hierarchy.functions.findIndex((other) => other.key === key);
      if (at >= 0 && at !== index) virtual.add(at);
    }
  });
  return virtual;
}
