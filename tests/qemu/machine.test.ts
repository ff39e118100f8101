/** A QEMU machine as we enumerate it is the machine that others see: QEMU's own query-pci, and lspci over the dumped registers. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Prng, rangeContains } from '../../src/core/index.ts';
import { readConfigPort } from '../../src/engine/qemu/config-access.ts';
import { QemuEngine, type QemuMachineDescription, rebuildMachine } from '../../src/engine/qemu/index.ts';
import { type Machine, readMachine } from '../../src/machine/index.ts';
import type { PciFunction } from '../../src/pcie/index.ts';
import { builtMachine, MIB } from '../contract/bed.ts';
import { missingQemu } from '../contract/missing-qemu.ts';
import { randomTree } from './random-tree.ts';
import { compareWithLspci, LSPCI_MISSING } from './two-others.ts';

const MISSING = missingQemu();
const SEEDS = 20;

/** Everything that the engine can describe, in one machine. */
const EVERYTHING: QemuMachineDescription = {
  iommuLevels: 4,
  cpu: 'EPYC',
  rootBuses: [
    {
      bus: 0,
      children: [
        {
          kind: 'rootPort',
          name: 'p0',
          acs: 0x1d,
          below: [
            {
              kind: 'switch',
              name: 'sw',
              ports: [
                { below: [{ kind: 'nvme', name: 'n0', cmbBytes: 64 * MIB }] },
                {
                  below: [{ kind: 'switch', ports: [{ below: [{ kind: 'nvme', name: 'n1' }] }, { name: 'empty' }] }],
                },
              ],
            },
          ],
        },
        { kind: 'rootPort', name: 'p1', acs: false, below: [{ kind: 'memory', name: 'm0', bytes: 16 * MIB }] },
        {
          kind: 'rootPort',
          below: [
            { kind: 'nvme', name: 'f0', place: { device: 0, function: 0 } },
            { kind: 'memory', name: 'f3', bytes: 4 * MIB, place: { device: 0, function: 3 } },
          ],
        },
        {
          kind: 'rootPort',
          below: [
            {
              kind: 'pciBridge',
              name: 'conventional',
              below: [
                { kind: 'memory', name: 'c0', bytes: 2 * MIB },
                { kind: 'pciBridge', below: [{ kind: 'placeholder', name: 'c1' }] },
              ],
            },
          ],
        },
        { kind: 'memory', name: 'integrated', bytes: MIB },
        { kind: 'nvme', name: 'legacy', cmbBytes: MIB, legacyCmb: true },
      ],
    },
    {
      bus: 64,
      children: [{ kind: 'rootPort', below: [{ kind: 'nvme', name: 'far', cmbBytes: 2 * MIB }] }],
    },
    {
      bus: 128,
      bypassIommu: true,
      children: [{ kind: 'rootPort', below: [{ kind: 'memory', name: 'bypassed', bytes: 256 * MIB }] }],
    },
  ],
};

async function withEngine<T>(machine: QemuMachineDescription, body: (engine: QemuEngine) => Promise<T>): Promise<T> {
  const engine = await QemuEngine.start({ machine });
  try {
    return await body(engine);
  } finally {
    await engine.close();
  }
}

describe.skipIf(MISSING !== null)(`a QEMU machine${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test('query-pci has the same functions, numbers, BAR addresses and sizes: a machine with everything, and random ones', async () => {
    let functions = 0;
    await withEngine(EVERYTHING, async (engine) => {
      expect(await engine.crossCheck()).toEqual([]);
      functions += engine.functions.length;
    });
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { description } = rebuildMachine(builtMachine(randomTree(new Prng(seed)).tree).machine);
      await withEngine(description, async (engine) => {
        expect(await engine.crossCheck(), `seed ${seed}`).toEqual([]);
        functions += engine.functions.length;
      });
    }
    console.log(`seeds 1 to ${SEEDS}: ${functions} functions as query-pci has them`);
  });

  test('the cross-check fires: a BAR that moved, a number that differs', async () => {
    await withEngine(EVERYTHING, async (engine) => {
      const bdf = engine.locate('m0');
      await engine.writeConfig(bdf, 0x1c, 4, 0x20);
      const [difference] = await engine.crossCheck();
      expect(difference).toMatch(
        /BAR 2 at 0x10[0-9a-f]+ of 16777216 bytes here, 0x20[0-9a-f]+ of 16777216 in query-pci/,
      );
    });
  });

  test.skipIf(LSPCI_MISSING !== null)(
    `lspci -F over the dumped registers decodes the same tree, ports, ACS and windows${LSPCI_MISSING === null ? '' : ` (${LSPCI_MISSING})`}`,
    async () => {
      let facts = 0;
      const compare = async (engine: QemuEngine): Promise<void> => {
        const compared = compareWithLspci(await engine.machine());
        expect(compared.differences).toEqual([]);
        facts += compared.facts;
      };
      await withEngine(EVERYTHING, compare);
      for (let seed = 1; seed <= 5; seed++) {
        const { description } = rebuildMachine(builtMachine(randomTree(new Prng(seed)).tree).machine);
        await withEngine(description, compare);
      }
      console.log(`${facts} facts as lspci -F has them`);
    },
  );

  test.skipIf(LSPCI_MISSING !== null)(
    'the comparison with lspci fires: a bus number and a window that are not as dumped',
    async () => {
      await withEngine(EVERYTHING, async (engine) => {
        const machine = await engine.machine();
        const { hierarchy } = machine;
        const port = hierarchy.functions.find(({ portType }) => portType === 'rootPort') as PciFunction;
        const { name, config, acs, portType, headerType, ioWindow, memoryWindow } = port;
        const wrong = {
          ...{ name, config, acs, portType, headerType, ioWindow, memoryWindow },
          busNumbers: { primary: 0, secondary: 99, subordinate: 99 },
          prefetchableWindow: { start: 0, end: 2 ** 20 },
        };
        const functions = hierarchy.functions.map((fn) => (fn === port ? wrong : fn));
        const changed = { ...machine, hierarchy: { functions, parent: hierarchy.parent } } as never;
        const { differences } = compareWithLspci(changed);
        expect(differences).toEqual([
          expect.stringMatching(/buses: \[0,99,99\] here, \[0,\d+,\d+\] in lspci$/),
          expect.stringMatching(/windows: \[.*"0-fffff"\] here, \[.*\] in lspci$/),
        ]);
      });
    },
  );

  test('ports and window of configuration space show the same first 256 bytes of every function', async () => {
    await withEngine(EVERYTHING, async (engine) => {
      const machine = await engine.machine();
      for (const fn of machine.hierarchy.functions) {
        const offsets = Array.from({ length: 64 }, (_, index) => index * 4);
        const words = await Promise.all(offsets.map((offset) => readConfigPort(engine.qtest, fn.bdf, offset)));
        const ours = offsets.map((offset) => fn.config.u32(offset));
        expect(words, fn.name).toEqual(ours);
      }
    });
  });

  test('ACS of root ports is as described: set, all off, or not there; switches have none', async () => {
    await withEngine(EVERYTHING, async (engine) => {
      const machine = await engine.machine();
      const acs = (name: string) => machine.hierarchy.at(engine.locate(name))?.acs;
      expect(acs('p0')).toMatchObject({ state: 'present', capability: 0x5f, control: 0x1d });
      expect(acs('p1')).toEqual({ state: 'absent' });
      expect(acs('sw')).toEqual({ state: 'absent' });
      expect(acs('empty')).toEqual({ state: 'absent' });
    });
  });

  test('BARs are naturally aligned, inside the windows of every bridge above, and never overlap each other or RAM', async () => {
    await withEngine(EVERYTHING, async (engine) => {
      const { hierarchy, ram } = await engine.machine();
      const placed: { start: number; end: number; what: string }[] = ram.map((range) => ({ ...range, what: 'RAM' }));
      hierarchy.functions.forEach((fn, index) => {
        for (const bar of fn.bars) {
          const start = bar.busAddress as number;
          const size = bar.size as number;
          expect(start % size, `${fn.name} BAR ${bar.index}`).toBe(0);
          placed.push({ start, end: start + size, what: `${fn.name} BAR ${bar.index}` });
          for (const above of hierarchy.chainOf(index).slice(1)) {
            const bridge = hierarchy.functions[above] as PciFunction;
            const window = bar.is64Bit && bar.prefetchable ? bridge.prefetchableWindow : bridge.memoryWindow;
            expect(window && rangeContains(window, start, size), `${fn.name} in ${bridge.name}`).toBe(true);
          }
        }
      });
      placed.sort((a, b) => a.start - b.start);
      for (let index = 1; index < placed.length; index++) {
        const [low, high] = [placed[index - 1], placed[index]] as [(typeof placed)[0], (typeof placed)[0]];
        expect(high.start, `${low.what} and ${high.what}`).toBeGreaterThanOrEqual(low.end);
      }
    });
  });

  test('saved as a capture and read back, topo and matrix show the same tree', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'p2pdma-test-'));
    try {
      await withEngine(EVERYTHING, async (engine) => {
        const file = join(folder, 'qemu.tar');
        writeFileSync(file, await engine.captureTar());
        const live = await engine.machine('qemu');
        const read = await readMachine(await engine.captureTar(), 'qemu');
        expect(shapeOf(read)).toEqual(shapeOf(live));
        expect(read.notes).toEqual([]);
        expect(read.cpu).toEqual({ vendor: 'AuthenticAMD', family: 23 });
        const topo = JSON.parse(p2pdma('topo', file, '--json')) as {
          functions: { name: string; parent: string | null }[];
        };
        const parents = live.hierarchy.functions.map(({ name }, index) => {
          const parent = live.hierarchy.functions[live.hierarchy.parent[index] as number]?.name ?? null;
          return { name, parent };
        });
        expect(topo.functions.map(({ name, parent }) => ({ name, parent }))).toEqual(parents);
        const matrix = JSON.parse(p2pdma('matrix', file, '--json')) as {
          pairs: { provider: string; client: string; type: string }[];
        };
        const [n0, n1] = ['n0', 'n1'].map((name) => live.hierarchy.at(engine.locate(name))?.name);
        expect(matrix.pairs.find(({ provider, client }) => provider === n0 && client === n1)?.type).toBe('busAddr');
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('groups of the capture tell how the DMA of each function meets the IOMMU', async () => {
    await withEngine(EVERYTHING, async (engine) => {
      engine.attachIommu(engine.locate('n1'), 'passthrough');
      const machine = await engine.machine();
      const typeOf = (name: string) => {
        const group = machine.hierarchy.at(engine.locate(name))?.iommuGroup ?? null;
        return group === null ? null : machine.iommuGroupTypes.get(group);
      };
      expect(['n0', 'n1', 'bypassed'].map(typeOf)).toEqual(['DMA', 'identity', null]);
    });
  });
});

function p2pdma(...args: string[]): string {
  const bin = new URL('../../bin/p2pdma.js', import.meta.url).pathname;
  return execFileSync(process.execPath, [bin, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

function shapeOf(machine: Machine): object[] {
  return machine.hierarchy.functions.map((fn, index) => ({
    name: fn.name,
    parent: machine.hierarchy.parent[index],
    root: machine.hierarchy.rootBusOf[index],
    ids: [fn.vendorId, fn.deviceId, fn.classCode],
    bars: fn.bars,
    acs: fn.acs,
    group: fn.iommuGroup,
  }));
}
