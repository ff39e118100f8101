import { expect, test } from 'vitest';
import { LISTED } from '../../../tests/doctor/machines.ts';
import { ACS_ON, machineOfParts, twoPorts } from '../../../tests/doctor/twins.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import { namesFrom } from '../words/names.ts';
import { styleOf } from '../words/style.ts';
import { explain } from './explanation.ts';
import { explainLines } from './text.ts';

/** The screen for the two cards of a machine. */
function screenOf(machine: ReturnType<typeof machineOfParts>): string {
  const judge = new JudgeContext(machine);
  const cards = machine.hierarchy.functions.flatMap((fn, index) => (fn.classCode === 0x0302 ? [index] : []));
  const [a, b] = cards as [number, number];
  const view = { columns: 200, style: styleOf(false), names: namesFrom(null) };
  return [...explainLines(explain(judge, a, b), view)].join('\n');
}

test('a root port that redirects is on the way of peers below another one: they meet the IOMMU there', () => {
  const redirecting = screenOf(machineOfParts(twoPorts(LISTED, ACS_ON)));
  expect(redirecting.match(/root port.*: redirects, so peers meet the IOMMU if it translates/g)).toHaveLength(2);
  expect(redirecting).not.toContain('not on this way');
  expect(screenOf(machineOfParts(twoPorts(LISTED, 'clear')))).not.toContain('redirects');
});

test('whose rule it is stands between the verdict and what would change it', () => {
  const screen = screenOf(machineOfParts(twoPorts(LISTED, 'clear')));
  const heads = ['Verdict', 'Whose rule', 'Smallest change'].map((head) => screen.indexOf(`\n${head}\n`));
  expect(heads).toEqual([...heads].sort((a, b) => a - b));
  expect(Math.min(...heads)).toBeGreaterThan(0);
  expect(screen).toContain('The kernel’s P2PDMA: not asked');
});
