/**
 * Functions of a drawing (`lspci -t`), alone or beside a listing of some of them. The drawing says what hangs below what; a listing says
 * everything else. Where both speak of a function, the drawing only adds its place.
 */

import type { TreeItem } from '../evidence/pci/lspci-tree.ts';
import { type Bdf, bdfKey, parseBdf } from '../pcie/bdf.ts';
import { ConfigSpace } from '../pcie/config-space.ts';
import type { FunctionFacts, TextFacts } from '../pcie/function-facts.ts';

/** `listed` with the places that the drawing shows, and the functions that it alone shows. Each address once. */
export function withDrawing(listed: readonly FunctionFacts[], drawing: readonly TreeItem[]): FunctionFacts[] {
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

function placeOf({ parent }: TreeItem): Bdf | null | undefined {
  return typeof parent === 'string' ? (parseBdf(parent) ?? undefined) : parent;
}

function placedFacts(facts: FunctionFacts, item: TreeItem): FunctionFacts {
  if (facts.sysfs?.parent !== undefined || facts.pathParent !== undefined) return facts;
  return { ...facts, pathParent: placeOf(item) };
}

/** A function of which only the drawing speaks. One that is drawn without a bus behind it is no bridge: an empty bus is drawn as well. */
function drawnFacts(bdf: Bdf, item: TreeItem): FunctionFacts {
  const { name, ids, buses, file, line } = item;
  const text: TextFacts = {
    headerType: buses === null ? 0 : 1,
    lines: { identity: line, headerType: line },
    file,
  };
  if (name !== null) text.deviceName = name;
  if (ids !== null) Object.assign(text, { vendorId: ids.vendor, deviceId: ids.device });
  if (buses !== null) {
    text.classCode = PCI_BRIDGE;
    text.busNumbers = { primary: bdf.bus, ...buses };
    text.lines.busNumbers = line;
  }
  return { bdf, config: ConfigSpace.UNKNOWN, configSource: null, text, sysfs: null, pathParent: placeOf(item) };
}

/** Class 0604. */
const PCI_BRIDGE = 0x0604;
