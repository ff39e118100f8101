/** What stands between pairs that ACS redirects: the functions that do it, and one pair of each case. */

import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from '../context.ts';
import type { PairCase } from './pair-cases.ts';

/** Every function that redirects on the paths of some cases, sorted by address. */
export function redirectingIn(cases: readonly PairCase[]): PciFunction[] {
  const found = new Set(cases.flatMap((item) => [...(item.named.get('ACS_REDIRECT') ?? [])]));
  return [...found].sort((a, b) => a.key - b.key);
}

/** The example of each case. */
export function examplesOf(
  { functions }: DoctorContext,
  cases: readonly PairCase[],
): { readonly provider: PciFunction; readonly client: PciFunction }[] {
  return cases.map(({ provider, client }) => ({
    provider: functions[provider] as PciFunction,
    client: functions[client] as PciFunction,
  }));
}
