/**
 * What goes wrong in a scenario, made to happen.
 *
 * Software learns of an unplug: the hot-plug driver removes the device, and with it the provider. It does not learn of the
 * others, which are as if somebody wrote to the register behind the kernel's back (setpci): what was judged before stays
 * judged, as the kernel's cache of map types does.
 */

import type { HostChange } from './host.ts';
import type { FaultDescription, TransferDescription } from './scenario-types.ts';
import type { World } from './world.ts';

/** Injects the faults of a transfer that are due now. Returns them in words. */
export async function injectFaults(
  world: World,
  transfer: TransferDescription,
  at: FaultDescription['at'],
): Promise<string[]> {
  const done: string[] = [];
  for (const fault of transfer.faults ?? []) {
    if (fault.at !== at) continue;
    if (fault.unmap === true) done.push('unmapped before the transfer');
    for (const { change, words } of changesOf(world, fault)) {
      if (!(await world.host.inject(change))) {
        const message = `the machine of this run cannot do this: ${words}`;
        world.refuse('faults', message, 'run with --engine sim alone, or leave the fault out');
      }
      if (change.kind === 'unplug') world.forget(change.fn);
      done.push(words);
    }
  }
  return done;
}

function changesOf(world: World, fault: FaultDescription): { change: HostChange; words: string }[] {
  const changes: { change: HostChange; words: string }[] = [];
  if (fault.unplug !== undefined) {
    changes.push({
      change: { kind: 'unplug', fn: world.function(fault.unplug, 'faults') },
      words: `${fault.unplug} was unplugged`,
    });
  }
  if (fault.acs !== undefined) {
    const { port, set } = fault.acs;
    const bits = typeof set === 'string' ? set : set.join(' ');
    changes.push({
      change: { kind: 'acs', fn: world.function(port, 'faults'), set },
      words: `ACS of ${port} became ${bits}`,
    });
  }
  if (fault.busMasterOff !== undefined) {
    const fn = world.function(fault.busMasterOff, 'faults');
    changes.push({
      change: { kind: 'busMasterOff', fn },
      words: `Bus Master Enable of ${fault.busMasterOff} went off`,
    });
  }
  if (fault.memorySpaceOff !== undefined) {
    const fn = world.function(fault.memorySpaceOff, 'faults');
    changes.push({
      change: { kind: 'memorySpaceOff', fn },
      words: `Memory Space Enable of ${fault.memorySpaceOff} went off`,
    });
  }
  return changes;
}
