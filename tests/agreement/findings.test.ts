/** Where the kernel's rule is too strict or too lax: the table is complete, minimal, and what docs/FINDINGS.md says. */

import { readFileSync } from 'node:fs';
import { Prng } from 'p2pdma/core';
import { p2pdmaDistance } from 'p2pdma/p2p';
import { expect, test } from 'vitest';
import { acsNodesOf, type Case, formatCase, IOMMU_SETTINGS, parseCase } from './case.ts';
import { FINDINGS, KERNELS, LONGEST, renderFindings, search } from './findings.ts';
import { LegRunner } from './legs.ts';
import { endpointShapes, kindOf, shrink, smallerThan } from './shrink.ts';

const SEED = Number(process.env['P2PDMA_SEED'] ?? 20190627);
const found = search();
const linesOf = (lines: readonly string[]): string[] => lines.map((line) => formatCase(parseCase(line)));
const searched = FINDINGS.flatMap(({ cases }) => linesOf(cases));
const listed = [...searched, ...FINDINGS.flatMap(({ further }) => linesOf(further ?? []))];

function runnerOf(): LegRunner {
  return new LegRunner((complaint) => {
    throw new Error(complaint);
  });
}

test('the search over all trees finds the cases of the table and no others', () => {
  console.log(
    `searched ${found.cases} cases: ${JSON.stringify(found.differences)}, ${found.smallest.size} smallest trees, ${FINDINGS.length} findings`,
  );
  expect([...found.smallest.keys()].sort()).toEqual([...searched].sort());
  expect(new Set(listed).size).toBe(listed.length);
});

test.each(FINDINGS)(
  'finding $name: the difference is there, alike for every kernel, and gone when anything is taken away',
  (finding) => {
    const runner = runnerOf();
    for (const line of [...finding.cases, ...(finding.further ?? [])]) {
      const one = parseCase(line);
      const examined = runner.run(one);
      if (finding.cases.includes(line)) expect(examined.difference, line).toBe(finding.difference);
      else expect(examined.difference, line).not.toBeNull();
      const { bed, client, provider } = runner.bedOf(one.shape, one.conditions);
      for (const kernel of KERNELS) {
        expect(p2pdmaDistance(bed.fn(provider), bed.fn(client), bed.judge(kernel)).type).toBe(examined.linux);
      }
      const kind = kindOf(examined);
      for (const smaller of smallerThan(one)) expect(kindOf(runner.run(smaller)), formatCase(smaller)).not.toBe(kind);
    }
  },
);

test(`any bits on any endpoints: what differs shrinks to a case of the table (seed ${SEED})`, () => {
  const runner = runnerOf();
  const chance = new Prng(SEED);
  const shapes = endpointShapes(LONGEST);
  const commons = [...new Set(shapes.map(({ common }) => common))];
  const unknown = new Set<string>();
  let differing = 0;
  for (let count = 0; count < 1500; count++) {
    const common = chance.pick(commons);
    const shape = chance.pick(shapes.filter((one) => one.common === common));
    const conditions = {
      iommu: chance.pick(IOMMU_SETTINGS.filter((setting) => setting !== 'passthrough')),
      translated: chance.chance(0.3),
      offset: false,
      internal: chance.chance(0.5),
    };
    const acs = new Map(
      acsNodesOf(shape, conditions).map((name) => [name, chance.chance(0.3) ? chance.below(256) & 0xfe : 0]),
    );
    const one: Case = { shape, acs, conditions };
    if (runner.run(one).difference === null) continue;
    differing++;
    const line = formatCase(shrink(runner, one));
    if (!listed.includes(line)) unknown.add(line);
  }
  console.log(`${differing} of 1500 cases differ (seed ${SEED})`);
  expect([...unknown]).toEqual([]);
  expect(differing).toBeGreaterThan(300);
});

test('docs/FINDINGS.md is what the search finds; renew it with npm run -s agree -- --findings > docs/FINDINGS.md', () => {
  const file = readFileSync(new URL('../../docs/FINDINGS.md', import.meta.url), 'utf8');
  expect(file).toBe(renderFindings(found));
});
