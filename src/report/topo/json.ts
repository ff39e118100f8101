/** The tree as JSON: addresses as hex strings, lengths as numbers, a function by its full name, null where not known. */

import { formatAddress } from '../../core/address.ts';
import { hex } from '../../core/hex.ts';
import type { Machine, ReadNote } from '../../machine/machine.ts';
import { ACS_BITS, type AcsState } from '../../pcie/acs.ts';
import type { Bar } from '../../pcie/bar.ts';
import type { BridgeWindow, WindowFact } from '../../pcie/bridge-window.ts';
import type { LinkFacts, PayloadFacts, PortType } from '../../pcie/express.ts';
import type { BusNumbers, FactName, P2pmemFacts, SriovFacts } from '../../pcie/function-facts.ts';
import type { RootBus } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type MachineDocument, machineDocument } from '../words/machine-document.ts';
import type { Names } from '../words/names.ts';
import type { Sink } from '../words/sink.ts';

/** `end` is exclusive. */
export interface WindowDocument {
  readonly start: string;
  readonly end: string;
}

type MaybeWindow = WindowDocument | 'closed' | null;

export type AcsDocument =
  | Exclude<AcsState, { readonly state: 'present' }>
  | {
      readonly state: 'present';
      readonly offset: string | null;
      readonly capability: string;
      readonly control: string;
      /** Short names of the bits: what it can, and what is on. */
      readonly can: readonly string[];
      readonly on: readonly string[];
    };

export interface BarDocument extends Omit<Bar, 'busAddress' | 'cpuAddress'> {
  readonly busAddress: string | null;
  readonly cpuAddress: string | null;
}

export interface FunctionDocument {
  readonly name: string;
  /** The bridge above; null on a root bus. */
  readonly parent: string | null;
  /** Position in `rootBuses`. */
  readonly rootBus: number;
  readonly vendor: string | null;
  readonly device: string | null;
  readonly class: string | null;
  readonly className: string;
  readonly deviceName: string | null;
  readonly headerType: number | null;
  readonly portType: PortType | null;
  readonly busNumbers: BusNumbers | null;
  /** Null for what is not a bridge. */
  readonly windows: {
    readonly memory: MaybeWindow;
    readonly prefetchable: MaybeWindow;
    readonly io: MaybeWindow;
  } | null;
  readonly acs: AcsDocument;
  readonly link: LinkFacts | null;
  readonly payload: PayloadFacts | null;
  readonly bars: readonly BarDocument[];
  readonly memoryDecoding: boolean | null;
  readonly busMaster: boolean | null;
  readonly sriov: SriovFacts | null;
  readonly poweredDown: boolean;
  readonly numaNode: number | null;
  readonly iommuGroup: number | null;
  readonly iommuGroupType: string | null;
  readonly driver: string | null;
  readonly p2pmem: P2pmemFacts | null;
  /** Where facts were read: `file` or `file:line`. */
  readonly sources: Readonly<Partial<Record<FactName, string>>>;
}

export interface RootBusDocument {
  readonly domain: string;
  readonly bus: string;
  readonly firstFunction: string;
  readonly evidence: RootBus['evidence'];
  readonly orphans: boolean;
}

/** What the tree says of its machine. */
export interface TopoMachine extends MachineDocument {
  readonly kernelCmdline: string | null;
}

/** The whole document. */
export interface TopoDocument {
  readonly schemaVersion: 1;
  readonly command: 'topo';
  readonly machine: TopoMachine;
  readonly rootBuses: readonly RootBusDocument[];
  readonly functions: readonly FunctionDocument[];
  readonly notes: readonly ReadNote[];
}

/** Writes a `TopoDocument` with every function, sorted, a function a line. */
export async function writeTopoJson(out: Sink, machine: Machine, names: Names): Promise<void> {
  const { hierarchy } = machine;
  const head: TopoMachine = { ...machineDocument(machine), kernelCmdline: machine.cmdline };
  const rootBuses = hierarchy.rootBuses.map(
    (root): RootBusDocument => ({
      domain: hex(root.domain, 4),
      bus: hex(root.bus, 2),
      firstFunction: (hierarchy.functions[root.first] as PciFunction).name,
      evidence: root.evidence,
      orphans: root.evidence === null,
    }),
  );
  out.append(`{"schemaVersion":1,"command":"topo","machine":${JSON.stringify(head)},\n`);
  out.append(`"rootBuses":${JSON.stringify(rootBuses)},\n"functions":[`);
  for (const [index, fn] of hierarchy.functions.entries()) {
    const due = out.append(
      `${index === 0 ? '\n' : ',\n'}${JSON.stringify(functionDocument(machine, index, fn, names))}`,
    );
    if (due) await out.flush();
  }
  out.append(`\n],\n"notes":${JSON.stringify(machine.notes)}}\n`);
  await out.flush();
}

function functionDocument(machine: Machine, index: number, fn: PciFunction, names: Names): FunctionDocument {
  const { hierarchy } = machine;
  const sysfs = fn.facts.sysfs;
  return {
    name: fn.name,
    parent: hierarchy.functions[hierarchy.parent[index] as number]?.name ?? null,
    rootBus: hierarchy.rootBusOf[index] as number,
    vendor: idOf(fn.vendorId),
    device: idOf(fn.deviceId),
    class: idOf(fn.classCode),
    className: names.classOf(fn),
    deviceName: names.deviceOf(fn),
    headerType: fn.headerType,
    portType: fn.portType,
    busNumbers: fn.busNumbers,
    windows: fn.isBridge
      ? {
          memory: windowDocument(fn.memoryWindow),
          prefetchable: windowDocument(fn.prefetchableWindow),
          io: windowDocument(fn.ioWindow),
        }
      : null,
    acs: acsDocument(fn),
    link: fn.link,
    payload: fn.payload,
    bars: fn.bars.map((bar) => ({
      ...bar,
      busAddress: bar.busAddress === null ? null : formatAddress(bar.busAddress),
      cpuAddress: bar.cpuAddress === null ? null : formatAddress(bar.cpuAddress),
    })),
    memoryDecoding: fn.command === null ? null : (fn.command & 2) !== 0,
    busMaster: fn.command === null ? null : (fn.command & 4) !== 0,
    sriov: fn.sriov,
    poweredDown: fn.poweredDown,
    numaNode: fn.numaNode,
    iommuGroup: fn.iommuGroup,
    iommuGroupType: fn.iommuGroup === null ? null : (machine.iommuGroupTypes.get(fn.iommuGroup) ?? null),
    driver: fn.driver,
    p2pmem: sysfs?.p2pmem ?? null,
    sources: sourcesOf(fn),
  };
}

function idOf(id: number | null): string | null {
  return id === null ? null : hex(id, 4);
}

/** The text `closed` for a closed window, null where not known. */
function windowDocument(window: WindowFact): MaybeWindow {
  if (window === undefined) return null;
  return window === null ? 'closed' : rangeDocument(window);
}

function rangeDocument({ start, end }: BridgeWindow): WindowDocument {
  return { start: hex(start), end: hex(end) };
}

function acsDocument(fn: PciFunction): AcsDocument {
  const { acs } = fn;
  if (acs.state !== 'present') return acs;
  const names = (bits: number): string[] => ACS_BITS.filter(({ mask }) => bits & mask).map(({ short }) => short);
  return {
    state: acs.state,
    offset: acs.offset === null ? null : hex(acs.offset),
    capability: hex(acs.capability, 4),
    control: hex(acs.control, 4),
    can: names(acs.capability),
    on: names(acs.control),
  };
}

const TRACED: readonly FactName[] = ['identity', 'busNumbers', 'bars', 'portType', 'acs', 'link'];

function sourcesOf(fn: PciFunction): FunctionDocument['sources'] {
  const sources: Partial<Record<FactName, string>> = {};
  for (const fact of TRACED) {
    const source = fn.sourceOf(fact);
    if (source !== null) sources[fact] = source.line === null ? source.file : `${source.file}:${source.line}`;
  }
  return sources;
}
