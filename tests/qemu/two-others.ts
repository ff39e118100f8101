/** Two others who see a QEMU machine: QEMU’s own query-pci, and lspci over the dumped configuration spaces. No test library here. */

import { spawnSync } from 'node:child_process';
import type { QemuEngine } from '../../src/engine/qemu/index.ts';
import type { Machine } from '../../src/machine/index.ts';
import type { PciFunction } from '../../src/pcie/index.ts';
import { lspciOf } from '../corpus/corpus.ts';
import { edgesOfDrawing } from '../corpus/drawing.ts';
import { recordedFunctions } from '../corpus/recorded.ts';
import { hexRows } from '../readers/sample-dumps.ts';

/** How to install lspci where it is missing, else null. */
export const LSPCI_MISSING: string | null =
  spawnSync('lspci', ['--version']).status === 0 ? null : 'needs lspci: apt-get install -y pciutils';

/** Listings that lspci was asked for already: it answers alike. */
const asked = new Set<string>();

/** How the machine differs for one of the two from what we enumerated, a sentence each; empty where both agree. */
export async function othersDisagree(engine: QemuEngine, machine: Machine): Promise<string[]> {
  const differences = await engine.crossCheck();
  if (LSPCI_MISSING !== null) return differences;
  const key = Buffer.from(listing(machine)).toString('latin1');
  if (asked.has(key)) return differences;
  asked.add(key);
  return [...differences, ...compareWithLspci(machine).differences];
}

/** Compares everything that lspci prints and we decode; `facts` counts them. */
export function compareWithLspci(machine: Machine): {
  readonly facts: number;
  readonly differences: readonly string[];
} {
  const { hierarchy } = machine;
  const differences: string[] = [];
  let facts = 0;
  const compare = (what: string, ours: unknown, theirs: unknown): void => {
    facts++;
    const [a, b] = [JSON.stringify(ours), JSON.stringify(theirs)];
    if (a !== b) differences.push(`${what}: ${a} here, ${b} in lspci`);
  };
  const told = recordedFunctions(lspciOf(listing(machine), '-vvv'));
  compare('functions', namesOf(hierarchy.functions), [...told.keys()].sort());
  for (const fn of hierarchy.functions) {
    const theirs = told.get(fn.name);
    const { acs, busNumbers: buses, name } = fn;
    compare(`${name} port type`, fn.portType, theirs?.portType);
    compare(`${name} ACS`, acs.state === 'present' ? [acs.capability, acs.control] : null, theirs?.acs);
    compare(
      `${name} buses`,
      buses === null ? null : [buses.primary, buses.secondary, buses.subordinate],
      theirs?.buses,
    );
    compare(`${name} windows`, windowsOf(fn), theirs?.windows);
  }
  const edges = hierarchy.functions.map(({ name }, index) => {
    const parent = hierarchy.functions[hierarchy.parent[index] as number];
    return `${name} <${parent === undefined ? '' : ` ${parent.name}`}`;
  });
  compare('tree', edges.sort(), [...edgesOfDrawing(lspciOf(listing(machine), '-t'))].sort());
  return { facts, differences };
}

function namesOf(functions: readonly PciFunction[]): string[] {
  return functions.map(({ name }) => name).sort();
}

function windowsOf(fn: PciFunction): string[] | null {
  if (fn.headerType !== 1) return null;
  const text = (window: ReturnType<() => PciFunction['memoryWindow']>): string =>
    window ? `${window.start.toString(16)}-${(window.end - 1).toString(16)}` : 'closed';
  return [fn.ioWindow, fn.memoryWindow, fn.prefetchableWindow].map(text);
}

/** The machine as a hex listing, as `lspci -Dxxxx` prints it. */
function listing(machine: Machine): Uint8Array {
  const lines = machine.hierarchy.functions.flatMap((fn) => [
    `${fn.name} Class [0000]: a function`,
    ...hexRows(fn.config, 4096),
    '',
  ]);
  return Buffer.from(lines.join('\n'), 'latin1');
}
