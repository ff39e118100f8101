/** Distance to several clients, and the nearest published provider. Linux: pci_p2pdma_distance_many(), pci_p2pmem_find_many(). */

import { checkObject } from '../core/argument.ts';
import type { Prng } from '../core/prng.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { p2pdmaDistance } from './distance.ts';
import type { JudgeContext } from './judge.ts';

/**
 * Sum of the distances from `provider` to all `clients`, in hops; -1 where there is no client or one of the pairs is not
 * supported or not known.
 */
export function p2pdmaDistanceMany(
  provider: PciFunction,
  clients: readonly PciFunction[],
  context: JudgeContext,
): number {
  if (clients.length === 0) return -1;
  let sum = 0;
  for (const client of clients) {
    const verdict = p2pdmaDistance(provider, client, context);
    if (verdict.type === 'notSupported' || verdict.type === 'unknown' || verdict.distance === null) return -1;
    sum += verdict.distance;
  }
  return sum;
}

/** All published providers at the smallest distance to `clients`, in the order given; empty where none can serve them. */
export function nearestProviders(
  published: readonly PciFunction[],
  clients: readonly PciFunction[],
  context: JudgeContext,
): PciFunction[] {
  let best = Number.POSITIVE_INFINITY;
  let nearest: PciFunction[] = [];
  for (const provider of published) {
    const distance = p2pdmaDistanceMany(provider, clients, context);
    if (distance < 0 || distance > best) continue;
    if (distance < best) nearest = [];
    best = distance;
    nearest.push(provider);
  }
  return nearest;
}

/**
 * `pci_p2pmem_find_many()`: one of the nearest published providers, chosen by `chance` among ties; null where none can
 * serve all clients.
 */
export function findProvider(
  published: readonly PciFunction[],
  clients: readonly PciFunction[],
  context: JudgeContext,
  chance: Prng,
): PciFunction | null {
  checkObject(published, 'length', 'findProvider: published', 'a list of PciFunction');
  checkObject(clients, 'length', 'findProvider: clients', 'a list of PciFunction');
  checkObject(chance, 'pick', 'findProvider: chance', 'a Prng with a seed');
  const nearest = nearestProviders(published, clients, context);
  return nearest.length === 0 ? null : chance.pick(nearest);
}
