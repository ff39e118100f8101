/**
 * The findings on every dump of a real machine, as a reviewer reads them: ids, severities, functions, register values. Nothing else of a
 * dump is written down: no names, no lines of it.
 */

import { expect, test } from 'vitest';
import { type CheckResult, checkMachine } from '../../src/doctor/diagnoses/check-machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';
import { bytesOfDump, CORPUS, dumpNames, SKIPPED } from '../corpus/corpus.ts';

const here = test.skipIf(CORPUS === null);

async function check(name: string): Promise<CheckResult> {
  const machine = await readMachine(bytesOfDump(name), name);
  return checkMachine(machine, policyForKernel(machine.kernel));
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
  }
  return `${lines.join('\n')}\n`;
}

if (CORPUS === null) here(`corpus: findings are as they were${SKIPPED}`, () => {});

here.each(dumpNames())('corpus: findings of %s are as they were', async (name) => {
  const result = await check(name).catch(() => null);
  // What the reader refuses is no matter of the doctor's.
  if (result === null) return;
  await expect(report(result)).toMatchFileSnapshot(`../golden/doctor/${name}.txt`);
});

here(`corpus: no machine that nobody complains of has an error${SKIPPED}`, async () => {
  const wrong: string[] = [];
  for (const name of dumpNames()) {
    const result = await check(name).catch(() => null);
    const errors = result?.findings.filter(({ severity }) => severity === 'error') ?? [];
    if (errors.length > 0) wrong.push(`${name}: ${errors.map(({ id }) => id).join(' ')}`);
  }
  expect(wrong).toEqual([]);
});
