/**
 * What a verdict would probably be where the evidence is strong and is no proof. The pair stays unknown; this stands beside it. Never
 * asked of a pair that is judged.
 */

import type { PciFunction } from '../pcie/pci-function.ts';
import { likelyAtHostBridge } from './host-bridge.ts';
import type { JudgeContext } from './judge.ts';
import type { Likely } from './verdict.ts';

/**
 * By IOMMU groups, where ACS between the two is not known. Linux puts devices below two ports of one switch into different groups only
 * where the ports send requests up: pci_acs_path_enabled() in drivers/pci/pci.c. No proof, as a patched kernel parts them by a word of
 * its command line. One group says nothing: a port above that isolates nothing joins what the switch parts.
 */
export function likelyByGroups(context: JudgeContext, provider: number, client: number, common: number): Likely | null {
  const group = (index: number): number | null => (context.functions[index] as PciFunction).iommuGroup;
  const [a, b] = [group(provider), group(client)];
  if (a === null || b === null || a === b || context.rootBus(provider).evidence === null) return null;
  if (/\bpcie_acs_override=/.test(context.machine.cmdline ?? '')) return null;
  // Functions of one device are parted by what is known of their maker, without any redirect.
  if (!endsInPort(context, provider, common) || !endsInPort(context, client, common)) return null;
  const answer = context.hostBridge(provider, client);
  const type =
    answer.allowed === null ? likelyAtHostBridge(answer)?.type : answer.allowed ? 'thruHostBridge' : 'notSupported';
  if (type === undefined) return null;
  const names = [provider, client].map((index) => (context.functions[index] as PciFunction).name);
  return {
    type,
    because: `${names[0]} is in IOMMU group ${a} and ${names[1]} in ${b}, and Linux parts what one switch has below it only where ACS redirects`,
  };
}

/** Whether a bridge stands between a function and the node where the paths meet. */
function endsInPort({ parent }: JudgeContext, from: number, common: number): boolean {
  const above = parent[from] as number;
  return from !== common && above >= 0 && above !== common;
}
