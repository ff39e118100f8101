/** The driver against the simulated controller, over the smallest machine: every byte is compared. */

import { describe, expect, test } from 'vitest';
import type { BusAddr, DmaAddr } from '../../src/core/index.ts';
import { busAddr, Prng, physAddr } from '../../src/core/index.ts';
import type { NvmeControllerOptions } from '../../src/nvme/device/index.ts';
import type {
  ControllerFacts,
  DataSegment,
  DriverLimits,
  IoOutcome,
  IoQueue,
  IoQueueOptions,
  NvmeDriverOptions,
} from '../../src/nvme/driver/index.ts';
import { DataSegments, NvmeDriver, NvmeError } from '../../src/nvme/driver/index.ts';
import { CMBSZ, getField, REGISTERS, STATUS } from '../../src/nvme/spec/index.ts';
import { BUS_OFFSET, DATA, FlatEngine, type Placed } from './flat-engine.ts';
import { firstDifference, pattern } from './raw-host.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const PAGE = 4096;
const BLOCK = 512;
const CMB: NvmeControllerOptions['cmb'] = { sizeBytes: 8 * MIB };

interface Bed {
  readonly engine: FlatEngine;
  readonly placed: Placed;
  readonly driver: NvmeDriver;
  readonly controller: ControllerFacts;
  readonly queue: IoQueue;
}

/** A machine with one controller, brought up, with an I/O queue. */
async function bed(
  options: Partial<NvmeControllerOptions> = {},
  more: { late?: boolean; driver?: Partial<NvmeDriverOptions>; queue?: IoQueueOptions; engine?: FlatEngine } = {},
): Promise<Bed> {
  const engine = more.engine ?? new FlatEngine({ late: more.late ?? false });
  const placed = engine.add(options);
  const driver = new NvmeDriver({ engine, memory: engine, fn: placed.fn, ...more.driver });
  const outcome = await driver.bringUp();
  if (outcome.kind !== 'up') throw new Error(JSON.stringify(outcome));
  const made = await driver.createIoQueue(1, more.queue);
  if (made.kind !== 'made') throw new Error(JSON.stringify(made));
  placed.requests = [];
  return { engine, placed, driver, controller: outcome.controller, queue: made.queue };
}

const ram = (at: number, length: number): DataSegment => ({ kind: 'dma', address: at as DmaAddr, length });

/** A segment of the buffer of a controller, as a bus address. */
function cmbBus({ fn }: Placed, offset: number, length: number): DataSegment {
  return { kind: 'bus', address: busAddr((fn.busAddress(2) as BusAddr) + offset), length };
}

async function move(
  queue: IoQueue,
  kind: 'read' | 'write',
  block: number,
  list: readonly DataSegment[],
  more: { format?: 'prp' | 'sgl'; relative?: boolean } = {},
): Promise<IoOutcome> {
  const [outcome] = await queue.execute([{ kind, namespace: 1, block, segments: DataSegments.of(list), ...more }]);
  return outcome as IoOutcome;
}

function stored({ store }: Placed, block: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  store.read(block * BLOCK, bytes);
  return bytes;
}

function inCmb({ controller }: Placed, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  controller.readBar(2, offset, bytes);
  return bytes;
}

const OK = { kind: 'completed', status: STATUS.SUCCESS } as const;

for (const late of [false, true]) {
  describe(late ? 'an engine that answers later' : 'an engine that answers at once', () => {
    test('bring-up finds namespaces, limits and the buffer, and enables it at the bus address of its BAR', async () => {
      const { controller, placed, engine } = await bed({ cmb: CMB, serial: 'S1', mdts: 9 }, { late });
      expect(controller).toMatchObject({
        version: 0x00010400,
        serial: 'S1',
        maxTransferBytes: 2 * MIB,
        maxQueueEntries: 1024,
        ioQueuePairs: 16,
        sglGranularity: 1,
        offersRelativeSgl: false,
        namespaces: [{ id: 1, blocks: (32 * MIB) / BLOCK, blockBytes: BLOCK }],
      });
      expect(controller.cmb).toEqual({
        bar: 2,
        startBytes: 0,
        sizeBytes: 8 * MIB,
        base: placed.fn.busAddress(2),
        isLegacy: false,
        sqs: true,
        cqs: false,
        lists: true,
        rds: true,
        wds: true,
        mixedData: false,
      });
      const base = await engine.read64(physAddr(placed.fn.registers + REGISTERS.CMBMSC.offset));
      expect(base.high * 2 ** 32 + base.low).toBe((placed.fn.busAddress(2) as number) + 3);
    });

    test('written bytes are stored and read back: 4 KiB to 4 MiB, by PRPs, by an SGL, and as the rules choose', async () => {
      const { engine, placed, queue } = await bed({}, { late });
      for (const length of [BLOCK, 4 * KIB, 64 * KIB, MIB, 4 * MIB]) {
        for (const format of ['prp', 'sgl', undefined] as const) {
          const source = pattern(length, length + (format?.length ?? 0));
          const [from, to] = [DATA, DATA + 8 * MIB];
          engine.ram.set(source, from);
          engine.ram.fill(0xee, to - 16, to + length + 16);
          const more = format === undefined ? {} : { format };
          expect(await move(queue, 'write', 8, [ram(from, length)], more)).toMatchObject(OK);
          expect(firstDifference(stored(placed, 8, length), source)).toBe(-1);
          expect(await move(queue, 'read', 8, [ram(to, length)], more)).toMatchObject(OK);
          expect(firstDifference(engine.ram.subarray(to, to + length), source)).toBe(-1);
          expect([engine.ram[to - 1], engine.ram[to + length]]).toEqual([0xee, 0xee]);
        }
      }
    });

    test('case (c): bytes move between namespace and own buffer by address and by offset, with no data on the link', async () => {
      const { placed, queue } = await bed({ cmb: CMB, sgl: { relative: true } }, { late });
      const source = pattern(MIB, 3);
      placed.store.write(0, source);
      for (const [index, more] of [{ format: 'prp' }, { format: 'sgl' }, { relative: true }].entries()) {
        const at = (index + 1) * MIB;
        const forms: DataSegment[] = [cmbBus(placed, at, MIB), { kind: 'bar', bar: 2, offset: at, length: MIB }];
        for (const form of forms) {
          placed.controller.writeBar(2, at, new Uint8Array(MIB));
          placed.requests = [];
          const how = more as { format?: 'prp' | 'sgl'; relative?: boolean };
          expect(await move(queue, 'read', 0, [form], how)).toMatchObject({ ...OK, commands: 1 });
          expect(firstDifference(inCmb(placed, at, MIB), source)).toBe(-1);
          expect(await move(queue, 'write', 4096, [form], how)).toMatchObject(OK);
          expect(firstDifference(stored(placed, 4096, MIB), source)).toBe(-1);
          // Queues and lists only: all of them below DATA.
          expect(placed.requests.filter(({ address }) => address >= DATA)).toEqual([]);
        }
      }
    });

    test('32 commands in flight from two controllers, step by step, all bytes right', async () => {
      const engine = new FlatEngine({ late });
      const beds = [await bed({ cmb: CMB }, { engine }), await bed({}, { engine })];
      const source = pattern(256 * PAGE, 8);
      engine.ram.set(source, DATA);
      const runs = beds.map(({ queue }) =>
        queue.begin(
          Array.from({ length: 256 }, (_, index) => ({
            kind: 'write' as const,
            namespace: 1,
            block: index * 8,
            segments: DataSegments.of([ram(DATA + index * PAGE, PAGE)]),
          })),
        ),
      );
      let most = 0;
      while (runs.some((run) => !run.isDone)) {
        for (const run of runs) await run.submit();
        await engine.run(1000);
        let arrived = 0;
        for (const run of runs) arrived += await run.collect();
        most = Math.max(most, arrived);
      }
      expect(most).toBe(64);
      for (const run of runs) expect(run.outcomes(null).every(({ status }) => status === 0)).toBe(true);
      for (const { placed } of beds) expect(firstDifference(stored(placed, 0, source.length), source)).toBe(-1);
    });

    test('E59: Bus Master Enable off: the queue fetch fails, the outcome is fatal, and a second bring-up recovers', async () => {
      const { engine, placed, driver, queue } = await bed({}, { late });
      placed.busMaster = false;
      expect(await move(queue, 'write', 0, [ram(DATA, PAGE)])).toMatchObject({ kind: 'fatal' });
      await expect(move(queue, 'write', 0, [ram(DATA, PAGE)])).rejects.toThrow('the controller was lost (fatal)');
      await expect(driver.createIoQueue(2)).rejects.toThrow('not up');
      placed.busMaster = true;
      expect(await driver.bringUp()).toMatchObject({ kind: 'up' });
      const again = await driver.createIoQueue(1);
      if (again.kind !== 'made') throw new Error(again.kind);
      engine.ram.set(pattern(PAGE, 1), DATA);
      expect(await move(again.queue, 'write', 0, [ram(DATA, PAGE)])).toMatchObject(OK);
      expect(firstDifference(stored(placed, 0, PAGE), pattern(PAGE, 1))).toBe(-1);
    });

    test('unplugged in mid-run the controller is gone, and bringing it up says so', async () => {
      const { placed, driver, queue } = await bed({}, { late });
      placed.present = false;
      expect(await move(queue, 'read', 0, [ram(DATA, PAGE)])).toMatchObject({ kind: 'gone', commands: 1 });
      expect(await driver.bringUp()).toEqual({ kind: 'gone' });
    });

    test('shutdown gives back every buffer', async () => {
      const { engine, driver, queue } = await bed({}, { late });
      await move(queue, 'read', 0, [ram(DATA, PAGE)]);
      expect(engine.buffers.size).toBeGreaterThan(0);
      expect(await driver.shutdown()).toBeNull();
      expect(engine.buffers.size).toBe(0);
      expect(driver.controller).toBeNull();
    });
  });
}

test('PRP lists chain: 4 MiB of scattered pages from the middle of a page on', async () => {
  const { engine, placed, queue } = await bed();
  const source = pattern(4 * MIB, 12);
  // Pages in reverse order, the first and the last in part.
  const lengths = [PAGE - BLOCK, ...Array.from({ length: 1023 }, () => PAGE), BLOCK];
  const list = lengths.map((length, index) =>
    ram(DATA + (1030 - index) * 2 * PAGE + (index === 0 ? BLOCK : 0), length),
  );
  let at = 0;
  for (const segment of list) {
    engine.ram.set(source.subarray(at, at + segment.length), (segment as { address: number }).address);
    at += segment.length;
  }
  const outcome = await move(queue, 'write', 0, list, { format: 'prp' });
  expect(outcome).toMatchObject({ ...OK, commands: 1 });
  expect(firstDifference(stored(placed, 0, 4 * MIB), source)).toBe(-1);
  // 1024 list entries are two pages with a pointer and a bit of a third.
  const lists = placed.requests.filter(({ length, kind }) => kind === 'read' && length === PAGE);
  expect(lists.length).toBeGreaterThanOrEqual(2);
});

test('SGLs: 300 odd pieces lie behind a Segment and a Last Segment, and each byte arrives in its place', async () => {
  const { engine, placed, queue } = await bed();
  const source = pattern(300 * 100 + 208, 4);
  placed.store.write(0, source);
  const list = Array.from({ length: 300 }, (_, index) => ram(DATA + index * 333, 100));
  list.push(ram(DATA + 2 * MIB + 1, 208));
  const outcome = await move(queue, 'read', 0, list);
  expect(source.length % BLOCK).toBe(0);
  expect(outcome).toMatchObject({ ...OK, commands: 1 });
  const gathered = list.flatMap((segment) => {
    const { address } = segment as { address: number };
    return [...engine.ram.subarray(address, address + segment.length)];
  });
  expect(firstDifference(Uint8Array.from(gathered), source)).toBe(-1);
});

test('case (b2): a peer buffer is just an address, mixed freely with RAM in one command', async () => {
  const engine = new FlatEngine();
  const { placed: peer } = await bed({ cmb: CMB }, { engine });
  const { placed, queue } = await bed({}, { engine });
  const source = pattern(4 * PAGE, 2);
  placed.store.write(0, source);
  const list = [ram(DATA, PAGE), cmbBus(peer, 0, PAGE), ram(DATA + 4 * PAGE, PAGE), cmbBus(peer, 8 * PAGE, PAGE)];
  expect(await move(queue, 'read', 0, list)).toMatchObject({ ...OK, commands: 1 });
  expect(firstDifference(engine.ram.subarray(DATA, DATA + PAGE), source.subarray(0, PAGE))).toBe(-1);
  expect(firstDifference(inCmb(peer, 0, PAGE), source.subarray(PAGE, 2 * PAGE))).toBe(-1);
  expect(firstDifference(inCmb(peer, 8 * PAGE, PAGE), source.subarray(3 * PAGE))).toBe(-1);
  const toPeer = placed.requests.filter(({ address }) => address >= (peer.fn.busAddress(2) as number));
  expect(toPeer.map(({ length }) => length)).toEqual([PAGE, PAGE]);
});

test('E54: RAM and own buffer in one request: three commands where the controller cannot mix, one where it can, the same bytes', async () => {
  const source = pattern(4 * PAGE, 6);
  const results: Uint8Array[] = [];
  for (const [mixing, commands] of [
    [{ cdpmls: false }, 3],
    // What QEMU shows, and refuses: the driver does not even try.
    [{ cdpmls: true, cdmmms: false }, 3],
    [{ cdpmls: true }, 1],
  ] as const) {
    for (const relative of [false, true]) {
      const { engine, placed, queue } = await bed({ cmb: { sizeBytes: 8 * MIB, ...mixing }, sgl: { relative: true } });
      placed.store.write(0, source);
      const list = [ram(DATA, PAGE), cmbBus(placed, PAGE, 2 * PAGE), ram(DATA + 2 * PAGE, PAGE)];
      expect(await move(queue, 'read', 0, list, { relative })).toMatchObject({ ...OK, commands });
      expect(await move(queue, 'write', 100, list, { relative })).toMatchObject({ ...OK, commands });
      expect(firstDifference(stored(placed, 100, 4 * PAGE), source)).toBe(-1);
      results.push(engine.ram.slice(DATA, DATA + 4 * PAGE), inCmb(placed, 0, 4 * PAGE));
    }
  }
  for (const [index, bytes] of results.entries()) {
    expect(firstDifference(bytes, results[index % 2] as Uint8Array)).toBe(-1);
  }
  expect(firstDifference(results[1]?.subarray(PAGE, 3 * PAGE) as Uint8Array, source.subarray(PAGE, 3 * PAGE))).toBe(-1);
});

test('E54: told never to mix by the limits, the driver splits although the controller could', async () => {
  const { placed, queue } = await bed(
    { cmb: { sizeBytes: 8 * MIB, cdpmls: true } },
    { driver: { limits: { mixing: 'never' } } },
  );
  const list = [ram(DATA, PAGE), cmbBus(placed, 0, PAGE)];
  expect(await move(queue, 'read', 0, list)).toMatchObject({ ...OK, commands: 2 });
});

test('E56: after CBA was changed behind the driver the address form loses bytes with status 0, the relative form does not', async () => {
  const { engine, placed, queue } = await bed({ cmb: CMB, sgl: { relative: true } });
  placed.store.write(0, pattern(PAGE, 9));
  // The other half of the 64-bit space: nobody is there.
  await engine.write32(physAddr(placed.fn.registers + REGISTERS.CMBMSC.offset + 4), 0x70000);
  const list = [cmbBus(placed, 0, PAGE)];
  engine.placed.length = 0;
  engine.placed.push({ ...placed, bars: placed.bars.filter(({ index }) => index === 0) });
  expect(await move(queue, 'read', 0, list)).toMatchObject(OK);
  expect(firstDifference(inCmb(placed, 0, PAGE), new Uint8Array(PAGE))).toBe(-1);
  expect(await move(queue, 'read', 0, list, { relative: true })).toMatchObject(OK);
  expect(firstDifference(inCmb(placed, 0, PAGE), pattern(PAGE, 9))).toBe(-1);
});

test('E52: a CBA of the caller is used for the own buffer; where it equals live memory the controller swallows RAM traffic', async () => {
  const base = (DATA + 4 * MIB) as DmaAddr;
  const { engine, placed, controller, queue } = await bed({ cmb: CMB }, { driver: { cmb: { base } } });
  expect(controller.cmb?.base).toBe(base);
  placed.store.write(0, pattern(PAGE, 5));
  expect(await move(queue, 'read', 0, [cmbBus(placed, PAGE, PAGE)])).toMatchObject(OK);
  expect(firstDifference(inCmb(placed, PAGE, PAGE), pattern(PAGE, 5))).toBe(-1);
  engine.ram.fill(0xee, base, base + PAGE);
  expect(await move(queue, 'read', 0, [ram(base, PAGE)])).toMatchObject(OK);
  expect(engine.ram[base]).toBe(0xee);
  expect(firstDifference(inCmb(placed, 0, PAGE), pattern(PAGE, 5))).toBe(-1);
});

test('a CBA over the admin queue makes the controller fetch zeros: the first command is refused, nothing hangs', async () => {
  const engine = new FlatEngine();
  const { fn } = engine.add({ cmb: CMB });
  const driver = new NvmeDriver({ engine, memory: engine, fn, cmb: { base: MIB as DmaAddr } });
  expect(await driver.bringUp()).toMatchObject({ kind: 'fatal' });
  const withQueues = new FlatEngine();
  const { fn: other } = withQueues.add({ cmb: { sizeBytes: 8 * MIB, cqs: true } });
  const lost = new NvmeDriver({ engine: withQueues, memory: withQueues, fn: other, cmb: { base: MIB as DmaAddr } });
  expect(await lost.bringUp()).toMatchObject({ kind: 'timeout' });
});

test('the buffer of the kind before 1.4 is used by bus address; with the buffer off, own segments are refused', async () => {
  const { placed, controller, queue } = await bed({ cmb: { sizeBytes: MIB, offsetBytes: MIB, legacy: true } });
  expect(controller.cmb).toMatchObject({ isLegacy: true, startBytes: MIB });
  placed.store.write(0, pattern(PAGE, 7));
  expect(await move(queue, 'read', 0, [cmbBus(placed, MIB + PAGE, PAGE)])).toMatchObject(OK);
  expect(firstDifference(inCmb(placed, MIB + PAGE, PAGE), pattern(PAGE, 7))).toBe(-1);
  await expect(move(queue, 'read', 0, [cmbBus(placed, 0, PAGE)])).rejects.toMatchObject({ code: 'NVME_OUTSIDE_CMB' });

  const off = await bed({ cmb: CMB }, { driver: { cmb: 'off' } });
  expect(off.controller.cmb).toBeNull();
  expect(getField(off.placed.controller.readRegister(CMBSZ.SZ.offset), CMBSZ.SZ)).toBe(0);
  await expect(move(off.queue, 'read', 0, [cmbBus(off.placed, 0, PAGE)])).rejects.toBeInstanceOf(NvmeError);
});

test('a controller that refuses the base (CBAI) is used without its buffer', async () => {
  const engine = new FlatEngine();
  const { fn, controller } = engine.add({ cmb: CMB });
  // 2^53 - 4096 fits; so let the controller look as if it did not, by a base that the register cuts to one beyond the end.
  const write = controller.writeRegister.bind(controller);
  controller.writeRegister = (offset, value) => write(offset, offset === 0x54 && value !== 0 ? 0xffffffff : value);
  const base = (2 ** 53 - PAGE) as DmaAddr;
  const driver = new NvmeDriver({ engine, memory: engine, fn, cmb: { base } });
  expect(await driver.bringUp()).toMatchObject({ kind: 'up', controller: { cmb: null } });
});

test('a submission queue in the own buffer works, and its commands never cross the link', async () => {
  const { engine, placed, driver } = await bed({ cmb: CMB });
  const cmb = driver.controller?.cmb;
  const phys = (placed.bars.find(({ index }) => index === 2)?.phys ?? 0) + 4 * MIB;
  const submission = { phys: physAddr(phys), dma: ((cmb?.base ?? 0) + 4 * MIB) as DmaAddr, lengthBytes: PAGE };
  const made = await driver.createIoQueue(2, { depth: 16, submission });
  if (made.kind !== 'made') throw new Error(made.kind);
  placed.requests = [];
  engine.ram.set(pattern(PAGE, 1), DATA);
  expect(await move(made.queue, 'write', 0, [ram(DATA, PAGE)])).toMatchObject(OK);
  expect(firstDifference(stored(placed, 0, PAGE), pattern(PAGE, 1))).toBe(-1);
  expect(placed.requests.map(({ kind, length }) => `${kind} ${length}`)).toEqual(['read 4096', 'write 16']);
});

test('statuses come back: of the controller, of the medium, and of the first command of several that failed', async () => {
  const failing = {
    sizeBytes: MIB,
    read: (offset: number) => (offset === 8192 ? ('failed' as const) : ('ok' as const)),
    write: () => 'ok' as const,
    flush: () => 'failed' as const,
  };
  const { queue } = await bed({ namespaces: [{ store: failing }], mdts: 1 });
  const outcome = await move(queue, 'read', 0, [ram(DATA, 32 * KIB)]);
  expect(outcome).toMatchObject({ kind: 'completed', status: STATUS.UNRECOVERED_READ_ERROR, commands: 4 });
  const [flushed] = await queue.execute([{ kind: 'flush', namespace: 1, block: 0, segments: new DataSegments() }]);
  expect(flushed).toMatchObject({ status: STATUS.WRITE_FAULT, commands: 1 });
});

test('E53: a buffer without RDS answers the command with an error, which the outcome carries', async () => {
  const { placed, queue } = await bed({ cmb: { sizeBytes: MIB, rds: false } });
  const outcome = await move(queue, 'read', 0, [cmbBus(placed, 0, PAGE)]);
  expect(outcome).toMatchObject({ kind: 'completed', status: STATUS.INVALID_USE_OF_CMB });
  expect(outcome.statusField & 0x4000).toBe(0x4000);
});

test('a command that nobody completes is lost after the time-out, by the clock of the engine', async () => {
  const { engine, placed, queue } = await bed({}, { driver: { limits: { timeoutNs: 5e9 } } });
  placed.controller.work = () => 0;
  const before = engine.nowNs;
  expect(await move(queue, 'read', 0, [ram(DATA, PAGE)])).toMatchObject({ kind: 'timeout' });
  expect(engine.nowNs - before).toBeGreaterThanOrEqual(5e9);
  expect(engine.nowNs - before).toBeLessThan(6e9);
});

test('bring-up waits as long as CAP.TO says for a controller that is slow to get ready', async () => {
  const { engine } = await bed({ readyDelayNs: 3e9 });
  expect(engine.nowNs).toBeGreaterThanOrEqual(3e9);
});

test('requests are refused before the first command: range, length, namespace, form, and queue in use', async () => {
  const { placed, queue, driver } = await bed({ sgl: false });
  const request = (more: object) => ({
    kind: 'read' as const,
    namespace: 1,
    block: 0,
    segments: DataSegments.of([ram(DATA, PAGE)]),
    ...more,
  });
  const last = (32 * MIB) / BLOCK;
  const refused: [object, string][] = [
    [{ namespace: 2 }, 'NVME_NAMESPACE'],
    [{ block: last - 7 }, 'NVME_LENGTH'],
    [{ block: -1 }, 'NVME_LENGTH'],
    [{ block: 0.5 }, 'NVME_LENGTH'],
    [{ segments: DataSegments.of([ram(DATA, 100)]) }, 'NVME_LENGTH'],
    [{ segments: new DataSegments() }, 'NVME_LENGTH'],
    [{ kind: 'flush' }, 'NVME_LENGTH'],
    [{ relative: true }, 'NVME_RELATIVE_NOT_OFFERED'],
    [{ format: 'sgl' }, 'NVME_SGL_NOT_OFFERED'],
    [{ segments: DataSegments.of([ram(DATA + 1, BLOCK)]) }, 'NVME_ALIGNMENT'],
  ];
  const before = placed.controller.commandCount;
  for (const [more, code] of refused) {
    await expect(queue.execute([request({}), request(more)])).rejects.toMatchObject({ code });
  }
  expect(placed.controller.commandCount).toBe(before);
  const run = queue.begin([request({})]);
  expect(() => queue.begin([request({})])).toThrow('under way');
  await run.submit();
  placed.controller.work();
  await run.collect();
  expect(run.isDone).toBe(true);
  for (const [id, depth] of [
    [0, 4],
    [17, 4],
    [1, 4],
    [2, 0],
    [2, 1024],
  ] as const) {
    await expect(driver.createIoQueue(id, { depth })).rejects.toMatchObject({ code: 'NVME_QUEUE' });
  }
});

test('a deleted queue gives its memory back and can be made again', async () => {
  const { engine, driver, queue } = await bed();
  const before = engine.buffers.size;
  expect(await driver.deleteIoQueue(queue)).toMatchObject({ status: STATUS.SUCCESS });
  expect(engine.buffers.size).toBe(before - 3);
  expect(await driver.createIoQueue(1, { depth: 1 })).toMatchObject({ kind: 'made' });
});

test('a queue of depth 1 and one as deep as the controller allows run through many laps of their rings', async () => {
  for (const depth of [1, 15]) {
    const { engine, placed, queue } = await bed({ maxQueueEntries: 16 }, { queue: { depth } });
    engine.ram.set(pattern(100 * BLOCK, depth), DATA);
    const requests = Array.from({ length: 100 }, (_, index) => ({
      kind: 'write' as const,
      namespace: 1,
      block: index,
      segments: DataSegments.of([ram(DATA + index * BLOCK, BLOCK)]),
    }));
    const outcomes = await queue.execute(requests);
    expect(outcomes.every(({ status }) => status === STATUS.SUCCESS)).toBe(true);
    expect(firstDifference(stored(placed, 0, 100 * BLOCK), pattern(100 * BLOCK, depth))).toBe(-1);
    expect(queue.strayCompletions).toBe(0);
  }
});

test('random mixed transfers leave every memory as an independent copy says, and touch nothing else', async () => {
  const seed = 0x5eed;
  const prng = new Prng(seed);
  const done = { completed: 0, refused: 0, split: 0, relative: 0 };
  for (let round = 0; round < 40; round++) {
    await randomTransfers(prng, `seed ${seed}, round ${round}`, done);
  }
  expect(done.completed).toBeGreaterThan(150);
  expect(done.refused).toBeGreaterThan(20);
  expect(done.split).toBeGreaterThan(50);
  expect(done.relative).toBeGreaterThan(20);
});

/** Random transfers among RAM, own buffer, a peer's buffer and the namespace, against plain arrays. */
async function randomTransfers(
  prng: Prng,
  what: string,
  done: { completed: number; refused: number; split: number; relative: number },
): Promise<void> {
  const engine = new FlatEngine({ late: prng.chance(0.2), ramBytes: 20 * MIB });
  const peer = engine.add({ cmb: { sizeBytes: MIB } });
  await new NvmeDriver({ engine, memory: engine, fn: peer.fn }).bringUp();
  const cdpmls = prng.chance(0.5);
  const relative = prng.chance(0.5);
  const limits: Partial<DriverLimits> = {
    sglThresholdBytes: prng.pick([0, 4 * KIB, 32 * KIB]),
    mmioGranuleBytes: prng.pick([1, 512]),
    listPages: prng.pick([1, 5]),
  };
  const { placed, queue, controller } = await bed(
    {
      cmb: { sizeBytes: MIB, cdpmls },
      sgl: prng.chance(0.8) ? { relative, granularityBytes: prng.pick([1, 4]) } : false,
      mdts: prng.pick([0, 1, 3, 10]),
    },
    { engine, driver: { limits } },
  );
  const hasRelative = controller.offersRelativeSgl;
  // What each memory must hold: plain copies, moved by plain loops.
  const memories = {
    ram: pattern(MIB, 1),
    own: pattern(MIB, 2),
    peer: pattern(MIB, 3),
    disk: pattern(MIB, 4),
  };
  engine.ram.set(memories.ram, DATA);
  placed.controller.writeBar(2, 0, memories.own);
  peer.controller.writeBar(2, 0, memories.peer);
  placed.store.write(0, memories.disk);
  const outside = engine.ram.slice(DATA + MIB);

  for (let step = 0; step < 12; step++) {
    const kind = prng.pick(['read', 'write'] as const);
    const unit = prng.pick([4, BLOCK, PAGE]);
    const list: DataSegment[] = [];
    const copies: [keyof typeof memories, number, number][] = [];
    let total = 0;
    const taken = new Set<string>();
    for (let count = prng.between(1, 10); count > 0; count--) {
      const memory = prng.pick(['ram', 'ram', 'own', 'peer'] as const);
      // Each segment in its own 64 KiB, so that none of a read overwrites another.
      const lane = prng.below(16);
      if (taken.has(`${memory}${lane}`)) continue;
      taken.add(`${memory}${lane}`);
      const offset = lane * 64 * KIB + prng.below(PAGE / unit) * unit;
      const length = unit * prng.between(1, Math.min(32, (48 * KIB) / unit));
      list.push(segmentOf(memory, offset, length, placed, peer));
      copies.push([memory, offset, length]);
      total += length;
    }
    if (total % BLOCK !== 0) {
      list.push(ram(DATA + MIB - BLOCK, BLOCK - (total % BLOCK)));
      copies.push(['ram', MIB - BLOCK, BLOCK - (total % BLOCK)]);
      total += BLOCK - (total % BLOCK);
    }
    const block = prng.below((MIB - total) / BLOCK);
    const more: { relative?: boolean } = hasRelative && prng.chance(0.5) ? { relative: true } : {};
    let outcome: IoOutcome;
    try {
      outcome = await move(queue, kind, block, list, more);
    } catch (error) {
      expect(error, what).toBeInstanceOf(NvmeError);
      done.refused++;
      continue;
    }
    expect(outcome, what).toMatchObject(OK);
    done.completed++;
    if (outcome.commands > 1) done.split++;
    if (more.relative) done.relative++;
    let at = block * BLOCK;
    for (const [memory, offset, length] of copies) {
      const disk = memories.disk.subarray(at, at + length);
      const other = memories[memory].subarray(offset, offset + length);
      if (kind === 'read') other.set(disk);
      else disk.set(other);
      at += length;
    }
  }
  expect(firstDifference(engine.ram.subarray(DATA, DATA + MIB), memories.ram), `${what}: RAM`).toBe(-1);
  expect(firstDifference(engine.ram.subarray(DATA + MIB), outside), `${what}: RAM outside`).toBe(-1);
  expect(firstDifference(inCmb(placed, 0, MIB), memories.own), `${what}: own buffer`).toBe(-1);
  expect(firstDifference(inCmb(peer, 0, MIB), memories.peer), `${what}: peer buffer`).toBe(-1);
  expect(firstDifference(stored(placed, 0, MIB), memories.disk), `${what}: namespace`).toBe(-1);
}

function segmentOf(
  memory: 'ram' | 'own' | 'peer',
  offset: number,
  length: number,
  own: Placed,
  peer: Placed,
): DataSegment {
  if (memory === 'ram') return ram(DATA + offset, length);
  return cmbBus(memory === 'own' ? own : peer, offset, length);
}

test('a bus address is never taken for a CPU address: the two differ here by a whole power of two', () => {
  expect(Math.abs(BUS_OFFSET)).toBe(2 ** 35);
});
