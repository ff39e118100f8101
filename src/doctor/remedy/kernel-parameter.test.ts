import { expect, test } from 'vitest';
import { machineOf, switchBelow } from '../../../tests/doctor/machines.ts';
import { REDIRECT_BITS } from '../../pcie/acs.ts';
import type { PortChange } from '../port-change.ts';
import { acsFlags, configAcs, disableAcsRedir, grubLine, shellQuoted } from './kernel-parameter.ts';
import { setpciLines } from './setpci.ts';

const { fn } = machineOf([{ children: [switchBelow('rp', [{ name: 'x' }, { name: 'y' }, { name: 'z' }])] }]);

const port = (fields: Partial<PortChange>): PortChange => ({
  at: fn('y'),
  devicePath: '0000:00:1c.0/00.0/01.0',
  register: 0x126,
  before: 0b0011101,
  after: 0b0010001,
  mask: REDIRECT_BITS,
  source: null,
  ...fields,
});
const other = port({ at: fn('z'), devicePath: '0000:00:1c.0/00.0/02.0', before: 0b0000100, after: 0 });

test('disable_acs_redir: device paths with semicolons between, none at the end', () => {
  expect(disableAcsRedir([port({}), other])).toBe(
    'pci=disable_acs_redir=0000:00:1c.0/00.0/01.0;0000:00:1c.0/00.0/02.0',
  );
});

test('an address stands in for a path that is not known', () => {
  expect(disableAcsRedir([port({ devicePath: null })])).toBe('pci=disable_acs_redir=0000:02:01.0');
});

test('E19: config_acs: the rightmost character is bit 0, Source Validation', () => {
  expect(acsFlags(0x01)).toBe('0000001');
  expect(acsFlags(0x40)).toBe('1000000');
  // Bits that are not written stay with the firmware.
  expect(acsFlags(0b0011001, 0b0011101)).toBe('xx110x1');
  expect(configAcs([port({}), other])).toBe(
    'pci=config_acs=0010001@0000:00:1c.0/00.0/01.0;0000000@0000:00:1c.0/00.0/02.0',
  );
});

test('E20: config_acs read as the kernel reads it gives exactly the register wished, whatever firmware left', () => {
  for (let wished = 0; wished < 128; wished++) {
    const flags = acsFlags(wished);
    let mask = 0;
    let value = 0;
    for (const [index, character] of [...flags].reverse().entries()) {
      if (character === 'x') continue;
      mask |= 1 << index;
      if (character === '1') value |= 1 << index;
    }
    for (const firmware of [0, 0x7f, 0x1d]) expect((firmware & ~mask) | value).toBe(wished);
  }
});

test('a shell and GRUB get the semicolons within quotes', () => {
  const parameter = disableAcsRedir([port({}), other]);
  expect(shellQuoted(parameter)).toBe(`'${parameter}'`);
  expect(grubLine(parameter)).toBe(`GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX '${parameter}'"`);
});

test('setpci touches RR, CR and EC alone, and the undo writes back what was there', () => {
  const [line] = setpciLines([port({})]);
  expect(line).toEqual({
    apply: 'sudo setpci -s 0000:02:01.0 ECAP_ACS+6.w=0:2c',
    undo: 'sudo setpci -s 0000:02:01.0 ECAP_ACS+6.w=c:2c',
  });
  for (let before = 0; before < 128; before++) {
    const [lines] = setpciLines([port({ before, after: before & ~0x2c })]);
    const run = (register: number, command: string): number => {
      const [value, mask] = (command.split('=')[1] as string).split(':').map((part) => Number.parseInt(part, 16));
      return (register & ~(mask as number)) | ((value as number) & (mask as number));
    };
    const applied = run(before, lines?.apply ?? '');
    expect(applied).toBe(before & ~0x2c);
    expect(run(applied, lines?.undo ?? '')).toBe(before);
  }
});
