/** `p2pdma diff` for people: verdicts first, then functions, then facts; what is alike stands in one line. */

import { groupedBy, listed, plural } from '../../core/words.ts';
import type { Change, FlippedVerdict, MachineDifference } from '../../doctor/change/machine-difference.ts';
import { TYPE_WORDS } from '../explain/view.ts';
import { type Style, wrap } from '../words/style.ts';

export interface DiffView {
  readonly columns: number;
  readonly style: Style;
}

/** The lines of the whole answer. */
export function* diffLines(difference: MachineDifference, { columns, style: { bold } }: DiffView): Generator<string> {
  const { flipped, gone, come, changes, matched } = difference;
  const counts = `${plural(flipped.length, 'verdict')} flipped, ${plural(changes.length, 'fact')} changed, ${gone.length} gone, ${come.length} new`;
  yield* wrap(`${counts}; ${plural(matched, 'function')} in both`, columns).map(bold);
  if (difference.pairsLeftOut) yield `Only the first ${difference.judged} pairs were judged.`;
  if (flipped.length > 0) {
    yield '';
    yield bold('Verdicts (provider, client):');
    for (const alike of groupedBy(flipped, ({ before, after, why }) => `${before} ${after} ${why.join(' ')}`)) {
      yield* flippedLines(alike, columns);
    }
  }
  if (gone.length + come.length > 0) {
    yield '';
    yield bold('Functions:');
    for (const name of gone) yield `  gone  ${name} (its name in the earlier capture)`;
    for (const name of come) yield `  new   ${name}`;
  }
  const renumbered = changes.filter(({ fact }) => fact === 'address');
  const others = changes.filter(({ fact }) => fact !== 'address');
  if (changes.length > 0) {
    yield '';
    yield bold('Facts:');
    const [first] = renumbered;
    if (first !== undefined) {
      const words = `  ${plural(renumbered.length, 'function')} at another bus number, the place being the same: ${first.before} is ${first.after} now`;
      yield* wrap(`${words}${renumbered.length === 1 ? '' : ', ...'}`, columns, '      ');
    }
    for (const alike of groupedBy(others, ({ fact, before, after }) => `${fact} ${before} ${after}`)) {
      const { fact, before, after } = alike[0] as Change;
      const names = alike.map((change) => change.function ?? 'machine');
      const label = fact === 'bar' ? '' : `${FACT_WORDS[fact]}: `;
      yield* wrap(`  ${listed(names)} ${label}${before} -> ${after}`, columns, '      ');
    }
  }
}

/** Pairs that flipped the same way for the same reason. */
function* flippedLines(alike: readonly FlippedVerdict[], columns: number): Generator<string> {
  const { before, after, why } = alike[0] as FlippedVerdict;
  const names = alike.map(({ provider, client }) => `${provider} ${client}`);
  yield* wrap(`  ${listed(names)}: ${TYPE_WORDS[before]} -> ${TYPE_WORDS[after]}`, columns, '      ');
  for (const sentence of why) yield* wrap(`    ${sentence}`, columns, '      ');
}

const FACT_WORDS: Readonly<Record<Change['fact'], string>> = {
  address: 'address',
  place: 'moved',
  bar: 'BAR',
  window: 'window',
  acs: 'ACS',
  link: 'link',
  iommuGroup: 'IOMMU group',
  decoding: 'decoding',
  busMaster: 'Bus Master',
  powerState: 'power state',
  payload: 'payload',
  linkTarget: 'target speed of the link',
  numaNode: 'NUMA node',
  errors: 'recorded errors',
  driver: 'driver',
  kernel: 'kernel',
  cmdline: 'command line',
  cpu: 'CPU',
  groupType: 'type of the IOMMU group',
};
