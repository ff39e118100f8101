/**
 * From a description to functions with configuration spaces: numbers the buses depth first, sizes and places BARs and bridge
 * windows bottom up, as firmware does. What comes out is evidence like any other: a reader of dumps could have found it.
 */

import { alignUp, busAddr } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import { ACS_BITS } from './acs.ts';
import { type Bdf, bdfFromRoutingId, bdfKey, busKey, requesterId } from './bdf.ts';
import type { BridgeWindow } from './bridge-window.ts';
import { type AcsFields, type BarFields, ConfigBuilder } from './config-builder.ts';
import {
  type AcsDescription,
  type BarDescription,
  DescribeError,
  type DescribeErrorCode,
  type DeviceDescription,
  type EndpointDescription,
  type EndpointFunctionDescription,
  type FunctionOptions,
  type LinkDescription,
  type PortDescription,
  type RootBusDescription,
  type RootPortDescription,
  type TreeDescription,
} from './describe.ts';
import type { PortType } from './express.ts';
import type { FunctionFacts, SysfsResource } from './function-facts.ts';
import { Hierarchy } from './hierarchy.ts';
import { PciFunction } from './pci-function.ts';
import { CLASS_HOST_BRIDGE, CLASS_PCI_BRIDGE, COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from './registers.ts';

export interface BuiltTree {
  readonly facts: readonly FunctionFacts[];
  readonly hierarchy: Hierarchy;
  /** Function of each name of the description. */
  readonly names: ReadonlyMap<string, Bdf>;
}

/**
 * Builds the tree. Refuses (`DescribeError`) what cannot be numbered or placed, with the path of the offending part.
 */
export function buildTree(description: TreeDescription): BuiltTree {
  const builder = new TreeBuilder();
  description.rootBuses.forEach((root, index) => {
    builder.rootBus(root, index);
  });
  return builder.finish();
}

const MIB = 0x100000;
const DEFAULT_LINK: LinkDescription = { speedGts: 16, width: 4 };

/** Space of one kind that a function and everything below it needs. */
interface Need {
  size: number;
  align: number;
}

/** The two pools of bus addresses: below 4 GiB, and 64-bit prefetchable. */
type Pool = 'memory' | 'prefetchable';

interface BarPlan {
  readonly index: number;
  readonly size: number;
  readonly is64Bit: boolean;
  readonly prefetchable: boolean;
  readonly pool: Pool;
  /** Virtual Functions share one stretch: this many times `size`. */
  readonly count: number;
  address: number;
}

interface FunctionPlan {
  readonly bdf: Bdf;
  readonly parent: Bdf | null;
  readonly rootBus: number;
  readonly busOffset: number;
  readonly path: string;
  readonly options: FunctionOptions;
  readonly portType: PortType;
  readonly classCode: number;
  readonly deviceId: number;
  readonly multiFunction: boolean;
  readonly link: LinkDescription | null;
  readonly portNumber: number;
  readonly bars: BarPlan[];
  readonly vfBars: BarPlan[];
  readonly vfs: number;
  readonly bridge: BridgePlan | null;
}

interface BridgePlan {
  readonly children: FunctionPlan[];
  readonly spareMemory: number;
  secondary: number;
  subordinate: number;
  memoryWindow: BridgeWindow | null;
  prefetchableWindow: BridgeWindow | null;
}

class TreeBuilder {
  readonly #plans: FunctionPlan[] = [];
  readonly #names = new Map<string, Bdf>();
  readonly #buses = new Set<number>();
  #nextBus = new Map<number, number>();
  #memory32 = 0xc0000000;
  #memory64 = 2 ** 45;
  #domain = 0;
  #root = 0;
  #busOffset = 0;

  rootBus(root: RootBusDescription, position: number): void {
    const path = `rootBuses[${position}]`;
    this.#domain = root.domain ?? 0;
    const bus = root.bus ?? this.#nextBus.get(this.#domain) ?? 0;
    this.#root = bus;
    this.#busOffset = root.busOffset ?? 0;
    if (this.#busOffset % MIB !== 0) {
      refuse(
        'VALUE_INVALID',
        `${path}.busOffset`,
        `bus offset ${this.#busOffset} is no multiple of 1 MiB`,
        'bridge windows move by whole MiB',
      );
    }
    this.#takeBus(bus, path);
    const plans: FunctionPlan[] = [];
    let device = 0;
    const hostBridge = root.hostBridge === undefined ? { vendorId: 0x8086, deviceId: 0x09a2 } : root.hostBridge;
    if (hostBridge !== null) {
      const bdf = this.#bdf(bus, device++, 0, path);
      plans.push(
        this.#plan({
          bdf,
          parent: null,
          path,
          options: hostBridge,
          portType: 'conventional',
          classCode: CLASS_HOST_BRIDGE * 256,
        }),
      );
    }
    root.children.forEach((child, index) => {
      const at = `${path}.children[${index}]`;
      if (child.kind === 'rootPort') plans.push(this.#port(child, 'rootPort', bus, device, null, device, at));
      else plans.push(...this.#device(child, bus, device, null, at, null, 'root'));
      device++;
    });
    const memory32 = root.memory32 ?? this.#memory32;
    const memory64 = root.memory64 ?? this.#memory64;
    this.#memory32 = alignUp(Math.max(this.#memory32, place(plans, 'memory', memory32)), MIB);
    place(plans, 'prefetchable', memory64);
    this.#memory64 = Math.max(this.#memory64, memory64) + 2 ** 40;
    if (this.#memory32 > 0xfec00000) {
      refuse(
        'MEMORY_EXHAUSTED',
        path,
        `windows below 4 GiB end at ${hex(this.#memory32)}`,
        'make BARs 64-bit and prefetchable, or smaller',
      );
    }
  }

  finish(): BuiltTree {
    const facts = this.#plans.flatMap((plan) => encode(plan));
    const offsets = new Map(this.#plans.map((plan) => [bdfKey(plan.bdf), plan.busOffset]));
    const functions = facts.map((fact) => {
      const owner = fact.sysfs?.physicalFunction ?? fact.bdf;
      return new PciFunction(fact, { busOffset: offsets.get(bdfKey(owner)) ?? 0, extendedVisible: true });
    });
    return { facts, hierarchy: new Hierarchy(functions), names: this.#names };
  }

  #device(
    device: DeviceDescription,
    bus: number,
    number: number,
    parent: Bdf | null,
    path: string,
    link: LinkDescription | null,
    busKind: 'link' | 'root' | 'conventional',
  ): FunctionPlan[] {
    switch (device.kind) {
      case 'endpoint':
        return this.#endpoint(device, bus, number, parent, path, link, busKind);
      case 'switch': {
        const bdf = this.#bdf(bus, number, 0, path);
        const upstream = device.upstream ?? {};
        this.#name(device.name ?? upstream.name, bdf, path);
        const bridge = newBridge(upstream.spareMemory ?? 0);
        const plan = this.#plan({
          bdf,
          parent,
          path,
          options: upstream,
          portType: 'upstreamPort',
          classCode: CLASS_PCI_BRIDGE * 256,
          bridge,
          link: link ?? DEFAULT_LINK,
        });
        bridge.secondary = this.#newBus(path);
        device.ports.forEach((port, index) => {
          const at = `${path}.ports[${index}]`;
          bridge.children.push(this.#port(port, 'downstreamPort', bridge.secondary, index, bdf, index, at));
        });
        bridge.subordinate = this.#lastBus();
        return [plan];
      }
      case 'pciBridge': {
        const bdf = this.#bdf(bus, number, 0, path);
        this.#name(device.name, bdf, path);
        const bridge = newBridge(0);
        const portType = busKind === 'link' ? 'pcieToPci' : 'conventional';
        const plan = this.#plan({
          bdf,
          parent,
          path,
          options: device.bridge ?? {},
          portType,
          classCode: CLASS_PCI_BRIDGE * 256,
          bridge,
          link,
        });
        bridge.secondary = this.#newBus(path);
        device.below.forEach((child, index) => {
          const at = `${path}.below[${index}]`;
          bridge.children.push(...this.#device(child, bridge.secondary, index, bdf, at, null, 'conventional'));
        });
        bridge.subordinate = this.#lastBus();
        return [plan];
      }
    }
  }

  #endpoint(
    device: EndpointDescription,
    bus: number,
    number: number,
    parent: Bdf | null,
    path: string,
    link: LinkDescription | null,
    busKind: 'link' | 'root' | 'conventional',
  ): FunctionPlan[] {
    const portType = busKind === 'link' ? 'endpoint' : busKind === 'root' ? 'rcIntegratedEndpoint' : 'conventional';
    return device.functions.map((fn, index) => {
      const at = `${path}.functions[${index}]`;
      if (index > 7) {
        refuse(
          'FUNCTION_NUMBERS_EXHAUSTED',
          at,
          `function ${index} of one device`,
          'a device has at most 8 functions; use SR-IOV for more',
        );
      }
      const bdf = this.#bdf(bus, number, index, at);
      this.#name(fn.name ?? (index === 0 ? device.name : undefined), bdf, at);
      const multiFunction = device.functions.length > 1;
      return this.#plan({
        bdf,
        parent,
        path: at,
        options: fn,
        portType,
        classCode: fn.classCode ?? 0x088000,
        multiFunction,
        link,
        endpoint: fn,
      });
    });
  }

  #port(
    port: PortDescription | RootPortDescription,
    portType: 'rootPort' | 'downstreamPort',
    bus: number,
    device: number,
    parent: Bdf | null,
    portNumber: number,
    path: string,
  ): FunctionPlan {
    const bdf = this.#bdf(bus, device, 0, path);
    this.#name(port.name, bdf, path);
    const bridge = newBridge(port.spareMemory ?? 0);
    const link = port.link ?? DEFAULT_LINK;
    const plan = this.#plan({
      bdf,
      parent,
      path,
      options: port,
      portType,
      classCode: CLASS_PCI_BRIDGE * 256,
      bridge,
      link,
      portNumber,
    });
    bridge.secondary = this.#newBus(path);
    const below = port.below ?? [];
    if (below.length > 1) {
      refuse(
        'TOO_MANY_DEVICES_ON_LINK',
        `${path}.below[1]`,
        `${below.length} devices below one port`,
        'a link joins two: put a switch there, or give one device several functions',
      );
    }
    below.forEach((child, index) => {
      bridge.children.push(...this.#device(child, bridge.secondary, 0, bdf, `${path}.below[${index}]`, link, 'link'));
    });
    bridge.subordinate = this.#lastBus();
    return plan;
  }

  #plan(fields: {
    bdf: Bdf;
    parent: Bdf | null;
    path: string;
    options: FunctionOptions;
    portType: PortType;
    classCode: number;
    multiFunction?: boolean;
    link?: LinkDescription | null;
    portNumber?: number;
    bridge?: BridgePlan;
    endpoint?: EndpointFunctionDescription;
  }): FunctionPlan {
    const { options, endpoint, path } = fields;
    const limit = fields.bridge ? 2 : 6;
    const vfs = endpoint?.sriov?.vfs ?? 0;
    const plan: FunctionPlan = {
      bdf: fields.bdf,
      parent: fields.parent,
      rootBus: this.#root,
      busOffset: this.#busOffset,
      path,
      options,
      portType: fields.portType,
      classCode: fields.classCode,
      deviceId: options.deviceId ?? (fields.bridge ? 0x000c : 0x1100),
      multiFunction: fields.multiFunction ?? false,
      link: fields.link ?? null,
      portNumber: fields.portNumber ?? 0,
      bars: planBars(options.bars ?? [], 1, limit, `${path}.bars`),
      vfBars: planBars(endpoint?.sriov?.bars ?? [], vfs, 6, `${path}.sriov.bars`),
      vfs,
      bridge: fields.bridge ?? null,
    };
    this.#plans.push(plan);
    return plan;
  }

  #bdf(bus: number, device: number, fn: number, path: string): Bdf {
    if (device > 31) {
      refuse(
        'DEVICE_NUMBERS_EXHAUSTED',
        path,
        `device ${device} on bus ${bus}`,
        'a bus has 32 device numbers: use another root bus or a further switch',
      );
    }
    return { domain: this.#domain, bus, device, function: fn };
  }

  #name(name: string | undefined, bdf: Bdf, path: string): void {
    if (name === undefined) return;
    if (this.#names.has(name))
      refuse('NAME_TAKEN', `${path}.name`, `'${name}' names two functions`, 'give each function a name of its own');
    this.#names.set(name, bdf);
  }

  #newBus(path: string): number {
    const bus = this.#nextBus.get(this.#domain) ?? 0;
    this.#takeBus(bus, path);
    return bus;
  }

  #takeBus(bus: number, path: string): void {
    if (bus > 255)
      refuse(
        'BUS_NUMBERS_EXHAUSTED',
        path,
        `bus number ${bus}`,
        'a domain has 256 buses: put a root bus into another domain',
      );
    const key = busKey(this.#domain, bus);
    if (this.#buses.has(key))
      refuse(
        'BUS_NUMBER_TAKEN',
        path,
        `bus ${hex(bus)} is already in use`,
        'leave `bus` out, or give a number behind the last',
      );
    this.#buses.add(key);
    this.#nextBus.set(this.#domain, bus + 1);
  }

  #lastBus(): number {
    return (this.#nextBus.get(this.#domain) as number) - 1;
  }
}

function newBridge(spareMemory: number): BridgePlan {
  return { children: [], spareMemory, secondary: 0, subordinate: 0, memoryWindow: null, prefetchableWindow: null };
}

function planBars(bars: readonly BarDescription[], count: number, limit: number, path: string): BarPlan[] {
  const taken = new Set<number>();
  return bars.map((bar, position) => {
    const at = `${path}[${position}]`;
    if (!Number.isSafeInteger(bar.size) || bar.size < 16 || 2 ** Math.round(Math.log2(bar.size)) !== bar.size) {
      const up = 2 ** Math.ceil(Math.log2(Math.max(16, bar.size)));
      refuse(
        'BAR_SIZE_INVALID',
        `${at}.size`,
        `a BAR of ${bar.size} bytes`,
        `use a power of two of at least 16, for instance ${up}`,
      );
    }
    const is64Bit = bar.is64Bit ?? true;
    let index = bar.index ?? 0;
    if (bar.index === undefined) while (taken.has(index)) index++;
    const slots = is64Bit ? [index, index + 1] : [index];
    if (slots.some((slot) => slot >= limit || slot < 0 || taken.has(slot))) {
      refuse(
        'BAR_INDEX_INVALID',
        at,
        `BAR ${slots.join(' and ')} of a function with registers 0 to ${limit - 1}`,
        'a 64-bit BAR takes two registers',
      );
    }
    for (const slot of slots) taken.add(slot);
    const prefetchable = bar.prefetchable ?? false;
    const pool: Pool = is64Bit && prefetchable ? 'prefetchable' : 'memory';
    return { index, size: bar.size, is64Bit, prefetchable, pool, count, address: 0 };
  });
}

/** Places everything that `plans` need of a pool from `start` on; returns where it ends. */
function place(plans: readonly FunctionPlan[], pool: Pool, start: number): number {
  let at = start;
  // Largest alignment first leaves no holes between powers of two.
  for (const item of itemsOf(plans, pool)) {
    at = ceilTo(at, item.need.align);
    item.assign(at);
    at += item.need.size;
  }
  return at;
}

interface Item {
  readonly need: Need;
  readonly assign: (address: number) => void;
}

function itemsOf(plans: readonly FunctionPlan[], pool: Pool): Item[] {
  const items: Item[] = [];
  for (const plan of plans) {
    for (const bar of [...plan.bars, ...plan.vfBars]) {
      if (bar.pool !== pool) continue;
      const assign = (address: number): void => {
        bar.address = address;
      };
      items.push({ need: { size: bar.size * bar.count, align: bar.size }, assign });
    }
    const { bridge } = plan;
    if (bridge === null) continue;
    const need = needOf(bridge, pool);
    if (need.size === 0) continue;
    const assign = (address: number): void => {
      const window = { start: address, end: address + need.size };
      if (pool === 'memory') bridge.memoryWindow = window;
      else bridge.prefetchableWindow = window;
      place(bridge.children, pool, address);
    };
    items.push({ need, assign });
  }
  return items.sort((a, b) => b.need.align - a.need.align);
}

/** Size of the window that a bridge needs: whole MiB. */
function needOf(bridge: BridgePlan, pool: Pool): Need {
  let size = 0;
  let align = MIB;
  for (const { need } of itemsOf(bridge.children, pool)) {
    size = ceilTo(size, need.align) + need.size;
    align = Math.max(align, need.align);
  }
  if (pool === 'memory') size += bridge.spareMemory;
  return { size: ceilTo(size, MIB), align };
}

/** Like alignUp, for granules of any size: a BAR may be larger than 2 GiB. */
function ceilTo(value: number, granule: number): number {
  return Math.ceil(value / granule) * granule;
}

function encode(plan: FunctionPlan): FunctionFacts[] {
  const { bdf, options, bridge, portType } = plan;
  const command =
    (options.memorySpace === false ? 0 : COMMAND_MEMORY_SPACE) | (options.busMaster === false ? 0 : COMMAND_BUS_MASTER);
  const header = {
    vendorId: options.vendorId ?? 0x1af4,
    deviceId: plan.deviceId,
    classCode: plan.classCode,
    command,
    multiFunction: plan.multiFunction,
  };
  const config = new ConfigBuilder(header, bridge ? 1 : 0);
  for (const bar of plan.bars) config.bar(barFields(bar));
  if (bridge) config.bridge({ ...bridge, primary: bdf.bus });
  if (portType !== 'conventional') {
    const integrated = portType === 'rcIntegratedEndpoint';
    config.express({
      portType,
      link: integrated ? null : plan.link,
      maxPayload: options.maxPayload ?? 256,
      maxReadRequest: options.maxReadRequest ?? 512,
      portNumber: plan.portNumber,
    });
    config.aer();
    const acs = acsFields(options.acs ?? 'absent', plan.path);
    if (acs) config.acs(acs);
  }
  const vfOffset = 1;
  if (plan.vfs > 0) {
    const bars = plan.vfBars.map(barFields);
    const { vfs } = plan;
    config.sriov({ totalVfs: vfs, numVfs: vfs, vfOffset, vfStride: 1, vfDeviceId: plan.deviceId + 1, bars });
  }
  const facts: FunctionFacts[] = [factsOf(plan, bdf, config, plan.bars, 0, undefined)];
  for (let vf = 0; vf < plan.vfs; vf++) {
    const routingId = requesterId(bdf) + vfOffset + vf;
    if (routingId >> 8 !== bdf.bus) {
      refuse(
        'FUNCTION_NUMBERS_EXHAUSTED',
        plan.path,
        `Virtual Function ${vf + 1} would be on bus ${routingId >> 8}`,
        'use fewer Virtual Functions: one bus holds 256 functions',
      );
    }
    facts.push(virtualFunction(plan, bdfFromRoutingId(bdf.domain, routingId), vf));
  }
  return facts;
}

/** A Virtual Function's registers: identity all ones, BARs zero; its own Bus Master Enable. PCIe 9.3.4. */
function virtualFunction(plan: FunctionPlan, bdf: Bdf, vf: number): FunctionFacts {
  const command = plan.options.busMaster === false ? 0 : COMMAND_BUS_MASTER;
  const header = { vendorId: 0xffff, deviceId: 0xffff, classCode: plan.classCode, command, multiFunction: false };
  const config = new ConfigBuilder(header, 0);
  config.express({ portType: 'endpoint', link: plan.link, maxPayload: 128, maxReadRequest: 128, portNumber: 0 });
  return factsOf(plan, bdf, config, plan.vfBars, vf, plan.bdf);
}

function factsOf(
  plan: FunctionPlan,
  bdf: Bdf,
  config: ConfigBuilder,
  bars: readonly BarPlan[],
  position: number,
  physicalFunction: Bdf | undefined,
): FunctionFacts {
  const resources: SysfsResource[] = Array.from({ length: 6 }, () => ({ start: 0, end: 0, flags: 0 }));
  for (const bar of bars) {
    const start = busAddr(bar.address + position * bar.size) - plan.busOffset;
    if (start < 0)
      refuse('VALUE_INVALID', plan.path, `BAR ${bar.index} has CPU address ${start}`, 'choose a smaller bus offset');
    const flags = 0x40200 | (bar.prefetchable ? 0x2000 : 0) | (bar.is64Bit ? 0x100000 : 0);
    resources[bar.index] = { start, end: start + bar.size - 1, flags };
  }
  const source = { kind: 'config', file: 'description', line: null } as const;
  return {
    bdf,
    config: config.build(),
    configSource: source,
    text: null,
    sysfs: {
      folder: 'description',
      parent: plan.parent,
      rootBus: plan.rootBus,
      vendorId: plan.options.vendorId ?? 0x1af4,
      deviceId: physicalFunction ? plan.deviceId + 1 : plan.deviceId,
      classCode: plan.classCode,
      subsystemVendorId: undefined,
      subsystemId: undefined,
      resources,
      numaNode: undefined,
      iommuGroup: undefined,
      driver: undefined,
      physicalFunction,
      link: undefined,
      p2pmem: undefined,
    },
  };
}

function barFields(bar: BarPlan): BarFields {
  return { index: bar.index, busAddress: bar.address, is64Bit: bar.is64Bit, prefetchable: bar.prefetchable };
}

function acsFields(acs: AcsDescription, path: string): AcsFields | null {
  if (acs === 'absent') return null;
  if (acs === 'clear') return { capability: 0x7f, control: 0, egressVector: [0] };
  if ('control' in acs) {
    const capability = acs.capability ?? 0x7f;
    if ((acs.control & ~capability) !== 0) {
      refuse(
        'VALUE_INVALID',
        `${path}.acs.control`,
        `control ${hex(acs.control)} beyond capability ${hex(capability)}`,
        'controls without their capability bit are hardwired to zero',
      );
    }
    return { capability, control: acs.control, egressVector: acs.egressVector ?? [0] };
  }
  let control = 0;
  for (const name of acs) control |= ACS_BITS.find((bit) => bit.short === name)?.mask ?? 0;
  return { capability: 0x7f, control, egressVector: [0] };
}

function refuse(code: DescribeErrorCode, path: string, message: string, hint: string): never {
  throw new DescribeError({ code, path, message, hint });
}
