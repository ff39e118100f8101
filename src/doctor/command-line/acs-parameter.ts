/**
 * `pci=disable_acs_redir=` and `pci=config_acs=` read as the kernel reads them: entries parted by semicolons, the first that matches a
 * function decides, an entry that cannot be read ends the list. Linux drivers/pci/pci.c: pci_enable_acs(), pci_dev_str_match().
 */

import { kernelHasFault, kernelKnows } from '../../machine/kernel-release.ts';
import type { Machine } from '../../machine/machine.ts';
import { selectFunctions } from '../../machine/selector.ts';
import { REDIRECT_BITS } from '../../pcie/acs.ts';

import { parseBdf } from '../../pcie/bdf.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { Doubt } from '../proof.ts';
import { type CommandLine, type DeviceSelector, type PciOption, parseSelector } from './command-line.ts';
import { devicePath } from './device-path.ts';

export type AcsOptionKey = 'disable_acs_redir' | 'config_acs';

/** The two options, in the order in which the kernel applies them: what the second sets, the first has set in vain. */
export const ACS_OPTIONS: readonly AcsOptionKey[] = ['disable_acs_redir', 'config_acs'];

export interface AcsEntry {
  /** As it stands between semicolons. */
  readonly text: string;
  readonly selector: DeviceSelector;
  /** Bits that it sets, and their values. */
  readonly mask: number;
  readonly value: number;
  /** Why it cannot be read; null where it can. */
  readonly error: string | null;
}

/** ACS Control has seven bits. */
export const ACS_BITS_USED = 7;

/** The option of a line that counts: the last one; null where it has none. */
export function acsOption(line: CommandLine, key: AcsOptionKey): PciOption | null {
  return line.pci.findLast((option) => option.key === key) ?? null;
}

/** All entries, those behind one that cannot be read included. A semicolon at the end is no entry. */
export function acsEntries(option: PciOption): AcsEntry[] {
  const texts = (option.value ?? '').split(';');
  if (texts.length > 1 && texts.at(-1) === '') texts.pop();
  return texts.map((text) => (option.key === 'config_acs' ? configEntry(text) : redirectEntry(text)));
}

function redirectEntry(text: string): AcsEntry {
  const selector = parseSelector(text);
  const error = selector.kind === 'malformed' ? `'${text}' is no device` : null;
  return { text, selector, mask: REDIRECT_BITS, value: 0, error };
}

function configEntry(text: string): AcsEntry {
  const at = text.indexOf('@');
  const flags = text.slice(0, Math.max(0, at));
  const selector = parseSelector(text.slice(at + 1));
  const broken = (error: string): AcsEntry => ({ text, selector, mask: 0, value: 0, error });
  if (at < 0) return broken(`'${text}' has no @ between flags and device`);
  if (!/^[01xX]*$/.test(flags)) return broken(`'${flags}' holds something else than 0, 1 and x`);
  if (selector.kind === 'malformed') return broken(`'${text.slice(at + 1)}' is no device`);
  let mask = 0;
  let value = 0;
  for (const [bit, letter] of [...flags].reverse().entries()) {
    if (letter !== '0' && letter !== '1') continue;
    if (bit >= ACS_BITS_USED) return broken(`'${flags}' names bit ${bit}, and ACS Control has seven`);
    mask |= 1 << bit;
    if (letter === '1') value |= 1 << bit;
  }
  return { text, selector, mask, value, error: null };
}

/** Indices of the functions that a selector names, ascending. A path without a domain is of domain 0. */
export function namedFunctions({ hierarchy }: Machine, selector: DeviceSelector): number[] {
  switch (selector.kind) {
    case 'malformed':
      return [];
    case 'ids':
      return hierarchy.functions.flatMap((fn, index) => (hasIds(fn, selector) ? [index] : []));
    case 'path': {
      const index = hierarchy.indexOf(parseBdf(selector.text) ?? { domain: -1, bus: 0, device: 0, function: 0 });
      if (!selector.text.includes('/')) return index < 0 ? [] : [index];
      try {
        return selectFunctions(hierarchy, selector.text, 'pci=');
      } catch {
        return [];
      }
    }
  }
}

/** 0 is any. */
function hasIds(fn: PciFunction, ids: Extract<DeviceSelector, { kind: 'ids' }>): boolean {
  const { sysfs, text, config } = fn.facts;
  const ofHeader = (offset: number): number | undefined => (fn.headerType === 0 ? config.u16(offset) : undefined);
  const subsystemVendor = sysfs?.subsystemVendorId ?? text?.subsystemVendorId ?? ofHeader(0x2c);
  const subsystem = sysfs?.subsystemId ?? text?.subsystemId ?? ofHeader(0x2e);
  return (
    (ids.vendor === 0 || fn.vendorId === ids.vendor) &&
    (ids.device === 0 || fn.deviceId === ids.device) &&
    (ids.subsystemVendor === 0 || subsystemVendor === ids.subsystemVendor) &&
    (ids.subsystem === 0 || subsystem === ids.subsystem)
  );
}

/** What a line does to one function's ACS Control. */
export interface AcsEffect {
  readonly mask: number;
  readonly value: number;
  readonly key: AcsOptionKey;
}

/**
 * What the two options of a line do, by index of the function. A function that both name has the second's effect alone. Options that
 * the machine's kernel does not know do nothing.
 */
export function acsEffects(machine: Machine, line: CommandLine): Map<number, AcsEffect> {
  const effects = new Map<number, AcsEffect>();
  for (const key of ACS_OPTIONS) {
    const option = acsOption(line, key);
    if (option === null || !knowsOption(machine.kernel, key)) continue;
    const mine = new Map<number, AcsEffect>();
    for (const entry of acsEntries(option)) {
      if (entry.error !== null) break;
      for (const index of namedFunctions(machine, entry.selector)) {
        if (!mine.has(index)) mine.set(index, { mask: entry.mask, value: entry.value, key });
      }
    }
    for (const [index, effect] of mine) effects.set(index, effect);
  }
  return effects;
}

/** Whether a kernel reads an option; one that is not known is taken for a new one. */
export function knowsOption(kernel: string | null, key: AcsOptionKey): boolean {
  return kernelKnows(kernel, key === 'config_acs' ? 'configAcs' : 'disableAcsRedir') !== false;
}

/** What speaks against a parameter in a release that misreads both options, or may; null for all others, and where it is not known. */
export function acsOptionsDoubt(kernel: string | null): Doubt | null {
  const misreads = kernelHasFault(kernel, 'acsOptionsMisread');
  return kernel === null || misreads === false ? null : { kernel, sure: misreads === true };
}

/** Where an address stands alone in a list: behind `=`, `;` or `@`, up to the next separator. */
const PLAIN_ADDRESS = /(?<=[=;@])(?:[0-9a-f]{1,8}:)?[0-9a-f]{1,2}:[0-9a-f]{1,2}\.[0-7](?=[;,]|$)/gi;

/** A word with the two options' addresses as paths from the root, which survive renumbering; others stay as they are. */
export function inPathForm(machine: Machine, word: string): string {
  if (!/(?:disable_acs_redir|config_acs)=/.test(word)) return word;
  return word.replace(PLAIN_ADDRESS, (text) => {
    const [index] = namedFunctions(machine, parseSelector(text));
    return index === undefined ? text : (devicePath(machine.hierarchy, index) ?? text);
  });
}
