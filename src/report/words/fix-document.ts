/** A fix as every JSON document shows it. */

import type { Fix } from '../../doctor/finding.ts';
import type { Proof } from '../../doctor/proof.ts';
import { proofText } from './proof.ts';

/** A fix as data; the same in `check` and `explain`. */
export interface FixDocument {
  readonly kind: Fix['kind'];
  readonly what: string;
  /** What is to be read before anything is done. */
  readonly cautions: readonly string[];
  readonly settings: NonNullable<Fix['settings']>;
  readonly commands: readonly string[];
  readonly cost: string;
  readonly undo: readonly string[];
  readonly takeBack: string | null;
  readonly reboot: boolean;
  /** The proof as data, and in words. */
  readonly proof: Proof & { readonly text: string };
}

/** A fix as data. */
export function fixDocument(fix: Fix): FixDocument {
  const { kind, what, cautions = [], settings = [], commands, cost, undo, takeBack = null, reboot, proof } = fix;
  return {
    kind,
    what,
    cautions,
    settings,
    commands,
    cost,
    undo,
    takeBack,
    reboot,
    proof: { ...proof, text: proofText(proof) },
  };
}
