/**
 * What the reader of a captured root needs, taken out of a tree of files: the live /sys and /proc, or another capture.
 * Serial numbers and what names the host stay behind.
 */

import { bytesOf, latin1 } from '../../../core/text.ts';
import { parseBdf } from '../../../pcie/bdf.ts';
import type { FileTree } from '../file-tree.ts';
import { redactCmdline, redactConfig, redactCpuinfo, redactVersion } from './redact.ts';

export type CapturedEntry =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export interface Capture {
  /** Sorted by path. */
  readonly entries: readonly CapturedEntry[];
  readonly functions: number;
  /** Functions of which only the 64 bytes that everybody may read were readable. */
  readonly headersOnly: number;
  /** Functions of which a serial number, and of which VPD registers were removed. */
  readonly serialNumbers: number;
  readonly vpd: number;
  /** The command line named the host, a UUID or a MAC address, and no longer does. */
  readonly cmdlineRedacted: boolean;
}

const DEVICES = 'sys/bus/pci/devices';
const GROUPS = 'sys/kernel/iommu_groups';

/** Attributes of a function besides its configuration space. Documentation/ABI/testing/sysfs-bus-pci. */
const ATTRIBUTES: readonly string[] = [
  'resource',
  'class',
  'vendor',
  'device',
  'subsystem_vendor',
  'subsystem_device',
  'revision',
  'numa_node',
  'current_link_speed',
  'current_link_width',
  'max_link_speed',
  'max_link_width',
  'p2pmem/size',
  'p2pmem/available',
  'p2pmem/published',
];
const LINKS: readonly string[] = ['driver', 'iommu_group', 'physfn'];

/**
 * Captures from `tree`. `hostName` is taken out of the kernel command line.
 */
export function captureRoot(tree: FileTree, hostName: string): Capture {
  const entries: CapturedEntry[] = [];
  const counts = { functions: 0, headersOnly: 0, serialNumbers: 0, vpd: 0 };
  for (const name of tree.list(DEVICES) ?? []) {
    const folder = tree.resolve(`${DEVICES}/${name}`);
    if (parseBdf(name) === null || folder === null) continue;
    const target = tree.linkTarget(`${DEVICES}/${name}`);
    if (target !== null) entries.push({ kind: 'link', path: `${DEVICES}/${name}`, target });
    captureFunction(tree, folder, entries, counts);
  }
  captureGroups(tree, entries);
  const cmdline = redactCmdline(textOf(tree, 'proc/cmdline') ?? '', hostName);
  addText(entries, 'proc/cmdline', cmdline.text);
  addText(entries, 'proc/cpuinfo', redactCpuinfo(textOf(tree, 'proc/cpuinfo') ?? ''));
  addText(entries, 'proc/version', redactVersion(textOf(tree, 'proc/version') ?? ''));
  addText(entries, 'proc/iomem', textOf(tree, 'proc/iomem') ?? '');
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { entries, ...counts, cmdlineRedacted: cmdline.removed };
}

function captureFunction(
  tree: FileTree,
  folder: string,
  entries: CapturedEntry[],
  counts: { functions: number; headersOnly: number; serialNumbers: number; vpd: number },
): void {
  counts.functions++;
  const config = tree.read(`${folder}/config`);
  if (config !== null) {
    const { bytes, serialNumber, vpd } = redactConfig(config);
    entries.push({ kind: 'file', path: `${folder}/config`, bytes });
    if (bytes.length <= 64) counts.headersOnly++;
    if (serialNumber) counts.serialNumbers++;
    if (vpd) counts.vpd++;
  }
  for (const attribute of ATTRIBUTES) {
    const bytes = tree.read(`${folder}/${attribute}`);
    if (bytes !== null) entries.push({ kind: 'file', path: `${folder}/${attribute}`, bytes });
  }
  for (const link of LINKS) {
    const target = tree.linkTarget(`${folder}/${link}`);
    if (target !== null) entries.push({ kind: 'link', path: `${folder}/${link}`, target });
  }
}

function captureGroups(tree: FileTree, entries: CapturedEntry[]): void {
  for (const group of tree.list(GROUPS) ?? []) {
    const type = tree.read(`${GROUPS}/${group}/type`);
    if (type !== null) entries.push({ kind: 'file', path: `${GROUPS}/${group}/type`, bytes: type });
    for (const device of tree.list(`${GROUPS}/${group}/devices`) ?? []) {
      const path = `${GROUPS}/${group}/devices/${device}`;
      entries.push({ kind: 'link', path, target: tree.linkTarget(path) ?? `../../../../bus/pci/devices/${device}` });
    }
  }
}

function textOf(tree: FileTree, path: string): string | null {
  const bytes = tree.read(path);
  return bytes === null ? null : latin1(bytes);
}

function addText(entries: CapturedEntry[], path: string, text: string): void {
  if (text !== '') entries.push({ kind: 'file', path, bytes: bytesOf(text) });
}
