/** `p2pdma pages`: what struct pages for every memory BAR would cost, against range records. */

import { pageCosts } from '../p2p/page-cost.ts';
import type { Invocation } from './context.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';

/** Runs the command. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const { machine } = await loadMachine(invocation.args[0], invocation);
  const costs = pageCosts(machine);
  if (context.json) {
    const { pagesDocument } = await import('../report/pages/json.ts');
    await context.out.json(pagesDocument(costs));
  } else {
    const { pagesLines } = await import('../report/pages/text.ts');
    await context.out.write(`${pagesLines(costs).join('\n')}\n`);
  }
  return EXIT_DONE;
}
