/** Everything that would give one pair a better path, as fixes: ACS, another slot, a newer kernel. */

import type { JudgeContext } from '../../p2p/judge.ts';
import type { PairVerdict } from '../../p2p/verdict.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type SmallestChange, smallestChange } from '../change/smallest-change.ts';
import type { Fix } from '../finding.ts';
import { type AcsRemedy, acsRemedy } from './acs-remedy.ts';
import { moveFix, newerKernelFix } from './move-fix.ts';
import { Trial } from './trial.ts';

export interface PairRemedy {
  readonly change: SmallestChange;
  /** Null where ACS is not what stands in the way. */
  readonly acs: AcsRemedy | null;
  /** The pair once the ports of `acs` are set; null where none are. */
  readonly after: PairVerdict | null;
  /** All of it: ACS now and at every boot, moves, a newer kernel. */
  readonly fixes: readonly Fix[];
}

/** The remedy for one pair, by index in `judge.functions`. */
export function pairRemedy(judge: JudgeContext, provider: number, client: number): PairRemedy {
  const change = smallestChange(judge, provider, client);
  const pair = {
    provider: judge.functions[provider] as PciFunction,
    client: judge.functions[client] as PciFunction,
  };
  const { settings, moves, kernel } = change;
  const acs =
    settings === null
      ? null
      : acsRemedy(
          judge,
          settings.ports.map(({ at }) => at),
          [pair],
        );
  const fixes = [
    ...(acs?.fixes ?? []),
    ...moves.map((move) => moveFix(move, pair[move.who])),
    ...(kernel === null ? [] : [newerKernelFix(kernel)]),
  ];
  const isChanged = acs !== null && acs.ports.length > 0;
  const after = isChanged ? new Trial(judge, [pair]).verdicts({ kind: 'acs', ports: acs.ports })[0] : undefined;
  return { change, acs, after: after ?? null, fixes };
}
