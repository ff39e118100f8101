import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kernelMessages, lineOf } from './kernel-messages.ts';

test('a record of the kernel becomes a line as dmesg prints it; what users wrote is left out', () => {
  expect(lineOf('6,339,5140900,-;DMAR: x\n SUBSYSTEM=pci\n')).toBe('[    5.140900] DMAR: x');
  expect(lineOf('4,2,0,-,caller=T0;a;b')).toBe('[    0.000000] a;b');
  // Facility 1, a user's: 8 and the level.
  expect(lineOf('14,340,5140901,-;DMAR: forged')).toBeNull();
  expect(lineOf('no record')).toBeNull();
});

test('where there is no device, dmesg is asked, or the log is not known', () => {
  const messages = kernelMessages('/no/such/device');
  expect(messages === null || messages.file === 'dmesg').toBe(true);
});

test('a file that ends is read to its end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'p2pdma-kmsg-'));
  try {
    writeFileSync(join(folder, 'kmsg'), '6,1,1000000,-;DMAR: x\n');
    expect(kernelMessages(join(folder, 'kmsg'))).toEqual({
      text: '[    1.000000] DMAR: x\n',
      file: join(folder, 'kmsg'),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
