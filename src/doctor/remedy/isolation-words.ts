/** What isolation a change of ACS takes away, in words: what it costs, and what must be said before it is made. */

import { listed } from '../../core/words.ts';
import type { Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { IsolationCost } from '../change/isolation.ts';
import { guestHostEvidence, isHandedOut } from '../facts/guest-host.ts';

const namesOf = (functions: readonly PciFunction[]): string => listed(functions.map(({ name }) => name));

/** The cost as sentences: which functions come into one IOMMU group. */
export function isolationCostWords({ evidence, joined }: IsolationCost): string {
  if (joined.length === 0) return 'No isolation is lost: nothing that is apart now comes together.';
  const [first] = joined;
  const become =
    joined.length === 1 && first !== undefined
      ? `${namesOf(first.functions)} become one IOMMU group${numbersOf(first.groups)}, so none of them can be given to a virtual machine alone`
      : `each of these becomes one IOMMU group, so none in it can be given to a virtual machine alone: ${listed(joined.map((group) => `(${namesOf(group.functions)})`))}`;
  if (evidence === 'none') return `With the IOMMU off, as here, no isolation is lost; were it on, ${become}.`;
  const unseen = evidence === 'notCaptured' ? ' (the capture shows no groups: so it is with the IOMMU on)' : '';
  return `Isolation is lost: ${become}${unseen}.`;
}

function numbersOf(groups: readonly number[]): string {
  return groups.length < 2 ? '' : ` (groups ${groups.slice(0, -1).join(', ')} and ${groups.at(-1)} now)`;
}

/**
 * What is to be read before the change is made: the devices that a virtual machine or a program has, or may get, and that are no longer
 * apart from others. None where nothing comes together, and where nothing shows that the machine hands devices out.
 */
export function isolationCautions(machine: Machine, { evidence, joined }: IsolationCost): string[] {
  const now = evidence === 'none' ? ' The IOMMU is off here and isolates nothing now; this is for when it is on.' : '';
  const held = joined.flatMap(({ functions }) => {
    const mine = functions.filter(isHandedOut);
    const others = functions.filter((fn) => !isHandedOut(fn));
    return mine.length === 0 ? [] : [{ mine, others }];
  });
  if (held.length > 0) {
    return held.map(({ mine, others }) => {
      const is = mine.length === 1 ? 'is' : 'are';
      const it = mine.length === 1 ? 'it' : 'them';
      const drivers = [...new Set(mine.map(({ driver }) => driver as string))];
      const reach =
        others.length === 0
          ? `they are no longer apart from each other`
          : `${it === 'it' ? 'it is' : 'they are'} no longer apart from ${namesOf(others)}: each can reach the other by DMA`;
      return `Isolation: ${namesOf(mine)} ${is} bound to ${listed(drivers)}, so a virtual machine or a program may have ${it}; after this change ${reach}.${now}`;
    });
  }
  const host = joined.length === 0 ? null : guestHostEvidence(machine);
  if (host === null) return [];
  const groups = listed(joined.map(({ functions }) => `(${namesOf(functions)})`));
  return [
    `Isolation: ${host}, so this machine may give devices to virtual machines; after this change these can be given away together only: ${groups}.${now}`,
  ];
}
