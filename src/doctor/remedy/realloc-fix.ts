/** BARs that the kernel places anew at boot. Linux pci=realloc. */

import type { Machine } from '../../machine/machine.ts';
import { BY_HAND, type Fix } from '../finding.ts';
import { notProved } from '../proof.ts';
import { wordFix } from './boot-fix.ts';

/** None where the command line asks for it already. */
export function reallocFixes(machine: Machine, what: string): Fix[] {
  const word = wordFix(machine, 'pci=realloc');
  if (word === null) return [];
  const cost = 'A reboot; all BARs may move, and drivers that remember addresses fail.';
  return [{ ...BY_HAND, ...word.lines, what, cost, proof: notProved('barPlacement') }];
}
