/** The tree for people: every function in its place, with the facts that decide about peer-to-peer DMA. */

import { hexDigits } from '../../core/hex.ts';
import { plural, sizeWords } from '../../core/words.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Hierarchy, RootBus } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { cpuWords } from '../words/cpu-text.ts';
import { acsWords, barWords, linkWords, portWords } from '../words/fact-words.ts';
import { fullName, type Names } from '../words/names.ts';
import { type Style, shorten, wrap } from '../words/style.ts';

export interface TopoView {
  /** Width to fit, characters. */
  readonly columns: number;
  readonly style: Style;
  readonly names: Names;
}

const EVIDENCE_WORDS: Readonly<Record<Exclude<RootBus['evidence'], null>, string>> = {
  sysfs: 'by its path in sysfs',
  path: 'by the drawing or the path headers',
  busZero: 'bus 0 is one by convention',
  hostBridge: 'a host bridge stands on it',
  rootPort: 'a root port stands on it',
  integrated: 'an integrated endpoint stands on it',
};

/** The lines of the screen, one by one. */
export function* topoLines(machine: Machine, view: TopoView): Generator<string> {
  const { hierarchy } = machine;
  const kernel = machine.kernel === null ? 'kernel not known' : `Linux ${machine.kernel}`;
  const functions = plural(hierarchy.functions.length, 'function');
  yield* wrap(`${machine.source}: ${functions}, CPU ${cpuWords(machine)}, ${kernel}`, view.columns, '  ');
  const children = childrenByParent(hierarchy);
  for (const root of hierarchy.rootBuses) {
    yield '';
    yield* rootLines(root, view);
    const members = (children.get(-1) ?? []).filter((index) => hierarchy.rootBusOf[index] === root.id);
    yield* branch(machine, children, members, '', view);
  }
}

function* rootLines(root: RootBus, { style, columns }: TopoView): Generator<string> {
  const bus = `${hexDigits(root.domain, 4)}:${hexDigits(root.bus, 2)}`;
  if (root.evidence !== null) {
    yield `${style.bold(bus)}  root bus (${EVIDENCE_WORDS[root.evidence]})`;
    return;
  }
  const [first = '', ...rest] = wrap(
    `${bus}  orphans: no bridge in this capture leads to this bus, and nothing shows that it is a root bus`,
    columns,
    '  ',
  );
  yield style.bold(first);
  yield* rest;
}

/** Indices below each bridge; -1 holds those without a bridge above. */
function childrenByParent({ parent }: Hierarchy): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (let index = 0; index < parent.length; index++) {
    const above = parent[index] as number;
    const list = children.get(above);
    if (list === undefined) children.set(above, [index]);
    else list.push(index);
  }
  return children;
}

function* branch(
  machine: Machine,
  children: ReadonlyMap<number, readonly number[]>,
  members: readonly number[],
  indent: string,
  view: TopoView,
): Generator<string> {
  for (const [position, index] of members.entries()) {
    const fn = machine.hierarchy.functions[index] as PciFunction;
    const last = position === members.length - 1;
    const below = children.get(index) ?? [];
    const next = indent + (last ? '   ' : '│  ');
    yield titleLine(fn, indent + (last ? '└─ ' : '├─ '), view);
    const gap = next + (below.length > 0 ? '│    ' : '     ');
    for (const line of wrap(detailWords(machine, fn).join(' · '), view.columns - gap.length)) {
      if (line !== '') yield view.style.dim(gap + line);
    }
    yield* branch(machine, children, below, next, view);
  }
}

function titleLine(fn: PciFunction, stem: string, { columns, style, names }: TopoView): string {
  const role = portWords(fn);
  const rest = `${role}  ${fullName(fn, names)}`;
  return `${stem}${style.bold(fn.name)}  ${shorten(rest, columns - stem.length - fn.name.length - 2)}`;
}

/** What stands in the line below a function's title. */
export function detailWords(machine: Machine, fn: PciFunction): string[] {
  const words: string[] = [];
  const { busNumbers, sriov } = fn;
  if (fn.poweredDown) words.push('powered down or gone: all ones');
  if (busNumbers !== null) {
    words.push(`bus ${hexDigits(busNumbers.secondary, 2)}-${hexDigits(busNumbers.subordinate, 2)}`);
  }
  // An endpoint of one function seldom has ACS, and needs none.
  if (fn.isBridge || fn.acs.state === 'present') words.push(acsWords(fn));
  const link = linkWords(fn.link);
  if (link !== null) words.push(link);
  words.push(...fn.bars.map(barWords));
  if (sriov !== null) words.push(`SR-IOV ${sriov.numVfs} of ${sriov.totalVfs} VFs`);
  if (fn.facts.sysfs?.physicalFunction !== undefined) words.push('Virtual Function');
  const p2pmem = fn.facts.sysfs?.p2pmem;
  if (p2pmem !== undefined) {
    words.push(`${p2pmem.published ? 'publishes' : 'has'} ${sizeWords(p2pmem.size)} of P2P memory`);
  }
  if (fn.numaNode !== null) words.push(`NUMA node ${fn.numaNode}`);
  if (fn.iommuGroup !== null) {
    const type = machine.iommuGroupTypes.get(fn.iommuGroup);
    words.push(`IOMMU group ${fn.iommuGroup}${type === undefined ? '' : ` (${type})`}`);
  }
  if (fn.driver !== null) words.push(`driver ${fn.driver}`);
  return words;
}
