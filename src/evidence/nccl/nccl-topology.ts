/**
 * NCCL's topology file (NCCL_TOPO_DUMP_FILE, NCCL_TOPO_FILE): the PCI tree as NCCL sees it, by processors. It keeps only what leads to GPUs and
 * NICs, shows a switch as its upstream port, and leaves root ports out. It may have been edited: clouds ship such files.
 *
 *   <system version="1">
 *     <cpu numaid="0" arch="x86_64" vendor="AuthenticAMD" familyid="143" modelid="49">
 *       <pci busid="0000:16:00.0" class="0x060400" vendor="0x1000" device="0xc030" link_speed="32.0 GT/s PCIe" link_width="16">
 *         <pci busid="0000:18:00.0" class="0x030200" ...><gpu dev="0" sm="90" rank="0" gdr="1"/></pci>
 */

import { deviceLabel, type PrintedAddress, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, PairItem } from '../measured/items.ts';
import { type Recogniser, tableOf } from '../recogniser.ts';
import { type FunctionItem, type FunctionLink, functionItem, type ProcessorItem } from '../topology/skeleton.ts';
import { childrenOf, readXml, type XmlElement, xmlBegins, xmlGoesOn } from '../topology/xml.ts';

export type NcclTopologyItem = (FunctionItem | ProcessorItem | DeviceItem | PairItem) & {
  readonly kind: 'nccl-topology';
};

const ROOT = 'system';
/** The beginning of a file whose first lines were not pasted. */
const PART = /^\s*<(?:cpu\s[^>]{0,200}numaid=|pci\s[^>]{0,40}busid=)/;

/** Recognises topology files. */
export const ncclTopology: Recogniser<NcclTopologyItem> = tableOf<NcclTopologyItem>({
  kind: 'nccl-topology',
  words: ['<?xml', '<system', '<cpu ', '<pci '],
  begins: (line) => xmlBegins(line, ROOT) || PART.test(line.text),
  continues: (line, lines) => xmlGoesOn(line, lines, ROOT),
  read: (lines, { file }) => {
    const { root, isComplete } = readXml(lines);
    const system = childrenOf(root, ROOT)[0] ?? root;
    const place = { kind: 'nccl-topology', file } as const;
    const items: NcclTopologyItem[] = [];
    for (const cpu of childrenOf(system, 'cpu')) {
      const numaNode = nodeOf(cpu);
      items.push({ ...place, line: cpu.line, what: 'processor', numaNode, ...processorOf(cpu) });
      addFunctions(items, cpu, { place, parent: null, numaNode });
    }
    // Functions whose processor was not pasted.
    addFunctions(items, system, { place, parent: undefined, numaNode: null });
    if (!items.some(({ what }) => what === 'function')) return null;
    return { items, isComplete: isComplete && system !== root };
  },
});

type Place = { readonly kind: 'nccl-topology'; readonly file: string };

interface Above {
  readonly place: Place;
  readonly parent: string | null | undefined;
  readonly numaNode: number | null;
}

/** `-1` where the system knows no node. */
function nodeOf(cpu: XmlElement): number | null {
  const node = Number.parseInt(cpu.attributes.get('numaid') ?? '', 10);
  return node >= 0 ? node : null;
}

function processorOf({ attributes }: XmlElement): Pick<ProcessorItem, 'vendor' | 'family' | 'model' | 'name'> {
  const number = (name: string): number | null => {
    const value = Number.parseInt(attributes.get(name) ?? '', 10);
    return value > 0 ? value : null;
  };
  const id = number('familyid');
  // NCCL puts the extended family beside the base family instead of adding it: 0x8f for family 0x17.
  const family = id !== null && id % 16 === 15 ? 15 + Math.floor(id / 16) : id;
  return { vendor: attributes.get('vendor') || null, family, model: number('modelid'), name: null };
}

/** Adds the functions below an element, with their GPUs and NICs, parents first. */
function addFunctions(items: NcclTopologyItem[], element: XmlElement, above: Above): void {
  for (const pci of childrenOf(element, 'pci')) {
    const { place, numaNode } = above;
    const address = printedAddress(pci.attributes.get('busid') ?? '');
    const parent = address.address ?? above.parent;
    if (address.address !== null) {
      items.push(functionOf(pci, address.address, above));
      items.push(...deviceItems(pci, address, above));
    }
    addFunctions(items, pci, { place, parent, numaNode });
  }
}

function functionOf(pci: XmlElement, address: string, { place, parent, numaNode }: Above): NcclTopologyItem {
  const hex = (name: string): number | null => hexOf(pci.attributes.get(name));
  const pair = (vendor: number | null, device: number | null): FunctionItem['ids'] =>
    vendor === null || device === null ? null : { vendor, device };
  const classCode = hex('class');
  return functionItem({
    ...place,
    line: pci.line,
    function: address,
    parent,
    numaNode,
    class: classCode === null ? null : classCode >> 8,
    ids: pair(hex('vendor'), hex('device')),
    subsystem: pair(hex('subsystem_vendor'), hex('subsystem_device')),
    link: linkOf(pci),
    names: netsOf(pci).flatMap(({ attributes }) => attributes.get('name') ?? []),
  });
}

function hexOf(text: string | undefined): number | null {
  return /^0x[0-9a-f]{1,8}$/i.test(text ?? '') ? Number(text) : null;
}

/** Of a GPU, newer releases write the link as it is at the moment; of all others what both ends can do. */
function linkOf(pci: XmlElement): FunctionLink | null {
  const speed = Number.parseFloat(pci.attributes.get('link_speed') ?? '');
  const width = Number.parseInt(pci.attributes.get('link_width') ?? '', 10);
  const link = {
    rate: null,
    speed: speed > 0 ? speed : null,
    width: width > 0 ? width : null,
    state: childrenOf(pci, 'gpu').length > 0 ? 'current' : 'best',
  } as const;
  return link.speed === null && link.width === null ? null : link;
}

const netsOf = (pci: XmlElement): readonly XmlElement[] =>
  childrenOf(pci, 'nic').flatMap((nic) => childrenOf(nic, 'net'));

/** GPUs and NICs of a function. */
function deviceItems(pci: XmlElement, address: PrintedAddress, { place, numaNode }: Above): NcclTopologyItem[] {
  const shared = { ...place, what: 'device', ...(numaNode === null ? {} : { numaNode }) } as const;
  const items: NcclTopologyItem[] = [];
  for (const gpu of childrenOf(pci, 'gpu')) {
    const [dev, rank] = ['dev', 'rank'].map((name) => Number.parseInt(gpu.attributes.get(name) ?? '', 10));
    const isCounted = dev !== undefined && dev >= 0;
    const numbering = gpu.attributes.has('gcn') ? 'drm' : 'nvml';
    const device = deviceLabel(isCounted ? `gpu ${dev}` : 'gpu', 'gpu', {
      ...(isCounted ? { index: dev, numbering } : {}),
      ...address,
    });
    const indices = rank !== undefined && rank >= 0 ? { indices: { rank } } : {};
    items.push({ ...shared, line: gpu.line, device, ...indices, facts: factsOf(gpu, ['sm', 'gdr', 'gcn']) });
    for (const link of gpu.children) {
      const type = LINKS[link.name];
      if (type !== undefined) items.push(linkItem(link, type, device, place));
    }
  }
  for (const net of netsOf(pci)) {
    const name = net.attributes.get('name') ?? null;
    const device = deviceLabel(name ?? 'net', 'nic', { name, ...address });
    items.push({ ...shared, line: net.line, device, facts: factsOf(net, ['speed', 'gdr', 'port']) });
  }
  return items;
}

function factsOf({ attributes }: XmlElement, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = attributes.get(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** Links that are not PCI. */
const LINKS: Readonly<Record<string, string | undefined>> = { nvlink: 'NVLINK', xgmi: 'XGMI' };

function linkItem(link: XmlElement, value: string, from: PairItem['from'], place: Place): NcclTopologyItem {
  const target = link.attributes.get('target') ?? '';
  const count = link.attributes.get('count') ?? '?';
  return {
    ...place,
    line: link.line,
    what: 'pair',
    relation: 'link-type',
    from,
    to: deviceLabel(target, 'unknown', printedAddress(target)),
    value,
    raw: `${count} links`,
    asked: null,
  };
}
