/**
 * The graph that NCCL logs (NCCL_DEBUG=INFO with GRAPH): the PCI tree as it sees it, then the way from each GPU to each other device. Each rank
 * prints it, and their lines stand among each other.
 *
 *   === System : maxBw 48.0 totalBw 48.0 ===
 *   CPU/0 (1/2/-1)                                           NUMA node; architecture, vendor, model
 *   + PCI[48.0] - PCI/16000 (1000c0301000100b)               vendor, device, subsystem
 *                 + PCI[48.0] - GPU/18000 (0)                rank
 *                 + PCI[48.0] - NIC/19000
 *   ==========================================
 *   GPU/18000 :GPU/18000 (0/5000.0/LOC) GPU/2A000 (4/24.0/PHB) CPU/0 (2/24.0/PHB)
 *
 * Later releases put the number of the system before each name: `GPU/0-18000`. The rates are those of NCCL's model.
 */

import { type DeviceLabel, deviceLabel, NO_ADDRESS, ncclAddress } from '../measured/device-label.ts';
import type { DeviceItem, PairItem } from '../measured/items.ts';
import { type FunctionItem, functionItem, type ProcessorItem } from '../topology/skeleton.ts';

type Item = (FunctionItem | ProcessorItem | DeviceItem | PairItem) & { readonly kind: 'nccl-log' };
export type NcclPlace = { readonly kind: 'nccl-log'; readonly file: string; readonly line: number };

const SYSTEM = /^\s*=== System : max(?:Bw|Width) /;
const END = /^\s*={20,}$/;
const CPU = /^\s*CPU\/(?:\d{1,9}-)?(\d{1,4})(?: \((\d{1,3})\/(-?\d{1,3})\/(-?\d{1,3})\))?$/;
const NODE =
  /^(\s*)\+ ([A-Z0-9]{2,5})\[[\d.]{1,12}\] - (PCI|GPU|NIC|NET|CPU|NVS|DEV|GIN)\/(?:\d{1,9}-)?([0-9a-f]{1,16})(?: \(([^()]{1,60})\))?$/i;
const PATHS = /^\s*(GPU|NET|NIC)\/(?:\d{1,9}-)?([0-9a-f]{1,16}) ?:(?=[A-Z]{3}\/)(.{1,4000})$/i;
const PATH = /([A-Z]{3})\/(?:\d{1,9}-)?([0-9a-f]{1,16}) \((\d{1,3})\/[\d.]{1,12}\/([A-Z0-9]{2,4})\)/gi;
/** Vendors by NCCL's numbers, on x86. */
const VENDORS: Readonly<Record<string, string>> = { 1: 'GenuineIntel', 2: 'AuthenticAMD' };

/** Whether a line is of such a graph, whatever stands before it. */
export function isGraphLine(text: string): boolean {
  return SYSTEM.test(text) || NODE.test(text) || PATHS.test(text) || CPU.test(text);
}

interface Open {
  readonly indent: number;
  readonly function: string;
}

/** Reads the graph of one rank. */
export class NcclGraph {
  readonly items: Item[] = [];
  #numaNode: number | null = null;
  #open: Open[] = [];
  #isInTree = false;
  /** Whether the indentation is lost: NVLink and the network are always below a GPU or NIC. */
  #isFlat = false;
  readonly #seen = new Set<string>();

  /** Takes a line; false where it is none of a graph. */
  take(text: string, place: NcclPlace): boolean {
    if (SYSTEM.test(text)) {
      this.#isInTree = true;
      return true;
    }
    if (END.test(text)) {
      const wasInTree = this.#isInTree;
      this.#isInTree = false;
      return wasInTree;
    }
    const cpu = CPU.exec(text);
    if (cpu !== null) {
      this.#cpu(cpu, place);
      return true;
    }
    const node = NODE.exec(text);
    if (node !== null) {
      this.#node(node, place);
      return true;
    }
    const paths = PATHS.exec(text);
    if (paths === null) return false;
    this.#paths(paths, place);
    return true;
  }

  /** The items; without parents where the indentation is lost. */
  close(): readonly Item[] {
    if (!this.#isFlat) return this.items;
    return this.items.map((item) => (item.what === 'function' ? { ...item, parent: undefined } : item));
  }

  #cpu([, node, architecture, vendor]: RegExpExecArray, place: NcclPlace): void {
    this.#open = [];
    this.#numaNode = Number(node);
    if (architecture === undefined || this.#isKnown(`cpu ${node}`)) return;
    this.items.push({
      ...place,
      what: 'processor',
      numaNode: this.#numaNode,
      vendor: architecture === '1' ? (VENDORS[vendor as string] ?? null) : null,
      family: null,
      model: null,
      name: null,
    });
  }

  #node([, blanks, link, type, id, more]: RegExpExecArray, place: NcclPlace): void {
    const indent = (blanks as string).length;
    const isPci = link === 'PCI' || link === 'LOC';
    if (!isPci || type === 'CPU' || type === 'NET') {
      if (indent === 0 && (link === 'NVL' || link === 'NET' || link === 'XGMI')) this.#isFlat = true;
      return;
    }
    // A network device without a function has number 0.
    const address = id === '0' ? NO_ADDRESS : ncclAddress(id as string);
    if (address.address === null) return;
    while (this.#open.length > 0 && (this.#open.at(-1) as Open).indent >= indent) this.#open.pop();
    const parent = this.#open.at(-1)?.function ?? null;
    this.#open.push({ indent, function: address.address });
    if (parent !== address.address && !this.#isKnown(`function ${address.address}`)) {
      this.items.push(
        functionItem({
          ...place,
          function: address.address,
          parent,
          numaNode: this.#numaNode,
          class: type === 'PCI' ? 0x0604 : null,
          ...identityOf(type === 'PCI' ? more : undefined),
        }),
      );
    }
    if ((type !== 'GPU' && type !== 'NIC') || this.#isKnown(`${type} ${id}`)) return;
    const rank = type === 'GPU' && /^\d{1,6}$/.test(more ?? '') ? Number(more) : null;
    this.items.push({
      ...place,
      what: 'device',
      device: deviceLabel(`${type}/${id}`, type === 'GPU' ? 'gpu' : 'nic', {
        ...address,
        ...(rank === null ? {} : { index: rank, numbering: 'rank' }),
      }),
      ...(rank === null ? {} : { indices: { rank } }),
      ...(this.#numaNode === null ? {} : { numaNode: this.#numaNode }),
    });
  }

  #paths([, type, id, rest]: RegExpExecArray, place: NcclPlace): void {
    if (type !== 'GPU') return;
    const from = graphLabel('GPU', id as string);
    for (const [, other, otherId, , kind] of (rest as string).matchAll(PATH)) {
      if (other !== 'GPU' && other !== 'NET' && other !== 'NIC') continue;
      const to = graphLabel(other, otherId as string);
      if (this.#isKnown(`path ${from.label} ${to.label}`)) continue;
      const raw = kind as string;
      const value = raw === 'LOC' ? 'X' : raw;
      this.items.push({ ...place, what: 'pair', relation: 'class', from, to, value, raw, asked: null });
    }
  }

  #isKnown(key: string): boolean {
    if (this.#seen.has(key)) return true;
    if (this.#seen.size < SEEN_MAX) this.#seen.add(key);
    return false;
  }
}

const SEEN_MAX = 20_000;

function graphLabel(type: string, id: string): DeviceLabel {
  const label = `${type}/${id}`;
  if (type === 'GPU') return deviceLabel(label, 'gpu', ncclAddress(id));
  return deviceLabel(label, 'nic', type === 'NIC' ? ncclAddress(id) : {});
}

/** Vendor, device and subsystem of sixteen digits. */
function identityOf(digits: string | undefined): Pick<Partial<FunctionItem>, 'ids' | 'subsystem'> {
  if (!/^[0-9a-f]{16}$/i.test(digits ?? '')) return {};
  const [vendor, device, subsystemVendor, subsystemDevice] = [0, 4, 8, 12].map((at) =>
    Number.parseInt((digits as string).slice(at, at + 4), 16),
  ) as [number, number, number, number];
  const hasSubsystem = subsystemVendor !== 0 || subsystemDevice !== 0;
  return {
    ids: { vendor, device },
    subsystem: hasSubsystem ? { vendor: subsystemVendor, device: subsystemDevice } : null,
  };
}
