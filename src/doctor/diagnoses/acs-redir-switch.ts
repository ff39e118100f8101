/**
 * Two devices below one switch, and ACS on the way sends their traffic up to the root complex: through the host bridge where it
 * is allowed, nowhere where not. PCIe 6.12.3; Linux calc_map_type_and_dist().
 */

import { REDIRECT_BITS } from '../../p2p/judge.ts';
import { ACS_SOURCE_VALIDATION, ACS_UPSTREAM_FORWARDING, acsBitNames } from '../../pcie/acs.ts';
import { parseBdf } from '../../pcie/bdf.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { ACS_OPTIONS, type AcsOptionKey, acsOption, knowsOption } from '../acs-parameter.ts';
import { type IsolationCost, isolationCost } from '../isolation.ts';
import { grubLine, setpciLines } from '../kernel-parameter.ts';
import { type PortChange, portChange } from '../port-change.ts';
import { type DoctorContext, namesOf, pairsOf } from './context.ts';
import type { Diagnosis } from './diagnosis.ts';
import { acsEvidence } from './evidence.ts';
import type { Finding, Fix } from './finding.ts';
import { NOTHING } from './finding.ts';
import { groupedBy } from './grouped.ts';
import type { PairCase } from './pair-cases.ts';
import { acsParameter, inPlaceOf, parameterProof, ROAD, roadAfter } from './parameter-fix.ts';
import { severityBelowSwitch } from './severity.ts';
import { unknownCases } from './unknown-cases.ts';
import { listed, plural } from './words.ts';

export const ACS_REDIR_SWITCH: Diagnosis = {
  id: 'ACS-REDIR-SWITCH',
  aliases: [],
  severity: 'error',
  meaning: 'ACS on a switch sends traffic between its devices up to the host bridge',
  symptom: 'NCCL hangs between GPUs on one switch, copies return all ones, bandwidth is half of the link’s',
  needs: 'ACS Control of every bridge between the two: 4096 bytes of configuration space, or lspci -vvv as root',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const below = context.cases.filter((item) => item.common >= 0);
  const redirected = below.filter((item) => item.codes.has('ACS_REDIRECT') && item.type !== 'busAddr');
  const groups = groupedBy(redirected, (item) => item.common).map((cases) => ({
    cases,
    ports: portsBetween(context, cases),
  }));
  // Groups are formed once, for the changes of all switches: what joins below one leaves the others alone.
  const cost = isolationCost(
    context.machine,
    groups.flatMap(({ ports }) => ports),
  );
  const findings = groups.map((group) => findingOf(context, group, cost));
  const unknown = below.filter((item) => item.codes.has('ACS_UNKNOWN') && item.type === 'unknown');
  const words = {
    id: 'ACS-REDIR-SWITCH',
    what: 'whether ACS redirects between them is not in this capture',
    why: 'ACS decides whether devices of one switch talk directly, and only root can read it.',
  } as const;
  return [...findings, ...unknownCases(context, unknown, words)];
}

interface Group {
  readonly cases: readonly PairCase[];
  readonly ports: readonly PortChange[];
}

/** Every redirecting function on the ways of the cases, with what it would be. */
function portsBetween(context: DoctorContext, cases: readonly PairCase[]): PortChange[] {
  const { hierarchy } = context.machine;
  const names = new Set(cases.flatMap((item) => [...(item.named.get('ACS_REDIRECT') ?? [])]));
  return [...names]
    .map((name) => indexOfName(context, name))
    .filter((index) => {
      const acs = context.functions[index]?.acs;
      return acs?.state === 'present' && (acs.control & REDIRECT_BITS) !== 0;
    })
    .sort((a, b) => a - b)
    .map((index) => portChange(hierarchy, index, (control) => control & ~REDIRECT_BITS));
}

function indexOfName(context: DoctorContext, name: string): number {
  const bdf = parseBdf(name);
  return bdf === null ? -1 : context.machine.hierarchy.indexOf(bdf);
}

function findingOf(context: DoctorContext, { cases, ports }: Group, cost: IsolationCost): Finding {
  const refused = cases.find((item) => item.type === 'notSupported');
  const worst = refused ?? (cases[0] as PairCase);
  const functions = new Set(cases.flatMap((item) => [...item.functions]));
  const concerned = new Set(
    cases.filter((item) => item.type === 'notSupported').flatMap((item) => [...item.functions]),
  );
  const names = namesOf(context, functions);
  const at = ports.map((port) => port.at);
  const meeting = (context.functions[worst.common] as PciFunction).name;
  const pairs = cases.reduce((sum, item) => sum + item.pairs, 0);
  const consequence =
    refused === undefined
      ? `${plural(pairs, 'pair')} of them ${pairs === 1 ? 'takes' : 'take'} the detour through the host bridge`
      : `${plural(pairs, 'pair')} of them cannot do P2P at all, since the kernel does not trust the host bridge above with peer traffic`;
  return {
    ...NOTHING,
    id: 'ACS-REDIR-SWITCH',
    severity: refused === undefined ? 'warning' : severityBelowSwitch(context, concerned),
    sure: 'certain',
    title: `${listed(names)} meet below ${meeting}, but ACS redirects at ${listed(at)}: ${consequence}`,
    at,
    functions: names,
    pairs: pairsOf(context, worst, pairs),
    evidence: at.map((name) => acsEvidence(context.functions[indexOfName(context, name)] as PciFunction)),
    why: `Request Redirect, Completion Redirect or Egress Control at a port sends what could turn round in the switch up to the root complex. There it shares one link with everything else, and an IOMMU translates it; drivers that put raw BAR addresses on the wire then hang or read all ones.`,
    fixes: ports.length === 0 ? [] : fixesOf(context, cases, ports, costWords(cost, ports)),
  };
}

function fixesOf(
  context: DoctorContext,
  cases: readonly PairCase[],
  ports: readonly PortChange[],
  cost: string,
): Fix[] {
  const change = { kind: 'acs', ports } as const;
  const which = ports.map((port) => `${port.at} (${acsBitNames(port.before & ~port.after)})`).join(', ');
  const lines = setpciLines(ports);
  return [
    {
      what: `Clear the redirect bits of ${which} now, to try it`,
      commands: lines.map((line) => line.apply),
      cost: `${cost} Gone at the next reset or boot. IOMMU groups stay as they were at boot, and no longer isolate.`,
      undo: lines.map((line) => line.undo),
      reboot: false,
      change,
      proof: `judged again with ${plural(ports.length, 'register')} changed: ${ROAD[roadAfter(context, cases, change)]}`,
    },
    ...ACS_OPTIONS.flatMap((key) => parameterFix(context, { key, cases, ports, cost })),
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
  const { machine, commandLine } = context;
  if (!knowsOption(machine.kernel, key)) return [];
  if (key === 'disable_acs_redir' && commandLine !== null && acsOption(commandLine, 'config_acs') !== null) return [];
  const made = acsParameter(machine, key, ports);
  const keeps = ports.some((port) => (port.after & (ACS_SOURCE_VALIDATION | ACS_UPSTREAM_FORWARDING)) !== 0);
  const what =
    key === 'disable_acs_redir'
      ? 'Clear them at every boot, with a kernel parameter that survives renumbering'
      : 'The same with every other ACS bit written out, for Linux 6.12 and later';
  const losses =
    key === 'disable_acs_redir' && keeps
      ? ' From Linux 6.12 on, what the IOMMU adds to a function named here (SV, UF) is lost too: config_acs= keeps it.'
      : '';
  return [
    {
      what: `${what}${inPlaceOf(made)}`,
      commands: [made.parameter, `in /etc/default/grub: ${grubLine(made.parameter)}`],
      cost: `${cost}${losses}`,
      undo: [
        made.replaces === null
          ? 'take the parameter out of the command line and boot again'
          : `write ${made.replaces} again, and boot`,
      ],
      reboot: true,
      change: made.change,
      proof: parameterProof(context, cases, made.change),
    },
  ];
}

function costWords({ evidence, joined }: IsolationCost, ports: readonly PortChange[]): string {
  const names = new Set(ports.map((port) => port.at));
  const mine = joined.filter((group) => group.functions.some((name) => names.has(name)));
  if (mine.length === 0) return 'No isolation is lost: nothing that is apart now comes together.';
  const groups = mine.map((group) => listed(group.functions)).join('; and ');
  const become = `${groups} become one IOMMU group, so none of them can be given to a virtual machine alone`;
  return evidence === 'none' ? `With the IOMMU off, as here, none; were it on, ${become}.` : `Isolation: ${become}.`;
}
