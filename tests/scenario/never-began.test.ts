/** A transfer that never began is not called delivered: the report says that nothing was moved, and why. */

import { describe, expect, test } from 'vitest';
import { runText } from '../../src/report/run/text.ts';
import type { TransferReport } from '../../src/scenario/report.ts';
import { machineText, runFile, runTransfers } from './bed.ts';

const MACHINE = machineText();
const TWO = 'vectors: [{ memory: gpu, length: 4KiB }, { memory: ram, length: 8KiB }]';
const UNPLUG = (name: string): string => `faults: [{ at: afterMap, unplug: ${name} }], expect: damaged`;

function fates(report: TransferReport | undefined): string[] {
  return report?.segments.map(({ fate }) => fate) ?? [];
}

describe('the controller is unplugged when all is mapped', () => {
  test.each(['fromDevice', 'toDevice'])(
    '%s: no segment is delivered, no byte is right, and the status says why',
    async (direction) => {
      const [one] = await runTransfers(MACHINE, `device: a, direction: ${direction}, ${TWO}, ${UNPLUG('a')}`);
      expect(one).toMatchObject({ began: false, commands: 0, bytesEqual: 0, asExpected: true, errors: [] });
      expect(fates(one)).toEqual(['notMoved', 'notMoved']);
      expect(one?.status).toMatch(/^bring-up of 0000:03:00\.0: gone$/);
    },
  );

  test('after a transfer that went well too: the queues that it left are void', async () => {
    const [first, second, third] = await runTransfers(
      MACHINE,
      `device: a, direction: fromDevice, ${TWO}`,
      `device: a, direction: fromDevice, ${TWO}, ${UNPLUG('a')}`,
      `device: a, direction: fromDevice, ${TWO}, expect: damaged`,
    );
    expect(first).toMatchObject({ began: true, status: null, bytesEqual: 12288 });
    expect(fates(first)).toEqual(['delivered', 'delivered']);
    for (const later of [second, third]) {
      expect(later).toMatchObject({ began: false, refusal: null, bytesEqual: 0, asExpected: true });
      expect(later?.status).toMatch(/: gone$/);
      expect(fates(later)).toEqual(['notMoved', 'notMoved']);
    }
  });

  test('its own memory is not reached either, from inside', async () => {
    const vectors = 'vectors: [{ memory: self, length: 4KiB }]';
    const [controller, engine] = [
      await runTransfers(MACHINE, `device: a, direction: fromDevice, ${vectors}, ${UNPLUG('a')}`),
      await runTransfers(MACHINE, `device: gpu, direction: fromDevice, ${vectors}, ${UNPLUG('gpu')}`),
    ].map(([one]) => one);
    expect(controller).toMatchObject({ began: false, segments: [{ space: 'bar', fate: 'notMoved' }] });
    expect(engine).toMatchObject({ began: false, status: 'notSent (absent)' });
    expect(engine?.segments).toMatchObject([{ space: 'bar', fate: 'notSent (absent)' }]);
  });
});

test('a generic DMA engine that is gone, or may not be bus master, sent nothing', async () => {
  for (const [fault, status] of [
    ['unplug: gpu', 'notSent (absent)'],
    ['busMasterOff: gpu', 'notSent (busMasterOff)'],
  ] as const) {
    const fields = `vectors: [{ memory: b, length: 4KiB }], faults: [{ at: afterMap, ${fault} }], expect: damaged`;
    const [one] = await runTransfers(MACHINE, `device: gpu, direction: fromDevice, ${fields}`);
    expect(one).toMatchObject({ began: false, status, asExpected: true, bytesEqual: 0 });
    expect(fates(one)).toEqual([status]);
  }
});

test('what a controller keeps to itself is not delivered: bytes for RAM that its CBA covers are swallowed', async () => {
  // The base address of a's buffer lies over the RAM that the data gets, and not over that of the queues.
  const machine = MACHINE.replace(
    '  kernel',
    '  ram: [{ start: 16MiB, size: 64KiB }, { start: 64MiB, size: 64MiB }]\n  kernel',
  ).replace('{ nvme: a, cmb: 4MiB }', '{ nvme: a, cmb: 4MiB, cba: 16MiB, reserveCba: false }');
  const vectors = 'vectors: [{ memory: ram, length: 64KiB }, { memory: self, length: 4KiB, offset: 1MiB }]';
  const [one] = await runTransfers(machine, `device: a, direction: fromDevice, ${vectors}, expect: damaged`);
  expect(one).toMatchObject({ began: true, status: null, swallowedBytes: 65536, bytesEqual: 4096 });
  expect(fates(one)).toEqual(['swallowed', 'delivered']);
});

test('the screen says that it never began and why, and does not use the words of case (c)', async () => {
  const transfer = `  - { name: it, device: a, direction: fromDevice, ${TWO}, ${UNPLUG('a')} }`;
  const text = runText(await runFile(`${MACHINE}transfers:\n${transfer}\n`), [], 100);
  expect(text).toContain('never began: bring-up of 0000:03:00.0: gone');
  expect(text).toMatch(/vector 0 .*not moved/);
  expect(text).not.toContain('no TLP on any link');
});
