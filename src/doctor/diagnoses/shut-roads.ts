/** What both diagnoses of shut roads read: who is concerned, what is shut for whom, and what a driver has to do with it. */

import { hex } from '../../core/hex.ts';
import { listed } from '../../core/words.ts';
import { deviceKey, isProvider } from '../../machine/roles.ts';
import { judgePair } from '../../p2p/distance.ts';
import type { Bar } from '../../pcie/bar.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from '../../pcie/registers.ts';
import type { DoctorContext } from '../context.ts';
import { type ClosedGate, receiverGates, senderGates } from '../facts/closed-gate.ts';
import { factEvidence } from '../facts/evidence.ts';
import { BY_HAND, type Evidence, type Finding, type Fix } from '../finding.ts';
import { rescanLines } from '../remedy/sysfs.ts';

/** A function that somebody would pair, as one that sends, or as one whose memory is meant, and what is shut for it. */
export interface ShutRoad {
  readonly index: number;
  readonly fn: PciFunction;
  readonly side: 'sender' | 'receiver';
  readonly gates: readonly ClosedGate[];
}

/** Indices of the functions that the user named, or else of those that users pair, sorted. */
export function wantedIndices({ asked, roles }: DoctorContext): number[] {
  if (asked !== null) return [...new Set(asked)].sort((a, b) => a - b);
  return roles.flatMap((role, index) => (role === null ? [] : [index]));
}

/** All roads on which something is shut: of the functions that the user named, or else of those that users pair. */
export function shutRoads(context: DoctorContext): ShutRoad[] {
  const { machine, functions, roles, asked } = context;
  const roads: ShutRoad[] = [];
  const add = (index: number, side: ShutRoad['side'], gates: readonly ClosedGate[]): void => {
    if (gates.length > 0) roads.push({ index, fn: functions[index] as PciFunction, side, gates });
  };
  for (const index of wantedIndices(context)) {
    const fn = functions[index] as PciFunction;
    const role = roles[index] ?? null;
    add(index, 'sender', senderGates(machine.hierarchy, index));
    if (asked !== null || (role !== null && isProvider(fn, role)))
      add(index, 'receiver', receiverGates(machine.hierarchy, index));
  }
  return roads;
}

/** Whether the function itself is switched on for its side: then what is off above it is at odds with that. */
export function isSwitchedOn({ fn, side }: ShutRoad): boolean {
  const bit = side === 'sender' ? COMMAND_BUS_MASTER : COMMAND_MEMORY_SPACE;
  return fn.command !== null && (fn.command & bit) !== 0;
}

/**
 * Who drives a function. `parked`: drivers that hold it for somebody who has not come yet. `none` where the capture tells drivers and
 * names none, `unknown` where it tells of none at all.
 */
export type DriverState = 'bound' | 'parked' | 'none' | 'unknown';

const PARKING = /^(?:vfio|pci-stub|pciback|xen-pciback|uio|igb_uio)/;

/** What the table of severities tells apart. */
export type IdleSituation = 'driven' | 'undriven' | 'driverNotKnown';

export function driverState({ driver, facts }: PciFunction): DriverState {
  if (driver !== null) return PARKING.test(driver) ? 'parked' : 'bound';
  return facts.sysfs !== null || facts.text?.capabilitiesListed === true ? 'none' : 'unknown';
}

/**
 * Who has to switch on a function that is itself off: a driver does, so without one the bit is off by right. Null where nothing need be
 * said.
 */
export function idleSituation({ asked }: DoctorContext, fn: PciFunction): IdleSituation | null {
  const state = driverState(fn);
  if (state === 'bound') return 'driven';
  return state === 'unknown' ? 'driverNotKnown' : asked === null ? null : 'undriven';
}

/**
 * A pair that the kernel would allow, with this function on its side and a peer that is switched on; one inside a switch where there is
 * any, null where there is none at all.
 */
export function exampleOf(context: DoctorContext, { index, fn, side }: Omit<ShutRoad, 'gates'>): Finding['pairs'] {
  const { asked, functions, roles } = context;
  const wanted = side === 'sender' ? 'receiver' : 'sender';
  let detour: Finding['pairs'] = null;
  for (const peer of asked ?? functions.keys()) {
    const other = functions[peer] as PciFunction;
    const role = roles[peer] ?? null;
    if (deviceKey(other) === deviceKey(fn)) continue;
    if (asked === null && (role === null || (wanted === 'receiver' && !isProvider(other, role)))) continue;
    if (!isSwitchedOn({ index: peer, fn: other, side: wanted, gates: [] })) continue;
    const [provider, client] = side === 'sender' ? [peer, index] : [index, peer];
    const { type } = judgePair(context.judge, provider, client);
    const name = (at: number): string => (functions[at] as PciFunction).name;
    const pair = { count: 1, provider: name(provider), client: name(client) };
    if (type === 'busAddr') return pair;
    if (type === 'thruHostBridge') detour ??= pair;
  }
  return detour;
}

/** The Command register, and what its two bits say. */
export function commandEvidence(fn: PciFunction): Evidence {
  const { command } = fn;
  const word = (bit: number): string => ((command ?? 0) & bit ? 'on' : 'off');
  return factEvidence(fn, 'command', {
    register: 'Command',
    offset: COMMAND,
    value: command === null ? 'not known' : hex(command, 4),
    meaning: `Memory Space ${word(COMMAND_MEMORY_SPACE)}, Bus Master ${word(COMMAND_BUS_MASTER)}`,
  });
}

/** Where a BAR is. */
export function barEvidence(fn: PciFunction, { index, busAddress }: Bar): Evidence {
  const value = busAddress === null ? 'not assigned' : hex(busAddress);
  return factEvidence(fn, 'bars', {
    register: `BAR${index}`,
    offset: 0x10 + 4 * index,
    value,
    meaning: 'where it answers',
  });
}

/** Takes functions away and lets the kernel find and place them anew. */
export function rescanFix(names: readonly string[], bridges: readonly string[] = []): Fix {
  const gone = bridges.length > 0 ? bridges : names;
  return {
    ...BY_HAND,
    ...rescanLines(gone),
    what: `Let the kernel place ${listed(names)} anew: take ${listed(gone)} away and look for it again; if that fails, boot`,
    cost: 'All drivers below are unbound for that time; nobody may be using the devices.',
  };
}
