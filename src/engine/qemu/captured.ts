/**
 * A machine that was enumerated, as a captured root: the files that Linux would show of it. What reads captures reads this, so
 * that matrix, topo and mappings work on a QEMU machine as on any other, and its capture can be kept.
 */

import { hex, hexDigits } from '../../core/hex.ts';
import type { Range } from '../../core/range.ts';
import { bytesOf } from '../../core/text.ts';
import { buildMachine } from '../../machine/build.ts';
import type { Machine } from '../../machine/machine.ts';
import type { CapturedEntry } from '../../machine/read/live/captured-entry.ts';
import { readCapturedRoot } from '../../machine/read/root/captured-root.ts';
import { MemoryTree } from '../../machine/read/root/file-tree.ts';
import { formatBdf } from '../../pcie/bdf.ts';
import { ECAM_BASE, ECAM_BYTES } from './config-access.ts';
import type { FoundFunction, SizedBar } from './enumerate.ts';
import type { PlacedBar, Placement } from './resources.ts';

/** What is to be known of a machine beside its functions. */
export interface CaptureFacts {
  readonly functions: readonly FoundFunction[];
  readonly placement: Placement;
  /** Configuration spaces, in the order of the functions. */
  readonly configs: readonly Uint8Array[];
  readonly ram: Range;
  readonly reserved: Range;
  readonly cpu: { readonly vendor: string; readonly family: number };
  /** Release of the kernel by whose rules the machine is to be judged; null: not known, since none runs. */
  readonly kernel: string | null;
  /** How each function's DMA meets the IOMMU, as the type of a group of its own; null where it does not. */
  readonly groupTypes: readonly ('DMA' | 'identity' | null)[];
}

/** The kernel's resource flags. Linux include/linux/ioport.h. */
const IORESOURCE_MEM = 0x200;
const IORESOURCE_PREFETCH = 0x2000;
const IORESOURCE_SIZEALIGN = 0x40000;
const IORESOURCE_MEM_64 = 0x100000;
/** Lines of `resource`: six BARs and the ROM. */
const RESOURCE_LINES = 7;

/** The files, sorted by path. */
export function capturedEntries(facts: CaptureFacts): CapturedEntry[] {
  const entries: CapturedEntry[] = [];
  const file = (path: string, content: string | Uint8Array): void => {
    entries.push({ kind: 'file', path, bytes: typeof content === 'string' ? bytesOf(content) : content });
  };
  const link = (path: string, target: string): void => {
    entries.push({ kind: 'link', path, target });
  };
  const folders = foldersOf(facts.functions);
  facts.functions.forEach((fn, index) => {
    const name = formatBdf(fn.bdf);
    const folder = folders[index] as string;
    const path = `sys/devices/${folder}`;
    file(`${path}/config`, facts.configs[index] as Uint8Array);
    file(`${path}/vendor`, `${hex(fn.vendorId, 4)}\n`);
    file(`${path}/device`, `${hex(fn.deviceId, 4)}\n`);
    file(`${path}/class`, `${hex(fn.classCode, 6)}\n`);
    file(`${path}/resource`, resourceText(fn, index, facts.placement));
    link(`sys/bus/pci/devices/${name}`, `../../../devices/${folder}`);
    const type = facts.groupTypes[index];
    if (type === null || type === undefined) return;
    const group = `sys/kernel/iommu_groups/${index}`;
    file(`${group}/type`, `${type}\n`);
    link(`${group}/devices/${name}`, `../../../../devices/${folder}`);
    link(`${path}/iommu_group`, `${'../'.repeat(path.split('/').length - 1)}kernel/iommu_groups/${index}`);
  });
  file('proc/cpuinfo', `processor\t: 0\nvendor_id\t: ${facts.cpu.vendor}\ncpu family\t: ${facts.cpu.family}\n`);
  if (facts.kernel !== null) file('proc/version', `Linux version ${facts.kernel}\n`);
  file('proc/iomem', iomemText(facts));
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The machine that the files show. */
export function machineOf(facts: CaptureFacts, source: string): Machine {
  const tree = new MemoryTree();
  for (const entry of capturedEntries(facts)) {
    if (entry.kind === 'file') tree.addFile(entry.path, entry.bytes);
    else tree.addLink(entry.path, entry.target);
  }
  return buildMachine(readCapturedRoot(tree, source));
}

/** `pci0000:00/0000:00:03.0/0000:01:00.0`, for each function. */
function foldersOf(functions: readonly FoundFunction[]): string[] {
  const folders: string[] = [];
  for (const { bdf, parent, rootBus } of functions) {
    const above = parent < 0 ? `pci0000:${hexDigits(rootBus, 2)}` : folders[parent];
    folders.push(`${above}/${formatBdf(bdf)}`);
  }
  return folders;
}

function resourceText(fn: FoundFunction, index: number, placement: Placement): string {
  const lines = Array.from({ length: RESOURCE_LINES }, () => resourceLine(0, 0, 0));
  for (const bar of placement.bars) if (bar.fn === index) lines[bar.index] = barLine(bar, fn.bars);
  return `${lines.join('\n')}\n`;
}

function barLine(bar: PlacedBar, sized: readonly SizedBar[]): string {
  const is64Bit = sized.find((one) => one.index === bar.index)?.is64Bit === true;
  const kind = (bar.prefetchable ? IORESOURCE_PREFETCH | 8 : 0) | (is64Bit ? IORESOURCE_MEM_64 | 4 : 0);
  return resourceLine(bar.address, bar.address + bar.lengthBytes - 1, IORESOURCE_MEM | IORESOURCE_SIZEALIGN | kind);
}

function resourceLine(start: number, end: number, flags: number): string {
  return [start, end, flags].map((value) => hex(value, 16)).join(' ');
}

function iomemText({ ram, reserved, placement }: CaptureFacts): string {
  const ranges: { range: Range; name: string }[] = [
    { range: ram, name: 'System RAM' },
    { range: reserved, name: 'Reserved' },
    { range: { start: ECAM_BASE, end: ECAM_BASE + ECAM_BYTES }, name: 'PCI MMCONFIG 0000 [bus 00-ff]' },
  ];
  for (const { bus, memory, prefetchable } of placement.roots) {
    for (const range of [memory, prefetchable]) {
      if (range !== null) ranges.push({ range, name: `PCI Bus 0000:${hexDigits(bus, 2)}` });
    }
  }
  ranges.sort((a, b) => a.range.start - b.range.start);
  return ranges
    .map(({ range, name }) => `${hexDigits(range.start, 8)}-${hexDigits(range.end - 1, 8)} : ${name}\n`)
    .join('');
}
