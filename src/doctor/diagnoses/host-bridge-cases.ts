/** What the two diagnoses about host bridges share: moves to a better slot, searched on a copy of the machine. */

import { listed } from '../../core/words.ts';
import type { MoveChange } from '../change/smallest-change.ts';
import { isBetter, smallestChange } from '../change/smallest-change.ts';
import type { DoctorContext } from '../context.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { Fix } from '../finding.ts';
import { BY_HAND, LOOK } from '../finding.ts';
import { judged } from '../proof.ts';

/** On larger machines the search for a slot is left to `p2pdma explain`, which is asked for one pair. */
const SEARCH_MAX = 1024;

/** Moves and newer kernels for the example of a case, each proved by judging again. */
export function moveFixes(context: DoctorContext, pairCase: PairCase): Fix[] {
  const { judge, functions } = context;
  const [p, c] = [functions[pairCase.provider]?.name, functions[pairCase.client]?.name];
  if (functions.length > SEARCH_MAX) {
    return [
      {
        ...LOOK,
        what: `Search a better slot for one pair: p2pdma explain MACHINE ${p} ${c}`,
      },
    ];
  }
  const change = smallestChange(judge, pairCase.provider, pairCase.client);
  // A card that somebody pairs, put out of its slot, has the same trouble in the other: nothing is won.
  const paired = new Set(functions.filter((_, index) => context.roles[index] !== null));
  const moves = change.moves.filter(({ occupants }) => !occupants.some((fn) => paired.has(fn)));
  const fixes = moves.map((move) => moveFix(move, move.who === 'client' ? c : p));
  if (change.kernel !== null && isBetter(change.kernel.verdict, pairCase)) {
    fixes.push({
      ...BY_HAND,
      kind: 'kernelRelease',
      what: `Run a newer kernel: the rules of ${change.kernel.policy} allow it`,
      cost: 'A new kernel.',
      takeBack: 'boot the old one',
      reboot: true,
      proof: judged(
        { kind: 'rules', policy: change.kernel.policy },
        { kind: 'pair', type: change.kernel.verdict.type },
      ),
    });
  }
  return fixes;
}

function moveFix(move: MoveChange, who: string | undefined): Fix {
  const occupied =
    move.occupants.length === 0 ? 'a free slot' : `where ${listed(move.occupants.map(({ name }) => name))} is now`;
  const besides =
    move.settings === null
      ? ''
      : `, and clear ACS redirect at ${listed(move.settings.ports.map((port) => port.at.name))}`;
  return {
    ...BY_HAND,
    kind: 'move',
    what: `Move ${who} to the slot below ${move.below.name} (${occupied})${besides}`,
    cost: `Power off and re-slot; the link below ${move.below.name} may be narrower, and bus numbers change.`,
    takeBack: 'put the card back',
    reboot: true,
    proof: judged({ kind: 'slot' }, { kind: 'pair', type: move.verdict.type }),
  };
}
