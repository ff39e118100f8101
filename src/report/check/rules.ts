/** The part of the report that says whose rule each kind of pair stands under, in two lines a kind. */

import type { KindOpinion } from '../../doctor/whose-rule/kinds.ts';
import { opinionHead } from '../words/opinion-words.ts';
import { wrap } from '../words/style.ts';
import type { CheckView } from './view.ts';

const HEAD = 'Whose rule (the pairs counted above are the kernel’s; these go by others):';

/** One block, without the kinds of pairs that the kernel alone decides; none where these are all. */
export function ruleLines(rules: readonly KindOpinion[], { columns, style }: CheckView): string[] {
  if (rules.length === 0) return [];
  return [
    '',
    style.bold(HEAD),
    ...rules.flatMap(({ kind, opinion, onTop }) => {
      const also = onTop === null ? '' : ` ${onTop.words}`;
      const setting = onTop?.settings[0];
      const moved = setting === undefined ? '' : ` ${setting.setting} ${setting.effect}.`;
      return [
        ...wrap(`  ${kind}: ${opinionHead(opinion)}. ${opinion.words}${also}${moved}`, columns, '    '),
        style.dim(`      ask it: ${opinion.ask}`),
      ];
    }),
  ];
}
