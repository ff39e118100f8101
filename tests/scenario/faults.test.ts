/** What software learns of faults, and that bytes which did not arrive count nothing. */

import { describe, expect, test } from 'vitest';
import { countPattern, fillComplement, fillPattern } from '../../src/scenario/pattern.ts';
import { machineText, runTransfers } from './bed.ts';

const PEER = 'vectors: [{ memory: b, length: 4KiB }]';

test('no byte of the pattern is 0x00 or 0xff, and its complement has none of it', () => {
  for (let transfer = 0; transfer < 40; transfer++) {
    const [right, wrong] = [new Uint8Array(4096), new Uint8Array(4096)];
    fillPattern(right, transfer, 512);
    fillComplement(wrong, transfer, 512);
    expect(right.includes(0) || right.includes(255)).toBe(false);
    expect([countPattern(right, transfer, 512), countPattern(wrong, transfer, 512)]).toEqual([4096, 0]);
  }
});

describe('what did not arrive counts 0 bytes', () => {
  const losses: [what: string, fault: string][] = [
    ['an unplugged target', 'faults: [{ at: afterMap, unplug: b }]'],
    ['a target with Memory Space off', 'faults: [{ at: afterMap, memorySpaceOff: b }]'],
    ['a device without bus mastering', 'faults: [{ at: afterMap, busMasterOff: gpu }]'],
  ];
  for (const direction of ['fromDevice', 'toDevice'])
    for (const engine of ['gpu', 'a'])
      test.each(losses)(`%s, ${direction} by ${engine}`, async (_what, fault) => {
        const faults = fault.replace('gpu', engine);
        const before = `device: ${engine}, direction: fromDevice, vectors: [{ memory: b, length: 4KiB, offset: 0 }]`;
        const [, lost] = await runTransfers(
          machineText(),
          before,
          `device: ${engine}, direction: ${direction}, vectors: [{ memory: b, length: 4KiB, offset: 0 }], ${faults}, trust: true, expect: damaged`,
        );
        expect(lost?.bytesEqual).toBe(0);
      });
  test('a transfer into the memory of an earlier one does not find its bytes there already', async () => {
    const [, again] = await runTransfers(
      machineText(),
      `name: first, device: gpu, direction: fromDevice, ${PEER}`,
      'device: gpu, direction: fromDevice, continues: first, trust: true, faults: [{ at: afterMap, memorySpaceOff: b }], expect: damaged',
    );
    expect(again).toMatchObject({ bytesEqual: 0, asExpected: true });
  });
});

describe('E51: software learns of an unplug, and the provider is gone', () => {
  const unplugged = 'faults: [{ at: afterSubmit, unplug: b }]';
  test.each(['flags', 'lookup', 'page', 'certified'])('before the mapping, %s refuses', async (classify) => {
    const [one] = await runTransfers(
      machineText(),
      `device: a, direction: fromDevice, classify: ${classify}, ${PEER}, ${unplugged}, expect: refused`,
    );
    expect(one).toMatchObject({ refusal: { code: 'PROVIDER_GONE' }, asExpected: true });
  });
  test.each(['flags, trust: true', 'premapped'])(
    'before the mapping, %s asks nobody and loses the bytes',
    async (design) => {
      const [one] = await runTransfers(
        machineText(),
        `device: a, direction: fromDevice, classify: ${design}, ${PEER}, ${unplugged}, expect: damaged`,
      );
      expect(one).toMatchObject({ refusal: null, bytesEqual: 0, asExpected: true });
      // Who mapped with a table, mapped too early to refuse, and notices at the unmap.
      expect(one?.unmapRefusal?.code).toBe(design === 'premapped' ? 'PROVIDER_GONE' : undefined);
    },
  );
  test.each(['iommu: off', 'iommu: on'])(
    'while it is mapped, the unmap notices, and all is unmapped: %s',
    async (top) => {
      const line = (fault: string, more = ''): string =>
        `device: a, direction: fromDevice, vectors: [{ memory: far, length: 4KiB }]${fault}${more}`;
      const machine = machineText({ top });
      const [kept, lost, later] = await runTransfers(
        machine,
        line(''),
        line(', faults: [{ at: afterMap, unplug: far }]', ', expect: damaged'),
        line(''),
      );
      expect(kept?.unmapRefusal).toBeNull();
      expect(lost?.unmapRefusal).toMatchObject({
        code: 'PROVIDER_GONE',
        message: expect.stringContaining('segments[0]'),
      });
      expect(lost?.bytesEqual).toBe(0);
      expect(later?.vectors[0]).toMatchObject({ owner: null, why: 'far was unplugged: RAM instead' });
      expect(later?.bytesEqual).toBe(4096);
    },
  );
  test('a later transfer on its memory is refused, and one that looks for a provider finds another', async () => {
    const [, , again, found] = await runTransfers(
      machineText(),
      `name: first, device: a, direction: fromDevice, ${PEER}`,
      'device: a, direction: fromDevice, vectors: [{ memory: ram, length: 4KiB }], faults: [{ at: afterSubmit, unplug: b }]',
      'device: a, direction: toDevice, continues: first, classify: certified, expect: refused',
      'device: gpu, direction: fromDevice, clients: [far], vectors: [{ memory: find, length: 4KiB }]',
    );
    expect(again?.refusal?.code).toBe('PROVIDER_GONE');
    expect(found?.vectors[0]?.owner).not.toBe('b');
    expect(found?.bytesEqual).toBe(4096);
  });
  test('with a switch goes what is below it', async () => {
    const ram = 'vectors: [{ memory: ram, length: 4KiB }]';
    const [, later] = await runTransfers(
      machineText(),
      `device: far, direction: fromDevice, ${ram}, faults: [{ at: afterSubmit, unplug: sw0 }]`,
      'device: far, direction: fromDevice, vectors: [{ memory: gpu, length: 4KiB }]',
    );
    expect(later?.vectors[0]?.why).toBe('gpu was unplugged: RAM instead');
  });
});

test('an unplug makes certificates stale: what is still there is looked up, and arrives', async () => {
  const [one] = await runTransfers(
    machineText(),
    `device: a, direction: fromDevice, classify: certified, ${PEER}, faults: [{ at: afterSubmit, unplug: far }]`,
  );
  expect(one).toMatchObject({ lookups: 1, bytesEqual: 4096 });
});

test.each(['flags', 'lookup', 'certified'])(
  'ACS switched behind the kernel’s back is noticed by no design: %s',
  async (classify) => {
    const fault = 'faults: [{ at: afterSubmit, acs: { port: dn0, set: [RR] } }]';
    const [one, later] = await runTransfers(
      machineText(),
      `device: a, direction: fromDevice, classify: ${classify}, ${PEER}, ${fault}, expect: damaged`,
      `device: a, direction: fromDevice, classify: ${classify}, ${PEER}, expect: damaged`,
    );
    for (const transfer of [one, later]) {
      expect(transfer).toMatchObject({ refusal: null, unmapRefusal: null, bytesEqual: 0 });
      expect(transfer?.vectors[0]?.case).toBe('b2');
    }
  },
);
