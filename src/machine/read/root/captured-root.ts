/**
 * A captured root: the parts of /sys and /proc that tell of PCI. The layout is the kernel's (Documentation/ABI/testing/
 * sysfs-bus-pci); any subset will do, and what is missing is not known.
 */

import { latin1 } from '../../../core/text.ts';
import { type Bdf, bdfKey, parseBdf } from '../../../pcie/bdf.ts';
import { ConfigSpace } from '../../../pcie/config-space.ts';
import type { LinkFacts } from '../../../pcie/express.ts';
import type { FunctionFacts, P2pmemFacts, SysfsFacts, SysfsResource } from '../../../pcie/function-facts.ts';
import type { MachineEvidence } from '../../build.ts';
import { MachineError } from '../../errors.ts';
import type { Setting } from '../../host-evidence.ts';
import type { ReadNote } from '../../machine.ts';
import { FUNCTIONS_UNREAD } from '../../note-list.ts';
import { parseCpuinfo, parseIomem, parseKernelRelease } from '../../proc.ts';
import type { FileTree } from './file-tree.ts';
import { type HostAids, hasPackedConfig, readHostFiles } from './host-files.ts';

/** Bytes of a configuration space without an extended one: Linux sizes the file `config` by what it reaches. pci_cfg_space_size(). */
const SHORT_SPACE = 256;
const DEVICES = 'sys/bus/pci/devices';
const GROUPS = 'sys/kernel/iommu_groups';

/** Whether reading the root needs gzip undone: a packed kernel configuration lies in it. */
export function needsGunzip(tree: FileTree): boolean {
  return hasPackedConfig(tree, rootCandidates(tree));
}

/**
 * Reads a captured root. It may be nested one folder deep.
 *
 * @param aids what undoes gzip, and the running kernel's log where the tree is a live one
 * @throws MachineError INPUT_NO_PCI where there is no PCI in it
 */
export function readCapturedRoot(tree: FileTree, source: string, aids: HostAids = {}): MachineEvidence {
  const notes: ReadNote[] = [];
  const candidates = rootCandidates(tree);
  for (const [index, prefix] of candidates.entries()) {
    const { folders, unread } = functionFolders(tree, prefix);
    if (folders.length === 0) continue;
    if (unread.length > 0) notes.push(unreadNote(unread, source));
    noteOthers(tree, prefix, candidates.slice(index + 1), source, notes);
    const groups = iommuGroups(tree, prefix);
    const text = (path: string): string | null => readText(tree, prefix + path);
    const kernel = parseKernelRelease(text('proc/version') ?? '');
    const masks = new Map<number, Setting>();
    const functions = folders.map(({ bdf, path }) =>
      readFunction(tree, { bdf, path, prefix, source, notes, groups: groups.of, masks }),
    );
    const evidence = {
      source,
      functions,
      iomem: parseIomem(text('proc/iomem') ?? ''),
      cpu: parseCpuinfo(text('proc/cpuinfo') ?? ''),
      kernel,
      cmdline: text('proc/cmdline')?.trim() ?? null,
      iommuGroupTypes: groups.types,
      host: { ...readHostFiles(tree, { prefix, kernel, notes }, aids), dmaMaskBits: masks },
    };
    notes.push(...passedOverNotes(tree, source));
    return { ...evidence, notes };
  }
  throw new MachineError({
    code: 'INPUT_NO_PCI',
    path: source,
    message: `holds no ${DEVICES} and no sys/devices/pci*`,
    hint: 'capture a root that holds them: p2pdma capture -o host.tar.gz, or see "Capture without Node" in the README',
  });
}

/** Tells of further captured roots beside a nested one that is read. */
function noteOthers(tree: FileTree, read: string, rest: readonly string[], source: string, notes: ReadNote[]): void {
  if (read === '') return;
  const others = rest
    .filter((prefix) => functionFolders(tree, prefix).folders.length > 0)
    .map((prefix) => prefix.slice(0, -1));
  if (others.length === 0) return;
  const left = `${others.slice(0, 3).join(', ')}${others.length > 3 ? ', ...' : ''}`;
  const are = others.length === 1 ? 'is' : 'are';
  const message = `holds several captured machines: ${read.slice(0, -1)} is read, ${left} ${are} not; name the one that is meant`;
  notes.push({ code: 'SEVERAL_ROOTS', file: source, line: null, message });
}

function rootCandidates(tree: FileTree): string[] {
  const nested = (tree.list('') ?? []).map((name) => `${name}/`);
  return ['', ...nested.filter((prefix) => prefix !== 'sys/' && prefix !== 'proc/')];
}

interface Folder {
  readonly bdf: Bdf;
  readonly path: string;
}

/** Where the functions lie, and the names of those that lead nowhere: their domain was not captured, or may not be read. */
function functionFolders(tree: FileTree, prefix: string): { readonly folders: Folder[]; readonly unread: string[] } {
  const found = new Map<number, Folder>();
  const unread: string[] = [];
  const add = (name: string, path: string): void => {
    const bdf = parseBdf(name);
    if (bdf !== null && !found.has(bdfKey(bdf))) found.set(bdfKey(bdf), { bdf, path });
  };
  for (const name of tree.list(prefix + DEVICES) ?? []) {
    const path = tree.resolve(`${prefix}${DEVICES}/${name}`);
    if (path !== null) add(name, path);
    else if (parseBdf(name) !== null) unread.push(name);
  }
  if (found.size > 0) return { folders: [...found.values()], unread };
  // A capture without the bus folder: the device tree alone names every function.
  const walked = new Set<string>();
  const walk = (path: string, depth: number): void => {
    // Links may lead in circles: each folder is walked once, by whatever name.
    const folder = tree.resolve(path);
    if (folder === null || walked.has(folder) || depth > 64) return;
    walked.add(folder);
    for (const name of tree.list(path) ?? []) {
      const isFunction = parseBdf(name) !== null;
      if (isFunction) add(name, `${path}/${name}`);
      if (isFunction || /^pci[0-9a-f]{4,8}:[0-9a-f]{2}$/.test(name) || depth < 2) walk(`${path}/${name}`, depth + 1);
    }
  };
  walk(`${prefix}sys/devices`, 0);
  return { folders: [...found.values()], unread };
}

/** Names that a note shows. */
const NAMES_MAX = 3;

function unreadNote(names: readonly string[], source: string): ReadNote {
  const shown = names.slice(0, NAMES_MAX).join(', ');
  const more = names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : '';
  const message = `${shown}${more} ${names.length === 1 ? 'is' : 'are'} listed, and nothing of ${names.length === 1 ? 'it' : 'them'} could be read: capture sys/devices as well, as root`;
  return { code: FUNCTIONS_UNREAD, file: source, line: null, message };
}

/** What has the name of a file of a capture and is none, a note each; of many the first. */
function passedOverNotes({ passedOver }: FileTree, source: string): ReadNote[] {
  const notes = passedOver.slice(0, NAMES_MAX).map(
    ({ path, why }): ReadNote => ({
      code: 'FILE_PASSED_OVER',
      file: path,
      line: null,
      message: `${why}; it is passed over`,
    }),
  );
  const left = passedOver.length - notes.length;
  if (left === 0) return notes;
  return [
    ...notes,
    { code: 'FILE_PASSED_OVER', file: source, line: null, message: `${left} more files like these are passed over` },
  ];
}

interface Groups {
  readonly types: Map<number, string>;
  readonly of: Map<number, number>;
}

function iommuGroups(tree: FileTree, prefix: string): Groups {
  const types = new Map<number, string>();
  const of = new Map<number, number>();
  for (const name of tree.list(prefix + GROUPS) ?? []) {
    if (!/^\d+$/.test(name)) continue;
    const group = Number.parseInt(name, 10);
    const type = readText(tree, `${prefix}${GROUPS}/${name}/type`);
    if (type !== null) types.set(group, type.trim());
    for (const device of tree.list(`${prefix}${GROUPS}/${name}/devices`) ?? []) {
      const bdf = parseBdf(device);
      if (bdf !== null) of.set(bdfKey(bdf), group);
    }
  }
  return { types, of };
}

interface Place extends Folder {
  readonly prefix: string;
  readonly source: string;
  readonly notes: ReadNote[];
  readonly groups: ReadonlyMap<number, number>;
  /** Filled in: DMA masks by `bdfKey`. */
  readonly masks: Map<number, Setting>;
}

function readFunction(tree: FileTree, place: Place): FunctionFacts {
  const { bdf, path, prefix } = place;
  // One listing spares a search for each attribute that is not there. A folder that may not be listed may still be read.
  const names = tree.list(path);
  const listed = names === null ? null : new Set(names);
  const isThere = (name: string): boolean => listed === null || listed.has(name);
  const text = (name: string): string | null => (isThere(name) ? readText(tree, `${path}/${name}`) : null);
  const number = (name: string): number | undefined => {
    const value = text(name)?.trim();
    if (value === undefined || value === '') return undefined;
    return /^(-?\d+|0x[0-9a-f]+)$/i.test(value) ? Number(value) : undefined;
  };
  const linkName = (name: string): string | undefined => {
    if (!isThere(name)) return undefined;
    const target = tree.linkTarget(`${path}/${name}`)?.replace(/\/+$/, '');
    return target?.slice(target.lastIndexOf('/') + 1);
  };
  const bytes = isThere('config') ? tree.read(`${path}/config`) : null;
  const config = bytes === null ? ConfigSpace.UNKNOWN : new ConfigSpace(knownConfig(bytes));
  const groupName = linkName('iommu_group');
  const group = place.groups.get(bdfKey(bdf)) ?? (groupName === undefined ? undefined : Number.parseInt(groupName, 10));
  const physfn = linkName('physfn');
  const folder = path.startsWith(prefix) ? path.slice(prefix.length) : path;
  const mask = text('dma_mask_bits')?.trim();
  if (mask !== undefined && /^\d+$/.test(mask)) {
    place.masks.set(bdfKey(bdf), { value: mask, file: `${folder}/dma_mask_bits`, line: null });
  } else if (mask !== undefined) {
    place.notes.push({
      code: 'DMA_MASK',
      file: `${folder}/dma_mask_bits`,
      line: 1,
      message: 'is no number of bits; it is taken as not known',
    });
  }
  const sysfs: SysfsFacts = {
    folder,
    ...placeOf(folder),
    vendorId: number('vendor'),
    deviceId: number('device'),
    classCode: number('class'),
    subsystemVendorId: number('subsystem_vendor'),
    subsystemId: number('subsystem_device'),
    resources: parseResources(text('resource'), `${folder}/resource`, place.notes),
    numaNode: number('numa_node'),
    iommuGroup: group,
    driver: linkName('driver'),
    physicalFunction: physfn === undefined ? undefined : (parseBdf(physfn) ?? undefined),
    link: linkAttributes(text),
    endsAt256: bytes?.length === SHORT_SPACE && config.length === SHORT_SPACE,
    p2pmem: p2pmem(isThere('p2pmem'), (name) => readText(tree, `${path}/${name}`)),
  };
  return {
    bdf,
    config,
    configSource: bytes === null ? null : { kind: 'config', file: `${folder}/config`, line: null },
    text: null,
    sysfs,
  };
}

/**
 * The bytes that were really read. An archiver that was refused all but the first 64 bytes fills the rest with zeros; a
 * header that points to capabilities where there are only zeros gives that away.
 */
function knownConfig(bytes: Uint8Array): Uint8Array {
  const size = bytes.length >= 4096 ? 4096 : Math.min(bytes.length, 256);
  const config = bytes.subarray(0, size);
  const hasList = size > 64 && ((config[6] as number) & 0x10) !== 0;
  if (hasList && config.subarray(64, 256).every((byte) => byte === 0)) return config.subarray(0, 64);
  return config;
}

/** Parent and root bus by the folders of a path: `sys/devices/pci0000:00/0000:00:02.0/0000:01:00.0`. */
function placeOf(folder: string): Pick<SysfsFacts, 'parent' | 'rootBus'> {
  const parts = folder.split('/');
  const above = parts[parts.length - 2] ?? '';
  let rootBus: number | undefined;
  for (const part of parts) {
    const match = /^pci[0-9a-f]{4,8}:([0-9a-f]{2})$/i.exec(part);
    if (match) rootBus = Number.parseInt(match[1] as string, 16);
  }
  if (rootBus === undefined) return { parent: undefined, rootBus };
  return { parent: parseBdf(above), rootBus };
}

function parseResources(text: string | null, file: string, notes: ReadNote[]): SysfsResource[] | undefined {
  if (text === null) return undefined;
  const resources: SysfsResource[] = [];
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const match = /^0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s*$/i.exec(line);
    if (!match) {
      notes.push({
        code: 'RESOURCE_LINE',
        file,
        line: index + 1,
        message: 'is not "start end flags"; the line is skipped',
      });
      // Keeps the numbering of the lines, which is the numbering of the BARs.
      resources.push({ start: 0, end: 0, flags: 0 });
      continue;
    }
    const [start, end] = [Number.parseInt(match[1] as string, 16), Number.parseInt(match[2] as string, 16)];
    const flags = Number.parseInt((match[3] as string).slice(-8), 16);
    resources.push(end < 2 ** 53 ? { start, end, flags } : { start: 0, end: 0, flags: 0 });
  }
  return resources;
}

function linkAttributes(text: (name: string) => string | null): LinkFacts | undefined {
  const speed = (name: string): number | null => {
    const match = /^([\d.]+) GT\/s/.exec(text(name) ?? '');
    return match ? Number.parseFloat(match[1] as string) : null;
  };
  const width = (name: string): number | null => {
    const match = /^(\d+)/.exec(text(name) ?? '');
    const lanes = match ? Number.parseInt(match[1] as string, 10) : 255;
    return lanes < 255 ? lanes : null;
  };
  const link = {
    maxSpeedGts: speed('max_link_speed'),
    maxWidth: width('max_link_width'),
    speedGts: speed('current_link_speed'),
    width: width('current_link_width'),
    active: null,
  };
  return link.maxSpeedGts === null && link.speedGts === null && link.width === null ? undefined : link;
}

function p2pmem(isThere: boolean, text: (name: string) => string | null): P2pmemFacts | undefined {
  const size = isThere ? text('p2pmem/size') : null;
  if (size === null) return undefined;
  return {
    size: Number.parseInt(size, 10) || 0,
    available: Number.parseInt(text('p2pmem/available') ?? '0', 10) || 0,
    published: (text('p2pmem/published') ?? '').trim() === '1',
  };
}

function readText(tree: FileTree, path: string): string | null {
  const bytes = tree.read(path);
  if (bytes === null) return null;
  // Archivers fill attribute files up to their nominal size with NULs.
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return latin1(bytes, 0, end);
}
