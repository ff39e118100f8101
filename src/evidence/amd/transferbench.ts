/**
 * TransferBench: the preset `p2p`, the preset `a2a`, and the topology that it prints without arguments. GPUs are in HIP's order. Rows are sources,
 * columns destinations; what the corner says has the executor, which issues the transfers.
 *
 *   Bytes Per Direction 67108864
 *   Unidirectional copy peak bandwidth GB/s [Local read / Remote write] (GPU-Executor: GFX)
 *    SRC+EXE\DST    CPU 00       GPU 00    GPU 01
 *    CPU 00  ->      24.37        17.32     16.97
 *    GPU 00  ->      23.83       108.95     64.58
 *
 * In both directions at once a row has three lines: `->`, `<-`, and `<->` for the sum. Frames and commas of other forms are blanks.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type DeviceLabel, deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, MeasurementItem, PairItem, SettingItem } from '../measured/items.ts';
import { measurement, sameTable } from '../measured/measurement.ts';
import { numberOf } from '../measured/units.ts';
import { type Recogniser, type Taken, tableOf } from '../recogniser.ts';

export type TransferBenchItem = (DeviceItem | MeasurementItem | PairItem | SettingItem) & {
  readonly kind: 'transferbench';
};

const VERSION = /^\s*TransferBench v(\d[\d.]{1,12})/;
const TITLE =
  /^\s*(Unidirectional|Bidirectional) copy peak bandwidth GB\/s \[(Local|Remote) read \/ (?:Local|Remote) write\](?: \(GPU-Executor: (GFX|DMA)\))?/;
const ALL_TO_ALL = /\bAll-To-All\b|\ball-to-all\b/;
const CORNER = /^\s*SRC(?:\+EXE)?\\{1,2}(?:EXE\+)?DST\b/;
const BYTES = /^\s*Bytes Per Direction (\d{1,15})/;
const PAIR = /\b(CPU|GPU) (\d{1,3})\b/g;
const ROW = /^\s*(CPU|GPU) (\d{1,3})(?:\s+(->|<-|<->))?\s+(?=\d|N\/A|-[\d\s]|-$)/;
/** The second and third line of a row. */
const MORE = /^\s*(<-|<->)\s+(?=\d|N\/A|-[\d\s]|-$)/;
const TALK =
  /^\s*(?:={5,}|\[[A-Z][\w -]{2,30}\]|[A-Z][A-Z0-9_]{3,30}\s+=|Averages|Average|Aggregate|RTotal|CPU->CPU|(?:mean|min|max|stddev|sd|Detected|Environment|Configured)\b|- |\d+ configured)/i;

/** Bars and frames as blanks. */
const plain = ({ text }: CleanLine): string =>
  /[│|,├┤┬┴┼─]/.test(text) ? text.replace(/[│|,├┤┬┴┼─]/g, ' ').trimEnd() : text;

/** Recognises these presets. */
export const transferBench: Recogniser<TransferBenchItem> = tableOf<TransferBenchItem>({
  kind: 'transferbench',
  words: [
    'TransferBench v',
    'SRC+EXE',
    'All-To-All benchmark',
    'SRC\\',
    '[Local read',
    '[Remote read',
    'Bytes Per Direction',
    'PCIe Bus ID',
  ],
  begins: (line) =>
    [VERSION, TITLE, BYTES, /All-To-All benchmark/].some((pattern) => pattern.test(line.text)) ||
    CORNER.test(plain(line)) ||
    isTopology(line.text),
  continues: (line, lines): Taken => {
    if (line.isBlank) return 'passed';
    const text = plain(line);
    if (VERSION.test(text)) return lines.some((above) => CORNER.test(plain(above))) ? 'ended' : 'taken';
    const isOwn =
      TITLE.test(text) ||
      BYTES.test(text) ||
      CORNER.test(text) ||
      ROW.test(text) ||
      MORE.test(text) ||
      ALL_TO_ALL.test(text);
    return isOwn ||
      TALK.test(text) ||
      isTopology(line.text) ||
      TOPOLOGY_ROW.test(line.text) ||
      /^\s*[-+─┼┬┴├┤|]{3,}/.test(line.text)
      ? 'taken'
      : 'passed';
  },
  read: (lines, { file }) => {
    const { items, isCut } = itemsOf(lines, file);
    return items.some(({ what }) => what !== 'setting')
      ? { items, isComplete: !isCut, subject: sameTable(items) }
      : null;
  },
});

type Place = { readonly kind: 'transferbench'; readonly file: string; readonly line: number };

interface Table {
  readonly name: string;
  readonly direction: 'uni' | 'bi';
  /** Whether the destination issues the transfers. */
  readonly byDestination: boolean;
  readonly engine: 'kernel' | 'copy-engine' | null;
  readonly load: 'alone' | 'together';
  readonly columns: readonly DeviceLabel[];
}

function itemsOf(
  lines: readonly CleanLine[],
  file: string,
): { readonly items: TransferBenchItem[]; readonly isCut: boolean } {
  const items: TransferBenchItem[] = topologyItems(lines, file);
  let table: Table | null = null;
  let size: number | null = null;
  let own: DeviceLabel | null = null;
  let rows = 0;
  let isCut = false;
  let title = { name: 'p2p', direction: 'uni', engine: null, load: 'alone' } as Pick<
    Table,
    'name' | 'direction' | 'engine' | 'load'
  >;
  for (const line of lines) {
    const text = plain(line);
    const place: Place = { kind: 'transferbench', file, line: line.number };
    const version = VERSION.exec(text)?.[1];
    const titled = TITLE.exec(text);
    size = Number(BYTES.exec(text)?.[1] ?? size ?? Number.NaN) || size;
    if (version !== undefined) items.push({ ...place, what: 'setting', name: 'TransferBench version', value: version });
    else if (titled !== null) {
      title = {
        name: text.trim(),
        direction: titled[1] === 'Bidirectional' ? 'bi' : 'uni',
        engine: titled[3] === undefined ? null : titled[3] === 'DMA' ? 'copy-engine' : 'kernel',
        load: 'alone',
      };
    } else if (ALL_TO_ALL.test(text))
      title = {
        name: text.trim(),
        direction: 'uni',
        engine: /\bDMA\b/.test(text) ? 'copy-engine' : 'kernel',
        load: 'together',
      };
    else if (CORNER.test(text)) {
      if (table !== null && rows < table.columns.length) isCut = true;
      rows = 0;
      const columns = [...text.matchAll(PAIR)].map(([, sort, index]) => labelOf(sort as string, index as string));
      table = { ...title, byDestination: /EXE\+DST/.test(text), columns };
    } else if (table !== null) {
      const row = ROW.exec(text) ?? MORE.exec(text);
      if (row === null) continue;
      if (row.length > 2) {
        own = labelOf(row[1] as string, row[2] as string);
        rows++;
      }
      const arrow = row.at(-1) ?? '->';
      const cells = text.slice(row[0].length).trim().split(/\s+/).slice(0, table.columns.length);
      if (cells.length < table.columns.length) isCut = true;
      if (own === null) continue;
      for (const [at, raw] of cells.entries()) {
        items.push(cellOf(table, { own, other: table.columns[at] as DeviceLabel, arrow, raw, size }, place));
      }
    }
  }
  if (table !== null && rows < table.columns.length) isCut = true;
  return { items, isCut };
}

function labelOf(sort: string, index: string): DeviceLabel {
  const isGpu = sort === 'GPU';
  return deviceLabel(`${sort} ${index}`, isGpu ? 'gpu' : 'cpu', {
    index: Number(index),
    numbering: isGpu ? 'hip' : 'numa',
  });
}

interface CellOfRow {
  readonly own: DeviceLabel;
  readonly other: DeviceLabel;
  readonly arrow: string;
  readonly raw: string;
  readonly size: number | null;
}

function cellOf(table: Table, { own, other, arrow, raw, size }: CellOfRow, place: Place): TransferBenchItem {
  const isBack = arrow === '<-';
  const [from, to] = isBack ? [other, own] : [own, other];
  const isSum = arrow === '<->';
  return measurement({
    ...place,
    quantity: 'bandwidth',
    from,
    to,
    operation: isSum ? 'copy' : table.byDestination ? 'read' : 'write',
    direction: table.direction,
    counts: isSum ? 'both' : 'one',
    value: numberOf(raw),
    unit: 'GB/s',
    raw: numberOf(raw) === null ? raw : `${raw} GB/s`,
    size,
    engine: own.sort === 'cpu' && !table.byDestination ? 'cpu' : table.engine,
    load: table.load,
    statistic: 'peak',
    test: table.name,
  });
}

const TOPOLOGY_ROW =
  /^\s*(?:[│|]\s*)?GPU (\d{1,3})\s*[│|].*[│|]\s*([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\s*[│|]/i;

const isTopology = (text: string): boolean => /[│|]\s*PCIe Bus ID\s*[│|]/.test(text);

/** The table of GPUs: links between them, addresses, nodes. */
function topologyItems(lines: readonly CleanLine[], file: string): TransferBenchItem[] {
  const head = lines.find(({ text }) => isTopology(text));
  if (head === undefined) return [];
  const heads = ['', ...cellsOf(head.text)];
  const rows = lines.filter(({ text }) => TOPOLOGY_ROW.test(text));
  const labels = new Map(
    rows.map(({ text }) => {
      const [, index, address] = TOPOLOGY_ROW.exec(text) as unknown as [string, string, string];
      return [Number(index), { ...labelOf('GPU', index), ...printedAddress(address) }] as const;
    }),
  );
  return rows.flatMap(({ text, number }) => {
    const place: Place = { kind: 'transferbench', file, line: number };
    // The heading may begin with an empty cell, or with none: columns are counted from the right.
    const cells = cellsOf(text);
    const names = heads.slice(-cells.length);
    const device = labels.get(Number(TOPOLOGY_ROW.exec(text)?.[1])) as DeviceLabel;
    const node = cells[names.findIndex((name) => /NUMA/.test(name))] ?? '';
    const items: TransferBenchItem[] = [
      { ...place, what: 'device', device, ...(/^\d{1,4}$/.test(node) ? { numaNode: Number(node) } : {}) },
    ];
    for (const [at, name] of names.entries()) {
      const index = /^GPU (\d{1,3})$/.exec(name)?.[1];
      const raw = cells[at];
      if (at === 0 || index === undefined || raw === undefined || raw === '' || raw === '-' || raw === 'N/A') continue;
      const to = labels.get(Number(index)) ?? labelOf('GPU', index);
      items.push({
        ...place,
        what: 'pair',
        relation: 'link-type',
        from: device,
        to,
        value: raw.replace(/-.*$/, ''),
        raw,
        asked: null,
      });
    }
    return items;
  });
}

/** Cells between bars; the first is the row's label. */
const cellsOf = (text: string): string[] =>
  text
    .replace(/^\s*[│|]|[│|]\s*$/g, '')
    .split(/[│|]/)
    .map((cell) => cell.trim());
