/** Several captured machines in one folder: one is read, and that the others are not is told. */

import { expect, test } from 'vitest';
import { bytesOf } from '../../src/core/text.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { type TarItem, tarOf } from './tar.ts';

const capture = (root: string): TarItem[] => [
  { path: `${root}sys/bus/pci/devices/0000:00:01.0/vendor`, bytes: bytesOf('0x1234\n') },
];

test('of two captured roots in one folder the first is read, and a note names both', async () => {
  const machine = await readMachine(tarOf([...capture('host1/'), ...capture('host2/')]), 'two.tar');
  expect(machine.hierarchy.functions).toHaveLength(1);
  const notes = machine.notes.filter((note) => note.code === 'SEVERAL_ROOTS');
  expect(notes.map((note) => note.message)).toEqual([
    'holds several captured machines: host1 is read, host2 is not; name the one that is meant',
  ]);
});

test('one captured root beside folders without PCI is no reason for a note', async () => {
  const items = [...capture('host1/'), { path: 'logs/dmesg', bytes: bytesOf('x\n') }];
  const machine = await readMachine(tarOf(items), 'one.tar');
  expect(machine.notes.map((note) => note.code)).not.toContain('SEVERAL_ROOTS');
});
