/** A kind of device is one entry in the table of models, and one in the table of movers. */

import { expect, test } from 'vitest';
import type { DeviceModel } from '../../src/engine/sim/device-model.ts';
import { attachModels, DEVICE_KINDS } from '../../src/engine/sim/device-models.ts';
import { SimEngine } from '../../src/engine/sim/sim-engine.ts';
import { MOVER_NAMES, MOVERS, moverOf } from '../../src/scenario/movers.ts';
import { readScenario, scenarioMachine } from '../../src/scenario/run-scenario.ts';
import { machineText } from './bed.ts';

async function described() {
  const text = `${machineText()}transfers: [{ name: it, device: a, direction: toDevice, vectors: [{ memory: ram, length: 4KiB }] }]\n`;
  const named = await scenarioMachine(readScenario(text, 'it.yaml'), () => Promise.reject(new Error('described')));
  const fn = (name: string) => {
    const found = named.names.get(name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  return { named, fn };
}

test('every entry stands under its own name, and a function has the first mover that drives it', async () => {
  expect(MOVER_NAMES.map((name) => MOVERS[name].name)).toEqual(MOVER_NAMES);
  expect([...MOVER_NAMES].sort()).toEqual(Object.keys(MOVERS).sort());
  expect(new Set(DEVICE_KINDS.map(({ name }) => name)).size).toBe(DEVICE_KINDS.length);
  const { fn } = await described();
  expect(moverOf(fn('a'), null).name).toBe('nvme');
  expect(moverOf(fn('gpu'), null).name).toBe('dma');
  expect(moverOf(fn('gpu'), { nvme: 'gpu' }).name).toBe('nvme');
});

test('the registers of a mover are no memory to give, and what it takes for its own is no IOVA', () => {
  expect(MOVERS.nvme.registerBars).toEqual([0]);
  expect(MOVERS.dma.registerBars).toEqual([]);
  const node = { nvme: 'a', cmb: 4096, cba: 8192 };
  expect(MOVERS.nvme.ownAddresses(node)).toEqual([{ start: 8192, end: 12288 }]);
  expect(MOVERS.nvme.ownAddresses({ ...node, reserveCba: false })).toEqual([]);
  expect(MOVERS.nvme.ownAddresses({ nvme: 'a', cmb: 4096 })).toEqual([]);
  expect(MOVERS.dma.ownAddresses(node)).toEqual([]);
});

test('models stand behind the functions that they fit; one that is unplugged is reset, the others work on', async () => {
  const { named, fn } = await described();
  const engine = new SimEngine({ machine: named.machine });
  const indexOf = (name: string): number => named.machine.hierarchy.indexOf(fn(name).bdf);
  expect([...engine.models.keys()].sort()).toEqual([indexOf('a'), indexOf('b')].sort());
  const reset: string[] = [];
  for (const name of ['a', 'b']) {
    const model = engine.models.get(indexOf(name)) as DeviceModel;
    const before = model.reset.bind(model);
    model.reset = () => {
      reset.push(name);
      before();
    };
  }
  engine.unplug(fn('a').bdf);
  expect(reset).toEqual(['a']);
  expect(engine.models.get(indexOf('a'))?.hasWork).toBe(false);
});

test('a model of another kind is attached, worked and refused by its BARs as any other', async () => {
  const { named, fn } = await described();
  const engine = new SimEngine({ machine: named.machine });
  const index = named.machine.hierarchy.indexOf(fn('gpu').bdf);
  const clock = { nowNs: 0, advance: () => {} } as never;
  let waiting = 3;
  const model: DeviceModel = {
    bars: [{ index: 0, sizeBytes: 4096 }],
    barTarget: () => ({ read: (_at, into) => into.fill(7) !== null, write: () => true, bulkLength: () => 0 }),
    get hasWork() {
      return waiting > 0;
    },
    work: (budget) => {
      const done = Math.min(budget, waiting);
      waiting -= done;
      return done;
    },
    reset: () => {},
  };
  const kind = { name: 'nvme', fits: (one: unknown) => one === fn('gpu'), create: () => model } as const;
  const models = attachModels(engine.fabric, named.machine, clock, {}, [kind]);
  expect([...models.keys()]).toEqual([index]);
  const bar = fn('gpu').bars.find((one) => one.index === 0)?.cpuAddress ?? null;
  engine.fabric.function(index).prepare();
  expect(bar === null ? null : engine.read32(bar)).not.toBe(0);
  const tooLarge = { ...kind, create: () => ({ ...model, bars: [{ index: 0, sizeBytes: 2 ** 40 }] }) };
  expect(() => attachModels(engine.fabric, named.machine, clock, {}, [tooLarge])).toThrow(/BAR 0/);
});
