/** What the two diagnoses about host bridges share: moves to a better slot, searched on a copy of the machine. */

import type { PciFunction } from '../../pcie/pci-function.ts';
import { isBetter, smallestChange } from '../change/smallest-change.ts';
import type { DoctorContext } from '../context.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import { type Fix, LOOK } from '../finding.ts';
import { moveFix, newerKernelFix } from '../remedy/move-fix.ts';

/** On larger machines the search for a slot is left to `p2pdma explain`, which is asked for one pair. */
const SEARCH_MAX = 1024;

/** Moves and newer kernels for the example of a case, each proved by judging again. */
export function moveFixes(context: DoctorContext, pairCase: PairCase): Fix[] {
  const { judge, functions } = context;
  const [provider, client] = [pairCase.provider, pairCase.client].map((index) => functions[index] as PciFunction) as [
    PciFunction,
    PciFunction,
  ];
  if (functions.length > SEARCH_MAX) {
    const what = `Search a better slot for one pair: p2pdma explain MACHINE ${provider.name} ${client.name}`;
    return [{ ...LOOK, what }];
  }
  const change = smallestChange(judge, pairCase.provider, pairCase.client);
  // A card that somebody pairs, put out of its slot, has the same trouble in the other: nothing is won.
  const paired = new Set(functions.filter((_, index) => context.roles[index] !== null));
  const moves = change.moves.filter(({ occupants }) => !occupants.some((fn) => paired.has(fn)));
  const fixes = moves.map((move) => moveFix(move, move.who === 'client' ? client : provider));
  return change.kernel !== null && isBetter(change.kernel.verdict, pairCase)
    ? [...fixes, newerKernelFix(change.kernel)]
    : fixes;
}
