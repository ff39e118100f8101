/** What opens a switch whose ports redirect: now, at every boot, and all switches of a machine in one line; each judged again. */

import { listed } from '../../core/words.ts';
import { ACS_SOURCE_VALIDATION, ACS_UPSTREAM_FORWARDING, acsBitNames } from '../../pcie/acs.ts';
import type { IsolationCost } from '../change/isolation.ts';
import { ACS_OPTIONS, type AcsOptionKey, acsOption, knowsOption } from '../command-line/acs-parameter.ts';
import type { DoctorContext } from '../context.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { Fix } from '../finding.ts';
import type { PortChange } from '../port-change.ts';
import { judged } from '../proof.ts';
import { bootLines } from './boot-fix.ts';
import { setpciLines } from './kernel-parameter.ts';
import { type AcsParameter, acsParameter, inPlaceOf, parameterProof, roadAfter } from './parameter-fix.ts';

/** Pairs that meet below one switch, and the functions on their ways that redirect. */
export interface RedirectGroup {
  readonly cases: readonly PairCase[];
  readonly ports: readonly PortChange[];
}

/** The fixes of one switch. `isolation` is the cost of opening all of `groups`; where there are more, one line is to name them all. */
export function redirectFixes(
  context: DoctorContext,
  group: RedirectGroup,
  groups: readonly RedirectGroup[],
  isolation: IsolationCost,
): Fix[] {
  const { cases, ports } = group;
  if (ports.length === 0) return [];
  const cost = costWords(isolation, ports);
  const change = { kind: 'acs', ports } as const;
  const which = ports.map((port) => `${port.at.name} (${acsBitNames(port.before & ~port.after)})`).join(', ');
  const lines = setpciLines(ports);
  return [
    {
      kind: 'setpci',
      what: `Clear the redirect bits of ${which} now, to try it`,
      commands: lines.map((line) => line.apply),
      cost: `${cost} Gone at the next reset or boot.${isLost(isolation, ports) ? ' IOMMU groups stay as they were at boot, and no longer isolate.' : ''}`,
      undo: lines.map((line) => line.undo),
      reboot: false,
      change,
      proof: judged(
        { kind: 'registers', count: ports.length },
        { kind: 'pair', type: roadAfter(context, cases, change) },
      ),
    },
    ...ACS_OPTIONS.flatMap((key) => parameterFix(context, { key, cases, ports, cost })),
    ...(group === groups[0] && groups.length > 1 ? allAtOnce(context, groups, isolation) : []),
  ];
}

/** A kernel keeps this many bytes of its command line on x86 and arm64 (COMMAND_LINE_SIZE, less the end). */
const LINE_MAX = 2047;

/** One line for all switches: a second word of the same kind would replace the first. By kind of port where it were too long. */
function allAtOnce(context: DoctorContext, groups: readonly RedirectGroup[], isolation: IsolationCost): Fix[] {
  const { machine } = context;
  const ports = [...new Map(groups.flatMap((group) => group.ports.map((port) => [port.at.key, port]))).values()];
  const cases = groups.flatMap((group) => group.cases);
  const key = ACS_OPTIONS.findLast((option) => isOffered(context, option));
  if (key === undefined) return [];
  const fits = (made: AcsParameter): boolean => (made.change.after ?? made.parameter).length <= LINE_MAX;
  const made = [acsParameter(machine, key, ports), acsParameter(machine, key, ports, 'byIds')].find(
    (one) => fits(one) && one.isExact,
  );
  if (made === undefined) return [];
  return [
    {
      ...bootFix(context, made, cases),
      what: `Open all ${groups.length} switches at every boot, in one list: a second one would replace the first${inPlaceOf(made)}`,
      cost: costWords(isolation, ports),
    },
  ];
}

/** The same at every boot; none where this kernel does not know the option, or another option of the line overrules it. */
function parameterFix(
  context: DoctorContext,
  {
    key,
    cases,
    ports,
    cost,
  }: { key: AcsOptionKey; cases: readonly PairCase[]; ports: readonly PortChange[]; cost: string },
): Fix[] {
  if (!isOffered(context, key)) return [];
  const made = acsParameter(context.machine, key, ports);
  const keeps = ports.some((port) => (port.after & (ACS_SOURCE_VALIDATION | ACS_UPSTREAM_FORWARDING)) !== 0);
  const what =
    key === 'disable_acs_redir'
      ? 'Clear them at every boot, with a kernel parameter that survives renumbering'
      : 'The same with every other ACS bit written out, for Linux 6.12 and later';
  const losses =
    key === 'disable_acs_redir' && keeps
      ? ' From Linux 6.12 on, what the IOMMU adds to a function named here (SV, UF) is lost too: config_acs= keeps it.'
      : '';
  return [{ ...bootFix(context, made, cases), what: `${what}${inPlaceOf(made)}`, cost: `${cost}${losses}` }];
}

function isOffered({ machine, commandLine }: DoctorContext, key: AcsOptionKey): boolean {
  if (!knowsOption(machine.kernel, key)) return false;
  // What config_acs= names, disable_acs_redir= names in vain.
  return key === 'config_acs' || commandLine === null || acsOption(commandLine, 'config_acs') === null;
}

function bootFix(context: DoctorContext, made: AcsParameter, cases: readonly PairCase[]): Omit<Fix, 'what' | 'cost'> {
  return {
    ...bootLines(made.parameter, made.replaces),
    change: made.change,
    proof: parameterProof(context, cases, made.change),
  };
}

/** Groups that these ports keep apart. */
function joinedBy({ joined }: IsolationCost, ports: readonly PortChange[]): IsolationCost['joined'] {
  const mine = new Set(ports.map((port) => port.at.key));
  return joined.filter((group) => group.functions.some(({ key }) => mine.has(key)));
}

/** Whether groups that there are cease to be true. */
function isLost(isolation: IsolationCost, ports: readonly PortChange[]): boolean {
  return isolation.evidence !== 'none' && joinedBy(isolation, ports).length > 0;
}

/** What opening these ports costs, in a sentence. */
export function costWords(isolation: IsolationCost, ports: readonly PortChange[]): string {
  const { evidence } = isolation;
  const mine = joinedBy(isolation, ports);
  if (mine.length === 0) return 'No isolation is lost: nothing that is apart now comes together.';
  const groups = mine.map((group) => listed(group.functions.map(({ name }) => name)));
  const become =
    groups.length === 1
      ? `${groups[0]} become one IOMMU group, so none of them can be given to a virtual machine alone`
      : `each of these becomes one IOMMU group, so none in it can be given to a virtual machine alone: ${listed(groups.map((group) => `(${group})`))}`;
  return evidence === 'none' ? `With the IOMMU off, as here, none; were it on, ${become}.` : `Isolation: ${become}.`;
}
