/**
 * hwloc's XML, versions 1 and 2: `lstopo topo.xml`. Bridges without a fork are left out unless the tool was told to keep them. A link's rate is
 * that of the moment, so that an idle GPU shows a slow one; 0 is unknown.
 *
 *   <object type="Bridge" bridge_type="0-1" depth="0" bridge_pci="0000:[00-ff]">                    a host bridge
 *     <object type="Bridge" bridge_type="1-1" bridge_pci="0000:[01-05]" pci_busid="0000:00:01.0" pci_type="0604 [8086:2f02] [0000:0000] 02">
 *       <object type="PCIDev" pci_busid="0000:01:00.0" pci_type="0302 [10de:20b0] [10de:1450] a1" pci_link_speed="31.507692">
 *         <object type="OSDev" name="cuda0" osdev_type="5"/>
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, SettingItem } from '../measured/items.ts';
import { namedDevice } from './hwloc-names.ts';
import { type FunctionItem, functionItem, type ProcessorItem } from './skeleton.ts';
import { childrenOf, readXml, type XmlElement } from './xml.ts';

export type HwlocItem = (FunctionItem | ProcessorItem | DeviceItem | SettingItem) & { readonly kind: 'hwloc' };

const TYPE = /^([0-9a-f]{4}) \[([0-9a-f]{4}):([0-9a-f]{4})\](?: \[([0-9a-f]{4}):([0-9a-f]{4})\])?/i;
const BUSES = /^([0-9a-f]{4,8}):\[([0-9a-f]{2})-([0-9a-f]{2})\]$/i;
/** What is told of the machine, and under which name. */
const INFOS: Readonly<Record<string, string>> = {
  DMIProductName: 'product',
  DMIBoardName: 'board',
  DMIBIOSVersion: 'BIOS version',
  OSRelease: 'kernel release',
  hwlocVersion: 'hwloc version',
};

/** The functions, processors and named devices of an XML text. */
export function hwlocOfXml(
  lines: readonly CleanLine[],
  file: string,
): { readonly items: readonly HwlocItem[]; readonly isComplete: boolean } {
  const { root, isComplete } = readXml(lines);
  const topology = childrenOf(root, 'topology')[0];
  const walk = new Walk(file);
  walk.objects(topology ?? root, topology === undefined ? undefined : null, null);
  return { items: walk.items, isComplete: isComplete && topology !== undefined };
}

class Walk {
  readonly items: HwlocItem[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Walks over the objects within `element`. */
  objects(element: XmlElement, parent: string | null | undefined, numaNode: number | null): void {
    for (const object of childrenOf(element, 'object')) {
      const type = object.attributes.get('type');
      const node = singleNode(object.attributes.get('nodeset')) ?? numaNode;
      if (type === 'Machine') this.#machine(object);
      if (type === 'Package' || type === 'Socket') this.#processor(object, node);
      const address = printedAddress(object.attributes.get('pci_busid') ?? '').address;
      if (address === null || (type !== 'Bridge' && type !== 'PCIDev')) {
        // Below a host bridge the buses are its own.
        const isHostBridge = type === 'Bridge' && object.attributes.get('bridge_type') === '0-1';
        this.objects(object, isHostBridge ? null : parent, node);
        continue;
      }
      this.#function(object, address, { parent, numaNode: node });
      this.objects(object, address, node);
    }
  }

  #place(line: number): { readonly kind: 'hwloc'; readonly file: string; readonly line: number } {
    return { kind: 'hwloc', file: this.#file, line };
  }

  #machine(machine: XmlElement): void {
    for (const [name, value, line] of infosOf(machine)) {
      const setting = INFOS[name];
      if (setting !== undefined) this.items.push({ ...this.#place(line), what: 'setting', name: setting, value });
    }
  }

  #processor(socket: XmlElement, numaNode: number | null): void {
    const infos = new Map(infosOf(socket).map(([name, value]) => [name, value] as const));
    const number = (name: string): number | null => {
      const value = infos.get(name);
      return value === undefined || !/^\d{1,5}$/.test(value) ? null : Number(value);
    };
    this.items.push({
      ...this.#place(socket.line),
      what: 'processor',
      numaNode,
      vendor: infos.get('CPUVendor') ?? null,
      family: number('CPUFamilyNumber'),
      model: number('CPUModelNumber'),
      name: infos.get('CPUModel') ?? null,
    });
  }

  #function(object: XmlElement, address: string, above: Pick<FunctionItem, 'parent' | 'numaNode'>): void {
    const { attributes } = object;
    const [, code, vendor, device, subVendor, subDevice] = TYPE.exec(attributes.get('pci_type') ?? '') ?? [];
    const [, , first, last] = BUSES.exec(attributes.get('bridge_pci') ?? '') ?? [];
    const rate = Number.parseFloat(attributes.get('pci_link_speed') ?? '');
    const infos = infosOf(object);
    const names = childrenOf(object, 'object').flatMap((child) =>
      child.attributes.get('type') === 'OSDev' ? (child.attributes.get('name') ?? []) : [],
    );
    this.items.push(
      functionItem({
        ...this.#place(object.line),
        ...above,
        function: address,
        buses: first === undefined || last === undefined ? null : { secondary: hex(first), subordinate: hex(last) },
        name: infos.find(([name]) => name === 'PCIDevice')?.[1] ?? attributes.get('name') ?? null,
        ids: pairOf(vendor, device),
        subsystem: pairOf(subVendor, subDevice),
        class: code === undefined ? null : hex(code),
        link: rate > 0 ? { rate, speed: null, width: null, state: 'current' } : null,
        names,
      }),
    );
    for (const name of names) {
      const device = namedDevice(name, { address, assumed: [] });
      if (device !== null) this.items.push({ ...this.#place(object.line), what: 'device', device });
    }
  }
}

const hex = (digits: string): number => Number.parseInt(digits, 16);

/** Two identities; null where they were not written, or are zero. */
function pairOf(vendor: string | undefined, device: string | undefined): FunctionItem['ids'] {
  if (vendor === undefined || device === undefined || hex(vendor) === 0) return null;
  return { vendor: hex(vendor), device: hex(device) };
}

function infosOf(element: XmlElement): (readonly [name: string, value: string, line: number])[] {
  return childrenOf(element, 'info').map(
    ({ attributes, line }) => [attributes.get('name') ?? '', attributes.get('value') ?? '', line] as const,
  );
}

/** The node of a set with one member: `0x00000001`, or more words with commas, the last the lowest; null for others. */
function singleNode(set: string | undefined): number | null {
  if (set === undefined || !/^0x[0-9a-f,x]{1,400}$/i.test(set)) return null;
  const words = set.split(',').map((word) => Number.parseInt(word, 16));
  const nodes: number[] = [];
  for (const [at, word] of words.reverse().entries()) {
    for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) nodes.push(32 * at + bit);
  }
  return nodes.length === 1 ? (nodes[0] as number) : null;
}
