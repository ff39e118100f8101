/**
 * The two options of `pci=` that set ACS, entry by entry: what cannot be read, names nothing, came too early for this kernel, replaces
 * another one, or is contradicted by the registers. Linux: pci_enable_acs(); order and losses as seen on running kernels.
 */

import { kernelKnows } from '../../machine/kernel-release.ts';
import type { Machine } from '../../machine/machine.ts';

import {
  ACS_SOURCE_VALIDATION,
  ACS_UPSTREAM_FORWARDING,
  acsBitNames,
  REDIRECT_BITS,
  redirects,
} from '../../pcie/acs.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import {
  ACS_BITS_USED,
  type AcsEffect,
  type AcsEntry,
  type AcsOptionKey,
  acsEffects,
  acsEntries,
  acsOption,
  knowsOption,
  namedFunctions,
} from './acs-parameter.ts';
import { type CommandLine, type PciOption, parseSelector, type Token } from './command-line.ts';
import { type CommandLineProblem, optionText, withOption } from './command-line-problem.ts';
import { devicePath } from './device-path.ts';

interface Place {
  readonly machine: Machine;
  readonly line: CommandLine;
  readonly option: PciOption;
  readonly token: Token;
}

type Found = Pick<CommandLineProblem, 'code' | 'message' | 'replacement'> & {
  readonly functions?: readonly PciFunction[];
  readonly index?: number;
  readonly others?: readonly number[];
};

/** Problems of one option; none where it is another option. */
export function acsOptionProblems(machine: Machine, line: CommandLine, option: PciOption): CommandLineProblem[] {
  if (option.key !== 'disable_acs_redir' && option.key !== 'config_acs') return [];
  const token = line.tokens[option.token] as Token;
  const place: Place = { machine, line, option, token };
  return found(place, option.key).map((one) => ({ token, index: option.token, others: [], functions: [], ...one }));
}

function found(place: Place, key: AcsOptionKey): Found[] {
  const { machine, line, option, token } = place;
  const last = acsOption(line, key);
  if (last !== option && last !== null) return [lostToLater(place, last)];
  if (!knowsOption(machine.kernel, key)) return [tooOld(place, key)];
  const strays = straysBehind(line, option);
  if (strays.length > 0) {
    const whole = [optionText(option), ...strays].join(',');
    const repaired = [optionText(option), ...strays].join(';');
    const message = `devices of ${key}= are parted by semicolons: after the comma, ${strays.join(' and ')} is taken for an option and ignored`;
    return [{ code: 'COMMA_FOR_SEMICOLON', message, replacement: token.text.replace(whole, repaired) }];
  }
  const cut = cutProblems(place, key);
  // One repair at a time: what a list that is whole again loses, the next reading tells.
  const told = registerProblems(place, key).filter(({ code }) => cut.length === 0 || code !== 'DEFAULTS_LOST');
  return [...entryProblems(place), ...told, ...cut];
}

/** The earlier of two: what it names belongs into the last one. */
function lostToLater({ option, token, line }: Place, last: PciOption): Found {
  const joined = `${option.key}=${[option.value, last.value].filter(Boolean).join(';')}`;
  const message = `${option.key}= stands twice: the last one counts, and ${optionText(option)} is lost`;
  const rest = withOption(token, option, '');
  if (last.token === option.token) {
    return { code: 'REPLACED', message, replacement: rest.replace(optionText(last), joined) };
  }
  // A word with nothing else in it goes, and the later one says both.
  if (rest !== '') return { code: 'REPLACED', message, replacement: rest };
  const later = line.tokens[last.token] as Token;
  return {
    code: 'REPLACED',
    message,
    replacement: withOption(later, last, joined),
    index: last.token,
    others: [option.token],
  };
}

function tooOld({ machine, option, token }: Place, key: AcsOptionKey): Found {
  if (key === 'disable_acs_redir') {
    return {
      code: 'KERNEL_TOO_OLD',
      message: `disable_acs_redir= is not known to Linux ${machine.kernel}`,
      replacement: null,
    };
  }
  const message = `config_acs= is not known to Linux ${machine.kernel}: use disable_acs_redir=`;
  // What only clears the redirects can be said in the older word.
  const entries = acsEntries(option);
  const clears = entries.every(
    (entry) =>
      entry.error === null && (entry.mask & REDIRECT_BITS) === REDIRECT_BITS && (entry.value & REDIRECT_BITS) === 0,
  );
  const older = `disable_acs_redir=${entries.map((entry) => entry.selector.text).join(';')}`;
  const known = clears && knowsOption(machine.kernel, 'disable_acs_redir');
  return { code: 'KERNEL_TOO_OLD', message, replacement: known ? withOption(token, option, older) : null };
}

/** Options right behind that are devices: somebody wrote a comma for a semicolon. */
function straysBehind(line: CommandLine, option: PciOption): string[] {
  const strays: string[] = [];
  for (const next of line.pci.slice(line.pci.indexOf(option) + 1)) {
    const texts = optionText(next).split(';');
    const isList = texts.every((text) => parseSelector(text.replace(/^[01xX]*@/, '')).kind !== 'malformed');
    if (next.token !== option.token || !isList) break;
    strays.push(optionText(next));
  }
  return strays;
}

/** Entries that cannot be read or name nothing. The first that cannot be read ends the list. */
function entryProblems(place: Place): Found[] {
  const { machine, option } = place;
  const problems: Found[] = [];
  const entries = acsEntries(option);
  if (option.value === null || option.value === '') {
    return [
      { code: 'MALFORMED', message: `${option.key}= names no device`, replacement: withoutEntry(place, entries[0]) },
    ];
  }
  for (const [at, entry] of entries.entries()) {
    if (entry.error !== null) {
      const behind = entries.length - at - 1;
      const rest =
        behind === 0 ? '' : `, and ${behind === 1 ? 'the entry' : `the ${behind} entries`} behind it with it`;
      const message = `${entry.error}: the kernel stops reading the list there${rest}`;
      problems.push({ code: 'MALFORMED', message, replacement: corrected(place, entry) });
      break;
    }
    const named = namedFunctions(machine, entry.selector).map(
      (index) => machine.hierarchy.functions[index] as PciFunction,
    );
    if (named.length === 0) {
      const message = `${option.key}= names ${entry.selector.text}, and this machine has no such function: bus numbers may have moved`;
      problems.push({ code: 'DEVICE_GONE', message, replacement: withoutEntry(place, entry) });
    } else if (entry.mask === 0 && machine.iommuGroupTypes.size === 0) {
      // With an IOMMU it would do something: a function that is named starts from the firmware's word.
      const message = `${entry.text} sets no bit: flags are 0 and 1, the rightmost one Source Validation`;
      problems.push({ code: 'NO_OP', message, replacement: withoutEntry(place, entry), functions: named });
    } else if (named.every((fn) => fn.acs.state === 'absent')) {
      const message = `${option.key}= names ${entry.selector.text}, which has no ACS: bus numbers may have moved`;
      problems.push({ code: 'NO_ACS', message, replacement: withoutEntry(place, entry), functions: named });
    }
  }
  return problems;
}

/** An entry whose meaning is plain: vendor and device without `pci:`, flags behind the device. Else the list without it. */
function corrected(place: Place, entry: AcsEntry): string {
  const ids = /^([01xX]*@)?([0-9a-f]{4}:[0-9a-f]{4})$/i.exec(entry.text);
  if (ids !== null) return withEntry(place, entry, `${ids[1] ?? ''}pci:${ids[2]}`);
  const [device, flags, more] = entry.text.split('@');
  const swapped = flags !== undefined && more === undefined && /^[01xX]{1,7}$/.test(flags);
  if (place.option.key === 'config_acs' && swapped && parseSelector(device ?? '').kind !== 'malformed')
    return withEntry(place, entry, `${flags}@${device}`);
  return withoutEntry(place, entry);
}

function withEntry({ token, option }: Place, entry: AcsEntry, text: string): string {
  const texts = (option.value ?? '').split(';').map((old) => (old === entry.text ? text : old));
  return withOption(token, option, `${option.key}=${texts.join(';')}`);
}

function withoutEntry({ token, option }: Place, entry: AcsEntry | undefined): string {
  const texts = (option.value ?? '').split(';').filter((text) => text !== entry?.text && text !== '');
  return withOption(token, option, texts.length === 0 ? '' : `${option.key}=${texts.join(';')}`);
}

/** What the registers say of the option: no effect, replaced, or more than was wished. */
function registerProblems(place: Place, key: AcsOptionKey): Found[] {
  const { machine, line, option } = place;
  const { functions } = machine.hierarchy;
  const effects = acsEffects(machine, line);
  const problems: Found[] = [];
  const mine = [...ownEffects(place)];
  const overruled = mine.filter(([index]) => effects.get(index)?.key !== key);
  if (overruled.length > 0) {
    const names = overruled.map(([index]) => (functions[index] as PciFunction).name).join(', ');
    const message = `config_acs= names ${names} too, and alone counts there: what disable_acs_redir= says of it is lost`;
    const entries = acsEntries(option).filter((entry) =>
      namedFunctions(machine, entry.selector).every((index) => overruled.some(([other]) => other === index)),
    );
    const kept = (option.value ?? '').split(';').filter((text) => !entries.some((entry) => entry.text === text));
    const text = kept.length === 0 ? '' : `${key}=${kept.join(';')}`;
    problems.push({ code: 'REPLACED', message, replacement: withOption(place.token, option, text) });
  }
  const counting = mine.filter(([index]) => effects.get(index)?.key === key);
  const unmoved = counting.filter(([index, effect]) => isUnmoved(functions[index] as PciFunction, effect));
  if (unmoved.length > 0) {
    const which = unmoved.map(([index]) => functions[index] as PciFunction);
    const words = which.map((fn) => `${fn.name} (${fn.acs.state === 'present' ? acsBitNames(fn.acs.control) : ''})`);
    const message = `${optionText(option)} had no effect on ${words.join(', ')}: something has written ACS Control since, or the word came too late`;
    problems.push({ code: 'NO_EFFECT', message, replacement: null, functions: which });
  }
  const lost = key === 'disable_acs_redir' ? counting.filter(([index]) => lostDefaults(machine, index)) : [];
  if (lost.length > 0) {
    const which = lost.map(([index]) => functions[index] as PciFunction);
    const message = `${which.map((fn) => fn.name).join(', ')} lost Source Validation and Upstream Forwarding, which the IOMMU had asked for: a function that disable_acs_redir= names starts from the firmware's word`;
    const hasOther = acsOption(line, 'config_acs') !== null;
    const able = counting.filter(([index]) => functions[index]?.acs.state === 'present');
    const text = `config_acs=${able.map(([index]) => keptEntry(machine, index)).join(';')}`;
    const replacement = hasOther ? null : withOption(place.token, option, text);
    problems.push({ code: 'DEFAULTS_LOST', message, replacement, functions: which });
  }
  return problems;
}

/**
 * A list of one device at the very end of the line, which has done its work, beside a port that redirects still: that helps no pair. An
 * unquoted semicolon ends the command in a shell and in GRUB, and everything behind it is gone.
 */
function cutProblems(place: Place, key: AcsOptionKey): Found[] {
  const { machine, line, option, token } = place;
  const { hierarchy } = machine;
  const isLast = option.token === line.tokens.length - 1 && line.pci.at(-1) === option && line.rest === '';
  const [entry, more] = acsEntries(option);
  if (!isLast || entry === undefined || more !== undefined || entry.error !== null) return [];
  const opens = (entry.mask & REDIRECT_BITS) !== 0 && (entry.value & REDIRECT_BITS) === 0;
  const [index, other] = entry.selector.kind === 'path' ? namedFunctions(machine, entry.selector) : [];
  if (!opens || index === undefined || other !== undefined) return [];
  const named = hierarchy.functions[index] as PciFunction;
  // Without ACS there was nothing to do for it: another device is meant, and NO_ACS says so.
  if (named.portType !== 'downstreamPort' || named.acs.state !== 'present' || redirects(named) === true) return [];
  const beside = hierarchy
    .childrenOf(hierarchy.parent[index] as number)
    .filter(
      (at) =>
        at !== index &&
        redirects(hierarchy.functions[at] as PciFunction) === true &&
        hierarchy.childrenOf(at).length > 0,
    );
  if (beside.length === 0) return [];
  const names = beside.map((at) => (hierarchy.functions[at] as PciFunction).name);
  const flags = key === 'config_acs' ? entry.text.slice(0, entry.text.indexOf('@') + 1) : '';
  const paths = beside.map(
    (at) => `${flags}${devicePath(hierarchy, at) ?? (hierarchy.functions[at] as PciFunction).name}`,
  );
  return [
    {
      code: 'CUT_SHORT',
      message: `the line ends with a list of one device, and ${names.join(', ')} beside it redirect${names.length === 1 ? 's' : ''} still: a semicolon that is not quoted ends the line in GRUB and in a shell`,
      replacement: withOption(token, option, `${optionText(option)};${paths.join(';')}`),
      functions: beside.map((at) => hierarchy.functions[at] as PciFunction),
    },
  ];
}

/** What the option alone would do. */
function ownEffects({ machine, line, option }: Place): Map<number, AcsEffect> {
  return acsEffects(machine, { ...line, pci: [option] });
}

function isUnmoved({ acs }: PciFunction, { mask, value }: AcsEffect): boolean {
  return acs.state === 'present' && (acs.control & mask & acs.capability) !== (value & mask & acs.capability);
}

/** From 6.11 on; and only where an IOMMU had asked for ACS. */
function lostDefaults(machine: Machine, index: number): boolean {
  if (kernelKnows(machine.kernel, 'configAcs') !== true || machine.iommuGroupTypes.size === 0) return false;
  const { acs } = machine.hierarchy.functions[index] as PciFunction;
  const wanted = ACS_SOURCE_VALIDATION | ACS_UPSTREAM_FORWARDING;
  return acs.state === 'present' && (acs.capability & wanted & ~acs.control) !== 0;
}

/** SV and UF on, the redirects off: what the IOMMU wants less what peers need. */
function keptEntry({ hierarchy }: Machine, index: number): string {
  const fn = hierarchy.functions[index] as PciFunction;
  const able = fn.acs.state === 'present' ? fn.acs.capability : 0;
  const on = able & (ACS_SOURCE_VALIDATION | ACS_UPSTREAM_FORWARDING);
  return `${on.toString(2).padStart(ACS_BITS_USED, '0')}@${devicePath(hierarchy, index) ?? fn.name}`;
}
