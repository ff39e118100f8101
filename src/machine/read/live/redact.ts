/** What a capture must not carry out of the house: serial numbers, and what names the host. */

import { copyBytes } from '../../../core/bytes.ts';
import { conventionalCapabilities, extendedCapabilities } from '../../../pcie/capability.ts';
import { ConfigSpace } from '../../../pcie/config-space.ts';

/** Vital Product Data: address and data registers, behind which serial numbers lie. PCIe 7.9.18. */
const CAP_VPD = 0x03;
/** Device Serial Number: 64 bits; of a network card it is the MAC address. PCIe 7.9.3. */
const EXT_CAP_SERIAL = 0x0003;

export interface RedactedConfig {
  readonly bytes: Uint8Array;
  readonly serialNumber: boolean;
  readonly vpd: boolean;
}

/** A copy of a configuration space with the serial number and the VPD registers set to zero; the capabilities stay. */
export function redactConfig(original: Uint8Array): RedactedConfig {
  const config = new ConfigSpace(original.subarray(0, 4096));
  const bytes = copyBytes(original);
  if (config.allOnes) return { bytes, serialNumber: false, vpd: false };
  const vpd = conventionalCapabilities(config).entries.filter((entry) => entry.id === CAP_VPD);
  for (const { offset } of vpd) bytes.fill(0, offset + 2, offset + 8);
  const serials = extendedCapabilities(config).entries.filter((entry) => entry.id === EXT_CAP_SERIAL);
  for (const { offset } of serials) bytes.fill(0, offset + 4, offset + 12);
  return { bytes, serialNumber: serials.length > 0, vpd: vpd.length > 0 };
}

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
const MAC = /(?<![0-9a-f:])(?:[0-9a-f]{2}[:-]){5,7}[0-9a-f]{2}(?![0-9a-f:])/gi;
const IP_ADDRESS = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g;
/** At least four groups, or `::` in it: a PCI address has three. */
const IPV6_ADDRESS =
  /(?<![0-9a-f:.])(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}(?![0-9a-f:.])|(?<![0-9a-f:.])(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?![0-9a-f:.])/gi;
const HOME = /\/(home|Users)\/[^/\s"',;:]+/g;
/** With a domain behind it: `10x@0000:03:00.0` of config_acs is none. */
const ADDRESS_OF_SOMEBODY = /(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b/gi;
const QUALIFIED_NAME = /\bnqn\.\S+|\beui\.\S+/g;
const SERIAL = /\b(serial(?: ?(?:number|no\.?))?\s*[:=#]\s*|serial number )[^\s,;]+/gi;

/**
 * Options of the kernel command line that name disks, networks, hosts and keys, and nothing of PCI. Documentation/admin-guide/
 * kernel-parameters.txt; dracut.cmdline(7), systemd(1), cloud-init.
 */
const PERSONAL_OPTION =
  /^(?:root|rootflags|resume|nfsroot|nfsaddrs|netroot|ip|ifname|bootif|hostname|systemd\.hostname|systemd\.machine_id|rd\.(?:lvm|luks|md|iscsi|zfcp|znet|nvmf|route|peerdns)(?:\.[\w.]+)?|luks(?:\.\w+)?|cryptdevice|cryptkey|iscsi_\w+|nvmf\.\w+|ds|cc|inst\.\w+|ks|url|autoinstall|netcfg\/\S+|nameserver|rd\.nameserver|user|password|\w*token\w*|\w*secret\w*)$/i;
/** Values of such options that name nobody. */
const PLAIN_DEVICE = /^(?:\/dev\/(?:nvme|sd|vd|xvd|md|mmcblk|ram)\w*|dhcp|on|off|auto|none|\d{1,3})$/;

/** The kernel command line without what names the host, its disks, networks and users. */
export function redactCmdline(cmdline: string, hostName: string): { readonly text: string; readonly removed: boolean } {
  const words = cmdline.split(/(\s+)/).map((word) => {
    const at = word.indexOf('=');
    const isPersonal = at > 0 && PERSONAL_OPTION.test(word.slice(0, at)) && !PLAIN_DEVICE.test(word.slice(at + 1));
    return isPersonal ? `${word.slice(0, at + 1)}REMOVED` : word;
  });
  const text = redactText(words.join(''), hostName);
  return { text, removed: text !== cmdline };
}

/** A line of the kernel's log without what names the host, a serial number, a network or a user. PCI addresses stay. */
export function redactLogLine(line: string, hostName: string): string {
  return redactText(line, hostName).replace(SERIAL, '$1REMOVED');
}

function redactText(original: string, hostName: string): string {
  const zeros = (match: string): string => match.replace(/[0-9a-f]/gi, '0');
  let text = original
    .replace(UUID, zeros)
    .replace(MAC, zeros)
    .replace(IP_ADDRESS, '0.0.0.0')
    .replace(IPV6_ADDRESS, withoutV6);
  text = text.replace(HOME, '/$1/USER').replace(ADDRESS_OF_SOMEBODY, 'SOMEBODY').replace(QUALIFIED_NAME, 'nqn.REMOVED');
  for (const name of namesOf(hostName)) text = text.replaceAll(wholeWord(name), 'HOST');
  return text;
}

/** A MAC address that is zeros by now has groups of two digits each. */
function withoutV6(match: string): string {
  return /^(?:00:)+00$/.test(match) ? match : '::';
}

/** Words of the kernel's own: a host that is called so is not given away by them. */
const COMMON_NAMES: ReadonlySet<string> = new Set(
  'localhost linux host kernel pci pcie nvme nvidia amdgpu iommu root mem gpu server debian ubuntu fedora'.split(' '),
);

/** The full name and its first part, the longer first. */
function namesOf(hostName: string): string[] {
  const [first = ''] = hostName.split('.');
  return [...new Set([hostName, first])].filter((name) => name !== '' && !COMMON_NAMES.has(name.toLowerCase()));
}

/** The name by itself, and as volume groups have it: `gpu7-root`; not inside `gpu70`. */
function wholeWord(word: string): RegExp {
  return new RegExp(`(?<!\\w)${word.replace(/[^\w]/g, '\\$&')}(?!\\w)`, 'gi');
}

/**
 * Lines of /proc/cpuinfo that tell what the CPU is, of the first processor only; a serial number is not among them. Of its flags the one
 * that says that a hypervisor runs below.
 */
export function redactCpuinfo(cpuinfo: string): string {
  const [first = ''] = cpuinfo.split(/\n\s*\n/);
  const told = /^(processor|vendor_id|cpu family|model|model name|stepping|cpu|machine|isa|CPU \w+)\s*:/;
  const lines = first.split('\n').filter((line) => told.test(line));
  if (/^flags\s*:.*\bhypervisor\b/m.test(first)) lines.push('flags\t\t: hypervisor');
  return lines.map((line) => `${line}\n`).join('');
}

/** The release in /proc/version, without who built it and where. */
export function redactVersion(version: string): string {
  const release = /^Linux version (\S+)/.exec(version)?.[1];
  return release === undefined ? '' : `Linux version ${release}\n`;
}
