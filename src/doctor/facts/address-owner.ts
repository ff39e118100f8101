/**
 * Whose is an address: RAM, a BAR, a bridge's window, something reserved, an address that only an IOMMU would make, or nothing. The
 * machine's memory map, its BARs and its windows are asked in the order in which a CPU or a TLP would meet them.
 */

import type { Range } from '../../core/range.ts';
import { type IomemEntry, iommuModeOf, type Machine } from '../../machine/machine.ts';
import type { Bar } from '../../pcie/bar.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { mayBeX86 } from '../command-line/iommu-words.ts';

export type AddressOwner =
  | { readonly kind: 'ram'; readonly range: Range }
  | {
      readonly kind: 'bar';
      readonly fn: PciFunction;
      readonly bar: number;
      /** Bytes from the BAR's start. */
      readonly offset: number;
      /** Bytes; null where the capture does not tell: then the address lies in the window behind it. */
      readonly size: number | null;
      /** What the address was taken for: as the CPU sees it, or as a TLP carries it. */
      readonly space: 'phys' | 'bus';
      /** Memory Space Enable; null where not known. */
      readonly decoding: boolean | null;
      /** Other BARs that claim the address as well: two answer, and neither is heard right. */
      readonly others: readonly { readonly fn: PciFunction; readonly bar: number }[];
    }
  | { readonly kind: 'window'; readonly bridge: PciFunction; readonly window: Range; readonly prefetchable: boolean }
  /** In the window of a host bridge, and in no bridge's and no BAR below it. */
  | { readonly kind: 'aperture'; readonly name: string; readonly range: Range }
  | { readonly kind: 'reserved'; readonly name: string; readonly range: Range | null }
  /** Nothing is there, and it is where Linux takes I/O virtual addresses from, for a device that is translated or may be. */
  | { readonly kind: 'iova'; readonly why: string }
  | { readonly kind: 'nothing' }
  /** Nothing that the capture shows; it holds no memory map, so RAM may be there. */
  | { readonly kind: 'unknown' };

/** A search for BARs by address; the command gives the mapping's lookup structure, which this floor may not import. */
export type FindBar = (address: number) => { readonly fn: PciFunction; readonly bar: number } | null;

/** What holds every address that a function behind it may use: the entry of /proc/iomem for a root bus. */
const APERTURE = /^PCI Bus [0-9a-f]{4,}:[0-9a-f]{2}$/;

/** Where x86 raises interrupts by memory writes. */
const MSI: Range = { start: 0xfee00000, end: 0xfef00000 };
/** What stands at the same place on every x86 machine; a memory map, where there is one, knows better. */
const X86_PLACES: readonly { readonly name: string; readonly range: Range }[] = [
  { name: 'I/O APIC (on x86)', range: { start: 0xfec00000, end: 0xfed00000 } },
  { name: 'HPET (on x86)', range: { start: 0xfed00000, end: 0xfed00400 } },
];

/**
 * Whose `address` is. `by` is the function that used it: its own host bridge decides how bus addresses are read, and only for a function
 * can an address be an I/O virtual one.
 */
export function addressOwner(
  machine: Machine,
  address: number,
  findBar: FindBar,
  by: PciFunction | null,
): AddressOwner {
  const ram = machine.ram.find((range) => address >= range.start && address < range.end);
  if (ram !== undefined) return { kind: 'ram', range: ram };
  const found = findBar(address);
  if (found !== null) return barOwner(machine, found, address, 'phys');
  const unsized = barBySlot(machine, address, by);
  if (unsized !== null) return unsized;
  if (address >= MSI.start && address < MSI.end)
    return { kind: 'reserved', name: 'message-signalled interrupts', range: MSI };
  const window = windowAt(machine, address);
  if (window !== null) return window;
  // A physical reservation binds no I/O virtual address: for a device that is translated the latter is meant.
  const isTranslated = by !== null && iommuModeOf(machine, by) === 'on';
  const entry = deepest(machine.iomem, address);
  if (entry !== null && APERTURE.test(entry.name)) {
    // Linux keeps I/O virtual addresses out of the windows of host bridges: iova_reserve_pci_windows().
    return { kind: 'aperture', name: entry.name, range: { start: entry.start, end: entry.end } };
  }
  if (!isTranslated && entry !== null && !/^System RAM/.test(entry.name)) {
    return { kind: 'reserved', name: entry.name, range: { start: entry.start, end: entry.end } };
  }
  const fixed = isTranslated || machine.iomem.length > 0 ? null : x86Place(machine, address);
  if (fixed !== null) return { kind: 'reserved', ...fixed };
  return iovaOrNothing(machine, address, by);
}

function x86Place(machine: Machine, address: number): (typeof X86_PLACES)[number] | null {
  if (!mayBeX86(machine)) return null;
  return X86_PLACES.find(({ range }) => address >= range.start && address < range.end) ?? null;
}

function barOwner(
  machine: Machine,
  { fn, bar: index }: { readonly fn: PciFunction; readonly bar: number },
  address: number,
  space: 'phys' | 'bus',
): Extract<AddressOwner, { kind: 'bar' }> {
  const bar = fn.bars.find((candidate) => candidate.index === index);
  const start = (space === 'phys' ? bar?.cpuAddress : bar?.busAddress) ?? address;
  return {
    kind: 'bar',
    fn,
    bar: index,
    offset: address - start,
    size: bar?.size ?? null,
    space,
    decoding: decodingOf(fn),
    others: bar === undefined ? [] : otherClaims(machine, { fn, bar }, address, space),
  };
}

function decodingOf({ command }: PciFunction): boolean | null {
  return command === null ? null : (command & 2) !== 0;
}

/** BARs besides `own` that claim the address: known to hold it, or of unknown size and at the same place. */
function otherClaims(
  { hierarchy }: Machine,
  own: { readonly fn: PciFunction; readonly bar: Bar },
  address: number,
  space: 'phys' | 'bus',
): { readonly fn: PciFunction; readonly bar: number }[] {
  const rootOf = (fn: PciFunction): number => hierarchy.rootBusOf[hierarchy.indexOf(fn.bdf)] as number;
  const startOf = (bar: Bar): number | null => (space === 'phys' ? bar.cpuAddress : bar.busAddress);
  const claims = (bar: Bar): boolean => {
    const start = startOf(bar);
    if (bar.space !== 'memory' || start === null) return false;
    return bar.size === null ? start === startOf(own.bar) : address >= start && address < start + bar.size;
  };
  return hierarchy.functions.flatMap((fn) => {
    if (decodingOf(fn) === false || (space === 'bus' && rootOf(fn) !== rootOf(own.fn))) return [];
    const bars = fn.bars.filter((bar) => !(fn === own.fn && bar.index === own.bar.index) && claims(bar));
    return bars.map(({ index }) => ({ fn, bar: index }));
  });
}

/**
 * The BAR that `address` is in where it is read as a TLP carries it: on a machine whose host bridges add an offset this may be
 * another one than the CPU finds there. Null where no such BAR is, or where the two are the same.
 */
export function busAddressOwner(
  machine: Machine,
  address: number,
  by: PciFunction | null,
): Extract<AddressOwner, { kind: 'bar' }> | null {
  const owner = barBySlot(machine, address, by);
  if (owner?.kind !== 'bar') return null;
  const bar = owner.fn.bars.find((candidate) => candidate.index === owner.bar);
  return bar === undefined || bar.busAddress === bar.cpuAddress ? null : owner;
}

/** BARs by the address that a TLP would carry, where it differs, and BARs whose size the capture does not tell (a hex dump). */
function barBySlot(machine: Machine, address: number, by: PciFunction | null): AddressOwner | null {
  const { hierarchy } = machine;
  const rootOf = (fn: PciFunction): number => hierarchy.rootBusOf[hierarchy.indexOf(fn.bdf)] as number;
  let nearest: { fn: PciFunction; bar: number; start: number }[] = [];
  for (const fn of hierarchy.functions) {
    for (const bar of fn.bars) {
      if (bar.space !== 'memory' || bar.busAddress === null) continue;
      const { busAddress, size } = bar;
      if (size !== null) {
        // Behind another host bridge the same bus address may be something else.
        const mine = by === null || rootOf(by) === rootOf(fn);
        if (mine && address >= busAddress && address < busAddress + size)
          return barOwner(machine, { fn, bar: bar.index }, address, 'bus');
        continue;
      }
      const start = nearest[0]?.start ?? -1;
      if (busAddress > address || busAddress < start) continue;
      const one = { fn, bar: bar.index, start: busAddress };
      nearest = busAddress === start ? [...nearest, one] : [one];
    }
  }
  // Without a size the window of the port above bounds it: behind the window's end it cannot reach.
  const owner = nearest.find(({ fn, start }) => {
    const above = hierarchy.functions[hierarchy.parent[hierarchy.indexOf(fn.bdf)] as number];
    const windows = [above?.memoryWindow, above?.prefetchableWindow];
    return address === start || windows.some((window) => window && start >= window.start && address < window.end);
  });
  return owner === undefined ? null : barOwner(machine, owner, address, 'bus');
}

/** The smallest open window of a bridge that holds the address. */
function windowAt(machine: Machine, address: number): Extract<AddressOwner, { kind: 'window' }> | null {
  let best: Extract<AddressOwner, { kind: 'window' }> | null = null;
  for (const bridge of machine.hierarchy.functions) {
    if (!bridge.isBridge) continue;
    const windows = [
      { window: bridge.memoryWindow, prefetchable: false },
      { window: bridge.prefetchableWindow, prefetchable: true },
    ];
    for (const { window, prefetchable } of windows) {
      if (!window) continue;
      // Windows are registers, and hold bus addresses.
      const [start, end] = [window.start - bridge.busOffset, window.end - bridge.busOffset];
      if (address < start || address >= end) continue;
      const isSmaller = best === null || end - start <= best.window.end - best.window.start;
      if (isSmaller) best = { kind: 'window', bridge, window: { start, end }, prefetchable };
    }
  }
  return best;
}

function deepest(iomem: readonly IomemEntry[], address: number): IomemEntry | null {
  let found: IomemEntry | null = null;
  for (const entry of iomem) {
    if (address >= entry.start && address < entry.end && (found === null || entry.depth >= found.depth)) found = entry;
  }
  return found;
}

/** Linux gives I/O virtual addresses from the top down: first below 4 GiB, then below the width of the device or the IOMMU. */
function iovaOrNothing(machine: Machine, address: number, by: PciFunction | null): AddressOwner {
  const isRamKnown = machine.ram.length > 0;
  const none: AddressOwner = { kind: isRamKnown ? 'nothing' : 'unknown' };
  if (by === null ? hasNoIommu(machine) || !isRamKnown : iommuModeOf(machine, by) === 'off') return none;
  const top = machine.ram.at(-1)?.end ?? 0;
  const group = by?.iommuGroup ?? null;
  const type = group === null ? undefined : machine.iommuGroupTypes.get(group);
  if (type === 'identity') return none;
  const translated = type !== undefined;
  if (by === null && !(address >= 0xf0000000 && address < 2 ** 32) && address < top) return none;
  if (translated)
    return {
      kind: 'iova',
      why: `group ${group} of ${by?.name} is translated (${type}), and ${isRamKnown ? 'nothing physical' : 'no BAR'} is at this address`,
    };
  if (address >= 0xf0000000 && address < 2 ** 32) {
    return {
      kind: 'iova',
      why: `it is right below 4 GiB, from where Linux hands out I/O virtual addresses, and ${isRamKnown ? 'nothing physical' : 'no BAR'} is there`,
    };
  }
  if (isRamKnown && address >= 2 ** 40 && address > top && by !== null) {
    return {
      kind: 'iova',
      why: 'it is far above all memory, from where Linux hands out I/O virtual addresses to devices with wide masks',
    };
  }
  return none;
}

/** Whether the capture shows that no function's DMA is translated. */
function hasNoIommu(machine: Machine): boolean {
  return machine.hierarchy.functions.every((fn) => iommuModeOf(machine, fn) === 'off');
}
