/**
 * A fix by kernel parameter, proved: the parameter is put on a copy of the command line, read as the kernel reads it, the registers that
 * it would leave are set on a copy of the machine, and the pairs are judged again there.
 */

import { hexDigits } from '../../core/hex.ts';
import type { Machine } from '../../machine/machine.ts';
import { judgePair } from '../../p2p/distance.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import type { MapType } from '../../p2p/verdict.ts';
import { REDIRECT_BITS } from '../../pcie/acs.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { relevantPart, withAcsControls } from '../change/changed-machine.ts';
import { bootChange, lineWith } from '../change/parameter-change.ts';
import { type AcsOptionKey, acsEffects, acsOptionsDoubt } from '../command-line/acs-parameter.ts';
import { type CommandLine, parseCommandLine } from '../command-line/command-line.ts';
import { withOption } from '../command-line/command-line-problem.ts';
import type { DoctorContext } from '../context.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { MachineChange } from '../finding.ts';
import { controlsOf, type PortChange, portChange } from '../port-change.ts';
import { judged, type Proof } from '../proof.ts';
import { configAcs, disableAcsRedir } from './kernel-parameter.ts';

/** A parameter for these ports. */
export interface AcsParameter {
  /** `pci=disable_acs_redir=...`, with what the present line names besides. */
  readonly parameter: string;
  /** What of the present line it stands for; null where it takes no place. */
  readonly replaces: string | null;
  readonly change: Extract<MachineChange, { kind: 'boot' }>;
  /** Exactly the ports lose their redirects, and no other function changes. */
  readonly isExact: boolean;
}

/**
 * The parameter that leaves `ports` as they shall be and everything that the present line names as it is: a second option of the same
 * name would replace the first, so there is to be one only. `byIds` names the functions by vendor and device: shorter, and it may name
 * more than these, so that `isExact` is to be asked.
 */
export function acsParameter(
  machine: Machine,
  key: AcsOptionKey,
  ports: readonly PortChange[],
  form: 'byPath' | 'byIds' = 'byPath',
): AcsParameter {
  const line = parseCommandLine(machine.cmdline ?? '');
  const mine = new Set(ports.map((port) => port.at.key));
  const present = [...acsEffects(machine, line).keys()]
    .sort((a, b) => a - b)
    .filter((index) => (machine.hierarchy.functions[index] as PciFunction).acs.state === 'present')
    .map((index) => portChange(machine.hierarchy, index, (control) => control))
    .filter((port) => !mine.has(port.at.key));
  const all = [...present, ...ports];
  const named = form === 'byPath' ? all : byIds(all);
  const parameter = key === 'config_acs' ? configAcs(named) : disableAcsRedir(named);
  const { text, removed } = withoutAcsOptions(line);
  const change = bootChange(machine, lineWith({ ...machine, cmdline: text }, parameter));
  const replaces = removed.length === 0 ? null : removed.join(' and ');
  const changed = portsOf(change);
  const isExact =
    changed.length === ports.length &&
    changed.every((port) => mine.has(port.at.key) && (port.after & REDIRECT_BITS) === 0);
  return { parameter, replaces, change, isExact };
}

/** One entry for each kind of function, and for each value that its register is to have. */
function byIds(ports: readonly PortChange[]): PortChange[] {
  const kinds = new Map<string, PortChange>();
  for (const port of ports) {
    const { vendorId, deviceId } = port.at;
    const ids = `pci:${hexDigits(vendorId ?? 0, 4)}:${hexDigits(deviceId ?? 0, 4)}`;
    kinds.set(`${ids} ${port.after}`, { ...port, devicePath: ids });
  }
  return [...kinds.values()];
}

function withoutAcsOptions(line: CommandLine): { readonly text: string; readonly removed: readonly string[] } {
  const removed: string[] = [];
  const words = line.tokens.flatMap((token, index) => {
    const mine = line.pci.filter(
      ({ key, token: at }) => at === index && (key === 'disable_acs_redir' || key === 'config_acs'),
    );
    removed.push(...mine.map((option) => `${option.key}=${option.value ?? ''}`));
    if (mine.length === 0) return [token.text];
    const text = mine.reduce(
      (left, option) => withOption({ ...token, value: left.replace(/^pci=/, '') }, option, ''),
      `pci=${token.value ?? ''}`,
    );
    return text === '' ? [] : [text];
  });
  return { text: [...words, ...(line.rest === '' ? [] : [line.rest])].join(' '), removed };
}

/** The worst road of the cases' examples once the change is made. */
export function roadAfter(context: DoctorContext, cases: readonly PairCase[], change: MachineChange): MapType {
  const controls = controlsOf(portsOf(change));
  const indices = [...new Set(cases.flatMap((item) => [item.provider, item.client]))];
  const part = withAcsControls(relevantPart(context.machine, indices), controls);
  const judge = new JudgeContext(part, context.policy);
  const at = (index: number): number => part.hierarchy.indexOf((context.functions[index] as PciFunction).bdf);
  const types = cases.map((item) => judgePair(judge, at(item.provider), at(item.client)).type);
  return types.find((type) => type !== 'busAddr') ?? 'busAddr';
}

/** All changes of ACS Control in a change. */
export function portsOf(change: MachineChange): readonly PortChange[] {
  if (change.kind === 'acs') return change.ports;
  return change.kind === 'boot' ? change.changes.flatMap(portsOf) : [];
}

/** The proof of a parameter for ACS. */
export function parameterProof(context: DoctorContext, cases: readonly PairCase[], change: MachineChange): Proof {
  const { kernel } = context.machine;
  const ports = portsOf(change);
  if (ports.length === 0) return { kind: 'notProved', because: 'noRegister', kernel };
  return judged(
    { kind: 'commandLine', registers: ports.length },
    { kind: 'pair', type: roadAfter(context, cases, change) },
    acsOptionsDoubt(kernel),
  );
}

/** A sentence more where the parameter takes the place of another. */
export function inPlaceOf({ replaces }: AcsParameter): string {
  return replaces === null ? '' : `, in place of ${replaces}, which it includes`;
}
