/**
 * hwloc: the XML that `lstopo` writes, and the text that it prints.
 *
 *   HostBridge L#0 (buses=0000:[00-ff])
 *     PCIBridge L#1 (busid=0000:00:01.0 id=8086:2f02 class=0604(PCIBridge) link=15.75GB/s buses=0000:[01-05])
 *       PCI 01:00.0 (3D)
 *         CoProc(CUDA) "cuda0"
 *
 * Without `-v` bridges have no address: they are named by the line they stand in, since what they join is worth knowing.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { NO_ADDRESS, type PrintedAddress, printedAddress } from '../measured/device-label.ts';
import { type Recogniser, type Taken, tableOf } from '../recogniser.ts';
import { namedDevice } from './hwloc-names.ts';
import { type HwlocItem, hwlocOfXml } from './hwloc-xml.ts';
import { functionItem } from './skeleton.ts';
import { xmlBegins, xmlGoesOn } from './xml.ts';

export type { HwlocItem };

const XML = 'topology';
/** The beginning of an XML text whose first lines were not pasted. */
const PART = /^\s*<object type="(?:Machine|Bridge|PCIDev|Package|NUMANode)"/;
const BEGINS = /^\s*(?:Machine(?: L#\d{1,5})? \(|(?:HostBridge|PCIBridge)(?: L#\d{1,5})?(?: \(|$))/;
const OBJECT =
  /^(\s*)(Machine|Package|Socket|NUMANode|Group\d{0,2}|Die|L\d[di]?(?:Cache)?|Core|PU|HostBridge|PCIBridge|Bridge|PCI|GPU|Net|Network|OpenFabrics|Block|CoProc|DMA|Storage|Memory|MemCache|Misc|OSDev)\b(.{0,400})$/;

/** Recognises both. */
export const hwloc: Recogniser<HwlocItem> = tableOf<HwlocItem>({
  kind: 'hwloc',
  words: [
    '<?xml',
    '<topology',
    '<!DOCTYPE topology',
    '<object type=',
    'Machine (',
    'Machine L#',
    'HostBridge',
    'PCIBridge',
  ],
  begins: (line) => xmlBegins(line, XML) || PART.test(line.text) || BEGINS.test(line.text),
  continues: (line, lines): Taken => {
    if (isXml(lines)) return xmlGoesOn(line, lines, XML);
    if (line.isBlank) return 'passed';
    return OBJECT.test(line.text) ? 'taken' : 'ended';
  },
  read: (lines, { file }) => {
    if (isXml(lines)) {
      const { items, isComplete } = hwlocOfXml(lines, file);
      return items.length === 0 ? null : { items, isComplete };
    }
    const items = itemsOfText(lines, file);
    return items.length === 0 ? null : { items };
  },
});

const isXml = ([first]: readonly CleanLine[]): boolean => first?.text.trimStart().startsWith('<') ?? false;

interface OpenObject {
  readonly indent: number;
  /** Nodes that stand directly within. */
  readonly nodes: number[];
  /** What functions within hang from. */
  readonly function: string | null | undefined;
  readonly address: PrintedAddress;
}

function itemsOfText(lines: readonly CleanLine[], file: string): HwlocItem[] {
  const items: HwlocItem[] = [];
  /** Where each function is among the items. */
  const places = new Map<string, number>();
  const open: OpenObject[] = [{ indent: -1, nodes: [], function: undefined, address: NO_ADDRESS }];
  for (const line of lines) {
    const [, blanks, type, rest] = OBJECT.exec(line.text) ?? [];
    if (blanks === undefined || type === undefined || rest === undefined) continue;
    while (open.length > 1 && (open.at(-1) as OpenObject).indent >= line.indent) open.pop();
    const above = open.at(-1) as OpenObject;
    const place = { kind: 'hwloc', file, line: line.number } as const;
    const node = /\bP#(\d{1,4})/.exec(rest)?.[1];
    const own: number[] = [];
    if (type === 'NUMANode' && node !== undefined) {
      above.nodes.push(Number(node));
      own.push(Number(node));
    }
    let below: Pick<OpenObject, 'function' | 'address'> = { function: above.function, address: above.address };
    const name = /"([\w.:-]{1,40})"\s*$/.exec(rest)?.[1];
    if (type === 'HostBridge') below = { function: null, address: NO_ADDRESS };
    else if (type === 'PCIBridge' || type === 'PCI') {
      const address = addressIn(rest);
      const numaNode = nodeAround(open);
      const item = functionOf(rest, {
        ...place,
        function: address.address ?? `line ${line.number}`,
        parent: above.function,
        numaNode,
      });
      places.set(item.function, items.length);
      items.push(type === 'PCI' ? item : { ...item, class: item.class ?? 0x0604 });
      below = { function: item.function, address };
    } else if (name !== undefined) {
      const at = places.get(above.function ?? '');
      const last = at === undefined ? undefined : items[at];
      if (at !== undefined && last?.what === 'function') items[at] = { ...last, names: [...last.names, name] };
      const device = namedDevice(name, above.address);
      if (device !== null) items.push({ ...place, what: 'device', device });
    }
    open.push({ indent: line.indent, nodes: own, ...below });
  }
  return items;
}

/** The node of the nearest object around that has one; null where it has several. */
function nodeAround(open: readonly OpenObject[]): number | null {
  const nearest = open.findLast(({ nodes }) => nodes.length > 0);
  return nearest?.nodes.length === 1 ? (nearest.nodes[0] as number) : null;
}

function addressIn(rest: string): PrintedAddress {
  const written =
    /\bbusid=([0-9a-f:.]{7,16})/i.exec(rest)?.[1] ??
    /^ ((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\b/i.exec(rest)?.[1];
  return printedAddress(written ?? '');
}

function functionOf(
  rest: string,
  known: Parameters<typeof functionItem<'hwloc'>>[0],
): ReturnType<typeof functionItem<'hwloc'>> {
  const hex = (digits: string | undefined): number => Number.parseInt(digits ?? '', 16);
  const ids = /(?:\bid=|^ )([0-9a-f]{4}):([0-9a-f]{4})\b/i.exec(rest);
  const code = /\bclass=([0-9a-f]{4})\b/i.exec(rest)?.[1];
  const rate = Number.parseFloat(/\blink=([\d.]{1,12})GB\/s/.exec(rest)?.[1] ?? '');
  const buses = /\bbuses=[0-9a-f]{4,8}:\[([0-9a-f]{2})-([0-9a-f]{2})\]/i.exec(rest);
  return functionItem({
    ...known,
    ids: ids === null ? null : { vendor: hex(ids[1]), device: hex(ids[2]) },
    class: code === undefined ? null : hex(code),
    link: rate > 0 ? { rate, speed: null, width: null, state: 'current' } : null,
    buses: buses === null ? null : { secondary: hex(buses[1]), subordinate: hex(buses[2]) },
  });
}
