/** The tree as JSON: addresses as hex strings, lengths as numbers, a function by its full name, null where not known. */

import { formatAddress } from '../../core/address.ts';
import { hex } from '../../core/hex.ts';
import type { Machine } from '../../machine/machine.ts';
import { ACS_BITS } from '../../pcie/acs.ts';
import type { BridgeWindow, WindowFact } from '../../pcie/bridge-window.ts';
import type { FactName } from '../../pcie/function-facts.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { cpuInferred, cpuText } from '../words/cpu-text.ts';
import type { Names } from '../words/names.ts';
import type { Sink } from '../words/sink.ts';

/** Writes one document with every function, sorted; `parent` is null on a root bus. */
export async function writeTopoJson(out: Sink, machine: Machine, names: Names): Promise<void> {
  const { hierarchy } = machine;
  const head = {
    source: machine.source,
    functions: hierarchy.functions.length,
    cpu: cpuText(machine.cpu),
    cpuInferred: cpuInferred(machine),
    kernel: machine.kernel,
    kernelCmdline: machine.cmdline,
  };
  const rootBuses = hierarchy.rootBuses.map((root) => ({
    domain: hex(root.domain, 4),
    bus: hex(root.bus, 2),
    firstFunction: (hierarchy.functions[root.first] as PciFunction).name,
    evidence: root.evidence,
    orphans: root.evidence === null,
  }));
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

function functionDocument(machine: Machine, index: number, fn: PciFunction, names: Names): object {
  const { hierarchy } = machine;
  const sysfs = fn.facts.sysfs;
  return {
    name: fn.name,
    parent: hierarchy.functions[hierarchy.parent[index] as number]?.name ?? null,
    rootBus: hierarchy.rootBusOf[index],
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

/** `start` and `end` (exclusive); the text `closed` for a closed window, null where not known. */
function windowDocument(window: WindowFact): object | 'closed' | null {
  if (window === undefined) return null;
  return window === null ? 'closed' : rangeDocument(window);
}

function rangeDocument({ start, end }: BridgeWindow): object {
  return { start: hex(start), end: hex(end) };
}

function acsDocument(fn: PciFunction): object {
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

/** Where the facts were read: `file` or `file:line`. */
function sourcesOf(fn: PciFunction): Record<string, string> {
  const sources: Record<string, string> = {};
  for (const fact of TRACED) {
    const source = fn.sourceOf(fact);
    if (source !== null) sources[fact] = source.line === null ? source.file : `${source.file}:${source.line}`;
  }
  return sources;
}
