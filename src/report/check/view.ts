/** What the three forms of a report share. */

import { hex } from '../../core/hex.ts';
import { listed, plural } from '../../core/words.ts';
import type { CheckResult } from '../../doctor/check-machine.ts';
import { ROLE_WORDS } from '../../doctor/facts/roles.ts';
import type { Evidence, Finding } from '../../doctor/finding.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Policy } from '../../p2p/policy.ts';
import type { MapType } from '../../p2p/verdict.ts';
import type { Style } from '../words/style.ts';

/** How the screen shows it. */
export interface CheckView {
  readonly columns: number;
  readonly style: Style;
  /** All evidence, all fixes, all findings. */
  readonly verbose: boolean;
}

export interface CheckQuestion {
  readonly machine: Machine;
  readonly policy: Policy;
  readonly result: CheckResult;
  /** MACHINE as a shell takes it, for the commands that the report names. */
  readonly argument: string;
  /** The options that chose the pairs, to be put behind it; empty where none did. */
  readonly asked: string;
}

/** Those that say something, and those that only ask. */
export function splitFindings(findings: readonly Finding[]): {
  readonly found: Finding[];
  readonly unknown: Finding[];
} {
  return {
    found: findings.filter((finding) => finding.sure !== 'open' || finding.severity !== 'note'),
    unknown: findings.filter((finding) => finding.sure === 'open' && finding.severity === 'note'),
  };
}

/** `2 errors, 1 warning, 3 notes`. */
export function tally(findings: readonly Finding[]): string {
  const of = (severity: Finding['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const words = (['error', 'warning', 'note'] as const)
    .map((severity) => ({ severity, number: of(severity) }))
    .filter(({ number }) => number > 0)
    .map(({ severity, number }) => plural(number, severity));
  return words.length === 0 ? NOTHING_WRONG : words.join(', ');
}

/** What the report comes to: its tally, or that nothing could be found out; of a part of a machine never that nothing is wrong. */
export function headline(found: readonly Finding[], result: CheckResult): string {
  const judged = judgedWords(
    found.filter(({ id }) => id !== 'PARTIAL-LISTING'),
    result,
  );
  if (!isPart(result)) return judged ?? (result.findings.length > 0 ? NOTHING_SHOWN : NOTHING_WRONG);
  return judged === null ? 'part of a machine' : `part of a machine: ${judged}`;
}

const NOTHING_WRONG = 'nothing wrong found';
const NOTHING_SHOWN = 'nothing wrong in what the capture shows';

/** What was found, or what cannot be judged; null where neither. */
function judgedWords(found: readonly Finding[], result: CheckResult): string | null {
  if (found.length > 0) return tally(found);
  const { unknown } = result.pairs;
  if (unknown > 0) return `${unknown} of ${plural(pairsOf(result), 'pair')} cannot be judged from this capture`;
  return result.unseen.length > 0 && pairsOf(result) === 0 ? 'nothing can be judged' : null;
}

function pairsOf({ pairs }: CheckResult): number {
  return ROADS.reduce((sum, [type]) => sum + pairs[type], 0);
}

const ROADS: readonly (readonly [MapType, string])[] = [
  ['busAddr', 'by bus address inside a switch'],
  ['thruHostBridge', 'through the host bridge'],
  ['notSupported', 'not supported'],
  ['unknown', 'not known'],
];

/** `12 pairs of devices: 4 by bus address inside a switch, 8 not supported`. */
export function pairsSentence(result: CheckResult): string {
  const { pairs } = result;
  const total = pairsOf(result);
  if (total === 0 && result.unseen.length > 0) return unseenSentence(result);
  if (total === 0 && isPart(result)) return 'No two devices that could be peers are in this part of a machine.';
  if (total === 0) return 'No two devices here are such that somebody would pair them.';
  const parts = ROADS.filter(([type]) => pairs[type] > 0).map(([type, words]) => `${pairs[type]} ${words}`);
  return `${plural(total, 'pair')} of devices that somebody may want: ${parts.join(', ')}.`;
}

/** Whether the capture shows a part of a machine only. */
function isPart({ findings }: CheckResult): boolean {
  return findings.some(({ id }) => id === 'PARTIAL-LISTING');
}

/** `4 GPUs (0000:04:00.0, ...), and nothing of their memory: no pair of them can be judged.` */
function unseenSentence({ unseen }: CheckResult): string {
  const parts = [...new Set(unseen.map(({ role }) => role))].map((role) => {
    const names = unseen.filter((device) => device.role === role).map(({ fn }) => fn.name);
    return `${plural(names.length, ROLE_WORDS[role])} (${listed(names)})`;
  });
  const their = unseen.length === 1 ? 'its' : 'their';
  return `${parts.join(', ')} by class, and the capture shows nothing of ${their} memory: no pair can be judged.`;
}

/** `0000:02:01.0 ACS Control (+0x106) = 0x001d: SV RR CR UF set  [host.txt:17]`. */
export function evidenceText(evidence: Evidence): string {
  const at = evidence.at === null ? '' : `${evidence.at} `;
  const offset = evidence.offset === null ? '' : ` (at ${hex(evidence.offset, 2)})`;
  const line = evidence.line === null ? '' : `:${evidence.line}`;
  const place = evidence.source === null ? '' : `  [${evidence.source}${line}]`;
  return `${at}${evidence.register}${offset} = ${evidence.value}: ${evidence.meaning}${place}`;
}
