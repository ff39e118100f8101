/**
 * rocm_bandwidth_test: matrices over HSA's agents, processors first; or one pair over many sizes. Rows are sources, columns destinations.
 *
 *   Device: 1,  Radeon RX 7900 XTX,  GPU-XX,  83:0.0             bus and device hexadecimal, not padded, no domain
 *   Inter-Device Access
 *   D/D       0         1
 *   0         1         1
 *   Unidirectional copy peak bandwidth GB/s
 *   D/D       0           1
 *   0         N/A         28.411
 *
 * A bidirectional value counts both directions. Sizes are powers of 1024, rates decimal.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type DeviceLabel, deviceLabel, NO_ADDRESS, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, MeasurementItem, PairItem, PairRelation, SettingItem } from '../measured/items.ts';
import { measurement, sameTable } from '../measured/measurement.ts';
import { isNextNumber, matrixRows, wordsOf } from '../measured/text-matrix.ts';
import { binarySize, numberOf } from '../measured/units.ts';
import { type BlockContext, type Recogniser, type Taken, tableOf } from '../recogniser.ts';

export type RocmBandwidthItem = (DeviceItem | MeasurementItem | PairItem | SettingItem) & {
  readonly kind: 'rocm-bandwidth';
};

const VERSION = /^\s*RocmBandwidthTest Version: ?(\S{1,20})/;
const COMMAND = /^\s*Launch Command is: ?(.{1,300})$/;
const DEVICE = /^\s*Device: (\d{1,3}), {1,4}(\S.{0,120})$/;
const RATES = /^\s*(Unidirectional|Bi?directional) copy (peak|average) bandwidth ?(?:GB\/s)?/;
const RESULT = /^\s*=+\s{0,8}(Unidirectional|Bi?directional) Benchmark Result\s{0,8}=+/;
const END = /^\s*=+\s{0,8}(Src|Dst) Device Id: (\d{1,3}) (?:Src|Dst) Device Type: (\w{1,8})/;
const SIZES = /^\s*Data Size\s+Avg Time/;
const SIZE_ROW = /^\s*(\d{1,6} [KMG]?B)\s+([\d.]{1,16})\s+([\d.]{1,16})\s+([\d.]{1,16})\s+([\d.]{1,16})$/;
const CORNER = /^\s*D\/D(?:\s+\d{1,3})+$/;

/** Matrices of words, by their titles. */
const TITLES: readonly (readonly [title: RegExp, relation: PairRelation])[] = [
  [/^\s*(?:Inter-)?Device Access/, 'access'],
  [/^\s*(?:Inter-)?Device Numa Distance/, 'numa-distance'],
  [/^\s*(?:Inter-)?Device Link Type/, 'link-type'],
  [/^\s*(?:Inter-)?Device Link Hops/, 'hops'],
  [/^\s*Data Path Validation/, 'data-path'],
];
const isCell = (word: string): boolean =>
  /^(?:N\/A|-?\d{1,12}(?:\.\d{0,6})?|[PX]|PASS|FAIL|PCIe|xGMI|-nan|nan|inf)$/i.test(word);

/** Recognises this tool. */
export const rocmBandwidth: Recogniser<RocmBandwidthItem> = tableOf<RocmBandwidthItem>({
  kind: 'rocm-bandwidth',
  words: [
    'RocmBandwidthTest',
    'Device Access',
    'Device Numa Distance',
    'Device Link',
    'copy peak bandwidth',
    'copy average bandwidth',
    'Benchmark Result',
    'Device Id: ',
    'Data Path Validation',
  ],
  begins: ({ text }) =>
    VERSION.test(text) || RATES.test(text) || RESULT.test(text) || END.test(text) || titleOf(text) !== null,
  continues: (line, lines) => goesOn(line, lines),
  read: (lines, context) => {
    const { items, isCut } = itemsOf(lines, context);
    const hasValue = items.some(({ what }) => what !== 'setting');
    return hasValue ? { items, isComplete: !isCut, subject: sameTable(items) } : null;
  },
});

const titleOf = (text: string): PairRelation | null => TITLES.find(([title]) => title.test(text))?.[1] ?? null;

function goesOn(line: CleanLine, lines: readonly CleanLine[]): Taken {
  const { text, isBlank } = line;
  if (isBlank) return 'passed';
  if (VERSION.test(text))
    return lines.some((above) => DEVICE.test(above.text) || CORNER.test(above.text)) ? 'ended' : 'taken';
  const isOwn =
    COMMAND.test(text) ||
    DEVICE.test(text) ||
    RATES.test(text) ||
    RESULT.test(text) ||
    END.test(text) ||
    SIZES.test(text) ||
    CORNER.test(text) ||
    titleOf(text) !== null;
  if (isOwn || SIZE_ROW.test(text) || /^\s*=+$/.test(text)) return 'taken';
  return wordsOf(line).every(isCell) ? 'taken' : 'passed';
}

type Kind = 'rocm-bandwidth';
type Place = { readonly kind: Kind; readonly file: string; readonly line: number };

/** A matrix: its title, columns and rows. */
interface Section {
  readonly title: CleanLine;
  readonly columns: readonly number[];
  readonly rows: CleanLine[];
}

function itemsOf(
  lines: readonly CleanLine[],
  { file }: BlockContext,
): { readonly items: readonly RocmBandwidthItem[]; readonly isCut: boolean } {
  const items: RocmBandwidthItem[] = [];
  const devices = new Map<number, DeviceLabel>();
  const sections: Section[] = [];
  let title: CleanLine | null = null;
  let section: Section | null = null;
  for (const line of lines) {
    const { text, number } = line;
    const place: Place = { kind: 'rocm-bandwidth', file, line: number };
    const version = VERSION.exec(text);
    const command = COMMAND.exec(text);
    const device = DEVICE.exec(text);
    if (version !== null)
      items.push({ ...place, what: 'setting', name: 'RocmBandwidthTest Version', value: version[1] as string });
    else if (command !== null)
      items.push({ ...place, what: 'setting', name: 'Launch Command', value: command[1] as string });
    else if (device !== null) {
      const [item, label] = deviceOf(device, place);
      devices.set(Number(device[1]), label);
      items.push(item);
    } else if (RATES.test(text) || titleOf(text) !== null) {
      title = line;
      section = null;
    } else if (title !== null && CORNER.test(text)) {
      const columns = wordsOf(line).slice(1).map(Number);
      section = { title, columns, rows: [] };
      sections.push(section);
    } else if (section !== null) section.rows.push(line);
  }
  let isCut = false;
  for (const { title, columns, rows } of sections) {
    const read = matrixRows(rows, columns.length, isNextNumber, isCell);
    if (read.length < columns.length || read.some(({ cells }) => cells.length < columns.length)) isCut = true;
    for (const { label, line, cells } of read) {
      const from = labelOf(Number(label), devices);
      for (const [at, raw] of cells.entries()) {
        const to = labelOf(columns[at] as number, devices);
        items.push(cellOf(title.text, { from, to }, raw, { kind: 'rocm-bandwidth', file, line }));
      }
    }
  }
  items.push(...sizeItems(lines, file));
  return { items, isCut };
}

/** A device: a GPU where an address follows its name. */
function deviceOf([, index, rest]: RegExpExecArray, place: Place): readonly [RocmBandwidthItem, DeviceLabel] {
  const parts = (rest as string).split(/,\s+/);
  const last = printedAddress(parts.at(-1) ?? '');
  const isGpu = last.address !== null;
  const label = deviceLabel(index as string, isGpu ? 'gpu' : 'cpu', {
    index: Number(index),
    numbering: 'hsa',
    ...(isGpu ? last : NO_ADDRESS),
  });
  return [{ ...place, what: 'device', device: label, product: parts[0] as string }, label];
}

const labelOf = (index: number, devices: ReadonlyMap<number, DeviceLabel>): DeviceLabel =>
  devices.get(index) ?? deviceLabel(String(index), 'unknown', { index, numbering: 'hsa' });

interface Ends {
  readonly from: DeviceLabel;
  readonly to: DeviceLabel;
}

/** A processor copies nothing: the GPU's engine reads from it, or writes to it. Of two GPUs it is not known whose engine copies. */
function operationOf({ from, to }: Ends): MeasurementItem['operation'] {
  if (from.sort === 'cpu' && to.sort === 'gpu') return 'read';
  return from.sort === 'gpu' && to.sort === 'cpu' ? 'write' : 'copy';
}

function cellOf(title: string, ends: Ends, raw: string, place: Place): RocmBandwidthItem {
  const rates = RATES.exec(title);
  if (rates === null) {
    const relation = titleOf(title) as PairRelation;
    const value = relation !== 'access' ? raw : raw === '1' ? 'yes' : 'no';
    return { ...place, ...ends, what: 'pair', relation, value, raw, asked: null };
  }
  const isBoth = rates[1] !== 'Unidirectional';
  return measurement({
    ...place,
    ...ends,
    quantity: 'bandwidth',
    operation: isBoth ? 'copy' : operationOf(ends),
    direction: isBoth ? 'bi' : 'uni',
    counts: isBoth ? 'both' : 'one',
    value: numberOf(raw),
    unit: 'GB/s',
    raw: numberOf(raw) === null ? raw : `${raw} GB/s`,
    engine: 'copy-engine',
    statistic: rates[2] === 'peak' ? 'peak' : 'average',
    test: title.trim(),
  });
}

/** The tables of one pair by size. */
function sizeItems(lines: readonly CleanLine[], file: string): RocmBandwidthItem[] {
  const items: RocmBandwidthItem[] = [];
  let isBoth = false;
  const ends = new Map<string, DeviceLabel>();
  for (const { text, number } of lines) {
    const result = RESULT.exec(text);
    if (result !== null) isBoth = result[1] !== 'Unidirectional';
    const end = END.exec(text);
    if (end !== null) {
      const sort = /^gpu$/i.test(end[3] as string) ? 'gpu' : 'cpu';
      ends.set(end[1] as string, deviceLabel(end[2] as string, sort, { index: Number(end[2]), numbering: 'hsa' }));
    }
    const row = SIZE_ROW.exec(text);
    const [from, to] = [ends.get('Src'), ends.get('Dst')];
    if (row === null || from === undefined || to === undefined) continue;
    const [, size, , average, , peak] = row as unknown as [string, string, string, string, string, string];
    for (const [statistic, raw] of [
      ['average', average],
      ['peak', peak],
    ] as const) {
      items.push(
        measurement({
          kind: 'rocm-bandwidth',
          file,
          line: number,
          quantity: 'bandwidth',
          from,
          to,
          operation: isBoth ? 'copy' : operationOf({ from, to }),
          direction: isBoth ? 'bi' : 'uni',
          counts: isBoth ? 'both' : 'one',
          value: numberOf(raw),
          unit: 'GB/s',
          raw: `${raw} GB/s`,
          size: binarySize(size),
          engine: 'copy-engine',
          statistic,
          test: isBoth ? 'Bidirectional Benchmark' : 'Unidirectional Benchmark',
        }),
      );
    }
  }
  return items;
}
