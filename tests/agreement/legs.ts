/** Cases by their legs: run one, enumerate many. */

import type { PolicyName } from 'p2pdma/p2p';
import { Bed } from './bed.ts';
import { acsNodesOf, type Case, type Conditions, EGRESS_VECTOR, formatCase, IOMMU_SETTINGS } from './case.ts';
import { type Examined, Examiner } from './examine.ts';
import { growLegs } from './grow.ts';
import { allShapes, type Common, endsOf, formatShape, type Shape } from './shape.ts';

/** Beds that are kept; each holds a fabric with all its memories. */
const BEDS_KEPT = 64;

/** Runs cases one after the other, each on a bed that earlier cases with the same shape and conditions have used. */
export class LegRunner {
  readonly #beds = new Map<string, LegBed>();
  readonly #claim: PolicyName;
  readonly #onAudit: (complaint: string) => void;

  /**
   * @param onAudit - told when a bed is put away and a byte was found where none belongs
   * @param claim - see `Examiner.examine`
   */
  constructor(onAudit: (complaint: string) => void, claim: PolicyName = 'directional') {
    this.#onAudit = onAudit;
    this.#claim = claim;
  }

  run(one: Case): Examined {
    return this.bedOf(one.shape, one.conditions).run(one.acs, one.conditions.translated, this.#claim);
  }

  /** The bed of a shape under conditions. */
  bedOf(shape: Shape, conditions: Conditions): LegBed {
    const key = `${formatShape(shape)} ${conditions.iommu} ${conditions.offset} ${conditions.internal}`;
    let found = this.#beds.get(key);
    if (found === undefined) {
      if (this.#beds.size >= BEDS_KEPT) this.putAway();
      found = new LegBed(shape, conditions);
      this.#beds.set(key, found);
    }
    return found;
  }

  /** Compares every memory of every bed with what should be there, and forgets the beds. */
  putAway(): void {
    for (const [key, bed] of this.#beds) {
      for (const complaint of bed.examiner.ledger.audit()) this.#onAudit(`${key}: ${complaint}`);
    }
    this.#beds.clear();
  }
}

/** One shape under one set of conditions. Root ports hand what comes back to them to the root complex where the IOMMU passes. */
export class LegBed {
  readonly bed: Bed;
  readonly examiner: Examiner;
  readonly client: number;
  readonly provider: number;
  readonly #acs = new Map<string, number>();

  constructor(shape: Shape, { iommu, offset, internal }: Conditions, bystanders = true) {
    this.bed = new Bed(growLegs(shape, { offset, internal, bystanders }), {
      iommu,
      rules: {
        internalPeerRoute: internal,
        samePortAtRootPort: iommu === 'passthrough' ? 'upstream' : 'unsupportedRequest',
      },
    });
    this.examiner = new Examiner(this.bed);
    const ends = endsOf(shape);
    this.client = this.bed.index(ends.client);
    this.provider = this.bed.index(ends.provider);
  }

  /** Writes the ACS registers that differ from those of the run before, and examines the pair. */
  run(acs: ReadonlyMap<string, number>, translated: boolean, claim: PolicyName = 'directional'): Examined {
    for (const name of this.#acs.keys()) if (!acs.has(name)) this.#set(name, 0);
    for (const [name, word] of acs) this.#set(name, word);
    return this.examiner.examine(this.client, this.provider, translated, claim);
  }

  #set(name: string, word: number): void {
    if ((this.#acs.get(name) ?? 0) === word) return;
    this.bed.setAcs(this.bed.index(name), word);
    this.#acs.set(name, word);
  }
}

/** TB, RR, CR, UF, EC and DT in every combination; with the egress control vector where Egress Control is on. */
export const ALL_WORDS: readonly number[] = allWords();
/** The same without the vector. */
const PLAIN_WORDS: readonly number[] = ALL_WORDS.filter((word) => word < EGRESS_VECTOR);
const NONE_RR: readonly number[] = [0, 0x04];
const NONE_CR: readonly number[] = [0, 0x08];
/** None, RR, CR, both. */
const RR_CR: readonly number[] = [0, 0x04, 0x08, 0x0c];
/** The columns of the published table of the directional rule, and Upstream Forwarding. */
export const TABLE_WORDS: readonly number[] = [0, 0x04, 0x08, 0x0c, 0x20, 0x28, 0x40, 0x44, 0x02, 0x06, 0x42, 0x10];

function allWords(): number[] {
  const words: number[] = [];
  for (let word = 0; word < 0x80; word += 2) {
    words.push(word);
    if (word & 0x20) words.push(word | EGRESS_VECTOR);
  }
  return words;
}

/** One shape for each common node and each two lengths of legs from 0 to 4: the one with the most switches and endpoints. */
export function representatives(): Shape[] {
  const best = new Map<string, Shape>();
  const value = (leg: string): number =>
    [...leg].reduce((sum, letter) => sum + ('ude'.includes(letter) ? 2 : letter === 'b' ? 0 : 1), 0);
  for (const shape of allShapes(4)) {
    const key = `${shape.common} ${shape.client.length} ${shape.provider.length}`;
    const other = best.get(key);
    if (other && value(shape.client) + value(shape.provider) <= value(other.client) + value(other.provider)) continue;
    best.set(key, shape);
  }
  return [...best.values()];
}

/** The four places of ACS that are enumerated: both divergence ports, the common port, and one elsewhere. */
export function placesOf(
  shape: Shape,
  conditions: Pick<Conditions, 'internal'>,
): {
  readonly client: string | null;
  readonly provider: string | null;
  readonly common: string | null;
  readonly elsewhere: string | null;
} {
  const nodes = acsNodesOf(shape, conditions);
  const has = (name: string): string | null => (nodes.includes(name) ? name : null);
  const beyond = nodes.filter((name) => !['c1', 'p1', 'top'].includes(name));
  // A leaf port below the divergence rather than the root port above: the kernel counts it.
  const elsewhere = beyond.find((name) => name !== 'rp') ?? beyond[0] ?? null;
  return { client: has('c1'), provider: has('p1'), common: has('top'), elsewhere };
}

type Place = readonly [name: string | null, words: readonly number[]];

export type Visit = (one: Case, examined: Examined) => void;

/** Every combination of words at some places of a shape, the last place changing fastest; the others have all bits off. */
export function enumerate(
  runner: LegRunner,
  shape: Shape,
  conditions: Conditions,
  places: readonly Place[],
  visit: Visit,
): void {
  const used = places.filter((place): place is [string, readonly number[]] => place[0] !== null);
  const acs = new Map<string, number>(used.map(([name]) => [name, 0]));
  const step = (at: number): void => {
    const place = used[at];
    if (place === undefined) {
      const one = { shape, acs, conditions };
      visit(one, runner.run(one));
      return;
    }
    for (const word of place[1]) {
      acs.set(place[0], word);
      step(at + 1);
    }
  };
  step(0);
}

/** Both ways of addressing. */
const TRANSLATED = [false, true];

/** What the tests enumerate: without an IOMMU every two words at the divergence ports, else one port against a few words. */
export function enumerateForTests(runner: LegRunner, visit: Visit): void {
  for (const shape of representatives()) {
    for (const translated of TRANSLATED) {
      for (const internal of hasSiblings(shape) ? [false, true] : [false]) {
        for (const iommu of IOMMU_SETTINGS) {
          const conditions = { iommu, translated, offset: false, internal };
          const { client, provider, common, elsewhere } = placesOf(shape, conditions);
          const run = (...places: Place[]): void => enumerate(runner, shape, conditions, places, visit);
          if (iommu === 'off') {
            run([client, PLAIN_WORDS], [provider, translated ? TABLE_WORDS : PLAIN_WORDS]);
            run([client, ALL_WORDS], [provider, RR_CR]);
            if (common !== null) run([common, ALL_WORDS], [client, NONE_RR], [provider, NONE_CR]);
            if (elsewhere !== null) run([elsewhere, ALL_WORDS], [client, NONE_RR], [provider, NONE_CR]);
          } else {
            run([client, ALL_WORDS], [provider, NONE_CR]);
            run([provider, ALL_WORDS], [client, NONE_RR]);
            for (const name of [common, elsewhere]) if (name !== null) run([name, ALL_WORDS], [client, RR_CR]);
          }
        }
      }
    }
  }
}

function hasSiblings({ client }: Shape): boolean {
  return client === 'f';
}

/** Everything for two ports at a time, all conditions: millions of cases. */
export function enumerateAll(runner: LegRunner, visit: Visit): void {
  for (const shape of representatives()) {
    for (const iommu of IOMMU_SETTINGS) {
      for (const internal of hasSiblings(shape) ? [false, true] : [false]) {
        for (const offset of [false, true]) {
          for (const translated of TRANSLATED) {
            const conditions = { iommu, internal, offset, translated };
            const { client, provider, common, elsewhere } = placesOf(shape, conditions);
            const names = [client, provider, common, elsewhere].filter((name) => name !== null);
            if (names.length < 2) enumerate(runner, shape, conditions, [[names[0] ?? null, ALL_WORDS]], visit);
            names.forEach((name, at) => {
              for (const other of names.slice(at + 1)) {
                const words = name === client && other === provider ? ALL_WORDS : TABLE_WORDS;
                enumerate(
                  runner,
                  shape,
                  conditions,
                  [
                    [name, ALL_WORDS],
                    [other, words],
                  ],
                  visit,
                );
              }
            });
          }
        }
      }
    }
  }
}

/** The line that runs a case again. */
export function replayOf(one: Case): string {
  return `npm run agree -- --case '${formatCase(one)}'`;
}

/** All shapes by their common node, for drawing one by chance. */
export const SHAPES_BY_COMMON: ReadonlyMap<Common, readonly Shape[]> = grouped();

function grouped(): Map<Common, Shape[]> {
  const groups = new Map<Common, Shape[]>();
  for (const shape of allShapes(4)) {
    const group = groups.get(shape.common) ?? [];
    group.push(shape);
    groups.set(shape.common, group);
  }
  return groups;
}
