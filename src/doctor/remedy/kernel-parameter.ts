/**
 * A change of ACS settings as the text that makes it: kernel parameters for good, setpci for now. Parameters are read by
 * Linux at enumeration (pci=disable_acs_redir=, pci=config_acs= in Documentation/admin-guide/kernel-parameters.txt); setpci
 * is pciutils'.
 */

import { ACS_BITS, REDIRECT_BITS } from '../../pcie/acs.ts';
import type { PortChange } from '../change/smallest-change.ts';

/** How a parameter names a function: by its path where that is known, else by its address. */
function selectorOf(port: PortChange): string {
  return port.devicePath ?? port.at.name;
}

/** `pci=disable_acs_redir=PATH;PATH`: clears RR, CR and EC of each. */
export function disableAcsRedir(ports: readonly PortChange[]): string {
  return `pci=disable_acs_redir=${ports.map(selectorOf).join(';')}`;
}

/** `pci=config_acs=FLAGS@PATH;FLAGS@PATH`: every bit written out as it shall be, so that none falls back to firmware. */
export function configAcs(ports: readonly PortChange[]): string {
  return `pci=config_acs=${ports.map((port) => `${acsFlags(port.after)}@${selectorOf(port)}`).join(';')}`;
}

/** ACS Control as the parameter's string over 0 and 1: the rightmost character is bit 0, Source Validation. */
export function acsFlags(control: number): string {
  return [...ACS_BITS]
    .reverse()
    .map(({ mask }) => (control & mask ? '1' : '0'))
    .join('');
}

/** A parameter as one word of a shell: `;` ends a command there. */
export function shellQuoted(parameter: string): string {
  return `'${parameter}'`;
}

/**
 * The line for /etc/default/grub. It is read by a shell and then by GRUB's own, and `;` ends a command in both: the inner
 * quotes are for the second.
 */
export function grubLine(parameter: string): string {
  return `GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX '${parameter}'"`;
}

/** A command that changes a running machine, and the one that takes it back. */
export interface SetpciLine {
  readonly apply: string;
  readonly undo: string;
}

/** One line a function: only RR, CR and EC are touched, and the undo writes back what they were. */
export function setpciLines(ports: readonly PortChange[]): SetpciLine[] {
  const mask = REDIRECT_BITS.toString(16);
  return ports.map((port) => {
    const write = (value: number): string =>
      `sudo setpci -s ${port.at.name} ECAP_ACS+6.w=${(value & REDIRECT_BITS).toString(16)}:${mask}`;
    return { apply: write(port.after), undo: write(port.before) };
  });
}
