/**
 * What Linux says of BARs and windows: where it found them, and where it had no room. Releases before 6.9 number them (13 to 15 are the
 * windows of a bridge), newer ones name them. Linux drivers/pci/setup-res.c, setup-bus.c, probe.c.
 *
 *   pci 0000:84:00.0: BAR 1 [mem size 0x800000000 64bit pref]: can't assign; no space
 *   pcieport 0000:00:1d.4: BAR 15: no space for [mem size 0xc00000000 64bit pref]
 */

import type { ResourceKind, ResourceSays } from './items.ts';
import { hexNumber, type LogSubject, NAME, rangeOf, sentences } from './log-reader.ts';

type Resource = Extract<ResourceSays, { readonly what: 'resource' }>;

// [mem 0x1000-0x1fff 64bit pref], [mem size 0x1000 64bit], [io  0x5000-0x507f]
const PLACE = String.raw`\[(mem|io) +(?:size (0x[0-9a-f]+)|(0x[0-9a-f]+)-(0x[0-9a-f]+))([^\][]{0,40})\]`;
const NAMED = String.raw`(?:(VF )?BAR (\d{1,2})|(bridge window)|(ROM|Expansion ROM)|reg (0x[0-9a-f]{2}))`;

const NEW = new RegExp(`\\b${NAME}: ${NAMED}:? ${PLACE}(?:: (.{1,160}))?`);
const OLD = new RegExp(
  `\\b${NAME}: BAR (\\d{1,2}): (no space for|failed to assign|assigned|releasing|trying firmware assignment|can.t assign|can.t claim|reassigning) ${PLACE}`,
);
const FUNCTION = new RegExp(`\\b${NAME}: \\[([0-9a-f]{4}):([0-9a-f]{4})\\] type ([0-9a-f]{2}) class 0x([0-9a-f]{6})`);
const BRIDGE_TO = new RegExp(`\\b${NAME}: PCI bridge to \\[bus ([0-9a-f]{2})(?:-([0-9a-f]{2}))?\\]`);
const ROOT = /\bpci_bus ([0-9a-f]{4,8}:[0-9a-f]{2}): root bus resource \[(mem|io) +(0x[0-9a-f]+)-(0x[0-9a-f]+)/;

export const resourceSubject: LogSubject = sentences(
  [
    ': BAR ',
    ': VF BAR ',
    ': bridge window [',
    ': ROM [',
    ': reg 0x',
    '] type 0',
    'PCI bridge to [bus',
    'root bus resource [',
  ],
  [
    { pattern: NEW, says: newForm },
    { pattern: OLD, says: oldForm },
    {
      pattern: FUNCTION,
      says: ([, at, vendor, device, type, classCode]) => ({
        what: 'function',
        at: at as string,
        vendorId: Number.parseInt(vendor as string, 16),
        deviceId: Number.parseInt(device as string, 16),
        classCode: Number.parseInt(classCode as string, 16),
        headerType: Number.parseInt(type as string, 16),
      }),
    },
    {
      pattern: BRIDGE_TO,
      says: ([, at, secondary, subordinate]) => ({
        what: 'bridgeTo',
        at: at as string,
        secondary: Number.parseInt(secondary as string, 16),
        subordinate: Number.parseInt(subordinate ?? (secondary as string), 16),
      }),
    },
    {
      pattern: ROOT,
      says: ([, bus, space, first, last]) => {
        const range = rangeOf(first, last);
        return range === null
          ? null
          : { what: 'rootWindow', bus: bus as string, range, space: space === 'io' ? 'io' : 'memory' };
      },
    },
  ],
);

function newForm(match: readonly (string | undefined)[]): Resource | null {
  const [, at, virtual, number, window, rom, register] = match;
  const named = numbered(virtual, number, window, rom, register, false);
  return named === null
    ? null
    : { what: 'resource', at: at as string, ...named, ...placed(match.slice(7)), ...outcomeOf(match[12]) };
}

function oldForm(match: readonly (string | undefined)[]): Resource | null {
  const [text, at, number, verb] = match;
  const isPort = (text as string).includes('pcieport') || Number(number) >= 13;
  const named = numbered(undefined, number, undefined, undefined, undefined, isPort);
  return named === null
    ? null
    : { what: 'resource', at: at as string, ...named, ...placed(match.slice(4)), ...outcomeOf(verb) };
}

type Named = Pick<Resource, 'resource' | 'number'>;

/** Which resource a number or a name means: 0 to 5 BARs, 6 the ROM, 7 to 12 BARs of Virtual Functions, from 13 on windows. */
function numbered(
  virtual: string | undefined,
  number: string | undefined,
  window: string | undefined,
  rom: string | undefined,
  register: string | undefined,
  isBridge: boolean,
): Named | null {
  const of = (resource: ResourceKind, index: number | null): Named => ({ resource, number: index });
  if (window !== undefined) return of('window', null);
  if (rom !== undefined) return of('rom', null);
  if (register !== undefined) return ofRegister(Number.parseInt(register, 16));
  const index = Number(number);
  if (virtual !== undefined) return of('vfBar', index);
  if (index <= 5) return of('bar', index);
  if (index === 6) return of('rom', null);
  // A kernel without SR-IOV numbers the windows of a bridge from 7 on.
  if (index >= 13 || isBridge) return of('window', null);
  return of('vfBar', index - 7);
}

/** Offsets of the BARs and of the ROM in configuration space, as kernels before 6.9 print them. */
function ofRegister(offset: number): Named | null {
  if (offset === 0x30 || offset === 0x38) return { resource: 'rom', number: null };
  return offset >= 0x10 && offset <= 0x24 ? { resource: 'bar', number: (offset - 0x10) / 4 } : null;
}

function placed([space, size, first, last, flags]: readonly (string | undefined)[]): Pick<
  Resource,
  'space' | 'isPrefetchable' | 'range' | 'size'
> {
  const range = rangeOf(first, last);
  return {
    space: space === 'io' ? 'io' : 'memory',
    isPrefetchable: /\bpref\b/.test(flags ?? ''),
    range,
    size: hexNumber(size) ?? (range === null ? null : range.end - range.start),
  };
}

/** What became of it, by the words of old and new releases. */
const OUTCOMES: readonly (readonly [words: RegExp, outcome: Resource['outcome']])[] = [
  [/address conflict with/, 'conflict'],
  [/no space/, 'noSpace'],
  [/failed to assign|can.t assign/, 'failed'],
  [/can.t claim/, 'unclaimed'],
  [/old value restored|trying firmware/, 'restored'],
  [/releasing/, 'released'],
  [/assigned|reassigning/, 'assigned'],
];

function outcomeOf(words: string | undefined): Pick<Resource, 'outcome' | 'conflict'> {
  const outcome = OUTCOMES.find(([pattern]) => pattern.test(words ?? ''))?.[1] ?? 'found';
  const conflict =
    outcome === 'conflict' ? (/address conflict with (.{1,80}?)(?: \[|$)/.exec(words ?? '')?.[1] ?? null) : null;
  return { outcome, conflict };
}
