/**
 * Random scenarios on both engines through the command's own road: described machines, every design, every setting of the IOMMU,
 * lazy invalidation, CMB base addresses of their own, and the same addresses once more after unmap.
 *
 *     npm run qemu:soak                        seeds 1 to 200
 *     P2PDMA_SEED=7 npx vitest run tests/qemu/scenarios     one of them
 */

import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/core/index.ts';
import { missingQemu } from '../contract/missing-qemu.ts';
import { runBoth } from './both-engines.ts';
import { randomScenario } from './random-scenario.ts';

const MISSING = missingQemu();
const ONE = process.env['P2PDMA_SEED'];
const FIRST = ONE === undefined ? 1 : Number(ONE);
const LAST = ONE === undefined ? (process.env['P2PDMA_SOAK'] === '1' ? 200 : 12) : FIRST;

describe.skipIf(MISSING !== null)(`random scenarios${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test(`seeds ${FIRST} to ${LAST}: segments, statuses, bytes and what happens after unmap are the same, but for what QEMU cannot show`, async () => {
    const counts = { scenarios: 0, transfers: 0, refused: 0, repeated: 0, notProvable: 0 };
    for (let seed = FIRST; seed <= LAST; seed++) {
      const scenario = randomScenario(new Prng(seed));
      if (scenario === null) continue;
      const file = `seed ${seed}`;
      const read = { scenario, place: { file, lineOf: () => 1 } };
      const { sim, differences, unexplained } = await runBoth(read, null, scenario.iommu !== 'off');
      expect(unexplained.map((one) => ({ seed, ...one }))).toEqual([]);
      counts.scenarios++;
      counts.transfers += sim.transfers.length;
      counts.refused += sim.transfers.filter(({ refusal }) => refusal !== null).length;
      counts.repeated += sim.transfers.filter(({ repeat }) => repeat !== null).length;
      counts.notProvable += new Set(differences.map(({ transfer }) => transfer)).size;
      // Nothing is lost in silence: bytes that are wrong were swallowed, or somebody said so.
      for (const {
        name,
        bytesEqual,
        bytesTotal,
        swallowedBytes,
        refusal,
        status,
        errors,
        iommuFaults,
      } of sim.transfers) {
        const isTold =
          swallowedBytes > 0 || refusal !== null || status !== null || errors.length + iommuFaults.length > 0;
        expect([seed, name, bytesEqual === bytesTotal || isTold]).toEqual([seed, name, true]);
      }
    }
    console.log(`seeds ${FIRST} to ${LAST}: ${JSON.stringify(counts)}`);
    expect(counts.scenarios).toBeGreaterThan(0);
  }, 600_000);
});
