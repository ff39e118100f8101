/** A machine that an engine runs, for tests that do not care which: the tree, its functions by name, media, and hot removal. */

import { type PhysAddr, Prng } from '../../src/core/index.ts';
import { QemuEngine, rebuildMachine } from '../../src/engine/qemu/index.ts';
import type { RegisterEngine } from '../../src/engine/register.ts';
import { SimEngine } from '../../src/engine/sim/index.ts';
import { type Hop, IommuPort } from '../../src/fabric/index.ts';
import type { IommuDomain } from '../../src/iommu/index.ts';
import type { Machine } from '../../src/machine/index.ts';
import { MemoryBlockStore } from '../../src/nvme/device/index.ts';
import type { DriverLimits } from '../../src/nvme/driver/index.ts';
import { buildTree, type EndpointDescription, type PciFunction, type TreeDescription } from '../../src/pcie/index.ts';
import { othersDisagree } from '../qemu/two-others.ts';

export const KIB = 1024;
export const MIB: number = 1024 * KIB;
export const PAGE = 4096;
export const BLOCK = 512;

/** Bytes of every namespace. */
export const MEDIUM_BYTES: number = 32 * MIB;

export interface BedOptions {
  readonly tree: TreeDescription;
  /** Levels of the IOMMU's tables; left out, there is no IOMMU. */
  readonly iommuLevels?: 3 | 4;
}

export interface Bed {
  readonly engine: RegisterEngine;
  readonly machine: Machine;
  readonly limits: Partial<DriverLimits>;
  /** A function by its name in the tree. */
  fn(name: string): PciFunction;
  /** How the DMA of a function is treated; nobody is attached at first. */
  attachIommu(fn: PciFunction, context: IommuDomain | 'passthrough'): void;
  /** A controller's medium, past the controller. */
  readMedium(name: string, offset: number, into: Uint8Array): void;
  writeMedium(name: string, offset: number, from: Uint8Array): void;
  /** Takes a device out of its slot. */
  unplug(name: string): Promise<void>;
  /** Hops of everything that runs until the answer is called; null where the engine shows none. */
  watch(): (() => readonly Hop[]) | null;
  /** The host this bed's data must not leave: for QEMU, the process. */
  readonly pid: number | null;
}

export type NewBed = (options: BedOptions) => Promise<Bed>;

/** An NVMe controller with registers in BAR 0 and, if asked for, a buffer in BAR 2. */
export function nvme(name: string, cmbBytes = 0): EndpointDescription {
  const cmb = cmbBytes === 0 ? [] : [{ index: 2, size: cmbBytes, prefetchable: true }];
  return {
    kind: 'endpoint',
    name,
    functions: [{ classCode: 0x010802, bars: [{ index: 0, size: 16 * KIB }, ...cmb] }],
  };
}

/** Memory behind BAR 2 and nothing else. */
export function memory(name: string, bytes: number): EndpointDescription {
  const bars = [
    { index: 0, size: PAGE, is64Bit: false },
    { index: 2, size: bytes, prefetchable: true },
  ];
  return { kind: 'endpoint', name, functions: [{ classCode: 0x050000, bars }] };
}

/** Two controllers and a memory below one switch, a memory below another root port. `b` has a buffer. */
export function switchTree(acs: 'absent' | readonly ['RR', 'CR', 'UF'] = 'absent'): TreeDescription {
  return {
    rootBuses: [
      {
        hostBridge: { vendorId: 0x8086, deviceId: 0x29c0 },
        children: [
          {
            kind: 'rootPort',
            acs,
            below: [
              {
                kind: 'switch',
                ports: [
                  { name: 'portA', acs, below: [nvme('a')] },
                  { name: 'portB', acs, below: [nvme('b', 16 * MIB)] },
                  { name: 'portM', acs, below: [memory('m', 16 * MIB)] },
                ],
              },
            ],
          },
          { kind: 'rootPort', acs: 'absent', below: [memory('far', 16 * MIB)] },
        ],
      },
    ],
  };
}

const RAM = [{ start: MIB, end: 112 * MIB }];

/** The machine of a tree, and its functions by name. */
export function builtMachine(tree: TreeDescription): { machine: Machine; names: ReadonlyMap<string, PciFunction> } {
  const built = buildTree(tree);
  const names = new Map<string, PciFunction>();
  for (const [name, bdf] of built.names) names.set(name, built.hierarchy.at(bdf) as PciFunction);
  const machine: Machine = {
    source: 'test',
    hierarchy: built.hierarchy,
    ram: RAM,
    iomem: [],
    cpu: { vendor: 'AuthenticAMD', family: 23 },
    kernel: null,
    cmdline: null,
    iommuGroupTypes: new Map(),
    notes: [],
  };
  return { machine, names };
}

function known<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`no function is called ${name}`);
  return found;
}

/** Our own fabric. */
export const newSimBed: NewBed = async ({ tree, iommuLevels }) => {
  const { machine, names } = builtMachine(tree);
  const port = iommuLevels === undefined ? null : new IommuPort();
  const stores = new Map([...names.keys()].map((name) => [name, new MemoryBlockStore(MEDIUM_BYTES)]));
  const devices = Object.fromEntries(
    [...names].map(([name, fn]) => [fn.name, { nvme: { store: known(stores, name), mdts: 10 } }]),
  );
  const engine = new SimEngine({ machine, iommu: port, devices });
  return {
    engine,
    machine,
    limits: {},
    pid: null,
    fn: (name) => known(names, name),
    attachIommu: (fn, context) => port?.attach(fn.key, context),
    readMedium: (name, offset, into) => void known(stores, name).read(offset, into),
    writeMedium: (name, offset, from) => void known(stores, name).write(offset, from),
    unplug: async (name) => {
      engine.fabric.function(machine.hierarchy.indexOf(known(names, name).bdf)).present = false;
    },
    watch: () => {
      const hops: Hop[] = [];
      const stop = engine.fabric.watch((hop) => hops.push(hop));
      return () => {
        stop();
        return hops;
      };
    },
  };
};

/** A QEMU machine of the same shape; its functions are those that were enumerated there, as query-pci and lspci see them too. */
export const newQemuBed: NewBed = async ({ tree, iommuLevels }) => {
  const { machine: wanted, names } = builtMachine(tree);
  const { description } = rebuildMachine(wanted, { iommuLevels: iommuLevels ?? null, namespaceBytes: MEDIUM_BYTES });
  const engine = await QemuEngine.start({ machine: description });
  const machine = await engine.machine();
  const differences = await othersDisagree(engine, machine);
  if (differences.length > 0) {
    await engine.close();
    throw new Error(`others see another machine: ${differences.join('; ')}`);
  }
  const partOf = (name: string): string => known(names, name).name;
  return {
    engine,
    machine,
    limits: engine.envelope.limits,
    pid: engine.pid,
    fn: (name) => machine.hierarchy.at(engine.locate(partOf(name))) as PciFunction,
    attachIommu: (fn, context) => engine.attachIommu(fn.bdf, context),
    readMedium: (name, offset, into) => engine.readMedium(partOf(name), offset, into),
    writeMedium: (name, offset, from) => engine.writeMedium(partOf(name), offset, from),
    unplug: (name) => engine.unplug(partOf(name)),
    watch: () => null,
  };
};

/** Bytes from a seed: no two blocks alike. */
export function pattern(length: number, seed: number): Uint8Array {
  const prng = new Prng(seed);
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let index = 0; index < words.length; index++) words[index] = prng.next();
  return new Uint8Array(words.buffer, 0, length);
}

/** Bytes at a CPU address. */
export async function bytesAt(bed: Bed, address: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await bed.engine.readMemory(address as PhysAddr, bytes);
  return bytes;
}

/** How many bytes are equal. */
export function equalBytes(a: Uint8Array, b: Uint8Array): number {
  let equal = 0;
  for (let index = 0; index < a.length; index++) if (a[index] === b[index]) equal++;
  return equal;
}
