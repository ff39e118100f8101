/**
 * A road that the kernel allows and the registers shut: Bus Master or Memory Space off at a device or at a bridge above it, a BAR outside
 * the windows that lead to it, or in another's place. PCIe 7.5.1.1.3, 7.5.1.3; a request that nobody takes is an Unsupported Request.
 */

import { hex } from '../../core/hex.ts';
import { groupedBy, listed } from '../../core/words.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from '../../pcie/registers.ts';
import { withChange } from '../change/machine-change.ts';
import type { DoctorContext } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { barsOutside, receiverGates, senderGates } from '../facts/closed-gate.ts';
import { factEvidence } from '../facts/evidence.ts';
import type { Evidence, Finding, Fix, MachineChange, Severity } from '../finding.ts';
import { BY_HAND, LOOK, NOTHING, SEVERITIES } from '../finding.ts';
import { type CommandBit, judged } from '../proof.ts';
import { SETPCI_LASTS, setpciFix } from '../remedy/setpci.ts';
import { severityOf } from '../severity.ts';
import { overlappingBars } from './overlapping-bars.ts';
import {
  barEvidence,
  commandEvidence,
  driverState,
  exampleOf,
  idleSituation,
  isSwitchedOn,
  rescanFix,
  type ShutRoad,
  shutRoads,
} from './shut-roads.ts';

export const NOT_DECODING: Diagnosis = {
  id: 'NOT-DECODING',
  aliases: ['BUS MASTER', 'MEMORY SPACE', 'WINDOW'],
  meaning: 'the kernel allows the road, and registers on it are switched off or lead elsewhere',
  symptom: 'zeros or all ones, or a hang, although every tool says that P2P is supported',
  needs: 'Command registers of the devices and of all bridges above them, BARs, bridge windows',
  diagnose,
};

const BITS: Readonly<Record<CommandBit, { readonly bit: number; readonly name: string }>> = {
  busMaster: { bit: COMMAND_BUS_MASTER, name: 'Bus Master' },
  memorySpace: { bit: COMMAND_MEMORY_SPACE, name: 'Memory Space' },
};

function diagnose(context: DoctorContext): Finding[] {
  const roads = shutRoads(context);
  return [
    ...(['busMaster', 'memorySpace'] as const).flatMap((bit) => [
      ...bridgeFindings(context, roads, bit),
      ...ownFindings(context, roads, bit),
    ]),
    ...windowFindings(context, roads),
    ...overlappingBars(context),
  ];
}

/** Bridges with the bit off above functions that have it on: Linux switches a bridge on with the first device below it. */
function bridgeFindings(context: DoctorContext, roads: readonly ShutRoad[], bit: CommandBit): Finding[] {
  const bridges = new Set<PciFunction>();
  const below = roads.filter((road) => {
    if (!isSwitchedOn(road)) return false;
    const shut = road.gates.filter(({ kind, at }) => kind === bit && at !== road.fn).map(({ at }) => at);
    for (const at of shut) bridges.add(at);
    return shut.length > 0;
  });
  const [first] = below;
  if (first === undefined) return [];
  const off = [...bridges].sort((a, b) => a.key - b.key);
  const [names, users] = [off.map(({ name }) => name), below.map(({ fn }) => fn.name)];
  const has = `${listed(names)} ${names.length === 1 ? 'has' : 'have'} ${BITS[bit].name} off`;
  return [
    {
      ...NOTHING,
      id: 'NOT-DECODING',
      severity: severityOf('NOT-DECODING', 'bridgeOff', context),
      sure: 'certain',
      title:
        bit === 'busMaster'
          ? `${has}: what ${listed(users)} below ${users.length === 1 ? 'sends' : 'send'} goes no further, to peers or to memory`
          : `${has}: nobody above reaches the memory of ${listed(users)}`,
      at: names,
      functions: [...names, ...users].sort(),
      pairs: exampleOf(context, first),
      evidence: [...off, ...below.map(({ fn }) => fn)].slice(0, 16).map(commandEvidence),
      why: `A bridge answers requests with an Unsupported Request while its own bit is off, whatever its windows and ACS say. The devices below have theirs on, so somebody uses them.`,
      fixes: [switchFix(context, off, bit, first), FIND_OUT],
    },
  ];
}

/** Functions that are off themselves, which is right without a driver: as severe as the driver makes it. */
function ownFindings(context: DoctorContext, roads: readonly ShutRoad[], bit: CommandBit): Finding[] {
  const off = roads.flatMap((road) => {
    const isOff = road.gates.some(({ kind, at }) => kind === bit && at === road.fn);
    const situation = isOff ? idleSituation(context, road.fn) : null;
    return situation === null ? [] : [{ road, severity: severityOf('NOT-DECODING', situation, context) }];
  });
  return groupedBy(off, ({ severity }) => severity)
    .sort((a, b) => SEVERITIES.indexOf(commonSeverity(a)) - SEVERITIES.indexOf(commonSeverity(b)))
    .map((group) =>
      ownFinding(
        context,
        group.map(({ road }) => road),
        { bit, severity: commonSeverity(group) },
      ),
    );
}

function commonSeverity([first]: readonly { readonly severity: Severity }[]): Severity {
  return first?.severity ?? 'note';
}

function ownFinding(
  context: DoctorContext,
  roads: readonly ShutRoad[],
  { bit, severity }: { readonly bit: CommandBit; readonly severity: Severity },
): Finding {
  const [first] = roads as readonly [ShutRoad];
  const names = roads.map(({ fn }) => fn.name);
  const isDriven = driverState(first.fn) === 'bound';
  // A driver switches the bridges above on with its device.
  const ways = roads.flatMap(({ gates }) => gates.filter(({ kind }) => kind === bit).map(({ at }) => at));
  const off = [...new Set(ways)].sort((a, b) => a.key - b.key);
  const has = `${listed(names)} ${names.length === 1 ? 'has' : 'have'} ${BITS[bit].name} off`;
  const drivers = isDriven
    ? `although ${first.fn.driver} drives ${names.length === 1 ? 'it' : first.fn.name}`
    : 'and a driver has to switch it on first';
  return {
    ...NOTHING,
    id: 'NOT-DECODING',
    severity,
    sure: isDriven ? 'certain' : 'likely',
    title: `${has}, ${drivers}: ${bit === 'busMaster' ? 'no request is sent' : 'no request to the memory is answered'}`,
    at: names,
    functions: names,
    pairs: exampleOf(context, first),
    evidence: roads.slice(0, 16).map(({ fn }) => commandEvidence(fn)),
    why: isDriven
      ? 'A driver that is at work has the bit on; this one failed, has let go, or something else cleared the register.'
      : 'Without a driver the bit is off by right. The verdict on a pair speaks of the road, not of whether the device is awake.',
    fixes: isDriven
      ? [switchFix(context, off, bit, first), FIND_OUT]
      : [LET_DRIVE, switchFix(context, off, bit, first)],
  };
}

const FIND_OUT: Fix = {
  ...LOOK,
  what: 'Find out who switched it off: a driver that failed or was unbound, a tool, a reset behind the kernel’s back; the kernel’s log tells of the first and the last',
  commands: ['sudo dmesg | grep -iE "pci|reset|disabl"'],
};

const LET_DRIVE: Fix = {
  ...BY_HAND,
  kind: 'sysfs',
  what: 'Let its driver be bound: every driver switches Memory Space and Bus Master on, and those of the bridges above',
  cost: 'None, where the device is free.',
  takeBack: 'unbind it again',
};

/** The bit set with setpci, and what is still shut then. */
function switchFix(context: DoctorContext, off: readonly PciFunction[], bit: CommandBit, road: ShutRoad): Fix {
  const mask = BITS[bit].bit;
  const words = off.map((fn) => ({
    at: fn,
    offset: COMMAND,
    before: fn.command ?? 0,
    after: (fn.command ?? 0) | mask,
  }));
  const change: MachineChange = { kind: 'registers', words };
  const { hierarchy } = withChange(context.machine, change);
  const gates = (road.side === 'sender' ? senderGates : receiverGates)(hierarchy, road.index);
  const left = gates.filter(({ kind }) => kind === bit).length;
  return {
    ...setpciFix(
      'COMMAND',
      off.map((at) => ({ at, before: 0, after: mask, mask })),
    ),
    what: `Switch ${BITS[bit].name} on at ${listed(off.map(({ name }) => name))}, now`,
    cost: `A device that was stopped on purpose goes on with what it was doing. ${SETPCI_LASTS}`,
    change,
    proof:
      left === 0
        ? judged({ kind: 'registers', count: off.length }, { kind: 'decoding', bit, function: road.fn.name })
        : { kind: 'notProved', because: 'offElsewhere', bit, function: road.fn.name },
  };
}

/** BARs that decode, outside the windows of bridges above: one finding for the bridge that is nearest. */
function windowFindings(context: DoctorContext, roads: readonly ShutRoad[]): Finding[] {
  const shut = roads.flatMap((road) => {
    if (road.side !== 'receiver' || !isSwitchedOn(road)) return [];
    const bridge = road.gates.find(({ kind }) => kind === 'window')?.at;
    return bridge === undefined ? [] : [{ road, bridge }];
  });
  return groupedBy(shut, ({ bridge }) => bridge).map((group) => {
    const [first] = group as unknown as readonly [(typeof shut)[number]];
    const { bridge } = first;
    const names = group.map(({ road }) => road.fn.name);
    const bars = group.flatMap(({ road: { fn } }) => barsOutside(fn, bridge).map((bar) => ({ fn, bar })));
    const all = bars.map(({ fn, bar }) => `BAR${bar.index} of ${fn.name} at ${hex(bar.busAddress ?? 0)}`);
    return {
      ...NOTHING,
      id: 'NOT-DECODING',
      severity: severityOf('NOT-DECODING', 'outsideWindow', context),
      sure: 'certain',
      title: `No window of ${bridge.name} leads to ${listed(all)}: nobody above the bridge reaches that memory`,
      at: [bridge.name],
      functions: [bridge.name, ...names].sort(),
      pairs: exampleOf(context, first.road),
      evidence: [...windowEvidence(bridge), ...bars.slice(0, 12).map(({ fn, bar }) => barEvidence(fn, bar))],
      why: 'A bridge passes on what lies in its windows. An address outside of them goes up instead, and ends where nobody takes it, or at somebody else.',
      fixes: [rescanFix(names, [bridge.name])],
    };
  });
}

function windowEvidence(bridge: PciFunction): Evidence[] {
  const { memoryWindow, prefetchableWindow } = bridge;
  const one = (register: string, offset: number, window: typeof memoryWindow): Evidence =>
    factEvidence(bridge, 'windows', {
      register,
      offset,
      value: window ? `${hex(window.start)}-${hex(window.end - 1)}` : 'closed',
      meaning: window ? 'what the bridge passes on' : 'nothing is passed on',
    });
  return [
    one('Memory Base and Limit', 0x20, memoryWindow),
    one('Prefetchable Memory Base and Limit', 0x24, prefetchableWindow),
  ];
}
