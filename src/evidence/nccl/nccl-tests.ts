/**
 * nccl-tests and rccl-tests. The columns differ by release and are found by the heading; a row has an out-of-place half and an in-place half.
 *
 *   #  Rank  0 Group  0 Pid  29565 on     server device  0 [0000:01:00] NVIDIA A40
 *   #       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
 *      536870912     134217728     float     sum      -1    42915   12.51   18.76      0    42866   12.52   18.79      0
 *   # Avg bus bandwidth    : 7.48202
 *
 * The rate is that of all ranks together: the slowest link of a ring decides it. The average over sizes says nothing.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { busAlone, type DeviceLabel, deviceLabel, NO_ADDRESS, printedAddress } from '../measured/device-label.ts';
import type { CollectiveItem, DeviceItem, SettingItem, StatementItem } from '../measured/items.ts';
import { elements, type JsonForm, member, numeral, words } from '../measured/json-text.ts';
import { wordsOf } from '../measured/text-matrix.ts';
import { numberOf } from '../measured/units.ts';
import { type BlockContext, type Recogniser, type Taken, tableOf } from '../recogniser.ts';

export type NcclTestsItem = (CollectiveItem | DeviceItem | SettingItem | StatementItem) & {
  readonly kind: 'nccl-tests';
};

const START = /^\s*#\s*nThread \d{1,4} nGpus (\d{1,4}) minBytes/;
const USING = /^\s*#\s*Using devices/;
const RANK =
  /^\s*#\s+Rank\s+(\d{1,6})(?: Group\s+\d{1,6})? Pid\s+\d{1,9} on\s+(\S{1,64}) device\s+(\d{1,4}) \[([0-9a-fx:.]{1,16})\] (\S.{0,80})$/i;
const HEADING = /^\s*(?:#\s*)?size\s+count\b.*\bbusbw\b/;
const UNITS = /^\s*(?:#\s*)?\(B\)\s+\(elements\)/;
const STARTING = /^\s*#\s*Collective test (?:starting|concluded): (\w{4,40})/;
const PROGRAM =
  /\b(all_reduce|all_gather|reduce_scatter|alltoallv?|broadcast|reduce|sendrecv|gather|scatter|hypercube)_perf\b/;
const ROW = /^\s*\d{1,15}\s+\d{1,15}\s+[a-z][a-z0-9_]{2,12}\s/;
const SUMMARY = /^\s*#\s*(Out of bounds values|Avg bus bandwidth)\s*: (.{1,60})$/;

/** Recognises the text. */
export const ncclTests: Recogniser<NcclTestsItem> = tableOf<NcclTestsItem>({
  kind: 'nccl-tests',
  words: ['nThread ', 'Using devices', 'busbw', 'Collective test', 'Avg bus bandwidth', 'Rank '],
  begins: ({ text }) =>
    START.test(text) || USING.test(text) || HEADING.test(text) || STARTING.test(text) || RANK.test(text),
  continues: (line, lines): Taken => {
    const { text, isBlank } = line;
    if (isBlank) return 'passed';
    if (START.test(text)) return lines.some((above) => HEADING.test(above.text)) ? 'ended' : 'taken';
    if (/^\s*#/.test(text) || HEADING.test(text) || UNITS.test(text) || ROW.test(text)) return 'taken';
    if (/^\s*out-of-place\s+in-place/.test(text)) return 'taken';
    // The rest of a row within which something else was printed.
    return ROW.test((lines.at(-1) as CleanLine).text) && wordsOf(line).every((word) => isCell(word))
      ? 'taken'
      : 'passed';
  },
  read: (lines, context) => {
    const items = itemsOf(lines, context);
    const last = lines.some(({ text }) => /Avg bus bandwidth/.test(text));
    return items.length === 0 ? null : { items, isComplete: last };
  },
});

const isCell = (word: string): boolean => numberOf(word) !== null || /^(?:N\/A|-?nan|-?inf)$/i.test(word);

type Place = { readonly kind: 'nccl-tests'; readonly file: string; readonly line: number };

function itemsOf(lines: readonly CleanLine[], { file, command }: BlockContext): NcclTestsItem[] {
  const place = (line: number): Place => ({ kind: 'nccl-tests', file, line });
  const items: NcclTestsItem[] = rankItems(lines, file);
  const ranks = items.length === 0 ? null : items.length;
  const started = lines.map(({ text }) => STARTING.exec(text)?.[1]).find((name) => name !== undefined);
  const operation = PROGRAM.exec(started ?? '')?.[1] ?? PROGRAM.exec(command ?? '')?.[1] ?? null;
  let columns: readonly string[] = [];
  let row: { cells: string[]; line: number } | null = null;
  const end = (): void => {
    if (row !== null) items.push(...rowItems(row.cells, columns, { operation, ranks }, place(row.line)));
    row = null;
  };
  for (const line of lines) {
    const { text, number } = line;
    const summary = SUMMARY.exec(text);
    if (HEADING.test(text)) {
      columns = wordsOf(line)
        .map((word) => word.replace(/^#(?=size)/, ''))
        .filter((word) => word !== '#');
    } else if (ROW.test(text)) {
      end();
      row = { cells: wordsOf(line), line: number };
    } else if (
      row !== null &&
      !/^\s*#/.test(text) &&
      row.cells.length < columns.length &&
      wordsOf(line).every(isCell)
    ) {
      row.cells.push(...wordsOf(line));
    } else if (summary !== null) {
      end();
      const [, name, value] = summary as unknown as [string, string, string];
      items.push({ ...place(number), what: 'setting', name, value });
      if (/^Out of/.test(name) && !/^0\b/.test(value)) {
        items.push({ ...place(number), what: 'statement', says: 'data-wrong', text: text.trim(), about: [] });
      }
    }
  }
  end();
  return items;
}

/** Ranks of the first host; where several GPUs show one bus, the buses name nothing. */
function rankItems(lines: readonly CleanLine[], file: string): NcclTestsItem[] {
  const read = lines.flatMap(({ text, number }) => {
    const match = RANK.exec(text);
    return match === null
      ? []
      : [{ line: number, match: match as unknown as [string, string, string, string, string, string] }];
  });
  const host = read[0]?.match[2];
  const buses = read.filter(({ match }) => match[2] === host).map(({ match }) => match[4]);
  const areApart = new Set(buses).size === buses.length;
  return read.map(({ line, match: [, rank, on, device, bus, product] }) => {
    const address =
      !areApart || on !== host
        ? NO_ADDRESS
        : /^0x/i.test(bus)
          ? busAlone(Number.parseInt(bus, 16))
          : printedAddress(bus);
    const label = deviceLabel(`rank ${rank}`, 'gpu', { index: Number(rank), numbering: 'rank', ...address });
    const indices = { rank: Number(rank), cuda: Number(device) };
    return { kind: 'nccl-tests', file, line, what: 'device', device: label, product: product.trim(), indices };
  });
}

interface Of {
  readonly operation: string | null;
  readonly ranks: number | null;
}

/** The two halves of a row: each begins with a column `time`. */
function rowItems(cells: readonly string[], columns: readonly string[], of: Of, place: Place): NcclTestsItem[] {
  // Without a heading, the half has four columns, and the two stand at the end.
  const halves = columns.flatMap((name, at) => (name === 'time' ? at : []));
  const starts = halves.length > 0 ? halves : [cells.length - 8, cells.length - 4];
  return starts.flatMap((start, half) => {
    const [time, algorithm, bus] = [0, 1, 2].map((at) => cells[start + at]);
    if (time === undefined || algorithm === undefined || bus === undefined) return [];
    const item: NcclTestsItem = {
      ...place,
      what: 'collective',
      ...of,
      size: Number(cells[0]),
      inPlace: half === 1,
      time: numberOf(time),
      algorithmRate: numberOf(algorithm),
      busRate: numberOf(bus),
    };
    return [item];
  });
}

/** Recognises the JSON of `-J`. */
export const ncclTestsJson: JsonForm<NcclTestsItem> = {
  kind: 'nccl-tests',
  sign: /"(?:bus_bw|alg_bw|out_of_place|device_hex)"/,
  read: (value, line, { file }) => {
    const place: Place = { kind: 'nccl-tests', file, line };
    const devices = elements(member(value, 'devices'));
    const items: NcclTestsItem[] = devices.map((entry): NcclTestsItem => {
      const [rank, device] = [numeral(member(entry, 'rank')), numeral(member(entry, 'device'))];
      const hex = words(member(entry, 'device_hex')) ?? '';
      const address = /^0x/.test(hex) ? busAlone(Number.parseInt(hex, 16)) : printedAddress(hex);
      const label: DeviceLabel = deviceLabel(`rank ${rank ?? '?'}`, 'gpu', {
        index: rank,
        numbering: 'rank',
        ...address,
      });
      return { ...place, what: 'device', device: label, ...(device === null ? {} : { indices: { cuda: device } }) };
    });
    const program = words(member(value, 'config', 'test')) ?? words(member(value, 'test')) ?? '';
    const operation = PROGRAM.exec(program)?.[1] ?? null;
    const ranks = devices.length === 0 ? null : devices.length;
    for (const result of elements(member(value, 'results'))) {
      for (const [key, inPlace] of [
        ['out_of_place', false],
        ['in_place', true],
      ] as const) {
        const half = member(result, key);
        const size = numeral(member(result, 'size'));
        if (half === null || size === null) continue;
        const read = (name: string): number | null => numeral(member(half, name));
        const rates = { time: read('time'), algorithmRate: read('alg_bw'), busRate: read('bus_bw') };
        items.push({ ...place, what: 'collective', operation, ranks, size, inPlace, ...rates });
      }
    }
    return items.length === 0 ? null : { items };
  },
};
