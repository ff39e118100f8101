/**
 * What the kernel's log adds to findings: its own words on a pair, an error of a port. A finding that they confirm is certain;
 * one that lacked its evidence is told by them. Registers say how the machine is now, the log how it was at that time.
 */

import { listed, plural } from '../core/words.ts';
import type { Machine } from '../machine/machine.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { DoctorContext } from './context.ts';
import { ofErrorRegisters } from './diagnoses/error-registers.ts';
import { functionNamed, type Logged, logEvidence, loggedOf, type Statement } from './facts/log-evidence.ts';
import type { DiagnosisId, Evidence, Finding } from './finding.ts';
import { BY_HAND, NOTHING } from './finding.ts';
import { reallocFixes } from './remedy/realloc-fix.ts';
import { severityOf } from './severity.ts';

/** As many lines are shown with one finding. */
const LINES_MAX = 4;

/** The findings with what the log says of them, and those that it makes by itself. */
export function withKernelLog(
  context: DoctorContext,
  findings: readonly Finding[],
  isWanted: (id: DiagnosisId) => boolean,
): Finding[] {
  const statements = [...ofPairs(context), ...ofErrors(context), ...ofSpace(context), ...ofErrorRegisters(context)];
  const result = [...findings];
  for (const { id, isAbout, evidence, confirms, alone } of statements) {
    const at = result.findIndex((finding) => finding.id === id && isAbout(finding));
    if (at >= 0) result[at] = withLine(result[at] as Finding, evidence, confirms);
    else if (alone !== null && isWanted(id)) result.push(alone());
  }
  return result;
}

function withLine(finding: Finding, evidence: Evidence, confirms: boolean): Finding {
  const lines = finding.evidence.filter(({ register }) => register === evidence.register);
  if (lines.length >= LINES_MAX || lines.some(({ line }) => line === evidence.line)) return finding;
  if (!confirms) return { ...finding, evidence: [...finding.evidence, evidence] };
  const wasOpen = finding.sure === 'open';
  return {
    ...finding,
    sure: wasOpen ? 'likely' : 'certain',
    title: wasOpen ? `${finding.title}, but the kernel’s log says so` : finding.title,
    evidence: [...finding.evidence, evidence],
  };
}

/** Findings that name all of these. */
function naming(...names: readonly string[]): Statement['isAbout'] {
  return ({ functions }) => names.every((name) => functions.includes(name));
}

/** p2pdma's own words on pairs. */
function ofPairs({ machine }: DoctorContext): Statement[] {
  const isHere = ({ message }: { readonly message: { readonly client: string; readonly provider: string } }): boolean =>
    functionNamed(machine, message.client) !== undefined && functionNamed(machine, message.provider) !== undefined;
  const redirected = loggedOf(machine, 'acsRedirect').filter(isHere);
  const refused = loggedOf(machine, 'refused').filter(isHere);
  return [
    ...redirected.map(({ message, line }) => ({
      id: 'ACS-REDIR-SWITCH' as const,
      isAbout: naming(message.client, message.provider),
      evidence: logEvidence(line, message.client, 'the kernel found the redirect itself'),
      confirms: true,
      alone: null,
    })),
    ...refused.flatMap(({ message, line }) =>
      (['HB-NOT-LISTED', 'HB-SPLIT'] as const).map((id) => ({
        id,
        isAbout: naming(message.client, message.provider),
        evidence: logEvidence(line, message.client, 'the kernel refused this pair'),
        confirms: true,
        alone: null,
      })),
    ),
  ];
}

/** Errors that ports and devices reported. */
function ofErrors(context: DoctorContext): Statement[] {
  const { machine } = context;
  const known = new Map<string, readonly string[]>();
  return loggedOf(machine, 'aer').flatMap((logged): Statement[] => {
    const { at, error } = logged.message;
    const fn = functionNamed(machine, at);
    if (fn === undefined) return [];
    if (error === 'MalfTLP') {
      const evidence = logEvidence(logged.line, at, 'it received a malformed packet: too long is one way');
      return [{ id: 'MPS', isAbout: naming(at), evidence, confirms: true, alone: null }];
    }
    const below = known.get(at) ?? wantedBelow(context, fn);
    known.set(at, below);
    const isAbout = (finding: Finding): boolean =>
      finding.at.includes(at) || below.some((name) => finding.functions.includes(name));
    const evidence = logEvidence(logged.line, at, 'it blocked a request');
    // Only where two below would be paired; a dock that is asked for the time reports the same.
    const alone = below.length < 2 ? null : (): Finding => violationFinding(context, logged, below);
    // Blocked by Source Validation, Translation Blocking or Egress Control: that tells nothing of a redirect.
    return [{ id: 'ACS-REDIR-SWITCH', isAbout, evidence, confirms: false, alone }];
  });
}

/** Names of the functions with a role below a port. */
function wantedBelow({ machine, functions, roles }: DoctorContext, port: PciFunction): string[] {
  const at = machine.hierarchy.indexOf(port.bdf);
  return functions.flatMap((fn, index) =>
    (roles[index] ?? null) !== null && machine.hierarchy.chainOf(index).includes(at) ? [fn.name] : [],
  );
}

function violationFinding({ machine }: DoctorContext, { message }: Logged<'aer'>, below: readonly string[]): Finding {
  const same = loggedOf(machine, 'aer').filter(
    (logged) => logged.message.at === message.at && logged.message.error === 'ACSViol',
  );
  return {
    ...NOTHING,
    id: 'ACS-REDIR-SWITCH',
    severity: severityOf('ACS-REDIR-SWITCH', 'blocked'),
    sure: 'likely',
    title: `${message.at} reported ${plural(same.length, 'ACS violation')}: requests below it, where ${listed(below)} are, were blocked`,
    at: [message.at],
    functions: [...below],
    evidence: same.slice(0, LINES_MAX).map(({ line }) => logEvidence(line, message.at, 'it blocked a request')),
    why: 'Source Validation, Translation Blocking or Egress Control refused a request; which of them, the port’s ACS Control tells.',
    missing: { what: 'which function sent it', command: 'sudo dmesg | grep -A4 ACSViol' },
  };
}

/** BARs for which there was no room, and which have no address now. */
function ofSpace({ machine, functions, roles }: DoctorContext): Statement[] {
  return loggedOf(machine, 'noSpace').flatMap(({ message, line }): Statement[] => {
    const fn = functionNamed(machine, message.at);
    const bar = fn?.bars.find(({ index }) => index === message.bar);
    if (fn === undefined || (roles[functions.indexOf(fn)] ?? null) === null) return [];
    // The kernel tries again, and says nothing of it where that succeeds.
    if (bar !== undefined && (bar.cpuAddress ?? 0) > 0) return [];
    const evidence = logEvidence(line, fn.name, 'the window of the bridge above has no room for it');
    const alone = (): Finding => spaceFinding(machine, { fn, bar: message.bar, evidence });
    return [{ id: 'BAR-SMALL', isAbout: naming(fn.name), evidence, confirms: true, alone }];
  });
}

function spaceFinding(
  machine: Machine,
  { fn, bar, evidence }: { readonly fn: PciFunction; readonly bar: number; readonly evidence: Evidence },
): Finding {
  return {
    ...NOTHING,
    id: 'BAR-SMALL',
    severity: severityOf('BAR-SMALL', 'noSpace'),
    sure: 'certain',
    title: `BAR${bar} of ${fn.name} has no address: the window of the bridge above had no room for it`,
    at: [fn.name],
    functions: [fn.name],
    evidence: [evidence],
    why: 'Memory without an address can be given to no peer.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'firmware',
        what: 'In the firmware setup, switch "Above 4G decoding" and "Resizable BAR" on',
        cost: 'A reboot; all BARs may move.',
        takeBack: 'the old setting',
        reboot: true,
      },
      ...reallocFixes(machine, 'Let the kernel size the windows'),
    ],
  };
}
