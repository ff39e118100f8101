/** What a verdict of `unknown` lacks, and the one command that would provide it. */

import type { Machine } from '../machine/machine.ts';
import type { PairVerdict } from '../p2p/verdict.ts';
import { parseBdf } from '../pcie/bdf.ts';

export interface MissingEvidence {
  /** What is not known, in one sentence. */
  readonly what: string;
  /** The command to run on the machine itself. */
  readonly command: string;
  /** What to do with its answer. */
  readonly next: string;
}

const CAPTURE = 'sudo lspci -Dnnvvvxxxx > host.txt';

/** What is missing; null where the verdict is not `unknown`. */
export function missingEvidence(machine: Machine, verdict: PairVerdict): MissingEvidence | null {
  if (verdict.type !== 'unknown') return null;
  const reason = verdict.reasons.find((candidate) =>
    ['ACS_UNKNOWN', 'ORPHAN', 'HOST_BRIDGE_UNKNOWN', 'CPU_UNKNOWN'].includes(candidate.code),
  );
  const what = reason?.message ?? 'the capture does not tell';
  if (reason?.code === 'CPU_UNKNOWN') {
    return {
      what,
      command: "grep -m2 -E 'vendor_id|cpu family' /proc/cpuinfo",
      next: 'ask again with --cpu VENDOR:FAMILY',
    };
  }
  const asleep = (reason?.at ?? []).find((name) => functionAt(machine, name)?.poweredDown);
  if (asleep !== undefined) {
    return {
      what,
      command: `echo on | sudo tee /sys/bus/pci/devices/${asleep}/power/control && ${CAPTURE}`,
      next: 'ask again of host.txt; echo auto undoes it',
    };
  }
  if (machine.source === 'live') return { what, command: 'sudo p2pdma explain PROVIDER CLIENT', next: 'as root' };
  return { what, command: CAPTURE, next: 'ask again of host.txt' };
}

function functionAt(machine: Machine, name: string): ReturnType<Machine['hierarchy']['at']> {
  const bdf = parseBdf(name);
  return bdf === null ? undefined : machine.hierarchy.at(bdf);
}
