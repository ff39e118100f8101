/** The explanation of one pair as JSON. */

import { hex } from '../../core/hex.ts';
import type { IsolationCost } from '../../doctor/change/isolation.ts';
import type { AcsOptionKey } from '../../doctor/command-line/acs-parameter.ts';
import { type ClosedGate, gateWords } from '../../doctor/facts/closed-gate.ts';
import { type Link, loadRate } from '../../doctor/facts/road-links.ts';
import type { AcsRemedy } from '../../doctor/remedy/acs-remedy.ts';
import { grubLine, shellQuoted } from '../../doctor/remedy/kernel-parameter.ts';
import type { PairRemedy } from '../../doctor/remedy/pair-remedy.ts';
import { redirectListHazard } from '../../doctor/remedy/redirect-list.ts';
import { type SetpciLine, setpciLines } from '../../doctor/remedy/setpci.ts';
import { mailDistance } from '../../p2p/distance.ts';
import type { PolicyName } from '../../p2p/policy.ts';
import { type Likely, type MailCase, type MapType, mailCase, type PairVerdict } from '../../p2p/verdict.ts';
import { ACS_BITS, type AcsState } from '../../pcie/acs.ts';
import type { Source } from '../../pcie/function-facts.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type FixDocument, fixDocument } from '../words/fix-document.ts';
import { type MachineDocument, machineDocument } from '../words/machine-document.ts';
import { type OpinionDocument, opinionDocument } from '../words/opinion-words.ts';
import { type ReasonDocument, reasonDocument } from '../words/reason-document.ts';
import { type Explanation, explain, type Hop } from './explanation.ts';
import { KERNEL_MAP_TYPES } from './view.ts';

/** `p2pdma explain --json`. Functions are full names, registers and addresses hex. */
export interface ExplainDocument {
  readonly schemaVersion: 1;
  readonly command: 'explain';
  readonly policy: PolicyName;
  readonly machine: MachineDocument;
  readonly provider: string;
  readonly client: string;
  readonly road: {
    readonly providerLeg: readonly HopDocument[];
    readonly common: string | null;
    readonly clientLeg: readonly HopDocument[];
    /** The rate is what the link carries under load, each way; null where no rate is known. */
    readonly narrowest: {
      readonly above: string;
      readonly width: number;
      readonly gigabytesPerSecond: number | null;
    } | null;
  };
  /** As asked, then the other way round where that is another pair. */
  readonly verdicts: readonly VerdictDocument[];
  readonly shut: readonly { readonly kind: ClosedGate['kind']; readonly at: string; readonly message: string }[];
  /** Who decides about the pair as asked, and what each says; empty for a function and itself. */
  readonly opinions: readonly OpinionDocument[];
  readonly missing: { readonly what: string; readonly command: string } | null;
  readonly change: ChangeDocument;
  /** Null where both directions have one answer. */
  readonly reverseChange: ChangeDocument | null;
}

export interface HopDocument {
  readonly function: string;
  readonly role: Hop['role'];
  readonly portType: PciFunction['portType'];
  readonly link: Pick<Link, 'now' | 'can'> | null;
  readonly redirects: boolean | null;
  readonly decides: boolean;
  readonly acs:
    | Exclude<AcsState, { readonly state: 'present' }>
    | {
        readonly state: 'present';
        readonly register: string | null;
        readonly control: string;
        readonly on: readonly string[];
      };
  readonly source: Pick<Source, 'file' | 'line'> | null;
}

export interface VerdictDocument {
  readonly provider: string;
  readonly client: string;
  readonly type: MapType;
  readonly case: MailCase;
  readonly distance: number | null;
  readonly kernel: { readonly mapType: string; readonly mailDistance: number } | null;
  readonly reasons: readonly ReasonDocument[];
  readonly likely: Likely | null;
}

/** What would give the pair a better path. */
export interface ChangeDocument {
  readonly needed: boolean;
  /** ACS settings: the same that `fixes` says, port by port. */
  readonly settings: SettingsDocument | null;
  /** Everything on offer, as `check` has it. */
  readonly fixes: readonly FixDocument[];
  readonly moves: readonly {
    readonly move: 'provider' | 'client';
    readonly below: string;
    readonly occupants: readonly string[];
    readonly clear: readonly string[];
    readonly type: MapType;
    readonly distance: number | null;
  }[];
  readonly newerKernel: {
    readonly policy: PolicyName;
    readonly type: MapType;
    readonly distance: number | null;
  } | null;
}

export interface ParameterDocument {
  readonly text: string;
  /** What of the present command line it stands for; null where it takes no place. */
  readonly replaces: string | null;
  readonly shell: string;
  readonly grub: string;
}

/** IOMMU groups that become one. */
export interface IsolationDocument {
  readonly evidence: IsolationCost['evidence'];
  readonly joined: readonly { readonly functions: readonly string[]; readonly groups: readonly number[] }[];
}

export interface SettingsDocument {
  readonly clear: readonly {
    readonly function: string;
    readonly devicePath: string | null;
    readonly register: string | null;
    readonly before: string;
    readonly after: string;
    /** Bits that are written. */
    readonly mask: string;
    readonly source: Pick<Source, 'file' | 'line'> | null;
  }[];
  readonly type: MapType;
  readonly distance: number | null;
  /** Null where this kernel does not know the option, or where it would not do. */
  readonly disableAcsRedir: ParameterDocument | null;
  readonly configAcs: ParameterDocument | null;
  readonly setpci: readonly SetpciLine[];
  readonly isolation: IsolationDocument;
  readonly warnings: readonly string[];
}

/** The document. */
export function explainDocument(explanation: Explanation): ExplainDocument {
  const { judge, provider, client, verdict, reverse } = explanation;
  const { machine, policy } = judge;
  // Rules that look both ways alike need one answer only.
  const other = reverse.type === verdict.type ? null : explain(judge, judge.indexOf(client), judge.indexOf(provider));
  return {
    schemaVersion: 1,
    command: 'explain',
    policy: policy.name,
    machine: machineDocument(machine),
    provider: provider.name,
    client: client.name,
    road: {
      providerLeg: explanation.providerLeg.map(hopDocument),
      common: explanation.common?.name ?? null,
      clientLeg: explanation.clientLeg.map(hopDocument),
      narrowest: narrowestDocument(explanation),
    },
    verdicts: [
      verdictDocument(provider.name, client.name, verdict),
      ...(provider === client ? [] : [verdictDocument(client.name, provider.name, reverse)]),
    ],
    shut: explanation.shut.map((gate) => ({ kind: gate.kind, at: gate.at.name, message: gateWords(gate) })),
    opinions: explanation.opinions.map(opinionDocument),
    missing: missingDocument(explanation),
    change: changeDocument(explanation),
    reverseChange: other === null ? null : changeDocument(other),
  };
}

function narrowestDocument({ narrowest }: Explanation): ExplainDocument['road']['narrowest'] {
  return narrowest === null
    ? null
    : { above: narrowest.lower.name, width: narrowest.now.width, gigabytesPerSecond: loadRate(narrowest) };
}

function missingDocument({ missing }: Explanation): ExplainDocument['missing'] {
  return missing === null ? null : { what: missing.what, command: missing.command };
}

function changeDocument(explanation: Explanation): ChangeDocument {
  const { moves, kernel } = explanation.remedy.change;
  const { type } = explanation.verdict;
  return {
    needed: type === 'thruHostBridge' || type === 'notSupported',
    settings: settingsDocument(explanation, explanation.remedy),
    fixes: explanation.remedy.fixes.map(fixDocument),
    moves: moves.map((move) => ({
      move: move.who,
      below: move.below.name,
      occupants: move.occupants.map(({ name }) => name),
      clear: move.settings?.ports.map((port) => port.at.name) ?? [],
      type: move.verdict.type,
      distance: move.verdict.distance,
    })),
    newerKernel:
      kernel === null ? null : { policy: kernel.policy, type: kernel.verdict.type, distance: kernel.verdict.distance },
  };
}

function hopDocument(hop: Hop): HopDocument {
  const { fn } = hop;
  const { acs } = fn;
  const source = hop.acsSource;
  return {
    function: fn.name,
    role: hop.role,
    portType: fn.portType,
    link: hop.link === null ? null : { now: hop.link.now, can: hop.link.can },
    redirects: hop.redirects,
    decides: hop.decides,
    acs:
      acs.state === 'present'
        ? {
            state: acs.state,
            register: acs.offset === null ? null : hex(acs.offset + 6),
            control: hex(acs.control, 4),
            on: ACS_BITS.filter(({ mask }) => acs.control & mask).map(({ short }) => short),
          }
        : acs,
    source: source === null ? null : { file: source.file, line: source.line },
  };
}

function verdictDocument(provider: string, client: string, verdict: PairVerdict): VerdictDocument {
  return {
    provider,
    client,
    type: verdict.type,
    case: mailCase(verdict.type, provider === client),
    distance: verdict.distance,
    kernel:
      verdict.type === 'unknown'
        ? null
        : { mapType: KERNEL_MAP_TYPES[verdict.type], mailDistance: mailDistance(verdict) },
    reasons: verdict.reasons.map(reasonDocument),
    likely: verdict.likely,
  };
}

function settingsDocument({ judge, redirecting }: Explanation, { acs, after }: PairRemedy): SettingsDocument | null {
  if (acs === null || after === null) return null;
  const hazard = redirectListHazard(judge.machine, redirecting);
  return {
    clear: acs.ports.map((port) => ({
      function: port.at.name,
      devicePath: port.devicePath,
      register: port.register === null ? null : hex(port.register),
      before: hex(port.before, 4),
      after: hex(port.after, 4),
      mask: hex(port.mask, 4),
      source: port.source === null ? null : { file: port.source.file, line: port.source.line },
    })),
    type: after.type,
    distance: after.distance,
    disableAcsRedir: parameterDocument(acs, 'disable_acs_redir'),
    configAcs: parameterDocument(acs, 'config_acs'),
    setpci: setpciLines(acs.ports),
    isolation: {
      evidence: acs.isolation.evidence,
      joined: acs.isolation.joined.map(({ functions, groups }) => ({
        functions: functions.map(({ name }) => name),
        groups,
      })),
    },
    warnings: [
      ...new Set([...acs.fixes.flatMap(({ cautions = [] }) => cautions), ...(hazard === null ? [] : [hazard])]),
    ],
  };
}

function parameterDocument({ words }: AcsRemedy, key: AcsOptionKey): ParameterDocument | null {
  const word = words.find((one) => one.key === key);
  if (word === undefined) return null;
  const { parameter, replaces } = word;
  return { text: parameter, replaces, shell: shellQuoted(parameter), grub: grubLine(parameter) };
}
