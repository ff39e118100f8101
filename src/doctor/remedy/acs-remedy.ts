/**
 * What opens a path that ACS redirects: now with setpci, and at every boot with one parameter that keeps what the command line has. `check`
 * and `explain` both print what is made here. Each fix is made on a copy of the machine and the pairs are judged again there.
 */

import { listed, plural } from '../../core/words.ts';
import { kernelKnows, sinceRelease } from '../../machine/kernel-release.ts';
import type { Machine } from '../../machine/machine.ts';
import { ACS_SOURCE_VALIDATION, ACS_UPSTREAM_FORWARDING, acsBitNames, REDIRECT_BITS } from '../../pcie/acs.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type IsolationCost, isolationCost } from '../change/isolation.ts';
import { ACS_OPTIONS, type AcsOptionKey, acsOption, knowsOption } from '../command-line/acs-parameter.ts';
import { parseCommandLine } from '../command-line/command-line.ts';
import { DATA_DIRECT_MASK, DATA_DIRECT_VALUES, dataDirectPorts } from '../facts/data-direct.ts';
import { BY_HAND, type Fix } from '../finding.ts';
import { controlsOf, type PortChange, portChange } from '../port-change.ts';
import { judged } from '../proof.ts';
import { type AcsWord, acsWord } from './acs-word.ts';
import { bootLines } from './boot-fix.ts';
import { isolationCautions, isolationCostWords } from './isolation-words.ts';
import { ACS_CONTROL, SETPCI_LASTS, setpciFix } from './setpci.ts';
import { type Patient, portsOf, type RemedyPair, Trial } from './trial.ts';

export interface AcsRemedy {
  /** What is changed, sorted by address; empty where nothing may be. */
  readonly ports: readonly PortChange[];
  /** Ports that redirect and are to stay as they are: Data Direct needs them so. */
  readonly kept: readonly PciFunction[];
  readonly isolation: IsolationCost;
  /** The parameters on offer. */
  readonly words: readonly AcsWord[];
  /** Now, then at every boot. */
  readonly fixes: readonly Fix[];
}

/** The remedy for pairs whose paths `redirecting` sends up to the root complex; the ACS registers of all of these are known. */
export function acsRemedy(
  patient: Patient,
  redirecting: Iterable<PciFunction>,
  pairs: readonly RemedyPair[],
): AcsRemedy {
  const { machine } = patient;
  const { ports, kept, isMixed } = portsToChange(machine, redirecting);
  const isolation = isolationCost(machine, ports);
  if (ports.length === 0) {
    return { ports, kept, isolation, words: [], fixes: kept.length === 0 ? [] : [keepFix(kept)] };
  }
  const words = ACS_OPTIONS.flatMap((key) => {
    const word = isOffered(machine, key, isMixed) ? fittingWord(machine, key, ports) : null;
    return word === null ? [] : [word];
  });
  const made: Made = { ports, isolation, isMixed, trial: new Trial(patient, pairs) };
  const fixes = [
    nowFix(machine, made),
    ...words.map((word, index) => bootFix(machine, word, { ...made, isFirst: index === 0 })),
  ];
  return { ports, kept, isolation, words, fixes };
}

/** Redirects are cleared, except at the ports of a Data Direct complex, which get the complex' own bits. */
export function portsToChange(
  { hierarchy }: Machine,
  redirecting: Iterable<PciFunction>,
): { readonly ports: PortChange[]; readonly kept: PciFunction[]; readonly isMixed: boolean } {
  const ports: PortChange[] = [];
  const kept: PciFunction[] = [];
  const parts = dataDirectPorts(hierarchy);
  for (const fn of [...new Set(redirecting)].sort((a, b) => a.key - b.key)) {
    const index = hierarchy.indexOf(fn.bdf);
    const part = parts.get(index);
    if (part === undefined) {
      ports.push(portChange(hierarchy, index, (control) => control & ~REDIRECT_BITS));
      continue;
    }
    const able = fn.acs.state === 'present' ? fn.acs.capability : 0;
    const set = (control: number): number => (control & ~DATA_DIRECT_MASK) | (DATA_DIRECT_VALUES[part] & able);
    const port = portChange(hierarchy, index, set, DATA_DIRECT_MASK);
    if (port.after === port.before) kept.push(fn);
    else ports.push(port);
  }
  return { ports, kept, isMixed: ports.some(({ mask }) => mask !== REDIRECT_BITS) };
}

/** Where a port gets bits of its own, clearing alone will not do; what config_acs= names, disable_acs_redir= names in vain. */
function isOffered({ kernel, cmdline }: Machine, key: AcsOptionKey, isMixed: boolean): boolean {
  if (!knowsOption(kernel, key)) return false;
  if (key === 'config_acs') return true;
  const isOverruled =
    acsOption(parseCommandLine(cmdline ?? ''), 'config_acs') !== null && knowsOption(kernel, 'config_acs');
  return !isMixed && !isOverruled;
}

/** A kernel keeps this many bytes of its command line on x86 and arm64 (COMMAND_LINE_SIZE, less the end). */
const LINE_MAX = 2047;

/** The parameter by path; by vendor and device where that is too long for a line; null where that is too long as well. */
function fittingWord(machine: Machine, key: AcsOptionKey, ports: readonly PortChange[]): AcsWord | null {
  const fits = ({ change, parameter }: AcsWord): boolean => (change.after ?? parameter).length <= LINE_MAX;
  const byPath = acsWord(machine, key, ports, 'byPath');
  if (fits(byPath)) return byPath;
  const byIds = acsWord(machine, key, ports, 'byIds');
  return fits(byIds) ? byIds : null;
}

interface Made {
  readonly ports: readonly PortChange[];
  readonly isolation: IsolationCost;
  readonly isMixed: boolean;
  readonly trial: Trial;
}

function nowFix(machine: Machine, { ports, isolation, isMixed, trial }: Made): Fix {
  const change = { kind: 'acs', ports } as const;
  const isLost = isolation.evidence !== 'none' && isolation.joined.length > 0;
  const groups = isLost ? ' IOMMU groups stay as they were formed at boot, and no longer isolate.' : '';
  return {
    ...setpciFix(ACS_CONTROL, ports),
    what: `${isMixed ? 'Set ACS' : 'Clear the redirect bits'} of ${portsText(ports)} now, to try it${isMixed ? MIXED : ''}`,
    cautions: isolationCautions(machine, isolation),
    cost: `${isolationCostWords(isolation)} ${SETPCI_LASTS}${groups} The kernel keeps its answer for a pair that was asked before until a driver asks again.`,
    change,
    proof: judged({ kind: 'registers', count: ports.length }, { kind: 'pair', type: trial.worst(change) }),
  };
}

/** As many ports a sentence names. */
const PORTS_MAX = 8;

/** `0000:02:01.0 (RR CR off), 0000:02:02.0 (RR off, SV on)`. */
function portsText(ports: readonly PortChange[]): string {
  return listed(
    ports.map(({ at, before, after }) => {
      const [off, on] = [before & ~after, after & ~before];
      const parts = [off === 0 ? '' : acsBitNames(off), on === 0 ? '' : `${acsBitNames(on)} on`];
      return `${at.name} (${parts.filter((part) => part !== '').join(', ')})`;
    }),
    PORTS_MAX,
  );
}

const MIXED =
  '; the ports of a complex of network card and GPU whose DMA leaves by a function of its own (Data Direct) get masks of their own, which clearing every redirect would break';

function bootFix(machine: Machine, word: AcsWord, made: Made & { readonly isFirst: boolean }): Fix {
  const { ports, isMixed, isFirst, trial } = made;
  const { change, key, parameter, replaces } = word;
  const changed = portsOf(change);
  // By vendor and device a parameter may name more than is asked for.
  const isolation = isSame(changed, ports) ? made.isolation : isolationCost(machine, changed);
  const mine = new Set(ports.map(({ at }) => at.key));
  const more = changed.filter(({ at }) => !mine.has(at.key)).length;
  const others = more === 0 ? '' : `; ${plural(more, 'other function')} changes with them`;
  const inPlace = replaces === null ? '' : `, in place of ${replaces}, which it includes`;
  return {
    ...bootLines(parameter, replaces),
    what: `${bootWhat(key, { ports, isMixed, isFirst })}${others}${inPlace}`,
    cautions: isolationCautions(machine, isolation),
    cost: [isolationCostWords(isolation), ...lossesOf(machine, key, ports)].join(' '),
    change,
    proof: trial.proofOfWord(change),
  };
}

function isSame(changed: readonly PortChange[], ports: readonly PortChange[]): boolean {
  const after = controlsOf(ports);
  return changed.length === ports.length && changed.every((port) => after.get(port.at.key) === port.after);
}

function bootWhat(
  key: AcsOptionKey,
  { ports, isMixed, isFirst }: Pick<Made, 'ports' | 'isMixed'> & { readonly isFirst: boolean },
): string {
  const survives = ports.every(({ devicePath }) => devicePath !== null)
    ? 'that survives renumbering'
    : 'by address, since the way from the root is not in the capture: bus numbers may change';
  if (isMixed) return `Set them at every boot, with one kernel parameter ${survives}`;
  if (key === 'disable_acs_redir') return `Clear them at every boot, with one kernel parameter ${survives}`;
  if (isFirst)
    return `Clear them at every boot, with one kernel parameter ${survives}; every other ACS bit is written out as it is`;
  return `The same with every other ACS bit written out, for Linux ${sinceRelease('configAcs')} and later`;
}

/** What disable_acs_redir= takes away besides the redirects. */
function lossesOf(machine: Machine, key: AcsOptionKey, ports: readonly PortChange[]): string[] {
  const reads = kernelKnows(machine.kernel, 'configAcs');
  const isOff =
    machine.iommuGroupTypes.size === 0 && machine.hierarchy.functions.some(({ facts }) => facts.sysfs !== null);
  const added = ACS_SOURCE_VALIDATION | ACS_UPSTREAM_FORWARDING;
  const kept = ports.filter(({ after }) => (after & added) !== 0);
  if (key === 'config_acs' || kept.length === 0 || isOff || reads === false) return [];
  const which = listed(kept.map(({ at, after }) => `${acsBitNames(after & added)} of ${at.name}`));
  const who = reads === null ? `Linux ${sinceRelease('configAcs')} and later start` : `Linux ${machine.kernel} starts`;
  return [
    `${who} from the firmware’s word at a function that is named here: what the IOMMU’s default has added (on now: ${which}) is lost too, and config_acs= keeps it.`,
  ];
}

function keepFix(kept: readonly PciFunction[]): Fix {
  const names = listed(kept.map(({ name }) => name));
  return {
    ...BY_HAND,
    kind: 'use',
    what: `Leave ACS of ${names} as it is: the DMA of a network card leaves there by a function of its own (Data Direct), and needs just these masks`,
    cost: 'Other pairs through these ports take the detour.',
  };
}
