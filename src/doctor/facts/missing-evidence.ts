/** What a verdict of `unknown` lacks, and the one command that would provide it. */

import type { Machine } from '../../machine/machine.ts';
import type { PairVerdict, ReasonCode } from '../../p2p/verdict.ts';

export interface MissingEvidence {
  /** What is not known, in one sentence. */
  readonly what: string;
  /** The command to run on the machine itself. */
  readonly command: string;
  /** What to do with its answer. */
  readonly next: string;
}

const CAPTURE = 'sudo lspci -Dnnvvvxxxx > host.txt';
/** The same with what names the kernel and the CPU: the reader takes them from the text around the listing. */
const CAPTURE_WITH_CPU =
  "(sudo lspci -Dnnvvvxxxx; cat /proc/version; grep -m2 -E 'vendor_id|cpu family' /proc/cpuinfo) > host.txt";

const LACKING: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'ACS_UNKNOWN',
  'ORPHAN',
  'HOST_BRIDGE_UNKNOWN',
  'CPU_UNKNOWN',
]);

/** What is missing; null where the verdict is not `unknown`. */
export function missingEvidence(machine: Machine, verdict: PairVerdict): MissingEvidence | null {
  if (verdict.type !== 'unknown') return null;
  const lacking = verdict.reasons.filter(({ code }) => LACKING.has(code));
  const what = lacking.map(({ message }) => message).join('; ') || 'the capture does not tell';
  const asleep = lacking.flatMap(({ at }) => at).find((fn) => fn.poweredDown);
  if (asleep !== undefined) {
    return {
      what,
      command: `echo on | sudo tee /sys/bus/pci/devices/${asleep.name}/power/control && ${CAPTURE}`,
      next: 'ask again of host.txt; echo auto undoes it',
    };
  }
  if (machine.source === 'live') return { what, command: 'sudo p2pdma explain PROVIDER CLIENT', next: 'as root' };
  const command = lacking.some(({ code }) => code === 'CPU_UNKNOWN') ? CAPTURE_WITH_CPU : CAPTURE;
  return { what, command, next: 'ask again of host.txt' };
}
