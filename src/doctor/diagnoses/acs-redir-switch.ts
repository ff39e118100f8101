/**
 * Two devices below one switch, and ACS on the way sends their traffic up to the root complex: through the host bridge where it
 * is allowed, nowhere where not. PCIe 6.12.3; Linux calc_map_type_and_dist().
 */

import { judgePair } from '../../p2p/distance.ts';
import { JudgeContext, REDIRECT_BITS } from '../../p2p/judge.ts';
import type { MapType } from '../../p2p/verdict.ts';
import { ACS_SOURCE_VALIDATION, ACS_UPSTREAM_FORWARDING, acsBitNames } from '../../pcie/acs.ts';
import { parseBdf } from '../../pcie/bdf.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { withAcsControls } from '../changed-machine.ts';
import { devicePath } from '../device-path.ts';
import { type IsolationCost, isolationCost } from '../isolation.ts';
import { configAcs, disableAcsRedir, grubLine, setpciLines } from '../kernel-parameter.ts';
import { missingEvidence } from '../missing-evidence.ts';
import type { PortChange } from '../smallest-change.ts';
import { type DoctorContext, namesOf, pairsOf } from './context.ts';
import type { Diagnosis } from './diagnosis.ts';
import { acsEvidence } from './evidence.ts';
import type { Finding, Fix } from './finding.ts';
import { NOTHING } from './finding.ts';
import { groupedBy } from './grouped.ts';
import type { PairCase } from './pair-cases.ts';
import { severityBelowSwitch } from './severity.ts';
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
    ports: portsOf(context, cases),
  }));
  const after = verdictsAfter(context, groups);
  // Groups are formed once, for the changes of all switches: what joins below one leaves the others alone.
  const cost = isolationCost(
    context.machine,
    groups.flatMap(({ ports }) => ports),
  );
  const findings = groups.map((group, index) => findingOf(context, group, { after: after[index] as MapType, cost }));
  const unknown = below.filter((item) => item.codes.has('ACS_UNKNOWN') && item.type === 'unknown');
  if (unknown.length > 0) findings.push(unknownFinding(context, unknown));
  return findings;
}

interface Group {
  readonly cases: readonly PairCase[];
  readonly ports: readonly PortChange[];
}

/** Every redirecting function on the ways of the cases, with what it would be. */
function portsOf(context: DoctorContext, cases: readonly PairCase[]): PortChange[] {
  const names = new Set(cases.flatMap((item) => [...(item.named.get('ACS_REDIRECT') ?? [])]));
  const { hierarchy } = context.machine;
  const ports: PortChange[] = [];
  for (const name of names) {
    const bdf = parseBdf(name);
    const index = bdf === null ? -1 : hierarchy.indexOf(bdf);
    const fn = context.functions[index];
    if (fn?.acs.state !== 'present' || (fn.acs.control & REDIRECT_BITS) === 0) continue;
    ports.push({
      at: name,
      devicePath: devicePath(hierarchy, index),
      register: fn.acs.offset === null ? null : fn.acs.offset + 6,
      before: fn.acs.control,
      after: fn.acs.control & ~REDIRECT_BITS,
      source: fn.sourceOf('acs'),
    });
  }
  return ports.sort((a, b) => indexOfName(context, a.at) - indexOfName(context, b.at));
}

function indexOfName(context: DoctorContext, name: string): number {
  const bdf = parseBdf(name);
  return bdf === null ? -1 : context.machine.hierarchy.indexOf(bdf);
}

/**
 * The verdict of each group's example once the ports of all groups are cleared. One copy serves all: what lies below one meeting
 * point decides nothing below another, and where one contains another, both are to be cleared.
 */
function verdictsAfter(context: DoctorContext, groups: readonly Group[]): MapType[] {
  if (groups.length === 0) return [];
  const controls = new Map(groups.flatMap(({ ports }) => ports.map((port) => [port.at, port.after] as const)));
  const judge = new JudgeContext(withAcsControls(context.machine, controls), context.policy);
  return groups.map(({ cases }) => {
    const types = cases.map((item) => judgePair(judge, item.provider, item.client).type);
    return types.find((type) => type !== 'busAddr') ?? 'busAddr';
  });
}

interface Outcome {
  /** The verdict of the example once the ports are cleared. */
  readonly after: MapType;
  readonly cost: IsolationCost;
}

function findingOf(context: DoctorContext, { cases, ports }: Group, outcome: Outcome): Finding {
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
    fixes: ports.length === 0 ? [] : fixesOf(ports, outcome),
  };
}

const ROAD: Readonly<Record<MapType, string>> = {
  busAddr: 'the pair is by bus address',
  thruHostBridge: 'the pair is through the host bridge',
  notSupported: 'the pair is still not supported',
  unknown: 'the verdict is not known',
};

function fixesOf(ports: readonly PortChange[], { after, cost: isolation }: Outcome): Fix[] {
  const cost = costWords(isolation, ports);
  const change = { kind: 'acs', ports } as const;
  const proof = `judged again with ${plural(ports.length, 'register')} changed: ${ROAD[after]}`;
  const which = ports.map((port) => `${port.at} (${acsBitNames(port.before & ~port.after)})`).join(', ');
  const lines = setpciLines(ports);
  const disable = disableAcsRedir(ports);
  const keeps = ports.some((port) => (port.after & (ACS_SOURCE_VALIDATION | ACS_UPSTREAM_FORWARDING)) !== 0);
  return [
    {
      what: `Clear the redirect bits of ${which} now, to try it`,
      commands: lines.map((line) => line.apply),
      cost: `${cost} Gone at the next reset or boot. IOMMU groups stay as they were at boot, and no longer isolate.`,
      undo: lines.map((line) => line.undo),
      reboot: false,
      change,
      proof,
    },
    {
      what: 'Clear them at every boot, with a kernel parameter that survives renumbering',
      commands: [disable, `in /etc/default/grub: ${grubLine(disable)}`],
      cost: `${cost}${keeps ? ' From Linux 6.12 on, what the IOMMU adds to a function named here (SV, UF) is lost too: config_acs= keeps it.' : ''}`,
      undo: ['take the parameter out of the command line and boot again'],
      reboot: true,
      change,
      proof,
    },
    {
      what: 'The same with every other ACS bit written out, for Linux 6.12 and later',
      commands: [configAcs(ports), `in /etc/default/grub: ${grubLine(configAcs(ports))}`],
      cost,
      undo: ['take the parameter out of the command line and boot again'],
      reboot: true,
      change,
      proof,
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

function unknownFinding(context: DoctorContext, cases: readonly PairCase[]): Finding {
  const [first] = cases as readonly [PairCase];
  const missing = missingEvidence(context.machine, first.verdict);
  const names = namesOf(context, new Set(cases.flatMap((item) => [...item.functions])));
  return {
    ...NOTHING,
    id: 'ACS-REDIR-SWITCH',
    severity: 'note',
    sure: 'unknown',
    title: `${listed(names)}: whether ACS redirects between them is not in this capture`,
    functions: names,
    pairs: pairsOf(
      context,
      first,
      cases.reduce((sum, item) => sum + item.pairs, 0),
    ),
    why: 'ACS decides whether devices of one switch talk directly, and only root can read it.',
    missing: missing === null ? null : { what: missing.what, command: missing.command },
  };
}
