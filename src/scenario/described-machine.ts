/** The machine that a scenario describes: the tree as firmware would set it up, with RAM and CPU. */

import type { Machine } from '../machine/machine.ts';
import { buildTree } from '../pcie/build-tree.ts';
import type { AcsDescription, DeviceDescription, PortDescription, RootBusDescription } from '../pcie/describe.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { ScenarioError } from './errors.ts';
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
}

/** Builds the machine. Throws `DescribeError` for what cannot be set up, `ScenarioError` for a name used twice. */
export function describedMachine(description: DescribedMachine, source: string): NamedMachine {
  const controllers = new Map<string, DeviceNode>();
  const tree = buildTree({ rootBuses: description.hostBridges.map((bridge) => rootBus(bridge, controllers, source)) });
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
  const ram = (description.ram ?? DEFAULT_RAM).map(({ start, size }) => ({ start, end: start + size }));
  const machine: Machine = {
    source,
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

function rootBus(bridge: HostBridgeNode, controllers: Map<string, DeviceNode>, source: string): RootBusDescription {
  const id = bridge.id === undefined ? '8086:2020' : bridge.id;
  const [vendor, device] = id === null ? [] : id.split(':').map((digits) => Number.parseInt(digits, 16));
  return {
    hostBridge: vendor === undefined || device === undefined ? null : { vendorId: vendor, deviceId: device },
    ...(bridge.busOffset === undefined ? {} : { busOffset: bridge.busOffset }),
    children: bridge.rootPorts.map((port) => ({ kind: 'rootPort', ...portOf(port, controllers, source) })),
  };
}

function portOf(node: PortNode, controllers: Map<string, DeviceNode>, source: string): PortDescription {
  return {
    ...(node.port === undefined ? {} : { name: node.port }),
    ...acsOf(node.acs),
    ...(node.link === undefined ? {} : { link: node.link }),
    below: (node.below ?? []).map((device) => deviceOf(device, controllers, source)),
  };
}

function deviceOf(node: DeviceNode, controllers: Map<string, DeviceNode>, source: string): DeviceDescription {
  if (node.switch !== undefined) {
    return {
      kind: 'switch',
      name: node.switch,
      ports: (node.ports ?? []).map((port) => portOf(port, controllers, source)),
    };
  }
  if (node.nvme !== undefined) {
    if (controllers.has(node.nvme)) {
      throw new ScenarioError(
        'FILE_FIELD',
        { file: source, line: null, field: node.nvme },
        'is the name of two controllers',
        'give each its own name',
      );
    }
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
