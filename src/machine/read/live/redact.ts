/** What a capture must not carry out of the house: serial numbers, and what names the host. */

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
  const bytes = original.slice();
  if (config.allOnes) return { bytes, serialNumber: false, vpd: false };
  const vpd = conventionalCapabilities(config).entries.filter((entry) => entry.id === CAP_VPD);
  for (const { offset } of vpd) bytes.fill(0, offset + 2, offset + 8);
  const serials = extendedCapabilities(config).entries.filter((entry) => entry.id === EXT_CAP_SERIAL);
  for (const { offset } of serials) bytes.fill(0, offset + 4, offset + 12);
  return { bytes, serialNumber: serials.length > 0, vpd: vpd.length > 0 };
}

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
const MAC = /\b(?:[0-9a-f]{2}[:-]){5,7}[0-9a-f]{2}\b/gi;

/** The kernel command line without the host's name, UUIDs and MAC addresses. */
export function redactCmdline(cmdline: string, hostName: string): { readonly text: string; readonly removed: boolean } {
  const zeros = (match: string): string => match.replace(/[0-9a-f]/gi, '0');
  let text = cmdline.replace(UUID, zeros).replace(MAC, zeros);
  if (hostName !== '') text = text.replaceAll(wholeWord(hostName), 'HOST');
  return { text, removed: text !== cmdline };
}

function wholeWord(word: string): RegExp {
  return new RegExp(`(?<![\\w-])${word.replace(/[^\w-]/g, '\\$&')}(?![\\w-])`, 'g');
}

/** Lines of /proc/cpuinfo that tell what the CPU is, of the first processor only; a serial number is not among them. */
export function redactCpuinfo(cpuinfo: string): string {
  const [first = ''] = cpuinfo.split(/\n\s*\n/);
  const told = /^(processor|vendor_id|cpu family|model|model name|stepping|cpu|machine|CPU \w+)\s*:/;
  const lines = first.split('\n').filter((line) => told.test(line));
  return lines.map((line) => `${line}\n`).join('');
}

/** The release in /proc/version, without who built it and where. */
export function redactVersion(version: string): string {
  const release = /^Linux version (\S+)/.exec(version)?.[1];
  return release === undefined ? '' : `Linux version ${release}\n`;
}
