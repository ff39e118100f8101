/**
 * ACS settings as kernel parameters, and a parameter as a shell and GRUB take it. Linux reads pci=disable_acs_redir= and pci=config_acs=
 * when it enumerates: Documentation/admin-guide/kernel-parameters.txt.
 */

import { ACS_BITS, REDIRECT_BITS } from '../../pcie/acs.ts';
import type { AcsOptionKey } from '../command-line/acs-parameter.ts';
import type { PortChange } from '../port-change.ts';

/** How a parameter names a function: by its path where that is known, else by its address. */
function selectorOf(port: PortChange): string {
  return port.devicePath ?? port.at.name;
}

/** One entry of a list: `PATH`, or `FLAGS@PATH`. */
export function acsEntryText(key: AcsOptionKey, port: PortChange): string {
  return key === 'config_acs' ? `${acsFlags(port.after, flagsMask(port))}@${selectorOf(port)}` : selectorOf(port);
}

/** Where redirects alone are cleared, every other bit is written out as it is, so that none falls back to the firmware's word. */
function flagsMask({ mask }: PortChange): number {
  return mask === REDIRECT_BITS ? ALL_BITS : mask;
}

/** `pci=disable_acs_redir=PATH;PATH`: clears RR, CR and EC of each. */
export function disableAcsRedir(ports: readonly PortChange[]): string {
  return `pci=disable_acs_redir=${ports.map((port) => acsEntryText('disable_acs_redir', port)).join(';')}`;
}

/** `pci=config_acs=FLAGS@PATH;FLAGS@PATH`: the bits of each as they shall be. */
export function configAcs(ports: readonly PortChange[]): string {
  return `pci=config_acs=${ports.map((port) => acsEntryText('config_acs', port)).join(';')}`;
}

const ALL_BITS = ACS_BITS.reduce((bits, { mask }) => bits | mask, 0);

/** ACS Control as the parameter's string over 0, 1 and x, which leaves a bit alone: the rightmost character is bit 0, Source Validation. */
export function acsFlags(control: number, written: number = ALL_BITS): string {
  return [...ACS_BITS]
    .reverse()
    .map(({ mask }) => (written & mask ? (control & mask ? '1' : '0') : 'x'))
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
