/**
 * Command lines that a real Linux 6.12 was booted with, and the ACS registers that it left: our reading of the line, on the same machine
 * with the firmware's registers, gives the same ones, bit by bit.
 */

import { expect, test } from 'vitest';
import { withAcsControls } from '../../src/doctor/change/changed-machine.ts';
import { withChange } from '../../src/doctor/change/machine-change.ts';
import { bootChange } from '../../src/doctor/change/parameter-change.ts';
import { parseCommandLine } from '../../src/doctor/command-line/command-line.ts';
import { commandLineProblems } from '../../src/doctor/command-line/command-line-problems.ts';
import { ISOLATION_BITS } from '../../src/iommu/isolation.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { readTruth } from '../kernel/truth.ts';

const cases = (await readTruth()).filter(({ machine }) =>
  /pci=(?:disable_acs_redir|config_acs)=/.test(machine.cmdline ?? ''),
);

/** `p2pov=acs,02:00.0,5f,1d;...`: ACS that the harness laid over a function: capability, and control as a firmware leaves it. */
function firmwareWords(cmdline: string): Map<string, number> {
  const words = new Map<string, number>();
  for (const [, at, control] of cmdline.matchAll(/acs,([0-9a-f:.]+),[0-9a-f]+,([0-9a-f]+)/g)) {
    words.set(`0000:${at}`, Number.parseInt(control as string, 16));
  }
  return words;
}

/** As the same kernel would have left it without the option. */
function withoutOption(machine: Machine): Machine {
  const cmdline = machine.cmdline ?? '';
  const words = firmwareWords(cmdline);
  const asked = machine.iommuGroupTypes.size > 0 ? ISOLATION_BITS : 0;
  const controls = new Map<number, number>();
  for (const { key, name, acs } of machine.hierarchy.functions) {
    if (acs.state === 'present') controls.set(key, (words.get(name) ?? 0) | (asked & acs.capability));
  }
  return { ...withAcsControls(machine, controls), cmdline: cmdline.replace(/pci=\S+/, '') };
}

const registers = (machine: Machine): (readonly [string, number])[] =>
  machine.hierarchy.functions.flatMap(({ name, acs }) =>
    acs.state === 'present' ? [[name, acs.control] as const] : [],
  );

test('of one option with one device there is never more than one repair: two would contradict each other', async () => {
  let lists = 0;
  for (const { machine } of await readTruth()) {
    for (const { name } of machine.hierarchy.functions) {
      const line = `pci=disable_acs_redir=${name}`;
      const repairs = commandLineProblems(machine, parseCommandLine(line)).filter(
        ({ replacement }) => replacement !== null,
      );
      expect(repairs.length, `${machine.source}: ${line}`).toBeLessThanOrEqual(1);
      lists++;
    }
  }
  expect(lists).toBeGreaterThan(200);
});

test('there are such machines', () => {
  expect(cases.length).toBeGreaterThanOrEqual(3);
});

test.each(cases.map((item) => [item.machine.source, item] as const))(
  '%s: the registers that the line leaves by our reading are those that the kernel left',
  (_, { machine }) => {
    const before = withoutOption(machine);
    const change = bootChange(before, machine.cmdline ?? '');
    expect(registers(withChange(before, change))).toEqual(registers(machine));
  },
);

test.each(cases.map((item) => [item.machine.source, item] as const))(
  '%s: nothing but what the line cost is said of a line that worked',
  (_, { machine }) => {
    const codes = commandLineProblems(machine, parseCommandLine(machine.cmdline ?? '')).map(({ code }) => code);
    expect(codes.filter((code) => code !== 'DEFAULTS_LOST' && code !== 'NO_ACS')).toEqual([]);
  },
);
