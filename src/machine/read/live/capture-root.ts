/**
 * What the reader of a captured root needs, taken out of a tree of files: the live /sys and /proc, or another capture.
 * Serial numbers and what names the host stay behind.
 */

import { bytesOf, latin1 } from '../../../core/text.ts';
import { parseBdf } from '../../../pcie/bdf.ts';
import { parseIomem, parseKernelRelease } from '../../proc.ts';
import type { FileTree } from '../root/file-tree.ts';
import { captureHost, type LiveParts } from './capture-host.ts';
import type { CapturedEntry, MissingPart } from './captured-entry.ts';
import { redactCmdline, redactConfig, redactCpuinfo, redactVersion } from './redact.ts';

export interface Capture {
  /** Sorted by path. */
  readonly entries: readonly CapturedEntry[];
  readonly functions: number;
  /** Functions of which configuration space was read at all. */
  readonly configs: number;
  /** Functions of which only the 64 bytes that everybody may read were readable. */
  readonly headersOnly: number;
  /** Functions of which a serial number, and of which VPD registers were removed. */
  readonly serialNumbers: number;
  readonly vpd: number;
  /** The command line named the host, its disks, networks or users, and no longer does. */
  readonly cmdlineRedacted: boolean;
  /** What could not be captured; empty where all is there. */
  readonly missing: readonly MissingPart[];
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
  'dma_mask_bits',
  'consistent_dma_mask_bits',
  'p2pmem/size',
  'p2pmem/available',
  'p2pmem/published',
];
const LINKS: readonly string[] = ['driver', 'iommu_group', 'physfn'];

/**
 * Captures from `tree`; `parts` are the running kernel's log and what undoes gzip. The host's name is taken out of all text.
 */
export function captureRoot(tree: FileTree, parts: LiveParts): Capture {
  const entries: CapturedEntry[] = [];
  const counts = { functions: 0, headersOnly: 0, serialNumbers: 0, vpd: 0, configs: 0 };
  for (const name of tree.list(DEVICES) ?? []) {
    const folder = tree.resolve(`${DEVICES}/${name}`);
    if (parseBdf(name) === null || folder === null) continue;
    const target = tree.linkTarget(`${DEVICES}/${name}`);
    if (target !== null) entries.push({ kind: 'link', path: `${DEVICES}/${name}`, target });
    captureFunction(tree, folder, entries, counts);
  }
  captureGroups(tree, entries);
  const cmdline = redactCmdline(textOf(tree, 'proc/cmdline') ?? '', parts.hostName);
  addText(entries, 'proc/cmdline', cmdline.text);
  addText(entries, 'proc/cpuinfo', redactCpuinfo(textOf(tree, 'proc/cpuinfo') ?? ''));
  const version = textOf(tree, 'proc/version') ?? '';
  addText(entries, 'proc/version', redactVersion(version));
  const iomem = textOf(tree, 'proc/iomem') ?? '';
  // Without root all addresses are zeros, and the map says nothing.
  if (parseIomem(iomem).length > 0) addText(entries, 'proc/iomem', iomem);
  const host = captureHost(tree, parseKernelRelease(version), parts);
  entries.push(...host.entries);
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const missing = [...missingParts(tree, counts, iomem), ...host.missing];
  return { entries, ...counts, cmdlineRedacted: cmdline.removed, missing };
}

function missingParts(
  tree: FileTree,
  {
    functions,
    headersOnly,
    configs,
  }: { readonly functions: number; readonly headersOnly: number; readonly configs: number },
  iomem: string,
): MissingPart[] {
  const missing: MissingPart[] = [];
  const lspci = 'sudo lspci -Dnnvvvxxxx';
  if (configs < functions) {
    const why = `the configuration space of ${functions - configs} of ${functions} functions cannot be read`;
    missing.push({ what: 'registers', why, command: lspci });
  }
  if (headersOnly > 0) {
    const why = `without root only 64 bytes of configuration space are shown, of ${headersOnly} of ${functions} functions`;
    missing.push({ what: 'ACS and every other capability', why, command: lspci });
  }
  if (parseIomem(iomem).length === 0) {
    const why = iomem === '' ? 'there is no /proc/iomem to read' : 'without root /proc/iomem shows zeros';
    missing.push({ what: 'the memory map', why, command: 'sudo cat /proc/iomem' });
  }
  for (const file of ['proc/cmdline', 'proc/version', 'proc/cpuinfo']) {
    if (textOf(tree, file) !== null) continue;
    missing.push({ what: `/${file}`, why: 'it is not there to read', command: `cat /${file}` });
  }
  if (tree.list(GROUPS) === null) {
    const why = `there is no /${GROUPS}: this kernel knows no IOMMU, or a container hides it`;
    missing.push({ what: 'the IOMMU groups', why, command: `ls /${GROUPS}` });
  }
  return missing;
}

function captureFunction(
  tree: FileTree,
  folder: string,
  entries: CapturedEntry[],
  counts: { functions: number; headersOnly: number; serialNumbers: number; vpd: number; configs: number },
): void {
  counts.functions++;
  const config = tree.read(`${folder}/config`);
  if (config !== null) {
    counts.configs++;
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
