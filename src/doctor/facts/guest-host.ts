/**
 * Whether a machine hosts virtual machines, or hands devices to programs: then an isolation that a fix takes away is one that somebody may
 * rely on. Linux: drivers/vfio, drivers/xen/xen-pciback, arch/x86/kvm.
 */

import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import { parseRelease } from '../../machine/kernel-release.ts';
import { hostEvidenceOf, type Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { parseCommandLine, plainKey } from '../command-line/command-line.ts';

/** Drivers that hold a device for a virtual machine, or for a program in user space. */
const HANDS_OUT = /^(?:vfio-pci|.*[-_]vfio[-_]pci|xen-pciback|pciback|uio_pci_generic|igb_uio)$/;

/** Whether a function is bound to a driver that hands it out. */
export function isHandedOut({ driver }: PciFunction): boolean {
  return driver !== null && HANDS_OUT.test(driver);
}

/** Modules by which a host hands devices out, and those that run guests; the telling ones first. */
const MODULES: readonly string[] = ['vfio_pci', 'vfio', 'xen_pciback', 'vhost_net', 'kvm_intel', 'kvm_amd', 'kvm'];

/** Words of the command line that give devices away. */
const WORDS: ReadonlySet<string> = new Set(['vfio_pci.ids', 'xen_pciback.hide', 'pci_stub.ids']);

/** What shows it, as the subject and verb of a sentence: `vfio-pci holds 0000:04:00.0`; null where nothing does. */
export function guestHostEvidence(machine: Machine): string | null {
  const held = machine.hierarchy.functions.find(isHandedOut);
  if (held !== undefined) return `${held.driver} holds ${held.name}`;
  const word = parseCommandLine(machine.cmdline ?? '').tokens.find(({ key }) => WORDS.has(plainKey(key)));
  if (word !== undefined) return `the command line has ${word.key}=`;
  if (parseRelease(machine.kernel)?.distribution === 'proxmox') return `${machine.kernel} is a kernel of Proxmox`;
  const { modules } = hostEvidenceOf(machine);
  // A guest of its own kind loads kvm for its processor, and seldom runs guests.
  const isGuest = hypervisorOf(machine) !== null;
  const module = MODULES.find((name) => modules?.byName.has(name) === true && !(isGuest && name.startsWith('kvm')));
  return module === undefined ? null : `the module ${module} is loaded`;
}
