/**
 * From a description to functions with configuration spaces: numbers devices and buses depth first, places addresses, writes the
 * registers, as firmware would. What comes out is evidence like any other: a reader could have found it on a live machine.
 */

import { alignUp } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import { type Bdf, bdfKey, busKey } from './bdf.ts';
import {
  type DeviceDescription,
  type EndpointDescription,
  type LinkDescription,
  type PciBridgeDescription,
  type PortDescription,
  type RootBusDescription,
  refuseDescription,
  type SwitchDescription,
  type TreeDescription,
} from './describe.ts';
import { encodePlan } from './encode-plan.ts';
import type { FunctionFacts } from './function-facts.ts';
import { Hierarchy } from './hierarchy.ts';
import { PciFunction } from './pci-function.ts';
import { placeTree, WINDOW_GRANULE } from './place-tree.ts';
import { CLASS_HOST_BRIDGE, CLASS_PCI_BRIDGE } from './registers.ts';
import { type FunctionPlan, newBridge, type PlanFields, planFunction } from './tree-plan.ts';

export interface BuiltTree {
  /** In the order of the description. */
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
    builder.rootBus(root, `rootBuses[${index}]`);
  });
  return builder.finish();
}

const DEFAULT_LINK: LinkDescription = { speedGts: 16, width: 4 };
const DEFAULT_HOST_BRIDGE = { vendorId: 0x8086, deviceId: 0x09a2 };
const BRIDGE_CLASS = CLASS_PCI_BRIDGE * 256;
/** Above lie the interrupt controllers and the firmware of x86. */
const MEMORY32_END = 0xfec00000;

/** Where a device stands. */
interface Place {
  readonly bus: number;
  readonly device: number;
  readonly parent: Bdf | null;
  readonly path: string;
  readonly kind: 'root' | 'link' | 'conventional';
  readonly link: LinkDescription | null;
}

class TreeBuilder {
  readonly #plans: FunctionPlan[] = [];
  readonly #names = new Map<string, Bdf>();
  readonly #buses = new Set<number>();
  /** By domain. */
  readonly #nextBus = new Map<number, number>();
  #memory32 = 0xc0000000;
  #memory64 = 2 ** 45;
  #domain = 0;
  #rootBus = 0;
  #busOffset = 0;

  rootBus(root: RootBusDescription, path: string): void {
    this.#domain = root.domain ?? 0;
    this.#rootBus = root.bus ?? this.#nextBus.get(this.#domain) ?? 0;
    this.#busOffset = root.busOffset ?? 0;
    if (this.#busOffset % WINDOW_GRANULE !== 0) {
      const message = `bus offset ${this.#busOffset} is no multiple of 1 MiB`;
      refuseDescription('VALUE_INVALID', `${path}.busOffset`, message, 'windows of bridges move by whole MiB');
    }
    this.#takeBus(this.#rootBus, path);
    const plans: FunctionPlan[] = [];
    let device = 0;
    const options = root.hostBridge === undefined ? DEFAULT_HOST_BRIDGE : root.hostBridge;
    if (options !== null) {
      const bdf = this.#bdf(this.#rootBus, device++, 0, path);
      const classCode = CLASS_HOST_BRIDGE * 256;
      plans.push(this.#plan({ bdf, parent: null, path, options, portType: 'conventional', classCode }));
    }
    root.children.forEach((child, index) => {
      const at = `${path}.children[${index}]`;
      const place: Place = { bus: this.#rootBus, device: device++, parent: null, path: at, kind: 'root', link: null };
      if (child.kind === 'rootPort') plans.push(this.#port(child, 'rootPort', place));
      else plans.push(...this.#device(child, place));
    });
    const memory64 = root.memory64 ?? this.#memory64;
    const end = placeTree(plans, 'memory', root.memory32 ?? this.#memory32);
    if (end > MEMORY32_END) {
      const message = `windows below 4 GiB end at ${hex(end)}`;
      refuseDescription('MEMORY_EXHAUSTED', path, message, 'make BARs 64-bit and prefetchable, or smaller');
    }
    placeTree(plans, 'prefetchable', memory64);
    this.#memory32 = alignUp(Math.max(this.#memory32, end), WINDOW_GRANULE);
    this.#memory64 = Math.max(this.#memory64, memory64) + 2 ** 40;
  }

  finish(): BuiltTree {
    const facts = this.#plans.flatMap((plan) => encodePlan(plan));
    const offsets = new Map(this.#plans.map((plan) => [bdfKey(plan.bdf), plan.busOffset]));
    const functions = facts.map((fact) => {
      const owner = fact.sysfs?.physicalFunction ?? fact.bdf;
      return new PciFunction(fact, { busOffset: offsets.get(bdfKey(owner)) ?? 0, extendedVisible: true });
    });
    return { facts, hierarchy: new Hierarchy(functions), names: this.#names };
  }

  #device(device: DeviceDescription, place: Place): FunctionPlan[] {
    switch (device.kind) {
      case 'endpoint':
        return this.#endpoint(device, place);
      case 'switch':
        return [this.#switch(device, place)];
      case 'pciBridge':
        return [this.#pciBridge(device, place)];
    }
  }

  #endpoint(device: EndpointDescription, place: Place): FunctionPlan[] {
    const portTypes = { root: 'rcIntegratedEndpoint', link: 'endpoint', conventional: 'conventional' } as const;
    return device.functions.map((options, index) => {
      const path = `${place.path}.functions[${index}]`;
      if (index > 7) {
        const message = `function ${index} of one device`;
        refuseDescription(
          'FUNCTION_NUMBERS_EXHAUSTED',
          path,
          message,
          'a device has at most 8 functions; use SR-IOV for more',
        );
      }
      const bdf = this.#bdf(place.bus, place.device, index, path);
      this.#name(options.name ?? (index === 0 ? device.name : undefined), bdf, path);
      return this.#plan({
        bdf,
        parent: place.parent,
        path,
        options,
        portType: portTypes[place.kind],
        classCode: options.classCode ?? 0x088000,
        multiFunction: device.functions.length > 1,
        link: place.link,
        sriov: options.sriov,
      });
    });
  }

  #switch(device: SwitchDescription, place: Place): FunctionPlan {
    const { path, parent } = place;
    const bdf = this.#bdf(place.bus, place.device, 0, path);
    const options = device.upstream ?? {};
    this.#name(device.name ?? options.name, bdf, path);
    const bridge = newBridge(options.spareMemory ?? 0);
    const link = place.link ?? DEFAULT_LINK;
    const plan = this.#plan({
      bdf,
      parent,
      path,
      options,
      portType: 'upstreamPort',
      classCode: BRIDGE_CLASS,
      bridge,
      link,
    });
    const bus = this.#newBus(path);
    bridge.secondary = bus;
    device.ports.forEach((port, index) => {
      const at = `${path}.ports[${index}]`;
      const below: Place = { bus, device: index, parent: bdf, path: at, kind: 'link', link: null };
      bridge.children.push(this.#port(port, 'downstreamPort', below));
    });
    bridge.subordinate = this.#lastBus();
    return plan;
  }

  #pciBridge(device: PciBridgeDescription, place: Place): FunctionPlan {
    const { path, parent, link } = place;
    const bdf = this.#bdf(place.bus, place.device, 0, path);
    this.#name(device.name, bdf, path);
    const bridge = newBridge(0);
    const portType = place.kind === 'link' ? 'pcieToPci' : 'conventional';
    const options = device.bridge ?? {};
    const plan = this.#plan({ bdf, parent, path, options, portType, classCode: BRIDGE_CLASS, bridge, link });
    const bus = this.#newBus(path);
    bridge.secondary = bus;
    device.below.forEach((child, index) => {
      const at = `${path}.below[${index}]`;
      const below: Place = { bus, device: index, parent: bdf, path: at, kind: 'conventional', link: null };
      bridge.children.push(...this.#device(child, below));
    });
    bridge.subordinate = this.#lastBus();
    return plan;
  }

  #port(port: PortDescription, portType: 'rootPort' | 'downstreamPort', place: Place): FunctionPlan {
    const { path, parent } = place;
    const bdf = this.#bdf(place.bus, place.device, 0, path);
    this.#name(port.name, bdf, path);
    const bridge = newBridge(port.spareMemory ?? 0);
    const link = port.link ?? DEFAULT_LINK;
    const portNumber = place.device;
    const plan = this.#plan({
      bdf,
      parent,
      path,
      options: port,
      portType,
      classCode: BRIDGE_CLASS,
      bridge,
      link,
      portNumber,
    });
    const bus = this.#newBus(path);
    bridge.secondary = bus;
    const below = port.below ?? [];
    if (below.length > 1) {
      const message = `${below.length} devices below one port`;
      const hint = 'a link joins two: put a switch there, or give one device several functions';
      refuseDescription('TOO_MANY_DEVICES_ON_LINK', `${path}.below[1]`, message, hint);
    }
    below.forEach((child, index) => {
      const at = `${path}.below[${index}]`;
      bridge.children.push(...this.#device(child, { bus, device: 0, parent: bdf, path: at, kind: 'link', link }));
    });
    bridge.subordinate = this.#lastBus();
    return plan;
  }

  #plan(fields: Omit<PlanFields, 'rootBus' | 'busOffset'>): FunctionPlan {
    const plan = planFunction({ ...fields, rootBus: this.#rootBus, busOffset: this.#busOffset });
    this.#plans.push(plan);
    return plan;
  }

  #bdf(bus: number, device: number, fn: number, path: string): Bdf {
    if (device > 31) {
      const hint = 'a bus has 32 device numbers: use another root bus or a further switch';
      refuseDescription('DEVICE_NUMBERS_EXHAUSTED', path, `device ${device} on bus ${bus}`, hint);
    }
    return { domain: this.#domain, bus, device, function: fn };
  }

  #name(name: string | undefined, bdf: Bdf, path: string): void {
    if (name === undefined) return;
    if (this.#names.has(name)) {
      refuseDescription(
        'NAME_TAKEN',
        `${path}.name`,
        `'${name}' names two functions`,
        'give each function a name of its own',
      );
    }
    this.#names.set(name, bdf);
  }

  #newBus(path: string): number {
    const bus = this.#nextBus.get(this.#domain) ?? 0;
    this.#takeBus(bus, path);
    return bus;
  }

  #takeBus(bus: number, path: string): void {
    if (!(bus >= 0 && bus <= 255)) {
      const hint = 'a domain has 256 buses: put a root bus into another domain';
      refuseDescription('BUS_NUMBERS_EXHAUSTED', path, `bus number ${bus}`, hint);
    }
    const key = busKey(this.#domain, bus);
    if (this.#buses.has(key)) {
      const hint = 'leave `bus` out, or give a number behind the last';
      refuseDescription('BUS_NUMBER_TAKEN', path, `bus ${hex(bus)} is already in use`, hint);
    }
    this.#buses.add(key);
    this.#nextBus.set(this.#domain, bus + 1);
  }

  #lastBus(): number {
    return (this.#nextBus.get(this.#domain) as number) - 1;
  }
}
