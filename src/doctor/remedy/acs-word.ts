/**
 * One parameter for all functions whose ACS is to be set: what the present line names keeps its entries, since a second option of one name
 * replaces the first. What it leaves in the registers is read off as the kernel would read it.
 */

import { hexDigits } from '../../core/hex.ts';
import type { Machine } from '../../machine/machine.ts';
import { REDIRECT_BITS } from '../../pcie/acs.ts';
import { bootChange } from '../change/parameter-change.ts';
import {
  ACS_OPTIONS,
  type AcsOptionKey,
  acsEntries,
  acsOption,
  inPathForm,
  knowsOption,
  namedFunctions,
} from '../command-line/acs-parameter.ts';
import { type CommandLine, parseCommandLine } from '../command-line/command-line.ts';
import type { MachineChange } from '../finding.ts';
import type { PortChange } from '../port-change.ts';
import { type BootWord, withoutPciOptions } from './boot-word.ts';
import { acsEntryText, acsFlags } from './kernel-parameter.ts';

/** A parameter for a list of ports. */
export interface AcsWord {
  readonly key: AcsOptionKey;
  /** `pci=disable_acs_redir=...`, with what the present line names besides. */
  readonly parameter: string;
  /** What of the present line it stands for; null where it takes no place. */
  readonly replaces: string | null;
  readonly change: Extract<MachineChange, { kind: 'boot' }>;
}

/** How entries name their functions. */
export type AcsWordForm = 'byPath' | 'byIds';

/**
 * The parameter that leaves `ports` as they shall be and everything that the present line names as it says. `byIds` names the functions by
 * vendor and device: shorter, and it may name more than these, which `change` shows.
 */
export function acsWord(machine: Machine, key: AcsOptionKey, ports: readonly PortChange[], form: AcsWordForm): AcsWord {
  const line = parseCommandLine(machine.cmdline ?? '');
  const mine = new Set(ports.map(({ at }) => machine.hierarchy.indexOf(at.bdf)));
  const before: string[] = [];
  const after: string[] = [];
  for (const { text, functions } of presentEntries(machine, line, key)) {
    const isNamed = functions.some((index) => mine.has(index));
    // An entry that names these alone is replaced; of one that names others too the entries in front of it count first.
    if (!isNamed) before.push(text);
    else if (functions.some((index) => !mine.has(index))) after.push(text);
  }
  const own = (form === 'byPath' ? ports : byIds(ports)).map((port) => acsEntryText(key, port));
  const list = inPathForm(machine, `${key}=${[...new Set([...before, ...own, ...after])].join(';')}`);
  const gone = line.pci.filter((option) => ACS_OPTIONS.some((one) => one === option.key && isHeard(machine, one, key)));
  const word = withoutPciOptions(line, gone, `pci=${list}`);
  return { key, parameter: word.parameter, replaces: word.replaces, change: bootChange(machine, word.line) };
}

/** An option that the kernel does not know says nothing, and stays; of one for `disable_acs_redir=` the other stands above it. */
function isHeard({ kernel }: Machine, option: AcsOptionKey, target: AcsOptionKey): boolean {
  return knowsOption(kernel, option) && (target === 'config_acs' || option === target);
}

interface PresentEntry {
  /** As an entry of the wanted option. */
  readonly text: string;
  readonly functions: readonly number[];
}

/** What the present line says, as entries of the wanted option: config_acs= first, since it stands above the other. */
function presentEntries(machine: Machine, line: CommandLine, target: AcsOptionKey): PresentEntry[] {
  return [...ACS_OPTIONS].reverse().flatMap((key): PresentEntry[] => {
    const option = isHeard(machine, key, target) ? acsOption(line, key) : null;
    if (option === null) return [];
    const entries = acsEntries(option);
    // The kernel reads no further than to the first entry that it cannot read.
    const end = entries.findIndex(({ error }) => error !== null);
    return (end < 0 ? entries : entries.slice(0, end)).map((entry) => ({
      text: key === target ? entry.text : `${CLEARED}@${entry.text}`,
      functions: namedFunctions(machine, entry.selector),
    }));
  });
}

/** What `disable_acs_redir=` does, as flags of `config_acs=`. */
const CLEARED = acsFlags(0, REDIRECT_BITS);

/** One entry for each kind of function, and for each value that its register is to have. */
function byIds(ports: readonly PortChange[]): PortChange[] {
  const kinds = new Map<string, PortChange>();
  for (const port of ports) {
    const { vendorId, deviceId } = port.at;
    const ids = `pci:${hexDigits(vendorId ?? 0, 4)}:${hexDigits(deviceId ?? 0, 4)}`;
    kinds.set(`${ids} ${port.after} ${port.mask}`, { ...port, devicePath: ids });
  }
  return [...kinds.values()];
}

/** The older option for ports that are known by address alone, with what a line's own option names besides. */
export function redirectListWord(cmdline: string | null, names: readonly string[]): BootWord {
  const line = parseCommandLine(cmdline ?? '');
  const gone = line.pci.filter(({ key }) => key === 'disable_acs_redir');
  const last = acsOption(line, 'disable_acs_redir');
  const present = last === null ? [] : acsEntries(last).filter(({ error }) => error === null);
  const list = [...new Set([...present.map(({ text }) => text), ...names])].join(';');
  return withoutPciOptions(line, gone, `pci=disable_acs_redir=${list}`);
}
