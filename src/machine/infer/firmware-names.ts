/** What hypervisors and clouds call their machines in the firmware's tables (DMI): systemd-detect-virt(1) lists the same makers. */

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^QEMU\b|^Bochs\b|^SeaBIOS/i, 'QEMU or KVM'],
  [/\bKVM\b|^Red Hat\b|^oVirt\b|^RHEV\b/i, 'KVM'],
  [/^OpenStack\b|^Alibaba Cloud\b|^Tencent Cloud\b|^DigitalOcean\b|^Nutanix\b|^Hetzner\b.*vServer/i, 'KVM'],
  [/^VMware\b/i, 'VMware'],
  [/^innotek GmbH\b|VirtualBox/i, 'VirtualBox'],
  [/^Xen\b/i, 'Xen'],
  [/^Parallels\b/i, 'Parallels'],
  [/^Microsoft Corporation Virtual Machine/i, 'Hyper-V'],
  [/^Google\b.*Compute Engine/i, 'Google Compute Engine'],
  [/^Amazon EC2\b/i, 'Amazon EC2'],
  [/^bhyve\b|^FreeBSD BHYVE/i, 'bhyve'],
  [/^Cloud Hypervisor\b/i, 'Cloud Hypervisor'],
];

/** Clouds name whole machines as they name guests, but for a word. */
const WHOLE_MACHINE = /\bmetal\b|bare ?metal/i;

/** The hypervisor by maker and model of a machine; null where they are those of hardware, or of a machine rented out whole. */
export function hypervisorOfFirmware(vendor: string, product: string): string | null {
  const text = `${vendor.trim()} ${product.trim()}`.trim();
  if (WHOLE_MACHINE.test(text)) return null;
  return NAMES.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
