/** The explanation of one pair as JSON. */

import { hex } from '../../core/hex.ts';
import type { SettingsChange } from '../../doctor/change/smallest-change.ts';
import { gateWords } from '../../doctor/facts/closed-gate.ts';
import { loadRate } from '../../doctor/facts/road-links.ts';
import {
  configAcs,
  disableAcsRedir,
  grubLine,
  setpciLines,
  shellQuoted,
} from '../../doctor/remedy/kernel-parameter.ts';
import { mailDistance } from '../../p2p/distance.ts';
import { mailCase, type PairVerdict } from '../../p2p/verdict.ts';
import { ACS_BITS } from '../../pcie/acs.ts';
import { cpuText } from '../words/cpu-text.ts';
import { type Explanation, explain, type Hop } from './explanation.ts';
import { kernelLosses, oopsHazard } from './kernel-caveats.ts';
import { KERNEL_MAP_TYPES } from './view.ts';

/** The document. */
export function explainDocument(explanation: Explanation): object {
  const { judge, provider, client, verdict, reverse } = explanation;
  const { machine, policy } = judge;
  // Rules that look both ways alike need one answer only.
  const other = reverse.type === verdict.type ? null : explain(judge, judge.indexOf(client), judge.indexOf(provider));
  return {
    schemaVersion: 1,
    command: 'explain',
    policy: policy.name,
    machine: {
      source: machine.source,
      functions: machine.hierarchy.functions.length,
      cpu: cpuText(machine.cpu),
      kernel: machine.kernel,
    },
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
    missing: missingDocument(explanation),
    change: changeDocument(explanation),
    reverseChange: other === null ? null : changeDocument(other),
  };
}

/** The rate is what the link carries under load, each way. */
function narrowestDocument({ narrowest }: Explanation): object | null {
  return narrowest === null
    ? null
    : { above: narrowest.lower.name, width: narrowest.now.width, gigabytesPerSecond: loadRate(narrowest) };
}

function missingDocument({ missing }: Explanation): object | null {
  return missing === null ? null : { what: missing.what, command: missing.command };
}

function changeDocument(explanation: Explanation): object {
  const { settings, moves, kernel } = explanation.change;
  const { type } = explanation.verdict;
  return {
    needed: type === 'thruHostBridge' || type === 'notSupported',
    settings: settings === null ? null : settingsDocument(explanation, settings),
    moves: moves.map((move) => ({
      move: move.who,
      below: move.below,
      occupants: move.occupants,
      clear: move.settings?.ports.map((port) => port.at) ?? [],
      type: move.verdict.type,
      distance: move.verdict.distance,
    })),
    newerKernel:
      kernel === null ? null : { policy: kernel.policy, type: kernel.verdict.type, distance: kernel.verdict.distance },
  };
}

function hopDocument(hop: Hop): object {
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

function verdictDocument(provider: string, client: string, verdict: PairVerdict): object {
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
    reasons: verdict.reasons,
  };
}

function settingsDocument({ judge, cost, redirecting }: Explanation, settings: SettingsChange): object {
  const { machine } = judge;
  const parameter = (text: string): object => ({ text, shell: shellQuoted(text), grub: grubLine(text) });
  const hazard = oopsHazard(machine, redirecting);
  return {
    clear: settings.ports.map((port) => ({
      function: port.at,
      devicePath: port.devicePath,
      register: port.register === null ? null : hex(port.register),
      before: hex(port.before, 4),
      after: hex(port.after, 4),
      source: port.source === null ? null : { file: port.source.file, line: port.source.line },
    })),
    type: settings.verdict.type,
    distance: settings.verdict.distance,
    disableAcsRedir: parameter(disableAcsRedir(settings.ports)),
    configAcs: parameter(configAcs(settings.ports)),
    setpci: setpciLines(settings.ports),
    isolation: cost,
    warnings: [...kernelLosses(machine, settings.ports), ...(hazard === null ? [] : [hazard])],
  };
}
