/**
 * Functions of a drawing (`lspci -t`) or of a topology file (hwloc, NCCL), alone or beside a listing of some of them. They say what hangs
 * below what; a listing says everything else. Where both speak of a function, the drawing only adds its place.
 */

import type { TreeItem } from '../evidence/pci/lspci-tree.ts';
import type { FunctionItem } from '../evidence/topology/skeleton.ts';
import { type Bdf, bdfKey, parseBdf } from '../pcie/bdf.ts';
import { ConfigSpace } from '../pcie/config-space.ts';
import type { FunctionFacts, TextFacts } from '../pcie/function-facts.ts';

/** A function as a drawing or a topology file shows it. */
export type DrawnFunction = TreeItem | FunctionItem;

/** `listed` with the places that the drawing shows, and the functions that it alone shows. Each address once. */
export function withDrawing(
  listed: readonly FunctionFacts[],
  drawing: readonly DrawnFunction[],
): readonly FunctionFacts[] {
  if (drawing.length === 0) return listed;
  const byKey = new Map(listed.map((facts) => [bdfKey(facts.bdf), facts]));
  for (const item of drawing) {
    const bdf = parseBdf(item.function);
    if (bdf === null) continue;
    const key = bdfKey(bdf);
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? drawnFacts(bdf, item) : placedFacts(known, item));
  }
  return [...byKey.values()];
}

function placeOf({ parent }: DrawnFunction): Bdf | null | undefined {
  return typeof parent === 'string' ? (parseBdf(parent) ?? undefined) : parent;
}

function placedFacts(facts: FunctionFacts, item: DrawnFunction): FunctionFacts {
  if (facts.sysfs?.parent !== undefined || facts.pathParent !== undefined) return facts;
  // A topology file leaves bridges out: it must not contradict a listing that has them.
  if (item.kind !== 'lspci-tree') return facts;
  return { ...facts, pathParent: placeOf(item) };
}

/** A function of which only the drawing speaks. One that is drawn without a bus behind it is no bridge: an empty bus is drawn as well. */
function drawnFacts(bdf: Bdf, item: DrawnFunction): FunctionFacts {
  const { name, ids, buses, file, line } = item;
  const isBridge = buses !== null || ('class' in item && item.class === PCI_BRIDGE);
  const text: TextFacts = { headerType: isBridge ? 1 : 0, lines: { identity: line, headerType: line }, file };
  if (name !== null) text.deviceName = name;
  if (ids !== null) Object.assign(text, { vendorId: ids.vendor, deviceId: ids.device });
  if (isBridge) text.classCode = PCI_BRIDGE;
  if (buses !== null) {
    text.busNumbers = { primary: bdf.bus, ...buses };
    text.lines.busNumbers = line;
  }
  if (item.kind !== 'lspci-tree') addTopologyFacts(text, item);
  return { bdf, config: ConfigSpace.UNKNOWN, configSource: null, text, sysfs: null, pathParent: placeOf(item) };
}

/** What a topology file says beyond the place. */
function addTopologyFacts(text: TextFacts, { class: code, subsystem, link, numaNode, line }: FunctionItem): void {
  if (code !== null) text.classCode = code;
  if (subsystem !== null) Object.assign(text, { subsystemVendorId: subsystem.vendor, subsystemId: subsystem.device });
  if (numaNode !== null && numaNode >= 0) {
    text.numaNode = numaNode;
    text.lines.numaNode = line;
  }
  if (link === null || (link.speed === null && link.width === null)) return;
  const isBest = link.state === 'best';
  text.link = {
    maxSpeedGts: isBest ? link.speed : null,
    maxWidth: isBest ? link.width : null,
    speedGts: isBest ? null : link.speed,
    width: isBest ? null : link.width,
    active: null,
  };
  text.lines.link = line;
}

/** Class 0604. */
const PCI_BRIDGE = 0x0604;
