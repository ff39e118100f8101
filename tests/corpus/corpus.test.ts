/** Dumps of real machines are read as lspci reads them and as their own text says. Nothing of a file is written down here. */

import { expect, test } from 'vitest';
import { MachineError } from '../../src/machine/errors.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import type { WindowFact } from '../../src/pcie/bridge-window.ts';
import { ConfigSpace } from '../../src/pcie/config-space.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';
import {
  bytesOfDump,
  CORPUS,
  dumpNames,
  HAS_LSPCI,
  indexEntries,
  lspciOf,
  namesEndingWith,
  SKIPPED,
} from './corpus.ts';
import { edgesOfDrawing } from './drawing.ts';
import { type RecordedFunction, recordedFunctions } from './recorded.ts';

const machines = new Map<string, Machine>();
const here = test.skipIf(CORPUS === null);

async function machineOf(name: string): Promise<Machine> {
  const known = machines.get(name);
  if (known) return known;
  const machine = await readMachine(bytesOfDump(name), name);
  machines.set(name, machine);
  return machine;
}

/** What both sides must agree on, in a form that compares. */
interface Comparable {
  name: string;
  buses: readonly number[] | null;
  acs: readonly [number, number] | null;
  maxLink: readonly [number | null, number | null] | null;
  link: readonly [number | null, number | null] | null;
  portType: string | null;
  windows: readonly string[] | null;
}

function pairOf(speed?: number | null, width?: number | null): readonly [number | null, number | null] | null {
  return (speed ?? null) === null && (width ?? null) === null ? null : [speed ?? null, width ?? null];
}

function windowText(window: WindowFact): string {
  if (window === undefined) return 'missing';
  return window === null ? 'closed' : `${window.start.toString(16)}-${(window.end - 1).toString(16)}`;
}

function ours(fn: PciFunction): Comparable {
  const { busNumbers, acs, link } = fn;
  return {
    name: fn.name,
    buses: busNumbers === null ? null : [busNumbers.primary, busNumbers.secondary, busNumbers.subordinate],
    // Bits 15:8 of the capability, the size of the egress control vector, are not printed.
    acs: acs.state === 'present' ? [acs.capability & 0x7f, acs.control & 0x7f] : null,
    maxLink: pairOf(link?.maxSpeedGts, link?.maxWidth),
    link: pairOf(link?.speedGts, link?.width),
    portType: fn.portType,
    windows:
      busNumbers === null || fn.headerType === 2
        ? null
        : [fn.ioWindow, fn.memoryWindow, fn.prefetchableWindow].map(windowText),
  };
}

/** The same from the decoded text alone, whatever the registers say. */
function textOnly(fn: PciFunction): Comparable {
  return ours(fn.withFacts({ ...fn.facts, config: ConfigSpace.UNKNOWN }));
}

function facts(value: Comparable): number {
  return Object.values(value).filter((field) => field !== null).length - 1;
}

here(
  `corpus: every readable dump is read without an exception, and topologies and drawings are refused by name${SKIPPED}`,
  async () => {
    let functions = 0;
    for (const name of dumpNames()) functions += (await machineOf(name)).hierarchy.functions.length;
    let refused = 0;
    for (const [ends, code] of [
      [['.xml'], 'INPUT_TOPOLOGY_XML'],
      [['lspci-t.txt', 'lspci-tv.txt', 'lspci-nntv.txt'], 'INPUT_TREE_DRAWING'],
    ] as const) {
      for (const name of namesEndingWith(...ends)) {
        await expect(readMachine(bytesOfDump(name), name), name).rejects.toSatisfy(
          (error) => error instanceof MachineError && error.code === code,
        );
        refused++;
      }
    }
    console.log(`read ${dumpNames().length} files with ${functions} functions; refused ${refused} by name`);
    expect(functions).toBeGreaterThan(0);
  },
);

test.skipIf(CORPUS === null || !HAS_LSPCI)(
  `corpus, hex: functions, bus numbers, ACS registers, port types and links are those of lspci -F${SKIPPED}`,
  async () => {
    let [files, functions, compared] = [0, 0, 0];
    for (const name of dumpNames()) {
      const machine = await machineOf(name);
      const withHex = machine.hierarchy.functions.filter((fn) => fn.config.length > 0);
      if (withHex.length === 0 || withHex.some((fn) => fn.facts.sysfs !== null)) continue;
      const told = recordedFunctions(lspciOf(bytesOfDump(name), '-vvv'));
      expect(withHex.map((fn) => fn.name).sort(), name).toEqual([...told.keys()].sort());
      for (const fn of withHex) {
        const wanted = told.get(fn.name) as RecordedFunction;
        const found = ours(fn);
        expect(found, `${name}: ${fn.name}`).toEqual(expectedOf(wanted, found, fn));
        compared += facts(found);
        functions++;
      }
      files++;
    }
    console.log(`compared ${compared} facts of ${functions} functions in ${files} files with lspci -F`);
    expect(compared).toBeGreaterThan(0);
  },
);

/**
 * What lspci says, where it can: it knows only registers, so what we took from text because the hex stops short is ours to
 * know; the comparison with the recorded text covers it.
 */
function expectedOf(wanted: RecordedFunction, found: Comparable, fn: PciFunction): Comparable {
  const short = fn.config.length <= 256;
  // lspci reads a row that is missing in the file as all ones; we know that it is missing.
  const holes = !fn.config.knows(0, fn.config.length);
  const headerOnly = fn.config.length <= 64;
  return {
    name: wanted.name,
    buses: wanted.buses ?? (wanted.asleep ? found.buses : null),
    acs: wanted.acs ?? (short ? found.acs : null),
    maxLink: holes ? found.maxLink : (wanted.maxLink ?? (headerOnly || wanted.asleep ? found.maxLink : null)),
    link: holes ? found.link : (wanted.link ?? (headerOnly || wanted.asleep ? found.link : null)),
    portType: headerOnly || wanted.asleep ? found.portType : wanted.portType,
    windows: fn.headerType === 2 || wanted.asleep ? found.windows : wanted.windows,
  };
}

here(
  `corpus, text: functions, bus numbers, ACS, port types, links, NUMA nodes, groups, drivers and sizes are those printed${SKIPPED}`,
  async () => {
    let [files, functions, compared] = [0, 0, 0];
    for (const name of dumpNames().filter((file) => file.endsWith('.txt'))) {
      const machine = await machineOf(name);
      const told = recordedFunctions(Buffer.from(bytesOfDump(name)).toString('latin1').replaceAll('\r', ''));
      if (![...told.values()].some((fn) => fn.verbose)) continue;
      expect(machine.hierarchy.functions.map((fn) => fn.name).sort(), name).toEqual([...told.keys()].sort());
      for (const fn of machine.hierarchy.functions) {
        const wanted = told.get(fn.name) as RecordedFunction;
        const found = ours(fn);
        const at = `${name}: ${fn.name}`;
        const hasHex = fn.config.length > 0;
        const { buses, acs, maxLink, link, portType, windows } = wanted;
        const printed = textOnly(fn);
        expect(printed, at).toEqual({
          name: fn.name,
          buses,
          acs,
          maxLink,
          link,
          portType: wanted.asleep ? null : portType,
          windows: fn.headerType === 2 ? null : windows,
        });
        // Registers win where both are there, and say the same where the text says something.
        if (buses !== null) expect(found.buses, at).toEqual(buses);
        if (acs !== null) expect(found.acs, at).toEqual(acs);
        if (link !== null) expect([found.maxLink, found.link], at).toEqual([maxLink, link]);
        if (portType !== null && !wanted.asleep) expect(found.portType, at).toBe(portType);
        if (wanted.ids !== null && !wanted.asleep) expect([fn.vendorId, fn.deviceId], at).toEqual(wanted.ids);
        if (wanted.isBridge !== null) expect(fn.isBridge, at).toBe(wanted.isBridge);
        if (wanted.denied && !hasHex) expect(fn.acs, at).toEqual({ state: 'unknown', missing: 'accessDenied' });
        if (wanted.acsNamed && wanted.acs === null && !hasHex) {
          expect(fn.acs, at).toEqual({ state: 'unknown', missing: 'bitsNotPrinted' });
        }
        expect([fn.numaNode, fn.iommuGroup, fn.driver], at).toEqual([
          wanted.numaNode,
          wanted.iommuGroup,
          wanted.driver,
        ]);
        if (!hasHex)
          expect(
            fn.bars.map((bar) => bar.size),
            at,
          ).toEqual(wanted.sizes);
        compared += facts(printed) + facts(found) + wanted.sizes.length + 3;
        functions++;
      }
      files++;
    }
    console.log(`compared ${compared} facts of ${functions} functions in ${files} files with their text`);
    expect(compared).toBeGreaterThan(0);
  },
);

here(`corpus, tree: a drawing beside a dump shows the same edges${SKIPPED}`, async () => {
  let [files, edges] = [0, 0];
  for (const drawing of namesEndingWith('lspci-nntv.txt', 'lspci-tv.txt')) {
    const stem = drawing.slice(0, drawing.indexOf('.lspci-'));
    const dump = dumpNames().find((name) => name.startsWith(`${stem}.`));
    if (dump === undefined) continue;
    const wanted = edgesOfDrawing(Buffer.from(bytesOfDump(drawing)).toString('latin1'));
    expect(edgesOf(await machineOf(dump)), dump).toEqual(wanted);
    files++;
    edges += wanted.size;
  }
  // A drawing may also stand in the report itself.
  for (const name of dumpNames().filter((file) => file.endsWith('.txt'))) {
    const inside = edgesOfDrawing(Buffer.from(bytesOfDump(name)).toString('latin1'));
    if (inside.size === 0) continue;
    expect(edgesOf(await machineOf(name)), name).toEqual(inside);
    files++;
    edges += inside.size;
  }
  console.log(`compared ${edges} edges of ${files} drawings`);
  expect(edges > 0).toBe(files > 0);
});

function edgesOf(machine: Machine): Set<string> {
  const { functions, parent } = machine.hierarchy;
  return new Set(
    functions.map((fn, index) => {
      const above = functions[parent[index] as number];
      return `${fn.name} <${above === undefined ? '' : ` ${above.name}`}`;
    }),
  );
}

/** Where the index and we differ, and who is right. */
const INDEX_IS_WRONG: readonly {
  field: string;
  applies: (format: string, machine: Machine) => boolean;
  because: string;
}[] = [
  {
    field: 'bridges',
    applies: (_, { hierarchy }) =>
      hierarchy.functions.some((fn) => fn.isBridge && fn.facts.text?.busNumbers === undefined),
    because:
      'the analyser counted `Bus:` lines; bridges that sleep or stand in a plain list have none, and are bridges by class',
  },
];

here(`corpus, index: counts agree with the hints of INDEX.json, or the difference is explained${SKIPPED}`, async () => {
  let counts = 0;
  const explained: string[] = [];
  for (const entry of indexEntries()) {
    if (!dumpNames().includes(entry.file)) continue;
    const machine = await machineOf(entry.file);
    const { functions } = machine.hierarchy;
    const count = (test: (fn: PciFunction) => boolean): number => functions.filter(test).length;
    const found: Record<string, number> = {
      functions: functions.length,
      domains: new Set(functions.map((fn) => fn.bdf.domain)).size,
      root_ports: count((fn) => fn.portType === 'rootPort'),
      switches: count((fn) => fn.portType === 'upstreamPort'),
      bridges: count((fn) => fn.isBridge),
      acs_functions: count((fn) => fn.acs.state === 'present'),
    };
    for (const [field, value] of Object.entries(found)) {
      const hint = entry[field as keyof typeof entry];
      if (hint === undefined) continue;
      counts++;
      if (hint === value) continue;
      const reason = INDEX_IS_WRONG.find((item) => item.field === field && item.applies(entry.format, machine));
      expect(reason, `${entry.file}: ${field} is ${value}, the index says ${hint}`).toBeDefined();
      explained.push(`${entry.file}: ${field} is ${value}, not ${hint}: ${reason?.because}`);
    }
  }
  console.log(`compared ${counts} counts\n${explained.join('\n')}`);
});
