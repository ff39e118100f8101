/**
 * The RegisterEngine contract as one suite: whatever runs machines must pass it. The rules stand in files by theme; `suite.ts` says what
 * becomes of those that an engine cannot show.
 */

import { describe } from 'vitest';
import { accessRules } from './accesses.ts';
import { lossRules } from './losses.ts';
import { routingRules } from './routing.ts';
import { type ContractOptions, Suite } from './suite.ts';
import { transferRules } from './transfers.ts';
import { translationRules } from './translation.ts';

/** Registers the suite for one engine. */
export function engineContract(options: ContractOptions): void {
  const title = `engine ${options.name}`;
  const missing = options.missing ?? null;
  describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
    const suite = new Suite(options);
    accessRules(suite);
    transferRules(suite);
    translationRules(suite);
    lossRules(suite);
    routingRules(suite);
    suite.finish();
  });
}
