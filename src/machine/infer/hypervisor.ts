/**
 * Whether a capture was taken inside a virtual machine: by the devices that only hypervisors make, or by what the kernel, the processor
 * or the firmware says. A host that runs guests itself (Xen's first domain, a Hyper-V root) says the same of its processor, and shows a
 * real root complex; so do machines that a cloud rents out whole, beside the cloud's cards.
 */

import type { PciFunction } from '../../pcie/pci-function.ts';
import { CLASS_HOST_BRIDGE } from '../../pcie/registers.ts';
import type { Setting } from '../host-evidence.ts';
import { hostEvidenceOf, type Machine } from '../machine.ts';
import { amdPartOf, isHostPart } from './amd-processors.ts';
import { isAncient, isDrawn } from './host-bridges.ts';

/** Which hypervisor, and what shows it: a function, or a line of a file. */
export interface Hypervisor {
  /** `QEMU or KVM`, `Xen`, `Amazon EC2`. */
  readonly name: string;
  readonly fn: PciFunction | null;
  readonly setting: Setting | null;
}

/** Vendors that exist in hypervisors only: Red Hat (QEMU; virtio by device, too), Xen, VMware, VirtualBox, Parallels, bhyve. */
const MAKERS: ReadonlyMap<number, string> = new Map([
  [0x1b36, 'QEMU or KVM'],
  [0x5853, 'Xen'],
  [0x15ad, 'VMware'],
  [0x80ee, 'VirtualBox'],
  [0x1ab8, 'Parallels'],
  [0xfb5d, 'bhyve'],
]);

/** Vendors whose devices a guest of a cloud has, and a machine that the cloud rents out whole. */
const CLOUDS: ReadonlyMap<number, string> = new Map([
  [0x1414, 'Hyper-V'],
  [0x1d0f, 'Amazon EC2'],
  [0x1ae0, 'Google Compute Engine'],
]);

/** The same makers as a listing without numbers prints them. */
const PRINTED: readonly (readonly [maker: RegExp, name: string, isCloud: boolean])[] = [
  [/^Red Hat/, 'QEMU or KVM', false],
  [/^XenSource/, 'Xen', false],
  [/^VMware/, 'VMware', false],
  [/^InnoTek/, 'VirtualBox', false],
  [/^Parallels/, 'Parallels', false],
  [/^Microsoft/, 'Hyper-V', true],
  [/^Amazon/, 'Amazon EC2', true],
  [/^Google/, 'Google Compute Engine', true],
];

const KNOWN = new WeakMap<Machine, { readonly hypervisor: Hypervisor | null }>();

/** The hypervisor that the machine is a guest of; null on real hardware, and where nothing shows one. */
export function hypervisorOf(machine: Machine): Hypervisor | null {
  let known = KNOWN.get(machine);
  if (known === undefined) {
    known = { hypervisor: findHypervisor(machine) };
    KNOWN.set(machine, known);
  }
  return known.hypervisor;
}

function findHypervisor(machine: Machine): Hypervisor | null {
  const { functions } = machine.hierarchy;
  const of = (fn: PciFunction, name: string): Hypervisor => ({ name, fn, setting: null });
  let cloud: Hypervisor | null = null;
  for (const fn of functions) {
    const { name, isCloud } = makerOf(fn);
    if (name === null) continue;
    if (!isCloud) return of(fn, name);
    cloud ??= of(fn, name);
  }
  if (functions.some(isRealRoot)) return null;
  return cloud ?? ancientChipset(functions) ?? saidOf(machine);
}

function makerOf(fn: PciFunction): { readonly name: string | null; readonly isCloud: boolean } {
  const { vendorId } = fn;
  // The numbers of a name may be several: Red Hat has two vendors.
  if (fn.deviceId === null) {
    const printed = fn.facts.text?.deviceName ?? '';
    const row = PRINTED.find(([maker]) => maker.test(printed));
    if (row !== undefined) return { name: row[1], isCloud: row[2] };
  }
  if (vendorId === null) return { name: null, isCloud: false };
  if (isVirtio(fn) || isStandardVga(fn)) return { name: 'QEMU or KVM', isCloud: false };
  const cloud = CLOUDS.get(vendorId);
  return { name: MAKERS.get(vendorId) ?? cloud ?? null, isCloud: cloud !== undefined };
}

/** A root complex that no hypervisor draws: one of AMD's processors, or a host bridge of Intel's that is not among the drawn ones. */
function isRealRoot(fn: PciFunction): boolean {
  if (amdPartOf(fn) !== null && isHostPart(fn)) return true;
  return fn.vendorId === 0x8086 && fn.classCode === CLASS_HOST_BRIDGE && fn.deviceId !== null && !isDrawn(fn);
}

/** A chipset of the last century with a PCI Express device beside it: KVM, Xen, VMware and Hyper-V draw one, and clouds built on them. */
function ancientChipset(functions: readonly PciFunction[]): Hypervisor | null {
  const fn = functions.find(isAncient);
  const hasExpress = functions.some(({ portType }) => portType !== null && portType !== 'conventional');
  if (fn === undefined || !hasExpress) return null;
  return { name: fn.deviceId === 0x1237 ? 'KVM or Xen' : 'VMware or Hyper-V', fn, setting: null };
}

/** What the kernel, the processor or the firmware says. */
function saidOf(machine: Machine): Hypervisor | null {
  const host = hostEvidenceOf(machine);
  const said = host.hypervisor;
  if (said !== null) return { name: said.value, fn: null, setting: said };
  for (const { text, file, line } of host.kernelLog ?? []) {
    const name = /^Hypervisor detected: (\S.{0,60})$/.exec(text)?.[1];
    if (name !== undefined) return { name, fn: null, setting: { value: name, file, line } };
  }
  return null;
}

/** Virtual I/O Device specification, 4.1.2: 1000 to 107f; 1110 is shared memory. Accelerator cards speak virtio, too, and are no bridges. */
function isVirtio({ vendorId, deviceId, isBridge }: PciFunction): boolean {
  if (vendorId !== 0x1af4 || deviceId === null || isBridge) return false;
  return (deviceId >= 0x1000 && deviceId <= 0x107f) || deviceId === 0x1110;
}

function isStandardVga({ vendorId, deviceId }: PciFunction): boolean {
  return vendorId === 0x1234 && deviceId === 0x1111;
}
