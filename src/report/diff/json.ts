/** `p2pdma diff --json`. */

import type { MachineDifference } from '../../doctor/change/machine-difference.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Policy, PolicyName } from '../../p2p/policy.ts';

/** One of the two machines: where it was read, and by whose rules it was judged. */
export interface DiffSide {
  readonly source: string;
  readonly policy: PolicyName;
}

export interface DiffDocument extends MachineDifference {
  readonly schemaVersion: 1;
  readonly command: 'diff';
  readonly before: DiffSide;
  readonly after: DiffSide;
}

interface Judged {
  readonly machine: Machine;
  readonly policy: Policy;
}

/** The document; names are those of the later capture where a function is in both. */
export function diffDocument(before: Judged, after: Judged, difference: MachineDifference): DiffDocument {
  const sideOf = ({ machine, policy }: Judged): DiffSide => ({ source: machine.source, policy: policy.name });
  return { schemaVersion: 1, command: 'diff', before: sideOf(before), after: sideOf(after), ...difference };
}
