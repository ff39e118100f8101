/**
 * Selectors: how a user names functions. Addresses full or short, paths of sysfs, the patterns of `lspci -s`, `id:` and a
 * pattern of `lspci -d`, the kernel's device paths (`0000:00:1c.0/00.0`), and sets. pciutils lspci(8); Linux
 * Documentation/admin-guide/kernel-parameters.txt, "pci=", for device paths.
 */

import { P2pError } from '../core/errors.ts';
import { hexDigits } from '../core/hex.ts';
import { nearest } from '../core/text.ts';
import { formatBdf, parseBdf } from '../pcie/bdf.ts';
import type { Hierarchy } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { type Role, rolesOf } from './roles.ts';

export type SelectorErrorCode = 'SELECTOR_MALFORMED' | 'SELECTOR_NO_MATCH' | 'SELECTOR_AMBIGUOUS';

/** A selector names nothing, or not what is asked for. */
export class SelectorError extends P2pError<SelectorErrorCode> {
  override readonly name: string = 'SelectorError';
}

/** A provider of less memory than this is of no use as a default. */
const MEMORY_MIN = 1024 * 1024;

type Predicate = (fn: PciFunction) => boolean;

type RoleSet = 'gpus' | 'nics' | 'nvmes' | 'accelerators';

/** What `check` pairs, by what it is. */
const ROLE_SETS: Readonly<Record<RoleSet, Role>> = {
  gpus: 'gpu',
  nics: 'nic',
  nvmes: 'nvme',
  accelerators: 'accelerator',
};

/**
 * The sets. `endpoints`: every function that is no bridge. `memory`: of these the ones with a memory BAR of at least 1 MiB
 * or of unknown size, decoding on or off. `all`: every function. The others: functions of one role.
 */
const SETS: Readonly<Record<'endpoints' | 'memory' | 'all', Predicate>> = {
  endpoints: (fn) => !fn.isBridge,
  memory: (fn) =>
    !fn.isBridge && fn.bars.some((bar) => bar.space === 'memory' && (bar.size === null || bar.size >= MEMORY_MIN)),
  all: () => true,
};

/** Names of all sets. */
export const SET_NAMES: readonly string[] = [...Object.keys(SETS), ...Object.keys(ROLE_SETS)];

/**
 * Indices in `hierarchy.functions` of all functions that `text` names, ascending, each once. `text` is one selector or
 * several with commas between. A set may be empty; any other selector that matches nothing is refused.
 *
 * @param path what to call the selector in an error: `--clients`
 * @throws SelectorError SELECTOR_MALFORMED or SELECTOR_NO_MATCH, with the nearest names
 */
export function selectFunctions(hierarchy: Hierarchy, text: string, path: string): number[] {
  const chosen = new Set<number>();
  for (const part of text.split(',')) {
    for (const index of matches(hierarchy, part.trim(), path)) chosen.add(index);
  }
  return [...chosen].sort((a, b) => a - b);
}

/**
 * The one function that `text` names.
 *
 * @throws SelectorError as `selectFunctions`, and SELECTOR_AMBIGUOUS where it matches several
 */
export function selectFunction(hierarchy: Hierarchy, text: string, path: string): PciFunction {
  const chosen = selectFunctions(hierarchy, text, path);
  const [first] = chosen;
  if (first !== undefined && chosen.length === 1) return hierarchy.functions[first] as PciFunction;
  const names = chosen.slice(0, 4).map((index) => (hierarchy.functions[index] as PciFunction).name);
  throw new SelectorError({
    code: first === undefined ? 'SELECTOR_NO_MATCH' : 'SELECTOR_AMBIGUOUS',
    path,
    message: `'${text}' matches ${chosen.length} functions, and one is asked for`,
    hint:
      first === undefined
        ? 'name a function'
        : `write one in full: ${names.join(', ')}${chosen.length > 4 ? ', ...' : ''}`,
  });
}

function matches(hierarchy: Hierarchy, text: string, path: string): number[] {
  if (Object.hasOwn(SETS, text)) return indicesWhere(hierarchy, SETS[text as keyof typeof SETS]);
  if (Object.hasOwn(ROLE_SETS, text)) return indicesOfRole(hierarchy, ROLE_SETS[text as RoleSet]);
  const devicePath = devicePathMatch(hierarchy, text);
  const predicate = devicePath === null ? predicateOf(text) : null;
  const found = devicePath ?? (predicate === null ? null : indicesWhere(hierarchy, predicate));
  if (found === null) {
    throw new SelectorError({
      code: 'SELECTOR_MALFORMED',
      path,
      message: `'${text}' is no selector`,
      hint: `write an address (0000:03:00.0, 03:00.0), an lspci -s pattern (03:, *:00.1), id:VENDOR:DEVICE[:CLASS], or a set (${SET_NAMES.join(', ')}); nearest: ${nearestNames(hierarchy, text)}`,
    });
  }
  if (found.length === 0) {
    throw new SelectorError({
      code: 'SELECTOR_NO_MATCH',
      path,
      message: `'${text}' matches none of the ${hierarchy.functions.length} functions`,
      hint: `nearest: ${nearestNames(hierarchy, text)}`,
    });
  }
  return found;
}

function indicesWhere(hierarchy: Hierarchy, predicate: Predicate): number[] {
  const found: number[] = [];
  for (let index = 0; index < hierarchy.functions.length; index++) {
    if (predicate(hierarchy.functions[index] as PciFunction)) found.push(index);
  }
  return found;
}

function indicesOfRole({ functions }: Hierarchy, wanted: Role): number[] {
  return rolesOf(functions).flatMap((role, index) => (role === wanted ? [index] : []));
}

function nearestNames(hierarchy: Hierarchy, text: string): string {
  if (text.toLowerCase().startsWith('id:')) return nearest(text.toLowerCase(), idsOf(hierarchy)).join(', ');
  const bdf = parseBdf(text.slice(text.lastIndexOf('/') + 1));
  const wanted = bdf === null ? text.toLowerCase() : formatBdf(bdf);
  const names = hierarchy.functions.map((fn) => fn.name);
  return nearest(wanted, [...names, ...SET_NAMES]).join(', ');
}

/** `id:VENDOR:DEVICE` of every function whose numbers are known, each once. */
function idsOf(hierarchy: Hierarchy): string[] {
  const ids = new Set<string>();
  for (const { vendorId, deviceId } of hierarchy.functions) {
    if (vendorId !== null && deviceId !== null) ids.add(`id:${hexDigits(vendorId, 4)}:${hexDigits(deviceId, 4)}`);
  }
  return [...ids];
}

function predicateOf(text: string): Predicate | null {
  if (text.startsWith('/')) return sysfsPredicate(text);
  if (text.toLowerCase().startsWith('id:')) return idPredicate(text.slice(3));
  return slotPredicate(text);
}

/** `/sys/bus/pci/devices/0000:03:00.0`, or a path through the bridges; the last address counts. */
function sysfsPredicate(text: string): Predicate | null {
  if (!text.startsWith('/sys/')) return null;
  const bdf = parseBdf(text.replace(/\/+$/, '').split('/').pop() ?? '');
  if (bdf === null) return null;
  const name = formatBdf(bdf);
  return (fn) => fn.name === name;
}

const SLOT = /^(?:(?:([0-9a-f]{1,8}|\*)?:)?([0-9a-f]{1,2}|\*)?:)?([0-9a-f]{1,2}|\*)?(?:\.([0-7]|\*)?)?$/i;

/** `[[domain:]bus:][dev][.fn]`; a part that is left out or `*` matches all. Null where it is none. */
function slotPredicate(text: string): Predicate | null {
  const match = text === '' ? null : SLOT.exec(text);
  if (!match) return null;
  const part = (index: number): number | null => {
    const digits = match[index];
    return digits === undefined || digits === '*' ? null : Number.parseInt(digits, 16);
  };
  const [domain, bus, device, fnNumber] = [part(1), part(2), part(3), part(4)];
  if (device !== null && device > 31) return null;
  return ({ bdf }) =>
    (domain === null || bdf.domain === domain) &&
    (bus === null || bdf.bus === bus) &&
    (device === null || bdf.device === device) &&
    (fnNumber === null || bdf.function === fnNumber);
}

const ID = /^([0-9a-f]{1,4}|\*)?(?::([0-9a-f]{1,4}|\*)?)?(?::([0-9a-fx]{1,4}|\*)?)?$/i;

/** `vendor:device[:class]`; a part that is left out or `*` matches all, and so does an `x` in a class of four digits. */
function idPredicate(text: string): Predicate | null {
  const match = text === '' ? null : ID.exec(text);
  if (!match) return null;
  const part = (index: number): number | null => {
    const digits = match[index];
    return digits === undefined || digits === '*' ? null : Number.parseInt(digits, 16);
  };
  const [vendor, device] = [part(1), part(2)];
  const classPattern = match[3] === undefined || match[3] === '*' ? null : match[3].toLowerCase().padStart(4, '0');
  const matchesClass = (code: number | null): boolean => {
    if (classPattern === null) return true;
    if (code === null) return false;
    const digits = code.toString(16).padStart(4, '0');
    return [...classPattern].every((digit, index) => digit === 'x' || digit === digits[index]);
  };
  return (fn) =>
    (vendor === null || fn.vendorId === vendor) &&
    (device === null || fn.deviceId === device) &&
    matchesClass(fn.classCode);
}

/** `0000:00:1c.0/00.0/01.0`: each step is a function below the one before. Null where the text is no device path. */
function devicePathMatch(hierarchy: Hierarchy, text: string): number[] | null {
  const match = /^((?:[0-9a-f]{1,8}:)?[0-9a-f]{1,2}:[0-9a-f]{1,2}\.[0-7])((?:\/[0-9a-f]{1,2}\.[0-7])+)$/i.exec(text);
  const start = match === null ? null : parseBdf(match[1] as string);
  if (match === null || start === null) return null;
  let at = hierarchy.indexOf(start);
  for (const step of (match[2] as string).slice(1).split('/')) {
    const bdf = parseBdf(`0:${step}`);
    if (bdf === null) return null;
    at = childAt(hierarchy, at, bdf.device, bdf.function);
  }
  return at < 0 ? [] : [at];
}

function childAt(hierarchy: Hierarchy, parent: number, device: number, fnNumber: number): number {
  if (parent < 0) return -1;
  for (const child of hierarchy.childrenOf(parent)) {
    const { bdf } = hierarchy.functions[child] as PciFunction;
    if (bdf.device === device && bdf.function === fnNumber) return child;
  }
  return -1;
}
