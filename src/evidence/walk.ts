/**
 * The walk over a text: line by line, asking the recognisers whose words stand in a line, keeping one open table and any number of open
 * logs. Lines are decoded where a word stands in them or a table is open; all others are only counted. Linear in the text; what is kept
 * is bounded.
 */

import { AnchorTable } from './anchors.ts';
import { CleanLine, LINE_MAX } from './clean/clean-line.ts';
import { lineEndOf, textStart } from './clean/line-ends.ts';
import type { EvidenceItem } from './items.ts';
import { Context, type OpenBlock, see } from './open-block.ts';
import { promptedCommand } from './prompt.ts';
import type { Reading, Recogniser } from './recogniser.ts';
import type { BlockDraft } from './source-block.ts';
import { type LinePlace, UnknownLines } from './unknown-lines.ts';

/** What a walk found. */
export interface WalkResult {
  readonly drafts: readonly BlockDraft[];
  readonly lines: number;
  readonly longLines: { readonly count: number; readonly first: number } | null;
}

/** Lines with one word that a log is shown; the rest of a flood is counted. */
const WORD_LINES_MAX = 3000;
/** Lines in a row that belong to others before a table is taken to have ended. */
const ASIDES_MAX = 60;
/** Lines in a row that belong to nobody before a log is taken to have ended. */
const FOREIGN_MAX = 3;
/** Blocks that are kept; what comes behind only lengthens those that are open. */
const BLOCKS_MAX = 2000;
/** Prefixes that are taken off only where the line says nothing with them: `host: `, `12:` of `grep -n`, `log.txt:`. */
const PEELS: readonly RegExp[] = [
  /^\d{1,7}[:-]/,
  /^[\w./-]{1,120}\.(?:txt|log)[:-](?:\d{1,7}[:-])?/,
  /^[\w.-]{1,64}: (?=\S|\t)/,
  /^\|\s/,
];

/** A block at its first line. */
interface BegunBlock extends Pick<OpenBlock, 'owner' | 'context' | 'reading' | 'peel'> {
  readonly place: LinePlace;
}

const NOBODY: readonly number[] = [];

const ANCHORS = new WeakMap<readonly Recogniser<EvidenceItem>[], AnchorTable>();

/** The words of all recognisers; a list's table is made once, when a text is read. */
function anchorsOf(recognisers: readonly Recogniser<EvidenceItem>[]): AnchorTable {
  const known = ANCHORS.get(recognisers);
  if (known !== undefined) return known;
  const made = new AnchorTable(recognisers.flatMap(({ words }, owner) => words.map((word) => ({ word, owner }))));
  ANCHORS.set(recognisers, made);
  return made;
}

export class Walk {
  readonly #bytes: Uint8Array;
  readonly #file: string;
  readonly #recognisers: readonly Recogniser<EvidenceItem>[];
  readonly #anchors: AnchorTable;
  readonly #bearers: readonly { readonly owner: number; readonly bears: NonNullable<Recogniser['bears']> }[];
  readonly #lineEnd: number;
  /** Words of the line that is looked at. */
  readonly #hits: number[] = [];
  /** Lines that a word stood in. */
  readonly #wordLines: Uint32Array;
  /** Up to this line an owner has given its lines back. */
  readonly #bannedTo: Uint32Array;
  readonly #logs = new Map<number, OpenBlock>();
  readonly #drafts: BlockDraft[] = [];
  readonly #unknown = new UnknownLines();
  #table: OpenBlock | null = null;
  /** A log that wants the next line, whatever it holds. */
  #wanting: OpenBlock | null = null;
  /** The log that a line of a flood belongs to, which is not read. */
  #flooded: OpenBlock | null = null;
  /** The last line that was not blank. */
  #above: LinePlace | null = null;
  #longLines = 0;
  #firstLong = 0;

  constructor(bytes: Uint8Array, file: string, recognisers: readonly Recogniser<EvidenceItem>[]) {
    this.#bytes = bytes;
    this.#file = file;
    this.#recognisers = recognisers;
    this.#lineEnd = lineEndOf(bytes);
    this.#anchors = anchorsOf(recognisers);
    this.#bearers = recognisers.flatMap(({ bears }, owner) => (bears === undefined ? [] : [{ owner, bears }]));
    this.#wordLines = new Uint32Array(this.#anchors.owners.length);
    this.#bannedTo = new Uint32Array(recognisers.length);
  }

  run(): WalkResult {
    const bytes = this.#bytes;
    let number = 0;
    for (let start = textStart(bytes); start < bytes.length; ) {
      number++;
      this.#hits.length = 0;
      const end = this.#anchors.scanLine(bytes, start, this.#lineEnd, this.#hits);
      if (end - start > LINE_MAX) {
        this.#longLines++;
        if (this.#longLines === 1) this.#firstLong = number;
      }
      this.#line(number, start, end);
      start = end + 1;
    }
    while (this.#table !== null) this.#closeTable();
    this.#closeLogs();
    for (const { first, last } of this.#unknown.runs()) this.#drafts.push(this.#unknownDraft(first, last));
    return {
      drafts: this.#drafts,
      lines: number,
      longLines: this.#longLines === 0 ? null : { count: this.#longLines, first: this.#firstLong },
    };
  }

  #line(number: number, start: number, end: number): void {
    this.#flooded = null;
    const owners = this.#hits.length === 0 ? NOBODY : this.#owners(number);
    const place: LinePlace = { number, start, end };
    if (this.#table?.reading?.skim?.(this.#bytes, start, end) === true) {
      this.#extend(this.#table, place);
      this.#table.strangers = 0;
      this.#above = place;
      return;
    }
    if (this.#table === null && this.#wanting === null && owners.length === 0) {
      if (this.#flooded === null) this.#silentLine(place);
      else this.#extend(this.#flooded, place);
      return;
    }
    const line = new CleanLine(this.#bytes, start, end, number, this.#table?.peel);
    if (line.isBlank && this.#table === null) return;
    if (!this.#offered(line, place, owners) && !line.isBlank && line.mark === null && !this.#borne(place)) {
      this.#stranger(place);
    }
    if (!line.isBlank) this.#above = place;
  }

  /** A line that nobody is asked about, while no table is open. */
  #silentLine(place: LinePlace): void {
    const { start, end } = place;
    const bytes = this.#bytes;
    let at = start;
    while (at < end && (bytes[at] as number) <= 0x20) at++;
    if (at === end) return;
    const longest = MARK_LENGTHS.get(bytes[at] as number) ?? 0;
    const isMark = end - at <= longest && new CleanLine(bytes, start, end, place.number).mark !== null;
    if (!isMark && !this.#borne(place)) this.#stranger(place);
    this.#above = place;
  }

  /** Shows a line to whoever may want it; true where it found a block, or is a mark between blocks. */
  #offered(line: CleanLine, place: LinePlace, owners: readonly number[]): boolean {
    if (this.#tableTakes(line, place) || line.mark !== null || line.isBlank) return true;
    const wanting = this.#wanting;
    this.#wanting = null;
    if (wanting !== null && wanting.reading !== null && this.#logTakes(wanting, wanting.reading, line, place))
      return true;
    if (this.#asked(line, place, owners, null)) return true;
    if (owners.length === 0) return false;
    for (const peel of PEELS) {
      if (!peel.test(line.text)) continue;
      const peeled = new CleanLine(this.#bytes, place.start, place.end, place.number, peel);
      if (this.#asked(peeled, place, owners, peel)) return true;
    }
    return false;
  }

  /** Whether the open table takes the line. Closes it where it has ended, and asks the one that its lines then opened. */
  #tableTakes(line: CleanLine, place: LinePlace): boolean {
    for (let table = this.#table; table !== null; table = this.#table) {
      if (line.mark === 'cut' || line.text === '--') {
        table.hasGap ||= line.mark === 'cut';
        return true;
      }
      const isOver = line.mark === 'fence' || promptedCommand(line.text) !== null;
      const taken = isOver ? 'ended' : (table.reading as Reading<EvidenceItem>).take(line);
      if (taken === 'taken' || taken === 'more') {
        table.strangers = 0;
        if (line.isBlank) see(table, place);
        else this.#extend(table, place);
        return true;
      }
      if (taken === 'passed' && table.strangers < ASIDES_MAX) {
        if (line.isBlank) see(table, place);
        else table.strangers++;
        return false;
      }
      this.#closeTable();
    }
    return false;
  }

  /** Asks each of `owners`; true where one took the line. */
  #asked(line: CleanLine, place: LinePlace, owners: readonly number[], peel: RegExp | null): boolean {
    for (const owner of owners) {
      const recogniser = this.#recognisers[owner] as Recogniser<EvidenceItem>;
      const log = recogniser.manner === 'log' ? this.#logs.get(owner) : undefined;
      const known = log?.reading ?? null;
      if (log !== undefined && known !== null) {
        if (this.#logTakes(log, known, line, place)) return true;
        continue;
      }
      const context = log?.context ?? new Context(this.#file, this.#bytes, this.#above);
      const reading = recogniser.open(line, context);
      if (reading === null) continue;
      if (recogniser.manner === 'table') {
        this.#openTable({ owner, context, reading, place, peel });
        return true;
      }
      const block = log ?? this.#newBlock({ owner, context, reading: null, place, peel });
      if (!this.#logTakes(block, reading, line, place)) continue;
      block.reading = reading;
      if (log === undefined) this.#openLog(block);
      return true;
    }
    return false;
  }

  /**
   * Recognisers one of whose words stands in this line, in the order of the table; without those that gave the line back. Of a flood of
   * lines with one word the first are shown to a log, and the others counted.
   */
  #owners(number: number): readonly number[] {
    const owners: number[] = [];
    let flooded = NOBODY;
    for (const word of this.#hits) {
      const owner = this.#anchors.owners[word] as number;
      if (owners.includes(owner) || (this.#bannedTo[owner] as number) >= number) continue;
      if (++(this.#wordLines[word] as number) > WORD_LINES_MAX && this.#recognisers[owner]?.manner === 'log') {
        flooded = [...flooded, owner];
      } else owners.push(owner);
    }
    for (const owner of new Set(flooded)) {
      const log = this.#logs.get(owner);
      if (log === undefined || owners.includes(owner)) continue;
      log.leftOut++;
      this.#flooded = log;
    }
    return owners.sort((a, b) => a - b);
  }

  #logTakes(log: OpenBlock, reading: Reading<EvidenceItem>, line: CleanLine, place: LinePlace): boolean {
    const taken = reading.take(line);
    if (taken !== 'taken' && taken !== 'more') return false;
    if (taken === 'more') this.#wanting = log;
    this.#extend(log, place);
    return true;
  }

  #openTable(begun: BegunBlock): void {
    if (this.#table !== null) this.#closeTable();
    this.#closeLogs();
    this.#table = this.#newBlock(begun);
    this.#ownCommand(this.#table);
    this.#extend(this.#table, begun.place);
  }

  #openLog(log: OpenBlock): void {
    this.#ownCommand(log);
    this.#logs.set(log.owner, log);
  }

  /** The command above a block is known by it, and no unknown line. */
  #ownCommand({ context }: OpenBlock): void {
    if (context.command !== null && this.#above !== null) this.#unknown.takeBack(this.#above.number);
  }

  #newBlock({ owner, context, reading, place, peel }: BegunBlock): OpenBlock {
    return {
      owner,
      context,
      reading,
      first: place,
      last: place,
      seen: [],
      unclaimed: [],
      peel,
      strangers: 0,
      leftOut: 0,
      hasGap: false,
    };
  }

  #extend(block: OpenBlock, place: LinePlace): void {
    block.last = place;
    block.strangers = 0;
    if (this.#recognisers[block.owner]?.manner === 'log') this.#unknown.claim(place.number);
    else see(block, place);
  }

  /** Whether a log bears the line by its stamp alone. */
  #borne(place: LinePlace): boolean {
    for (const { owner, bears } of this.#bearers) {
      const born = bears(this.#bytes, place.start, place.end);
      if (born === null) continue;
      const log = this.#logs.get(owner);
      if (born === 'along') {
        if (log !== undefined) return true;
        continue;
      }
      if (log === undefined) {
        const context = new Context(this.#file, this.#bytes, this.#above);
        this.#openLog(this.#newBlock({ owner, context, reading: null, place, peel: null }));
        this.#unknown.claim(place.number);
      } else {
        log.last = place;
        log.strangers = 0;
        this.#unknown.claim(place.number);
      }
      return true;
    }
    return false;
  }

  /** A line that is nobody's. */
  #stranger(place: LinePlace): void {
    const table = this.#table;
    if (table !== null && see(table, place)) table.unclaimed.push(place);
    else this.#unknown.add(place);
    for (const [owner, log] of this.#logs) {
      if (++log.strangers >= FOREIGN_MAX && this.#drafts.length < BLOCKS_MAX / 2) this.#closeLog(owner, log);
    }
  }

  #closeLogs(): void {
    for (const [owner, log] of this.#logs) this.#closeLog(owner, log);
  }

  #closeLog(owner: number, log: OpenBlock): void {
    this.#logs.delete(owner);
    if (this.#wanting === log) this.#wanting = null;
    this.#draft(log, log.reading === null ? { items: [] } : log.reading.close());
  }

  /** Closes the table that is open; where it was something else, its lines are shown to the others, which may open another. */
  #closeTable(): void {
    const table = this.#table as OpenBlock;
    this.#table = null;
    const result = (table.reading as Reading<EvidenceItem>).close();
    if (result !== null) {
      this.#draft(table, result);
      this.#unknown.claim(table.first.number);
      for (const place of table.unclaimed) this.#unknown.add(place);
      this.#unknown.claim(table.last.number);
      return;
    }
    this.#bannedTo[table.owner] = Math.max(this.#bannedTo[table.owner] as number, table.last.number);
    const [hits, above] = [[...this.#hits], this.#above];
    this.#above = table.context.line;
    for (const { number, start, end } of table.seen) {
      this.#hits.length = 0;
      this.#anchors.scanLine(this.#bytes, start, this.#lineEnd, this.#hits);
      this.#line(number, start, end);
    }
    this.#hits.splice(0, this.#hits.length, ...hits);
    this.#above = above;
  }

  #draft(block: OpenBlock, result: ReturnType<Reading<EvidenceItem>['close']>): void {
    if (result === null || this.#drafts.length >= BLOCKS_MAX) return;
    this.#drafts.push({
      kind: (this.#recognisers[block.owner] as Recogniser<EvidenceItem>).kind,
      file: this.#file,
      fromLine: block.first.number,
      toLine: block.last.number,
      bytes: { start: block.first.start, end: block.last.end },
      items: result.items,
      leftOut: (result.leftOut ?? 0) + block.leftOut,
      isComplete: (result.isComplete ?? true) && !block.hasGap,
      subject: result.subject ?? null,
      doubt: result.doubt ?? null,
      command: block.context.command,
    });
  }

  #unknownDraft(first: LinePlace, last: LinePlace): BlockDraft {
    return {
      kind: 'unknown',
      file: this.#file,
      fromLine: first.number,
      toLine: last.number,
      bytes: { start: first.start, end: last.end },
      items: [],
      leftOut: 0,
      isComplete: true,
      subject: null,
      doubt: null,
      command: null,
    };
  }
}

/** First bytes of fences, tags and marks of what was left out, and how long such a line is at most. */
const MARK_LENGTHS: ReadonlyMap<number, number> = new Map(
  [...'`~<.[(-\u00e2>'].map((character) => [character.charCodeAt(0), '`~<>'.includes(character) ? 300 : 48]),
);
