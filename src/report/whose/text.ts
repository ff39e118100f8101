/** `p2pdma whose` for people: an answer a paragraph. */

import { hex } from '../../core/hex.ts';
import type { AddressOwner } from '../../doctor/facts/address-owner.ts';
import type { Machine } from '../../machine/machine.ts';
import { wrap } from '../words/style.ts';
import type { WhoseAnswer } from './answer.ts';
import { interruptSentences, ownerSentences } from './words.ts';

/** One answer, broken to `columns`. */
export function* answerLines(machine: Machine, answer: WhoseAnswer, columns: number): Generator<string> {
  const { address, fault, owner, line, times } = answer;
  const shown = address === null ? 'an address of 2^53 or more' : hex(address);
  const more = times === 1 ? '' : ` and ${times - 1} more`;
  const who = answer.by?.name ?? fault?.by ?? null;
  const what = fault?.what === 'interrupt' ? 'interrupt' : `${fault?.access ?? 'access'} of ${shown}`;
  const head =
    fault === null ? shown : `line ${line}${more}: ${fault.iommu} fault, ${what}${who === null ? '' : ` by ${who}`}`;
  const words =
    owner === null && fault !== null
      ? interruptSentences(fault)
      : ownerSentences(machine, owner as AddressOwner, answer);
  yield* wrap(`${head}: ${words.join(' ')}`, columns, '  ');
}
