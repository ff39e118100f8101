import { expect, test } from 'vitest';
import { ACS_ON, machineOfParts, oneSwitch } from '../../../tests/doctor/twins.ts';
import type { Machine } from '../../machine/machine.ts';
import { REDIRECT_BITS } from '../../pcie/acs.ts';
import { portChange } from '../port-change.ts';
import { acsWord } from './acs-word.ts';

/** Two ports of one switch: 02:00.0, which redirects, and 02:01.0. */
const X = '0000:00:01.0/00.0/00.0';
const Y = '0000:00:01.0/00.0/01.0';

function on(cmdline: string, kernel = '6.15.1'): Machine {
  return machineOfParts(oneSwitch(ACS_ON), { cmdline, kernel });
}

function word(machine: Machine, key: 'disable_acs_redir' | 'config_acs'): { text: string; line: string | null } {
  const { hierarchy } = machine;
  const index = hierarchy.functions.findIndex(({ name }) => name === '0000:02:00.0');
  const port = portChange(hierarchy, index, (control) => control & ~REDIRECT_BITS);
  const { parameter, change } = acsWord(machine, key, [port], 'byPath');
  return { text: parameter, line: change.after };
}

test('a line without the option gets one word at its end, before what the first process has', () => {
  expect(word(on('quiet -- single'), 'disable_acs_redir')).toEqual({
    text: `pci=disable_acs_redir=${X}`,
    line: `quiet pci=disable_acs_redir=${X} -- single`,
  });
});

const MERGED: readonly (readonly [string, string, string])[] = [
  ['another device', 'pci=disable_acs_redir=0000:02:01.0', `pci=disable_acs_redir=${Y};${X}`],
  ['the device itself', 'pci=disable_acs_redir=0000:02:00.0', `pci=disable_acs_redir=${X}`],
  [
    'both, among other options of pci=',
    'a pci=noaer,disable_acs_redir=0000:02:01.0;0000:02:00.0,realloc b',
    `a pci=noaer,realloc b pci=disable_acs_redir=${Y};${X}`,
  ],
  [
    'a device that this machine does not show: the capture may be a part',
    'pci=disable_acs_redir=0000:09:00.0',
    `pci=disable_acs_redir=0000:09:00.0;${X}`,
  ],
  [
    'by vendor and device, the device among others',
    'pci=disable_acs_redir=pci:0:0',
    `pci=disable_acs_redir=${X};pci:0:0`,
  ],
  [
    'twice, of which the last counts',
    'pci=disable_acs_redir=0000:09:00.0 pci=disable_acs_redir=0000:02:01.0',
    `pci=disable_acs_redir=${Y};${X}`,
  ],
  [
    'an entry that cannot be read: the kernel reads no further',
    'pci=disable_acs_redir=0000:02:01.0;switch;0000:09:00.0',
    `pci=disable_acs_redir=${Y};${X}`,
  ],
];

test.each(MERGED)('disable_acs_redir= names %s: one word holds both', (_, cmdline, line) => {
  expect(word(on(cmdline), 'disable_acs_redir').line).toBe(line);
});

test('config_acs= takes in what disable_acs_redir= names, with the bits that it clears, and its own entries as they are', () => {
  const cleared = word(on('pci=disable_acs_redir=0000:02:01.0'), 'config_acs');
  expect(cleared.line).toBe(`pci=config_acs=x0x00xx@${Y};0010001@${X}`);
  const own = word(on('pci=config_acs=1xxxxx0@0000:02:01.0,noaer'), 'config_acs');
  expect(own.line).toBe(`pci=noaer pci=config_acs=1xxxxx0@${Y};0010001@${X}`);
  // Of the two config_acs= counts, so it stands first.
  const both = word(on('pci=disable_acs_redir=0000:02:01.0,config_acs=1@0000:02:01.0'), 'config_acs');
  expect(both.line).toBe(`pci=config_acs=1@${Y};x0x00xx@${Y};0010001@${X}`);
});

test('an option that the kernel does not know says nothing, and stays where it is', () => {
  const { line } = word(on('pci=config_acs=1@0000:02:01.0 quiet', '6.1.90'), 'disable_acs_redir');
  expect(line).toBe(`pci=config_acs=1@0000:02:01.0 quiet pci=disable_acs_redir=${X}`);
});
