/**
 * nvbandwidth, as text.
 *
 *   nvbandwidth Version: v0.8
 *   Device 0: NVIDIA H100 (00000000:34:00)                      v0.6 and later: domain, bus, device
 *   Running device_to_device_memcpy_read_ce.
 *   memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)
 *              0         1
 *    0       N/A     26.34
 *    1     26.34       N/A
 *   SUM device_to_device_memcpy_read_ce 52.68
 *
 * The arrows of tests between devices point the wrong way: what goes where is in `nvbandwidth-tests.ts`. A test that is waived or missing says
 * nothing.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type DeviceLabel, deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, MeasurementItem, SettingItem, StatementItem } from '../measured/items.ts';
import { sameTable } from '../measured/measurement.ts';
import { isNextNumber, matrixRows, wordsOf } from '../measured/text-matrix.ts';
import { type BlockContext, type Recogniser, type Taken, tableOf } from '../recogniser.ts';
import { bandwidthCell, type TestName, testOf } from './nvbandwidth-tests.ts';

export type NvbandwidthItem = (DeviceItem | MeasurementItem | SettingItem | StatementItem) & {
  readonly kind: 'nvbandwidth';
};

const VERSION = /^\s*nvbandwidth Version: ?(v?[\d.]{1,12})/;
const SETTING = /^\s*(CUDA Runtime Version|CUDA Driver Version|Driver Version): ?([\w.]{1,40})$/;
const DEVICE = /^\s*Device (\d{1,3}): (\S.{0,100}?)(?: \(([0-9a-f]{8}:[0-9a-f]{2}:[0-9a-f]{2})\))?$/i;
const RUNNING = /^\s*Running ([a-z]\w{4,80})\.?$/;
const TITLE = /^\s*\w{3,20} (?=.{0,60}\((?:row|column)\)).{3,120} \((?:GB\/s|ns)\)$/;
const COLUMNS = /^\s*\d{1,3}(?:\s+\d{1,3})*$/;
const SUM = /^\s*SUM (\w{4,80}) (-?[\d.]{1,20})$/;
const TAIL =
  /^\s*[A-Z_]{3,30} \w{4,80} -?[\d.]{1,20}$|^\s*&&&& |^\s*NOTE: |^\s*Performance can vary|^\s*Waive|^\s*(?:ERROR|Error|WARNING)\b|^\s*Built from Git/;
const isCell = (word: string): boolean => /^(?:N\/A|-?\d{1,12}(?:\.\d{0,6})?|nan|inf)$/i.test(word);

/** Recognises this tool's text. */
export const nvbandwidthText: Recogniser<NvbandwidthItem> = tableOf<NvbandwidthItem>({
  kind: 'nvbandwidth',
  words: ['nvbandwidth Version', 'Running ', 'memcpy CE', 'memcpy SM', 'CPU(row)', '(column)', 'SUM '],
  begins: ({ text }) => VERSION.test(text) || testNamed(text) !== null || TITLE.test(text) || isSum(text),
  continues: (line, lines) => goesOn(line, lines),
  read: (lines, context) => {
    const { items, isCut } = itemsOf(lines, context);
    const hasValue =
      items.some(({ what }) => what === 'measurement' || what === 'device') || lines.some(({ text }) => isSum(text));
    return hasValue ? { items, isComplete: !isCut, subject: sameTable(items) } : null;
  },
});

function testNamed(text: string): TestName | null {
  const name = RUNNING.exec(text)?.[1];
  return name === undefined ? null : testOf(name);
}

const isSum = (text: string): boolean => testOf(SUM.exec(text)?.[1] ?? '') !== null;

function goesOn(line: CleanLine, lines: readonly CleanLine[]): Taken {
  const { text, isBlank } = line;
  if (isBlank) return 'passed';
  if (VERSION.test(text)) return 'ended';
  if (SETTING.test(text) || DEVICE.test(text) || RUNNING.test(text) || TITLE.test(text) || TAIL.test(text))
    return 'taken';
  if (COLUMNS.test(text) && TITLE.test((lines.at(-1) as CleanLine).text)) return 'taken';
  return wordsOf(line).every(isCell) ? 'taken' : 'passed';
}

function itemsOf(
  lines: readonly CleanLine[],
  { file }: BlockContext,
): { readonly items: readonly NvbandwidthItem[]; readonly isCut: boolean } {
  const items: NvbandwidthItem[] = [];
  const devices = new Map<number, DeviceLabel>();
  let test: TestName | null = null;
  let isCut = false;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as CleanLine;
    const place = { kind: 'nvbandwidth', file, line: line.number } as const;
    const setting = SETTING.exec(line.text);
    const version = VERSION.exec(line.text);
    const device = DEVICE.exec(line.text);
    if (version !== null)
      items.push({ ...place, what: 'setting', name: 'nvbandwidth Version', value: version[1] as string });
    else if (setting !== null)
      items.push({ ...place, what: 'setting', name: setting[1] as string, value: setting[2] as string });
    else if (device !== null) {
      const [, index, product, address] = device as unknown as [string, string, string, string?];
      const label = deviceLabel(index, 'gpu', {
        index: Number(index),
        numbering: 'cuda',
        ...printedAddress(address ?? ''),
      });
      devices.set(Number(index), label);
      items.push({ ...place, what: 'device', device: label, product });
    } else if (RUNNING.test(line.text)) {
      test = testNamed(line.text);
    } else if (isSum(line.text)) {
      const [, name, value] = SUM.exec(line.text) as unknown as [string, string, string];
      items.push({ ...place, what: 'setting', name: `SUM ${name}`, value });
    } else if (/^\s*(?:ERROR|Error)\b/.test(line.text)) {
      items.push({ ...place, what: 'statement', says: 'warning', text: line.text.trim(), about: [] });
    } else if (TITLE.test(line.text)) {
      const table = matrixBelow(lines, at);
      if (table === null) continue;
      isCut ||= table.isCut;
      const title = line.text.trim();
      for (const cell of table.cells) items.push(bandwidthCell({ ...cell, test, title, devices, file }));
      at = table.last;
    }
  }
  return { items, isCut };
}

interface Matrix {
  readonly cells: readonly {
    readonly row: number;
    readonly column: number;
    readonly raw: string;
    readonly line: number;
  }[];
  readonly isCut: boolean;
  /** Index of its last line. */
  readonly last: number;
}

/** The matrix below a title; null where there is none. The number of rows is not that of columns: hosts have one. */
function matrixBelow(lines: readonly CleanLine[], title: number): Matrix | null {
  const header = lines[title + 1];
  if (header === undefined || !COLUMNS.test(header.text)) return null;
  const columns = wordsOf(header).map(Number);
  let first = title + 2;
  // A header that a terminal broke goes on with the next number.
  for (let more = lines[first]; more !== undefined && COLUMNS.test(more.text); more = lines[++first]) {
    const numbers = wordsOf(more).map(Number);
    if (numbers[0] !== (columns.at(-1) as number) + 1) break;
    columns.push(...numbers);
  }
  let end = first;
  while (end < lines.length && wordsOf(lines[end] as CleanLine).every(isCell)) end++;
  const rows = matrixRows(lines.slice(first, end), columns.length, isNextNumber, isCell);
  return {
    cells: rows.flatMap(({ label, line, cells }) =>
      cells.map((raw, at) => ({ row: Number(label), column: columns[at] as number, raw, line })),
    ),
    isCut: rows.length === 0 || rows.some(({ cells }) => cells.length < columns.length),
    last: end - 1,
  };
}
