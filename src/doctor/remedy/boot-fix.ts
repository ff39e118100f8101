/**
 * How a fix at the next boot is written down: the lines that go into files, each with its place, and the commands that make them count.
 * GRUB's configuration, module options and their copies in the initial RAM disk are all read at boot from what such a command wrote.
 */

import type { Machine } from '../../machine/machine.ts';
import { bootChange } from '../change/parameter-change.ts';
import type { Fix, MachineChange } from '../finding.ts';
import { bootWord } from './boot-word.ts';
import { grubLine } from './kernel-parameter.ts';

/** What makes a change of /etc/default/grub count: Debian and Ubuntu have the first, Fedora, RHEL and SUSE the second. */
const UPDATE_GRUB = 'sudo update-grub || sudo grub2-mkconfig -o /boot/grub2/grub.cfg';

/** What makes a file of /etc/modprobe.d count for modules that are loaded before the disks are there. */
export const UPDATE_INITRAMFS = 'sudo update-initramfs -u || sudo dracut -f';

type Lines = Required<Pick<Fix, 'kind' | 'settings' | 'commands' | 'undo' | 'takeBack' | 'reboot'>>;

/** A word of the kernel command line: the word itself, its line for GRUB, and the way back. `instead` is the word that goes for it. */
export function bootLines(parameter: string, instead: string | null = null): Lines {
  return {
    kind: 'kernelParameter',
    settings: [
      { where: 'on the kernel command line', line: parameter },
      {
        where: `in /etc/default/grub${instead === null ? '' : `, and ${instead} taken out there`}`,
        line: grubLine(parameter),
      },
    ],
    commands: [UPDATE_GRUB],
    undo: [UPDATE_GRUB],
    takeBack:
      instead === null
        ? 'take the parameter out of /etc/default/grub, run the same command, and boot again'
        : `put ${instead} back into /etc/default/grub, run the same command, and boot again`,
    reboot: true,
  };
}

/** A word that the machine's command line is to have, merged with what it has. */
export interface WordFix {
  readonly lines: Lines;
  /** The boot with it, as far as registers and groups show it. */
  readonly change: Extract<MachineChange, { kind: 'boot' }>;
}

/** The lines of a word, merged with a line; null where the line says it already. */
export function wordLines(cmdline: string | null, word: string): Lines | null {
  const made = bootWord({ cmdline }, word);
  return made === null ? null : bootLines(made.parameter, made.replaces);
}

/** The parts of a fix by a word of the command line; null where the line says it already. */
export function wordFix(machine: Machine, word: string): WordFix | null {
  const made = bootWord(machine, word);
  return made === null
    ? null
    : { lines: bootLines(made.parameter, made.replaces), change: bootChange(machine, made.line) };
}

/** Lines of /etc/modprobe.d. */
export function moduleLines(lines: readonly string[]): Lines {
  return {
    kind: 'module',
    settings: lines.map((line) => ({ where: 'in /etc/modprobe.d/p2pdma.conf', line })),
    commands: [UPDATE_INITRAMFS],
    undo: [UPDATE_INITRAMFS],
    takeBack: `take the line${lines.length === 1 ? '' : 's'} out again, run the same command, and boot`,
    reboot: true,
  };
}

/** Lines of a kernel's configuration. */
export function kernelConfigLines(lines: readonly string[]): Lines {
  return {
    kind: 'kernelConfig',
    settings: lines.map((line) => ({ where: 'in the configuration of the kernel', line })),
    commands: [],
    undo: [],
    takeBack: 'boot the old one',
    reboot: true,
  };
}
