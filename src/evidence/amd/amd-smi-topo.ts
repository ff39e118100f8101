/**
 * `amd-smi topology`: tables whose rows and columns are full addresses; the same as JSON, and as comma-separated text.
 *
 *   LINK TYPE TABLE:
 *                0000:03:00.0 0000:0c:00.0
 *   0000:03:00.0 SELF         PCIE
 *   0000:0c:00.0 PCIE         SELF
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type DeviceLabel, deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, PairItem, PairRelation } from '../measured/items.ts';
import { elements, type Json, type JsonForm, member, numeral, words } from '../measured/json-text.ts';
import { sameTable } from '../measured/measurement.ts';
import { matrixRows, wordsOf } from '../measured/text-matrix.ts';
import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';

export type AmdSmiItem = (PairItem | DeviceItem) & { readonly kind: 'amd-smi-topo' };

const TITLE = /^\s*([A-Z][A-Z -]{2,30}?) TABLE:?$/;
const ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i;
const LEGEND = /^\s*(?:Legend:|(?:SELF|ENABLED \/ DISABLED|N\/A|T\/F|C\/NC|64,32) = |<BW from>)/;

/** By the title of a table, and by the name of a member of a link. */
const RELATIONS: Readonly<Record<string, PairRelation>> = {
  ACCESS: 'access',
  WEIGHT: 'weight',
  HOPS: 'hops',
  'LINK TYPE': 'link-type',
  'NUMA BW': 'numa-bandwidth',
  'CACHE COHERANCY': 'coherency',
  'CACHE COHERENCY': 'coherency',
  ATOMICS: 'atomics',
  DMA: 'dma',
  'BI-DIRECTIONAL': 'bidirectional',
  link_status: 'access',
  weight: 'weight',
  num_hops: 'hops',
  link_type: 'link-type',
  bandwidth: 'numa-bandwidth',
  coherent: 'coherency',
  atomics: 'atomics',
  dma: 'dma',
  bi_dir: 'bidirectional',
};

/** Recognises the tables. */
export const amdSmiTables: Recogniser<AmdSmiItem> = tableOf<AmdSmiItem>({
  kind: 'amd-smi-topo',
  words: [' TABLE'],
  begins: ({ text }) => titleOf(text) !== null,
  continues: (line, lines) => {
    const { text, isBlank } = line;
    if (isBlank) return 'passed';
    if (titleOf(text) !== null || LEGEND.test(text)) return 'taken';
    if (LEGEND.test((lines.at(-1) as CleanLine).text)) return 'ended';
    // Rows that a terminal broke go on without an address.
    const [first] = wordsOf(line);
    return ADDRESS.test(first ?? '') || wordsOf(line).every((word) => /^[\w/,.-]{1,20}$/.test(word))
      ? 'taken'
      : 'ended';
  },
  read: (lines, { file }) => {
    const items: AmdSmiItem[] = [];
    let isCut = false;
    for (const { title, body } of tablesOf(lines)) {
      const relation = titleOf(title.text) as PairRelation;
      const headers = body.findIndex((line) => !wordsOf(line).every((word) => ADDRESS.test(word)));
      const columns = body.slice(0, Math.max(headers, 0)).flatMap(wordsOf);
      const isRow = (word: string): boolean => ADDRESS.test(word);
      const rows = matrixRows(body.slice(Math.max(headers, 0)), columns.length, isRow, (word) => !isRow(word));
      if (rows.length < columns.length || rows.some(({ cells }) => cells.length < columns.length)) isCut = true;
      for (const { label, line, cells } of rows) {
        for (const [at, raw] of cells.entries()) {
          const [from, to] = [gpu(label, null), gpu(columns[at] as string, null)];
          items.push(pair(relation, from, to, raw, { kind: 'amd-smi-topo', file, line }));
        }
      }
    }
    return items.length === 0 ? null : { items, isComplete: !isCut, subject: sameTable(items) };
  },
});

const titleOf = (text: string): PairRelation | null => RELATIONS[TITLE.exec(text)?.[1] ?? ''] ?? null;

function tablesOf(lines: readonly CleanLine[]): { readonly title: CleanLine; readonly body: CleanLine[] }[] {
  const tables: { readonly title: CleanLine; readonly body: CleanLine[] }[] = [];
  for (const line of lines) {
    if (titleOf(line.text) !== null) tables.push({ title: line, body: [] });
    else if (!LEGEND.test(line.text)) tables.at(-1)?.body.push(line);
  }
  return tables;
}

/** Recognises the JSON: a list of GPUs, each with its links. */
export const amdSmiJson: JsonForm<AmdSmiItem> = {
  kind: 'amd-smi-topo',
  sign: /"(?:link_status|link_type|num_hops)"/,
  read: (value, line, { file }) => {
    const place = { kind: 'amd-smi-topo', file, line } as const;
    const gpus = Array.isArray(value) ? value : elements(member(value, 'topology'));
    const items = gpus.flatMap((entry) => {
      const from = gpuOf(entry);
      const links = elements(member(entry, 'links'));
      const device: AmdSmiItem = { ...place, what: 'device', device: from };
      return [device, ...links.flatMap((link) => linkItems(link, from, place))];
    });
    return items.some(({ what }) => what === 'pair') ? { items, subject: sameTable(items) } : null;
  },
};

function gpuOf(entry: Json): DeviceLabel {
  return gpu(words(member(entry, 'bdf')) ?? '', numeral(member(entry, 'gpu')));
}

function linkItems(link: Json, from: DeviceLabel, place: ItemPlace & { readonly kind: 'amd-smi-topo' }): AmdSmiItem[] {
  const to = gpuOf(link);
  return Object.entries(RELATIONS).flatMap(([name, relation]) => {
    const raw = words(member(link, name));
    return raw === null ? [] : [pair(relation, from, to, raw, place)];
  });
}

const CSV =
  /^\s*gpu(?:_src|_a)?,(?:gpu_bdf|bdf|gpu_?\w{0,8})?[\w,]{0,200}\b(?:link_type|weight|num_hops|link_status)\b/;

/** Recognises the comma-separated form: a line for each pair, under a heading. */
export const amdSmiCsv: Recogniser<AmdSmiItem> = tableOf<AmdSmiItem>({
  kind: 'amd-smi-topo',
  words: ['link_type', 'link_status', 'num_hops', ',weight'],
  begins: ({ text }) => CSV.test(text),
  continues: ({ text, isBlank }, lines) => {
    if (isBlank) return 'passed';
    return text.split(',').length === (lines[0] as CleanLine).text.split(',').length ? 'taken' : 'ended';
  },
  read: (lines, { file }) => {
    const [head, ...rows] = lines as readonly [CleanLine, ...CleanLine[]];
    const names = head.text.split(',').map((name) => name.trim());
    const items = rows.flatMap((row) => csvItems(names, row, file));
    return items.length === 0 ? null : { items, subject: sameTable(items) };
  },
});

/** The columns that name GPUs are the first two of numbers and the first two of addresses. */
function csvItems(names: readonly string[], row: CleanLine, file: string): AmdSmiItem[] {
  const cells = row.text.split(',').map((cell) => cell.trim());
  const gpus = cells.filter((_, at) => /^gpu(?!.*bdf)/.test(names[at] as string));
  const addresses = cells.filter((cell) => ADDRESS.test(cell));
  if (addresses.length < 2 && gpus.length < 2) return [];
  const [from, to] = [0, 1].map((at) => gpu(addresses[at] ?? '', numeral(gpus[at] ?? null))) as [
    DeviceLabel,
    DeviceLabel,
  ];
  return names.flatMap((name, at) => {
    const [relation, raw] = [RELATIONS[name], cells[at]];
    if (relation === undefined || raw === undefined || raw === '') return [];
    return [pair(relation, from, to, raw, { kind: 'amd-smi-topo', file, line: row.number })];
  });
}

function gpu(address: string, index: number | null): DeviceLabel {
  const label = address === '' ? `GPU${index}` : address;
  return deviceLabel(label, 'gpu', {
    ...printedAddress(address),
    ...(index === null ? {} : { index, numbering: 'drm' }),
  });
}

function pair(
  relation: PairRelation,
  from: DeviceLabel,
  to: DeviceLabel,
  raw: string,
  place: ItemPlace & { readonly kind: 'amd-smi-topo' },
): AmdSmiItem {
  const value = relation !== 'access' ? raw : raw === 'ENABLED' ? 'yes' : raw === 'DISABLED' ? 'no' : raw;
  return { ...place, what: 'pair', relation, from, to, value, raw, asked: null };
}
