/** A card in another slot, a newer kernel: what `check` and `explain` offer where no setting gives a pair a better path. */

import { listed } from '../../core/words.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { MoveChange, SmallestChange } from '../change/smallest-change.ts';
import { BY_HAND, type Fix } from '../finding.ts';
import { judged } from '../proof.ts';

/** The move of `who`, with what must be cleared besides. */
export function moveFix(move: MoveChange, who: PciFunction): Fix {
  const below = move.below.name;
  const occupied =
    move.occupants.length === 0 ? 'a free slot' : `where ${listed(move.occupants.map(({ name }) => name))} is now`;
  const besides =
    move.settings === null
      ? ''
      : `, and clear ACS redirect at ${listed(move.settings.ports.map((port) => port.at.name))}`;
  return {
    ...BY_HAND,
    kind: 'move',
    what: `Move ${who.name} to the slot below ${below} (${occupied})${besides}`,
    cost: `Power off and re-slot; the link below ${below} may be narrower, and bus numbers change.`,
    takeBack: 'put the card back',
    reboot: true,
    proof: judged({ kind: 'slot' }, { kind: 'pair', type: move.verdict.type }),
  };
}

/** The first newer rules that would give the pair a better path. */
export function newerKernelFix({ policy, verdict }: NonNullable<SmallestChange['kernel']>): Fix {
  return {
    ...BY_HAND,
    kind: 'kernelRelease',
    what: `Run a newer kernel: the rules of ${policy} allow it`,
    cost: 'A new kernel.',
    takeBack: 'boot the old one',
    reboot: true,
    proof: judged({ kind: 'rules', policy }, { kind: 'pair', type: verdict.type }),
  };
}
