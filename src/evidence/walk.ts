/**
 * The walk over a text: line by line, asking the recognisers whose words stand in a line, keeping one open table and any number of open
 * logs. Lines are decoded where a word stands in them or a table is open; all others are only counted. Linear in the text; what is kept
 * is bounded.
 */

import { BlockDrafts } from './block-drafts.ts';
import { CleanLine, LINE_MAX } from './clean/clean-line.ts';
import { lineEndOf, textStart } from './clean/line-ends.ts';
import type { EvidenceItem } from './items.ts';
import { Context, type OpenBlock, see } from './open-block.ts';
import { promptedCommand } from './prompt.ts';
import type { BlockResult, Reading, Recogniser } from './recogniser.ts';
import type { BlockDraft } from './source-block.ts';
import { type LinePlace, UnknownLines } from './unknown-lines.ts';
import { WordOwners } from './word-owners.ts';

/** What a walk found. */
export interface WalkResult {
  readonly drafts: readonly BlockDraft[];
  /** Blocks that were too many to keep. */
  readonly leftOutBlocks: number;
  readonly lines: number;
  readonly longLines: { readonly count: number; readonly first: number } | null;
}

/** Lines in a row that belong to others before a table is taken to have ended. */
const ASIDES_MAX = 60;
/** Lines in a row that belong to nobody before a log is taken to have ended. */
const FOREIGN_MAX = 3;
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

export class Walk {
  readonly #bytes: Uint8Array;
  readonly #file: string;
  readonly #words: WordOwners;
  readonly #recognisers: readonly Recogniser<EvidenceItem>[];
  readonly #bearers: readonly { readonly owner: number; readonly bears: NonNullable<Recogniser['bears']> }[];
  readonly #lineEnd: number;
  readonly #logs = new Map<number, OpenBlock>();
  readonly #drafts: BlockDrafts;
  readonly #unknown = new UnknownLines();
  #table: OpenBlock | null = null;
  /** A log that wants the next line, whatever it holds. */
  #wanting: OpenBlock | null = null;
  /** The last line that was not blank. */
  #above: LinePlace | null = null;
  #longLines = 0;
  #firstLong = 0;

  constructor(bytes: Uint8Array, file: string, recognisers: readonly Recogniser<EvidenceItem>[]) {
    this.#bytes = bytes;
    this.#file = file;
    this.#recognisers = recognisers;
    this.#lineEnd = lineEndOf(bytes);
    this.#words = new WordOwners(recognisers);
    this.#drafts = new BlockDrafts(file);
    this.#bearers = recognisers.flatMap(({ bears }, owner) => (bears === undefined ? [] : [{ owner, bears }]));
  }

  run(): WalkResult {
    const bytes = this.#bytes;
    let number = 0;
    for (let start = textStart(bytes); start < bytes.length; ) {
      number++;
      const end = this.#words.scanLine(bytes, start, this.#lineEnd);
      if (end - start > LINE_MAX) {
        this.#longLines++;
        if (this.#longLines === 1) this.#firstLong = number;
      }
      this.#line(number, start, end);
      start = end + 1;
    }
    while (this.#table !== null) this.#closeTable();
    this.#closeLogs();
    for (const { first, last } of this.#unknown.runs()) this.#drafts.addUnknown(first, last);
    return {
      drafts: this.#drafts.all,
      leftOutBlocks: this.#drafts.leftOut,
      lines: number,
      longLines: this.#longLines === 0 ? null : { count: this.#longLines, first: this.#firstLong },
    };
  }

  #line(number: number, start: number, end: number): void {
    const { asked, flooded } = this.#words.ofLine(number);
    const place: LinePlace = { number, start, end };
    if (this.#table?.reading?.skim?.(this.#bytes, start, end) === true) {
      this.#extend(this.#table, place);
      this.#table.strangers = 0;
      this.#above = place;
      return;
    }
    if (this.#table === null && this.#wanting === null && asked.length === 0) {
      if (flooded.length === 0 || !this.#counted(flooded, place)) this.#silentLine(place);
      return;
    }
    const line = new CleanLine(this.#bytes, start, end, number, this.#table?.peel);
    if (line.isBlank && this.#table === null) return;
    if (!this.#offered(line, place, asked) && !line.isBlank && line.mark === null && !this.#borne(place)) {
      this.#stranger(place);
    }
    if (!line.isBlank) this.#above = place;
  }

  /** Whether a line of a flood is counted by an open log. */
  #counted(flooded: readonly number[], place: LinePlace): boolean {
    let isCounted = false;
    for (const owner of flooded) {
      const log = this.#logs.get(owner);
      if (log === undefined) continue;
      log.leftOut++;
      if (!isCounted) this.#extend(log, place);
      isCounted = true;
    }
    return isCounted;
  }

  /** A line that nobody is asked about, while no table is open. */
  #silentLine(place: LinePlace): void {
    const { start, end } = place;
    const bytes = this.#bytes;
    let at = start;
    // Blank, or an empty line of quoted mail.
    while (at < end && ((bytes[at] as number) <= 0x20 || bytes[at] === QUOTE_MARK)) at++;
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
      if (line.mark === 'cut' || line.bare === '--') {
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

  #logTakes(log: OpenBlock, reading: Reading<EvidenceItem>, line: CleanLine, place: LinePlace): boolean {
    const taken = reading.take(line);
    if (taken !== 'taken' && taken !== 'more') return false;
    if (taken === 'more') this.#wanting = log;
    this.#extend(log, place);
    return true;
  }

  #openTable(begun: BegunBlock): void {
    while (this.#table !== null) this.#closeTable();
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

  /** Notes a line of a block. Lines that a table gave back may stand above those that a log has had since. */
  #extend(block: OpenBlock, place: LinePlace): void {
    if (place.number > block.last.number) block.last = place;
    if (place.number < block.first.number) block.first = place;
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
        this.#extend(log, place);
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
      if (++log.strangers >= FOREIGN_MAX && !this.#drafts.areMany) this.#closeLog(owner, log);
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
    this.#words.ban(table.owner, table.last.number);
    const above = this.#above;
    this.#above = table.context.line;
    for (const { number, start, end } of table.seen) {
      this.#words.scanLine(this.#bytes, start, this.#lineEnd);
      this.#line(number, start, end);
    }
    this.#above = above;
  }

  #draft(block: OpenBlock, result: BlockResult<EvidenceItem> | null): void {
    if (result === null) return;
    const { kind } = this.#recognisers[block.owner] as Recogniser<EvidenceItem>;
    this.#drafts.add(result.kind ?? kind, block, result);
  }
}

/** First bytes of fences, tags and marks of what was left out, and how long such a line is at most. */
const MARK_LENGTHS: ReadonlyMap<number, number> = new Map(
  [...'`~<.[(-\u00e2'].map((character) => [character.charCodeAt(0), '`~<'.includes(character) ? 300 : 48]),
);

/** `>`, which quoted mail puts before each line. */
const QUOTE_MARK = 0x3e;
