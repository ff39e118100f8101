/**
 * rocm-smi --showtopo, --showtopoaccess, --shownodesbw and --showbus. A weight of 15 is a hop of XGMI, 40 is PCIe within one processor, more
 * is PCIe across; hops are classes, not distances. Numbers are those of the DRM's cards.
 *
 *   ============================= Weight between two GPUs ==============================
 *          GPU0         GPU1
 *   GPU0   0            40
 *   ==================================== Numa Nodes ====================================
 *   GPU[0]          : (Topology) Numa Node: 0
 */

import type { CleanLine } from '../clean/clean-line.ts';
import {
  type DeviceLabel,
  deviceLabel,
  NO_ADDRESS,
  type PrintedAddress,
  printedAddress,
} from '../measured/device-label.ts';
import type { DeviceItem, PairItem, PairRelation } from '../measured/items.ts';
import { sameTable } from '../measured/measurement.ts';
import { matrixRows, wordsOf } from '../measured/text-matrix.ts';
import { type BlockContext, type Recogniser, type Taken, tableOf } from '../recogniser.ts';

export type RocmTopoItem = (DeviceItem | PairItem) & { readonly kind: 'rocm-topo' };

const BANNER = /^\s*={2,200}\s{0,4}([^\s=].{0,80}?)\s{0,4}={2,200}$/;
const TITLE =
  /^\s*=*\s{0,4}((?:Weight|Hops|Link Type|Link accessibility|Bandwidth)[\w ]{0,40}? between two (?:GPUs|nodes|Nodes))\s{0,4}=*$/i;
const HEADER = /^\s*GPU\d{1,3}(?:\s+GPU\d{1,3})*$/;
const ROW = /^\s*GPU\d{1,3}\s+\S/;
const GPU_LINE = /^\s*GPU\[(\d{1,3})\]\s*:\s*(?:\(Topology\) )?([A-Za-z][\w ()-]{0,40}?)\s{0,20}:\s+(\S.{0,100})$/;
/** The same as lines or as JSON: `(Topology) Weight between DRM devices 0 and 1: 40`. */
const SENTENCE =
  /\(Topology\) (Weight|Hops|Link [Tt]ype|Link accessibility) between DRM devices (\d{1,3}) and (\d{1,3})"?: ?"?(\w{1,12})/g;

const RELATIONS: readonly (readonly [word: string, relation: PairRelation])[] = [
  ['weight', 'weight'],
  ['hops', 'hops'],
  ['link type', 'link-type'],
  ['accessib', 'access'],
  ['bandwidth', 'numa-bandwidth'],
];

/** Recognises this tool. */
export const rocmTopo: Recogniser<RocmTopoItem> = tableOf<RocmTopoItem>({
  kind: 'rocm-topo',
  words: ['ROCm System Management', 'between two ', 'between DRM devices', 'Numa Nodes', 'PCI Bus', '(Topology)'],
  begins: ({ text }) => isOwn(text) && !/^\s*=+\s*End /.test(text),
  continues: (line, lines) => goesOn(line, lines),
  read: (lines, context) => {
    const { items, isCut } = itemsOf(lines, context);
    return items.length === 0 ? null : { items, isComplete: !isCut, subject: sameTable(items) };
  },
});

function isOwn(text: string): boolean {
  const banner = BANNER.exec(text)?.[1];
  const isBanner = banner !== undefined && /ROCm|between two|Numa Nodes|PCI Bus|Topology/.test(banner);
  return (
    isBanner ||
    TITLE.test(text) ||
    text.includes(' between DRM devices ') ||
    /^\s*GPU\[\d{1,3}\]\s*:\s*(?:\(Topology\)|PCI Bus)/.test(text)
  );
}

function goesOn({ text, isBlank }: CleanLine, lines: readonly CleanLine[]): Taken {
  if (isBlank) return 'passed';
  if (/^\s*=+\s*End of ROCm/.test((lines.at(-1) as CleanLine).text)) return 'ended';
  if (isOwn(text) || BANNER.test(text) || HEADER.test(text) || ROW.test(text) || GPU_LINE.test(text)) return 'taken';
  return /^\s*=+$/.test(text) || /^\s*[{}"]/.test(text) ? 'taken' : 'passed';
}

function itemsOf(
  lines: readonly CleanLine[],
  { file }: BlockContext,
): { readonly items: readonly RocmTopoItem[]; readonly isCut: boolean } {
  const addresses = new Map<number, PrintedAddress>();
  for (const { text } of lines) {
    const [, index, key, value] = GPU_LINE.exec(text) ?? [];
    if (key === 'PCI Bus') addresses.set(Number(index), printedAddress(value as string));
  }
  const items: RocmTopoItem[] = [];
  const devices = new Map<number, { line: number; facts: Map<string, string> }>();
  let isCut = false;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as CleanLine;
    for (const [, word, a, b, value] of (line.cut ? line.whole() : line.text).matchAll(SENTENCE)) {
      const relation = relationOf(word as string) as PairRelation;
      items.push(pairOf(relation, [Number(a), Number(b)], value as string, { addresses, file, line: line.number }));
    }
    const [, index, key, value] = GPU_LINE.exec(line.text) ?? [];
    if (index !== undefined && key !== undefined && value !== undefined) {
      const known = devices.get(Number(index)) ?? { line: line.number, facts: new Map() };
      devices.set(Number(index), known);
      known.facts.set(key, value);
    }
    const relation = relationOf(TITLE.exec(line.text)?.[1] ?? BANNER.exec(line.text)?.[1] ?? '');
    const header = lines[at + 1];
    if (relation === null || header === undefined || !HEADER.test(header.text)) continue;
    const columns = wordsOf(header).map((word) => Number(word.slice(3)));
    const end = lines.findIndex((other, place) => place > at + 1 && !ROW.test(other.text));
    const body = lines.slice(at + 2, end < 0 ? lines.length : end);
    const rows = matrixRows(
      body,
      columns.length,
      (word) => /^GPU\d{1,3}$/.test(word),
      () => true,
    );
    if (rows.length < columns.length || rows.some(({ cells }) => cells.length < columns.length)) isCut = true;
    for (const { label, cells, line: number } of rows) {
      for (const [column, raw] of cells.entries()) {
        const pair = [Number(label.slice(3)), columns[column] as number] as const;
        items.push(pairOf(relation, pair, raw, { addresses, file, line: number }));
      }
    }
  }
  for (const [index, { line, facts }] of devices) {
    const node = facts.get('Numa Node');
    const product = facts.get('Card Series') ?? facts.get('Card series');
    items.push({
      kind: 'rocm-topo',
      file,
      line,
      what: 'device',
      device: gpuLabel(index, addresses),
      ...(product === undefined ? {} : { product }),
      ...(/^\d{1,4}$/.test(node ?? '') ? { numaNode: Number(node) } : {}),
    });
  }
  return { items, isCut };
}

function relationOf(title: string): PairRelation | null {
  const low = title.toLowerCase();
  return low.includes('between') || low.length < 20
    ? (RELATIONS.find(([word]) => low.includes(word))?.[1] ?? null)
    : null;
}

const gpuLabel = (index: number, addresses: ReadonlyMap<number, PrintedAddress>): DeviceLabel =>
  deviceLabel(`GPU${index}`, 'gpu', { index, numbering: 'drm', ...(addresses.get(index) ?? NO_ADDRESS) });

interface Where {
  readonly addresses: ReadonlyMap<number, PrintedAddress>;
  readonly file: string;
  readonly line: number;
}

function pairOf(
  relation: PairRelation,
  [a, b]: readonly [number, number],
  raw: string,
  { addresses, file, line }: Where,
): RocmTopoItem {
  const value = relation !== 'access' ? raw : /^true$/i.test(raw) ? 'yes' : 'no';
  const [from, to] = [gpuLabel(a, addresses), gpuLabel(b, addresses)];
  return { kind: 'rocm-topo', file, line, what: 'pair', relation, from, to, value, raw, asked: null };
}
