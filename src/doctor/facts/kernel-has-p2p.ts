/**
 * Whether the kernel has peer-to-peer DMA: by its release, by what it shows in sysfs, by its own messages, by its configuration. Linux
 * drivers/pci/Kconfig, PCI_P2PDMA: since 4.20, and off unless the builder says otherwise.
 */

import { isConfigured } from '../../machine/kernel-config.ts';
import { kernelKnows, sinceRelease } from '../../machine/kernel-release.ts';
import { hostEvidenceOf, type Machine } from '../../machine/machine.ts';
import type { Evidence } from '../finding.ts';
import { machineEvidence } from './evidence.ts';
import { logEvidence, messagesOf } from './log-evidence.ts';

export type KernelSupport =
  | {
      readonly state: 'on' | 'off';
      readonly evidence: readonly Evidence[];
      readonly why: 'release' | 'config' | 'seen';
    }
  | { readonly state: 'unknown' };

/** Whether `machine`'s kernel has it, and what says so. */
export function kernelHasP2p(machine: Machine): KernelSupport {
  if (kernelKnows(machine.kernel, 'peerToPeer') === false) {
    const older = `older than ${sinceRelease('peerToPeer')}`;
    const evidence = machineEvidence(machine, 'kernel release', machine.kernel as string, older);
    return { state: 'off', evidence: [evidence], why: 'release' };
  }
  const seen = seenAtWork(machine);
  if (seen !== null) return { state: 'on', evidence: [seen], why: 'seen' };
  const { kernelConfig } = hostEvidenceOf(machine);
  const isOn = kernelConfig === null ? null : isConfigured(kernelConfig, 'PCI_P2PDMA');
  if (isOn === null) return { state: 'unknown' };
  const symbols = isOn ? ['PCI_P2PDMA'] : ['PCI_P2PDMA', 'ZONE_DEVICE'];
  return {
    state: isOn ? 'on' : 'off',
    evidence: symbols.map((symbol) => configEvidence(machine, symbol)),
    why: 'config',
  };
}

/** What only a kernel with peer-to-peer DMA shows: a function's p2pmem/ in sysfs, a message of p2pdma. */
function seenAtWork(machine: Machine): Evidence | null {
  const provider = machine.hierarchy.functions.find((fn) => fn.facts.sysfs?.p2pmem !== undefined);
  if (provider !== undefined) {
    const source = `${provider.facts.sysfs?.folder}/p2pmem/size`;
    const value = `${provider.facts.sysfs?.p2pmem?.size}`;
    return {
      at: provider.name,
      register: 'p2pmem/size',
      offset: null,
      value,
      meaning: 'it is at work',
      source,
      line: 1,
    };
  }
  const said = messagesOf(machine).find(({ message }) =>
    ['acsRedirect', 'refused', 'notListed', 'provided'].includes(message.kind),
  );
  return said === undefined ? null : logEvidence(said.line, null, 'only a kernel that has it says so');
}

/** One symbol of the kernel's configuration as it stands; a symbol that is not named is off. */
export function configEvidence(machine: Machine, symbol: string): Evidence {
  const { kernelConfig } = hostEvidenceOf(machine);
  const setting = kernelConfig?.options.get(symbol);
  const value = setting === undefined ? 'not named' : setting.value === 'n' ? 'is not set' : setting.value;
  return {
    at: null,
    register: `CONFIG_${symbol}`,
    offset: null,
    value,
    meaning: setting !== undefined && setting.value !== 'n' ? 'built in, or as a module' : 'not built in',
    source: kernelConfig?.file ?? null,
    line: setting?.line ?? null,
  };
}
