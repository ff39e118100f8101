/**
 * The findings on every dump of a real machine, as a reviewer reads them: ids, severities, functions, register values, and which fixes
 * were proved. Nothing else of a dump is written down: no names, no lines of it. Renew with: npx vitest run tests/doctor/golden -u
 */

import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { P2pError } from '../../src/core/errors.ts';
import { type CheckResult, checkMachine } from '../../src/doctor/check-machine.ts';
import { isProved } from '../../src/doctor/finding.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';
import { bytesOfDump, CORPUS, dumpNames, SKIPPED } from '../corpus/corpus.ts';

const here = test.skipIf(CORPUS === null);

/** The result, or the code with which the reader refused. Anything else that is thrown is a fault of ours. */
async function check(name: string): Promise<CheckResult | string> {
  try {
    const machine = await readMachine(bytesOfDump(name), name);
    return checkMachine(machine, policyForKernel(machine.kernel));
  } catch (error) {
    if (error instanceof P2pError) return error.code as string;
    throw error;
  }
}

/** Registers only: a driver's name or a command line may be somebody's. */
const SHOWN =
  /^(ACS Control|Vendor and Device ID|Link Status|Resizable BAR|BAR\d|Prefetchable|Device Control|NUMA node)/;

function report({ findings, pairs }: CheckResult): string {
  const lines = [
    `pairs ${Object.entries(pairs)
      .map(([type, number]) => `${type} ${number}`)
      .join(', ')}`,
  ];
  for (const finding of findings) {
    lines.push(`${finding.severity} ${finding.sure} ${finding.id} ${finding.functions.join(' ')}`.trimEnd());
    for (const { at, register, offset, value } of finding.evidence) {
      if (SHOWN.test(register))
        lines.push(`  ${at} ${register}${offset === null ? '' : ` ${offset.toString(16)}h`} = ${value}`);
    }
    const proved = finding.fixes.filter(isProved).length;
    if (finding.fixes.length > 0) lines.push(`  fixes ${finding.fixes.length}, proved ${proved}`);
  }
  return `${lines.join('\n')}\n`;
}

if (CORPUS === null) here(`corpus: findings are as they were${SKIPPED}`, () => {});

here.each(dumpNames())('corpus: findings of %s are as they were', async (name) => {
  const result = await check(name);
  const text = typeof result === 'string' ? `refused ${result}\n` : report(result);
  await expect(text).toMatchFileSnapshot(`../golden/doctor/${name}.txt`);
});

here(`corpus: what is no dump is refused with a code, and every dump is read${SKIPPED}`, async () => {
  const names = readdirSync(CORPUS as string)
    .filter((name) => !/^(README\.md|INDEX\.json)$/.test(name))
    .sort();
  const refused: string[] = [];
  for (const name of names) {
    const result = await check(name);
    if (typeof result === 'string') refused.push(`${name} ${result}`);
  }
  const dumps = dumpNames().length;
  const text = `${refused.length} of ${names.length} files refused, ${dumps} dumps\n${refused.join('\n')}\n`;
  await expect(text).toMatchFileSnapshot('../golden/doctor/refusals.txt');
  expect(names.length - refused.length).toBe(dumps);
});
