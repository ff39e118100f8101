/** The self-test of the envelope at every start: it passes on this QEMU, and each of its rules fires. */

import { describe, expect, test } from 'vitest';
import { type PhysAddr, physAddr } from '../../src/core/index.ts';
import {
  ENVELOPES,
  type EnvelopeObservation,
  envelopeDifferences,
  judgeEnvelope,
  QemuEngine,
  type QemuEnvelope,
  type QemuMachineDescription,
} from '../../src/engine/qemu/index.ts';
import { NVME } from '../../src/engine/qemu/nvme-registers.ts';
import { equalBytes, MIB, newQemuBed, PAGE, pattern, switchTree } from '../contract/bed.ts';
import { Host } from '../contract/host.ts';
import { missingQemu } from '../contract/missing-qemu.ts';

const MISSING = missingQemu();
const VERSION = { major: 9, minor: 1, micro: 0 };
const ROW = ENVELOPES[0] as QemuEnvelope;
const AS_MEASURED: EnvelopeObservation = {
  cmbloc: ROW.cmbloc,
  highFirstTakesWhole: true,
  lowFirstTakesLow: true,
  mixedStatus: ROW.mixedStatus,
};

describe('an observation against the row', () => {
  test('as measured there is nothing to say', () => {
    expect(envelopeDifferences(AS_MEASURED, ROW)).toEqual([]);
    expect(judgeEnvelope([], VERSION)).toEqual([]);
  });

  const stricter: [what: string, seen: Partial<EnvelopeObservation>, note: RegExp][] = [
    ['CMBLOC that offers mixed data', { cmbloc: 0xe2 }, /rule cmbloc .*: CMBLOC 0xe2, where CMBLOC 0x62 was measured/],
    [
      'a base that waits for both halves',
      { lowFirstTakesLow: false },
      /rule cmbmscLatchesLow .*does not answer at its low/,
    ],
    ['mixed data that is accepted', { mixedStatus: 0 }, /rule mixedStatus .*: status 0x0, where status 0x12/],
  ];
  test.each(stricter)('%s: a note with release and rule, since the engine is only too strict', (_what, seen, note) => {
    const notes = judgeEnvelope(envelopeDifferences({ ...AS_MEASURED, ...seen }, ROW), VERSION);
    expect(notes.length).toBe(1);
    expect(notes[0]).toMatch(/^QEMU 9\.1\.0 departs from /);
    expect(notes[0]).toMatch(note);
  });

  const losing: [what: string, seen: Partial<EnvelopeObservation>, message: RegExp][] = [
    [
      'a base that is not taken',
      { highFirstTakesWhole: false },
      /breaks rule cmbmscHighFirst .*does not answer at the base/,
    ],
    ['mixed data that is never answered', { mixedStatus: null }, /breaks rule mixedStatus .*: no completion/],
  ];
  test.each(losing)('%s: refused with release and rule, since data would be lost', (_what, seen, message) => {
    const judged = (): string[] => judgeEnvelope(envelopeDifferences({ ...AS_MEASURED, ...seen }, ROW), VERSION);
    expect(judged).toThrow(expect.objectContaining({ code: 'QEMU_ENVELOPE', message: expect.stringMatching(message) }));
  });
});

const MACHINE: QemuMachineDescription = {
  rootBuses: [
    {
      bus: 0,
      children: [
        { kind: 'nvme', name: 'plain' },
        { kind: 'nvme', name: 'b', cmbBytes: 4 * MIB },
      ],
    },
  ],
};

async function started(envelope?: QemuEnvelope, machine = MACHINE): Promise<readonly string[]> {
  const engine = await QemuEngine.start({ machine, ...(envelope === undefined ? {} : { envelope }) });
  const { notes } = engine;
  await engine.close();
  return notes;
}

describe.skipIf(MISSING !== null)(`at start${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test('this QEMU keeps to its row', async () => {
    expect((await started()).filter((note) => note.includes('envelope'))).toEqual([]);
  });

  test('against a row that says otherwise each rule fires, on a real controller', async () => {
    const rows: [rule: string, row: Partial<QemuEnvelope>][] = [
      ['cmbloc', { cmbloc: 0xe2 }],
      ['cmbmscLatchesLow', { cmbmscLatchesLow: false }],
      ['mixedStatus', { mixedStatus: 0x13 }],
    ];
    for (const [rule, row] of rows) {
      const notes = await started({ ...ROW, ...row });
      expect(notes.filter((note) => note.includes(`departs from rule ${rule} `)).length).toBe(1);
    }
    await expect(started({ ...ROW, cmbmscHighFirst: false })).rejects.toMatchObject({
      code: 'QEMU_ENVELOPE',
      message: expect.stringMatching(/^QEMU \d+\.\d+\.\d+ breaks rule cmbmscHighFirst /),
    });
  });

  test('a machine without a buffer of the 1.4 kind has nothing to look at', async () => {
    const wrong = { ...ROW, cmbmscHighFirst: false };
    const plain: QemuMachineDescription = { rootBuses: [{ bus: 0, children: [{ kind: 'nvme' }] }] };
    const legacy: QemuMachineDescription = {
      rootBuses: [{ bus: 0, children: [{ kind: 'nvme', cmbBytes: MIB, legacyCmb: true }] }],
    };
    for (const machine of [plain, legacy]) {
      expect((await started(wrong, machine)).filter((note) => note.includes('envelope'))).toEqual([]);
    }
  });

  test('nothing of it is left: registers, RAM and buffer are as after a reset, and transfers work', async () => {
    const bed = await newQemuBed({ tree: switchTree() });
    try {
      const { engine } = bed;
      const fn = bed.fn('b');
      const registers = fn.bars.find(({ index }) => index === 0)?.cpuAddress as PhysAddr;
      for (const offset of [
        NVME.CC,
        NVME.CSTS,
        NVME.AQA,
        NVME.ASQ,
        NVME.ACQ,
        NVME.CMBLOC,
        NVME.CMBMSC,
        NVME.CMBMSC + 4,
      ]) {
        expect([offset, await engine.read32(physAddr(registers + offset))]).toEqual([offset, 0]);
      }
      const host = new Host(bed);
      expect(await host.read(host.piece('b', 0, 2 * PAGE))).toEqual(new Uint8Array(2 * PAGE));
      const ram = new Uint8Array(4 * MIB);
      await engine.readMemory(physAddr(MIB), ram);
      expect(ram.every((byte) => byte === 0)).toBe(true);
      const b = await host.controller('b');
      const piece = host.piece('b', 0, PAGE);
      b.put(0, pattern(PAGE, 1));
      expect(await b.transfer('read', 0, [piece])).toMatchObject({ kind: 'completed', status: 0 });
      expect(equalBytes(await host.read(piece), pattern(PAGE, 1))).toBe(PAGE);
    } finally {
      await bed.engine.close();
    }
  });
});
