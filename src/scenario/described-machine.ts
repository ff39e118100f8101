/** The machine that a scenario describes: the tree as firmware would set it up, with RAM and CPU. */

import { hex } from '../core/hex.ts';
import { rangesOverlap } from '../core/range.ts';
import type { Machine } from '../machine/machine.ts';
import { buildTree } from '../pcie/build-tree.ts';
import {
  type AcsDescription,
  DescribeError,
  type DeviceDescription,
  type PortDescription,
  type RootBusDescription,
  type TreeDescription,
} from '../pcie/describe.ts';
import type { Hierarchy } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { type Place, refuseField } from './errors.ts';
import { fieldPath } from './field-path.ts';
import type { AcsSetting, DescribedMachine, DeviceNode, HostBridgeNode, PortNode } from './scenario-types.ts';

const CLASS_NVME = 0x010802;
const CLASS_MEMORY = 0x050000;
const NVME_REGISTERS = 16 * 1024;
const DEFAULT_RAM = [{ start: 2 ** 20, size: 511 * 2 ** 20 }];

export interface NamedMachine {
  readonly machine: Machine;
  /** Functions by the names of the description. */
  readonly names: ReadonlyMap<string, PciFunction>;
  /** Descriptions of the NVMe controllers by function name. */
  readonly controllers: ReadonlyMap<string, DeviceNode>;
  /** What was assumed of a captured machine that does not tell, in words. */
  readonly assumed?: readonly string[];
}

/** Builds the machine. Throws `ScenarioError` with the line for what cannot be set up. */
export function describedMachine(description: DescribedMachine, place: Place): NamedMachine {
  const controllers = new Map<string, DeviceNode>();
  const rootBuses = description.hostBridges.map((bridge) => rootBus(bridge, controllers));
  const tree = built({ rootBuses }, description, place);
  const names = new Map<string, PciFunction>();
  for (const [name, bdf] of tree.names) {
    const fn = tree.hierarchy.at(bdf);
    if (fn !== undefined) names.set(name, fn);
  }
  const byFunction = new Map<string, DeviceNode>();
  for (const [name, node] of controllers) {
    const fn = names.get(name);
    if (fn !== undefined) byFunction.set(fn.name, node);
  }
  checkRam(description, tree.hierarchy, place);
  const ram = (description.ram ?? DEFAULT_RAM).map(({ start, size }) => ({ start, end: start + size }));
  const machine: Machine = {
    source: place.file,
    hierarchy: tree.hierarchy,
    ram,
    iomem: [],
    cpu: description.cpu ?? null,
    kernel: description.kernel ?? null,
    cmdline: null,
    iommuGroupTypes: new Map(),
    notes: [],
  };
  return { machine, names, controllers: byFunction };
}

/** Builds the tree; what it refuses is a complaint about the file. */
function built(tree: TreeDescription, description: DescribedMachine, place: Place): ReturnType<typeof buildTree> {
  try {
    return buildTree(tree);
  } catch (error) {
    if (!(error instanceof DescribeError)) throw error;
    const field = `machine.${fieldOf(error.path, description)}`;
    return refuseField(place, field, fieldPath(field), error.message, error.hint);
  }
}

/** The field of the file that a path of the tree's description came from: a name is under `port`, `nvme`, `device` or `switch`. */
function fieldOf(path: string, description: DescribedMachine): string {
  const own = path
    .replace(/^rootBuses/, 'hostBridges')
    .replace('.children', '.rootPorts')
    .replace(/\.functions\[0\]/, '');
  const [, where, last] = /^(.*)\.(name|bars.*)$/.exec(own) ?? [];
  if (where === undefined || last === undefined) return own;
  const node = fieldPath(where).reduce<unknown>((at, part) => Reflect.get(at as object, part), description) as object;
  const kind = ['nvme', 'device', 'switch', 'port'].find((one) => one in node) ?? last;
  if (last === 'name') return `${where}.${kind}`;
  return `${where}.${kind === 'nvme' ? 'cmb' : 'memory'}`;
}

/** RAM and the memory of devices share one space of CPU addresses. Throws `ScenarioError` where they overlap. */
function checkRam(description: DescribedMachine, hierarchy: Hierarchy, place: Place): void {
  (description.ram ?? []).forEach(({ start, size }, index) => {
    const range = { start, end: start + size };
    const field = `machine.ram[${index}]`;
    const other = (description.ram ?? [])
      .slice(0, index)
      .find((one) => rangesOverlap({ start: one.start, end: one.start + one.size }, range));
    if (other !== undefined) {
      refuseField(
        place,
        field,
        fieldPath(field),
        `overlaps the RAM from ${hex(other.start)}`,
        'give each range its own addresses',
      );
    }
    for (const fn of hierarchy.functions) {
      for (const bar of fn.bars) {
        if (bar.space !== 'memory' || bar.cpuAddress === null) continue;
        if (!rangesOverlap({ start: bar.cpuAddress, end: bar.cpuAddress + (bar.size ?? 0) }, range)) continue;
        const message = `overlaps BAR ${bar.index} of ${fn.name} at ${hex(bar.cpuAddress)}`;
        refuseField(
          place,
          field,
          fieldPath(field),
          message,
          'end the RAM below 0xc0000000, or begin it at 4GiB and end it below 32TiB',
        );
      }
    }
  });
}

function rootBus(bridge: HostBridgeNode, controllers: Map<string, DeviceNode>): RootBusDescription {
  const id = bridge.id === undefined ? '8086:2020' : bridge.id;
  const [vendor, device] = id === null ? [] : id.split(':').map((digits) => Number.parseInt(digits, 16));
  return {
    hostBridge: vendor === undefined || device === undefined ? null : { vendorId: vendor, deviceId: device },
    ...(bridge.busOffset === undefined ? {} : { busOffset: bridge.busOffset }),
    children: bridge.rootPorts.map((port) => ({ kind: 'rootPort', ...portOf(port, controllers) })),
  };
}

function portOf(node: PortNode, controllers: Map<string, DeviceNode>): PortDescription {
  return {
    ...(node.port === undefined ? {} : { name: node.port }),
    ...acsOf(node.acs),
    ...(node.link === undefined ? {} : { link: node.link }),
    below: (node.below ?? []).map((device) => deviceOf(device, controllers)),
  };
}

function deviceOf(node: DeviceNode, controllers: Map<string, DeviceNode>): DeviceDescription {
  if (node.switch !== undefined) {
    return {
      kind: 'switch',
      name: node.switch,
      ports: (node.ports ?? []).map((port) => portOf(port, controllers)),
    };
  }
  if (node.nvme !== undefined) {
    controllers.set(node.nvme, node);
    const cmb = node.cmb === undefined ? [] : [{ index: 2, size: node.cmb, prefetchable: true }];
    const bars = [{ index: 0, size: NVME_REGISTERS }, ...cmb];
    return { kind: 'endpoint', functions: [{ name: node.nvme, classCode: CLASS_NVME, ...acsOf(node.acs), bars }] };
  }
  const bars = [{ size: node.memory ?? 2 ** 24, prefetchable: true }];
  return {
    kind: 'endpoint',
    functions: [
      {
        ...(node.device === undefined ? {} : { name: node.device }),
        classCode: CLASS_MEMORY,
        ...acsOf(node.acs),
        bars,
      },
    ],
  };
}

function acsOf(setting: AcsSetting | undefined): { acs?: AcsDescription } {
  return setting === undefined ? {} : { acs: setting };
}
