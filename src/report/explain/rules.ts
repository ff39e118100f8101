/** The part of the explanation's screen that says whose rule the pair stands under. */

import type { Opinion } from '../../doctor/whose-rule/opinion.ts';
import { opinionHead } from '../words/opinion-words.ts';
import { wrap } from '../words/style.ts';
import type { ExplainView } from './view.ts';

/** Who decides, what each says, how to ask it and what moves it. */
export function* ruleLines(opinions: readonly Opinion[], { columns, style }: ExplainView): Generator<string> {
  for (const opinion of opinions) {
    // What the kernel says stands above, as the verdict.
    const isVerdict = opinion.decider === 'kernelP2pdma' && opinion.answer !== 'notAsked';
    const text = isVerdict
      ? 'The kernel’s P2PDMA is asked: the verdict is its answer.'
      : `${opinionHead(opinion)}. ${opinion.words}`;
    yield* wrap(`  ${text}`, columns, '    ');
    if (isVerdict || opinion.answer === 'notAsked') continue;
    yield style.dim(`      ask it: ${opinion.ask}`);
    for (const { setting, effect } of opinion.settings)
      yield* wrap(`      ${setting} ${effect}`, columns, '        ').map(style.dim);
  }
}
