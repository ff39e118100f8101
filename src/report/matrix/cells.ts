/** All pairs of a matrix, judged once and kept in two bytes each, with the reasons counted. */

import { listed } from '../../core/words.ts';
import { judgePair } from '../../p2p/distance.ts';
import type { JudgeContext } from '../../p2p/judge.ts';
import { type LinkWord, linkWord } from '../../p2p/link-word.ts';
import { type MailCase, mailCase, type PairVerdict } from '../../p2p/verdict.ts';

/** What a matrix is asked about. */
export interface MatrixQuestion {
  readonly judge: JudgeContext;
  /** Indices in `judge.functions`, ascending. */
  readonly providers: readonly number[];
  readonly clients: readonly number[];
}

export interface Cell {
  readonly word: LinkWord;
  readonly mailCase: MailCase;
}

/** How many pairs have a case for one and the same reason. */
export interface ReasonTally {
  readonly mailCase: MailCase;
  readonly message: string;
  readonly pairs: number;
}

const WORDS: readonly LinkWord[] = ['X', 'PIX', 'PXB', 'PHB', 'NODE', 'SYS', 'SYS?', '?'];
const CASES: readonly MailCase[] = ['c', 'b2', 'b1', 'a', '?'];

export class MatrixCells {
  readonly question: MatrixQuestion;
  /** Most frequent first, by case in the order b1, a, ?. */
  readonly tallies: readonly ReasonTally[];
  /** Pairs of which our own opinion differs from the kernel's answer. */
  readonly differing: number;
  readonly #words: Uint8Array;
  readonly #cases: Uint8Array;

  constructor(question: MatrixQuestion) {
    const { judge, providers, clients } = question;
    this.question = question;
    this.#words = new Uint8Array(providers.length * clients.length);
    this.#cases = new Uint8Array(providers.length * clients.length);
    const tallies = new Map<string, Tally>();
    let at = 0;
    let differing = 0;
    for (const provider of providers) {
      for (const client of clients) {
        const verdict = judgePair(judge, provider, client);
        const found = mailCase(verdict.type, provider === client);
        this.#words[at] = WORDS.indexOf(linkWord(judge, provider, client));
        this.#cases[at] = CASES.indexOf(found);
        at++;
        if (verdict.reasons.some(({ code }) => code === 'OPINION_DIFFERS')) differing++;
        if (found !== 'b2' && found !== 'c') tally(tallies, found, verdict);
      }
    }
    this.differing = differing;
    const order = (item: ReasonTally): number => CASES.indexOf(item.mailCase);
    this.tallies = [...tallies.values()].map(toldOnce).sort((a, b) => order(a) - order(b) || b.pairs - a.pairs);
  }

  /** The pair in row `row` and column `column`. */
  at(row: number, column: number): Cell {
    const at = row * this.question.clients.length + column;
    return {
      word: WORDS[this.#words[at] as number] as LinkWord,
      mailCase: CASES[this.#cases[at] as number] as MailCase,
    };
  }

  /** The distinct words and cases of a block of pairs, in the order of the legend; pairs with itself only if alone. */
  blockOf(rows: readonly number[], columns: readonly number[]): { words: LinkWord[]; cases: MailCase[] } {
    const { providers, clients } = this.question;
    let words = 0;
    let cases = 0;
    let self = 0;
    for (const row of rows) {
      for (const column of columns) {
        const at = row * clients.length + column;
        if (providers[row] === clients[column]) {
          self |= 1 << (this.#cases[at] as number);
          continue;
        }
        words |= 1 << (this.#words[at] as number);
        cases |= 1 << (this.#cases[at] as number);
      }
    }
    if (cases === 0) [words, cases] = [1, self];
    return {
      words: WORDS.filter((_, index) => words & (1 << index)),
      cases: CASES.filter((_, index) => cases & (1 << index)),
    };
  }
}

/** Why a verdict is what it is, in one line: the reasons without where the paths meet and what we think of it. */
export function whyOf(verdict: PairVerdict): string {
  const { reasons, type } = verdict;
  const telling = reasons.filter(({ code }) => {
    if (code === 'COMMON_UPSTREAM' || code === 'SAME_FUNCTION' || code === 'OPINION_DIFFERS') return false;
    // What allows is no reason where something else forbids.
    return code !== 'HOST_BRIDGE_LISTED' || type === 'thruHostBridge';
  });
  return (telling.length > 0 ? telling : reasons).map((reason) => reason.message).join('; ');
}

/** What the pair probably is, behind the reasons why it is not known. */
function probably({ likely }: PairVerdict): string {
  return likely === null ? '' : `; probably ${mailCase(likely.type, false)}: ${likely.because}`;
}

/** A reason while it is being counted. What is missing is missing of many functions: their names are gathered, place by place. */
interface Tally {
  readonly mailCase: MailCase;
  /** The message, with each list of names as one mark where names are gathered. */
  readonly template: string;
  readonly names: readonly Set<string>[];
  pairs: number;
}

const NAMES =
  /[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?:(?:, | and )[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])*/g;
const MARK = '\u0000';
/** More names than this are counted. */
const NAMES_MAX = 3;

function tally(tallies: Map<string, Tally>, found: MailCase, verdict: PairVerdict): void {
  const message = whyOf(verdict) + probably(verdict);
  const lists = found === '?' ? (message.match(NAMES) ?? []) : [];
  const template = found === '?' ? message.replaceAll(NAMES, MARK) : message;
  const key = `${found} ${template}`;
  let known = tallies.get(key);
  if (known === undefined) {
    known = { mailCase: found, template, names: lists.map(() => new Set<string>()), pairs: 0 };
    tallies.set(key, known);
  }
  known.pairs++;
  for (const [place, list] of lists.entries()) for (const name of list.split(/, | and /)) known.names[place]?.add(name);
}

function toldOnce({ mailCase: found, template, names, pairs }: Tally): ReasonTally {
  let place = 0;
  const message = template.replaceAll(MARK, () => listed([...(names[place++] ?? [])].sort(), NAMES_MAX));
  return { mailCase: found, message, pairs };
}
