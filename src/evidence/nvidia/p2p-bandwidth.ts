/**
 * p2pBandwidthLatencyTest and simpleP2P of the CUDA samples, and programs that print the same tables (Omniverse, Isaac). Device numbers are
 * CUDA's, addresses hexadecimal.
 *
 *   Device: 0, NVIDIA A40, pciBusID: 4f, pciDeviceID: 0, pciDomainID:0
 *   Device=0 CAN Access Peer Device=1
 *   P2P Connectivity Matrix
 *        D\D     0     1
 *        0       1     1
 *   Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)
 *      D\D     0      1
 *        0 802.93  26.33
 *
 * The row issues the copies. In a table of writes the bytes go from the row to the column; in one of reads from the column to the row. A
 * bidirectional value is the sum of both directions. Where a pair has no access, the table with peers shows a copy through memory, and the
 * program says so only in the lines of access.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type DeviceLabel, deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, MeasurementItem, PairItem, SettingItem, StatementItem } from '../measured/items.ts';
import { measurement, sameTable } from '../measured/measurement.ts';
import { wordsOf } from '../measured/text-matrix.ts';
import { numberOf } from '../measured/units.ts';
import { type BlockContext, type Recogniser, type Taken, tableOf } from '../recogniser.ts';
import { simpleP2pItems, simpleP2pLine } from './simple-p2p.ts';

export type P2pBandwidthItem = (DeviceItem | MeasurementItem | PairItem | SettingItem | StatementItem) & {
  readonly kind: 'p2p-bandwidth';
};

const DEVICE =
  /^\s*Device: (\d{1,3}), (.{1,100}), pciBusID: ([0-9a-f]{1,2}), pciDeviceID: ([0-9a-f]{1,2}), pciDomainID: ?([0-9a-f]{1,8})/i;
const ACCESS = /^\s*Device=(\d{1,3}) (CAN|CANNOT) Access Peer Device=(\d{1,3})/;
const TITLE =
  /^\s*(?:(Unidirectional|Bidirectional) )?P2P=(Enabled|Disabled) (Bandwidth|Latency) (?:\(P2P (Writes|Reads)\) )?Matrix \((GB\/s|us)\)/;
const CONNECTIVITY = /^\s*P2P Connectivity Matrix/;
const CORNER = /^\s*(D\\D|GPU|CPU)((?:\s+\d{1,3})+)$/;
const OBSERVED = /CUDA peer-to-peer observed (bandwidth|latency): ([\d.]{1,12}) ?(GB\/s|us)/;
const IOMMU = /IOMMU is enabled\. Running CUDA peer-to-peer/;
const TALK =
  /^\s*(?:\[P2P \(Peer-to-Peer\)|\*{3}NOTE:|So you can see lesser|NOTE: The CUDA Samples|Using (?:CE|SM) copy|Running with --|P2P cliques|\[P2P)/;

/** A word that a cell can be. */
const isCell = (word: string): boolean => /^-?(?:\d{1,12}(?:\.\d{0,6})?|nan|inf)$/i.test(word);
const isLabel = (word: string | undefined): word is string => word !== undefined && /^\d{1,3}$/.test(word);

/** Recognises these tables. */
export const p2pBandwidth: Recogniser<P2pBandwidthItem> = tableOf<P2pBandwidthItem>({
  kind: 'p2p-bandwidth',
  words: [
    'P2P (Peer-to-Peer)',
    'pciBusID: ',
    ' Access Peer Device=',
    'P2P Connectivity Matrix',
    'P2P=Enabled',
    'P2P=Disabled',
    'CUDA peer-to-peer',
    'simpleP2P',
    'Peer access from ',
    'between GPU',
  ],
  begins: (line) => isOwn(line),
  continues: (line, lines) => goesOn(line, lines),
  read: (lines, context) => {
    const { items, cut } = new Tables(context).read(lines);
    return items.length === 0 ? null : { items, isComplete: !cut, subject: sameTable(items) };
  },
});

/** Whether a line is of these programs by its words alone. */
function isOwn({ text }: CleanLine): boolean {
  return (
    DEVICE.test(text) ||
    ACCESS.test(text) ||
    TITLE.test(text) ||
    CONNECTIVITY.test(text) ||
    OBSERVED.test(text) ||
    IOMMU.test(text) ||
    /^\s*\[P2P \(Peer-to-Peer\)/.test(text) ||
    simpleP2pLine(text)
  );
}

function goesOn(line: CleanLine, lines: readonly CleanLine[]): Taken {
  if (line.isBlank) return 'passed';
  if (isOwn(line) || CORNER.test(line.text) || TALK.test(line.text)) return 'taken';
  return isRow(line, lines.at(-1) as CleanLine) ? 'taken' : 'passed';
}

/** Whether a line of numbers belongs to a table: it stands below a corner or other numbers. What fits nowhere is not read. */
function isRow(line: CleanLine, above: CleanLine): boolean {
  return wordsOf(line).every(isCell) && (CORNER.test(above.text) || wordsOf(above).every(isCell));
}

interface Title {
  readonly direction: 'uni' | 'bi';
  readonly peers: boolean;
  readonly quantity: 'bandwidth' | 'latency';
  readonly operation: 'write' | 'read' | 'copy';
  readonly name: string;
}

/** A title of a table; null for other lines. */
function titleOf(text: string): Title | null {
  const match = TITLE.exec(text);
  if (match === null) return null;
  const [name, way, state, quantity, operation] = match as unknown as [string, string?, string?, string?, string?];
  const peers = state === 'Enabled';
  return {
    direction: way === 'Bidirectional' ? 'bi' : 'uni',
    peers,
    quantity: quantity === 'Latency' ? 'latency' : 'bandwidth',
    // Releases before the reads were added write, and do not say it.
    operation: !peers || way === 'Bidirectional' ? 'copy' : operation === 'Reads' ? 'read' : 'write',
    name: name.trim(),
  };
}

/** Reads the tables of one block. */
class Tables {
  readonly #context: BlockContext;
  readonly #devices = new Map<number, DeviceLabel>();
  readonly #refused = new Set<string>();
  readonly #items: P2pBandwidthItem[] = [];
  #title: Title | 'connectivity' | null = null;
  #clock: string | null = null;
  #columns: readonly number[] = [];
  /** The row that may go on in the next line. */
  #row: { readonly index: number; cells: number } | null = null;
  /** Rows that the table still lacks. */
  #rowsLeft = 0;
  #cut = false;

  constructor(context: BlockContext) {
    this.#context = context;
  }

  read(lines: readonly CleanLine[]): { readonly items: readonly P2pBandwidthItem[]; readonly cut: boolean } {
    // Tables stand after the lines that they depend on, but a paste may have another order.
    for (const line of lines) this.#note(line);
    for (const line of lines) this.#line(line);
    this.#endTable();
    return { items: this.#items, cut: this.#cut };
  }

  #note({ text }: CleanLine): void {
    const device = DEVICE.exec(text);
    if (device !== null) {
      const [, index, , bus, slot, domain] = device as unknown as string[];
      const label = deviceLabel(index as string, 'gpu', {
        index: Number(index),
        numbering: 'cuda',
        ...printedAddress(`${domain}:${bus}:${slot}.0`),
      });
      this.#devices.set(Number(index), label);
    }
    const access = ACCESS.exec(text);
    if (access !== null && access[2] === 'CANNOT') this.#refused.add(`${access[1]} ${access[3]}`);
  }

  #line(line: CleanLine): void {
    const { text } = line;
    const place = { kind: 'p2p-bandwidth', file: this.#context.file, line: line.number } as const;
    const device = DEVICE.exec(text);
    if (device !== null) {
      this.#items.push({
        ...place,
        what: 'device',
        device: this.#device(Number(device[1])),
        product: device[2] as string,
      });
      return;
    }
    const access = ACCESS.exec(text);
    if (access !== null) {
      const [from, to] = [this.#device(Number(access[1])), this.#device(Number(access[3]))];
      const value = access[2] === 'CAN' ? 'yes' : 'no';
      this.#items.push({
        ...place,
        what: 'pair',
        relation: 'access',
        from,
        to,
        value,
        raw: access[2] as string,
        asked: null,
      });
      return;
    }
    const title = CONNECTIVITY.test(text) ? 'connectivity' : titleOf(text);
    if (title !== null) {
      this.#endTable();
      this.#title = title;
      this.#clock = null;
      this.#columns = [];
      return;
    }
    const corner = CORNER.exec(text);
    if (corner !== null) {
      this.#endTable();
      this.#clock = corner[1] as string;
      this.#columns = (corner[2] as string).trim().split(/\s+/).map(Number);
      this.#rowsLeft = this.#columns.length;
      return;
    }
    const observed = OBSERVED.exec(text);
    if (observed !== null) {
      const [, quantity, value, unit] = observed;
      this.#items.push({ ...place, what: 'setting', name: `observed ${quantity}`, value: `${value} ${unit}` });
    } else if (IOMMU.test(text)) {
      this.#items.push({ ...place, what: 'statement', says: 'iommu-enabled', text: text.trim(), about: [] });
    } else if (simpleP2pLine(text)) {
      this.#items.push(...simpleP2pItems(text, place));
    } else if (this.#title !== null) this.#numbers(line);
  }

  #numbers(line: CleanLine): void {
    const words = wordsOf(line);
    if (!words.every(isCell)) return;
    const [label] = words;
    // Columns of a header that was broken.
    if (this.#row === null && this.#rowsLeft === this.#columns.length && words.every(isLabel)) {
      const next = (this.#columns.at(-1) ?? -1) + 1;
      if (next > 0 && Number(label) === next && this.#title !== 'connectivity') {
        this.#columns = [...this.#columns, ...words.map(Number)];
        this.#rowsLeft = this.#columns.length;
        return;
      }
    }
    const missing = this.#row === null ? 0 : this.#columns.length - this.#row.cells;
    const isNext = isLabel(label) && (this.#row === null || Number(label) === this.#row.index + 1);
    if (isNext && (missing === 0 || this.#title !== 'connectivity' || words.length > missing)) {
      if (missing > 0) this.#cut = true;
      this.#row = { index: Number(label), cells: 0 };
      this.#rowsLeft--;
      this.#cells(words.slice(1), line);
    } else if (this.#row !== null && missing > 0) this.#cells(words, line);
  }

  #cells(words: readonly string[], line: CleanLine): void {
    const row = this.#row as { readonly index: number; cells: number };
    for (const raw of words) {
      const column = this.#columns[row.cells];
      if (column === undefined) return;
      row.cells++;
      this.#items.push(this.#cell(row.index, column, raw, line));
    }
  }

  #cell(row: number, column: number, raw: string, line: CleanLine): P2pBandwidthItem {
    const place = { kind: 'p2p-bandwidth', file: this.#context.file, line: line.number } as const;
    const [own, other] = [this.#device(row), this.#device(column)];
    const title = this.#title as Title | 'connectivity';
    if (title === 'connectivity') {
      const value = raw === '0' ? 'no' : 'yes';
      return { ...place, what: 'pair', relation: 'access', from: own, to: other, value, raw, asked: null };
    }
    const { direction, quantity, operation, peers, name } = title;
    const [from, to] = operation === 'read' ? [other, own] : [own, other];
    const unit = quantity === 'latency' ? 'us' : 'GB/s';
    return measurement({
      ...place,
      quantity,
      from,
      to,
      operation,
      direction,
      counts: direction === 'bi' ? 'both' : 'one',
      value: numberOf(raw),
      unit,
      raw: `${raw} ${unit}`,
      // Latency is that of four integers.
      size: quantity === 'latency' ? 16 : null,
      peerEnabled: peers && row !== column ? !this.#refused.has(`${row} ${column}`) : peers,
      engine: this.#clock === 'CPU' ? 'cpu' : 'copy-engine',
      test: this.#clock === 'CPU' ? `${name}, CPU` : name,
    });
  }

  #endTable(): void {
    const missing = this.#row === null ? 0 : this.#columns.length - this.#row.cells;
    if (this.#rowsLeft > 0 || missing > 0) this.#cut = true;
    this.#rowsLeft = 0;
    this.#row = null;
  }

  #device(index: number): DeviceLabel {
    return this.#devices.get(index) ?? deviceLabel(String(index), 'gpu', { index, numbering: 'cuda' });
  }
}
