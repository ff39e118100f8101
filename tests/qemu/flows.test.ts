/**
 * Flows in a row and in parallel: none fails, no process and no file is left.
 *
 *     npm run qemu:soak     200 in a row and 60 by four; and the envelope, by transfers (envelope.test.ts)
 */

import { describe, expect, test } from 'vitest';
import { missingQemu } from '../contract/missing-qemu.ts';
import { flow, isRunning, leftoverFiles, qemuChildren } from './flow.ts';

const MISSING = missingQemu();
const IS_SOAK = process.env['P2PDMA_SOAK'] === '1';
const IN_A_ROW = IS_SOAK ? 200 : 12;
const IN_PARALLEL = IS_SOAK ? 60 : 8;
const AT_ONCE = 4;

describe.skipIf(MISSING !== null)(`flows${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test(
    `${IN_A_ROW} in a row`,
    async () => {
      for (let seed = 0; seed < IN_A_ROW; seed++) {
        const pid = await flow(seed);
        expect(isRunning(pid), `flow ${seed}`).toBe(false);
      }
      expect(qemuChildren()).toEqual([]);
      expect(leftoverFiles()).toEqual([]);
    },
    IN_A_ROW * 10_000,
  );

  test(
    `${IN_PARALLEL} by ${AT_ONCE} in parallel`,
    async () => {
      let next = 1000;
      const worker = async (): Promise<number[]> => {
        const pids: number[] = [];
        while (next < 1000 + IN_PARALLEL) pids.push(await flow(next++));
        return pids;
      };
      const pids = (await Promise.all(Array.from({ length: AT_ONCE }, worker))).flat();
      expect(new Set(pids).size).toBe(IN_PARALLEL);
      expect(pids.filter(isRunning)).toEqual([]);
      expect(qemuChildren()).toEqual([]);
      expect(leftoverFiles()).toEqual([]);
    },
    IN_PARALLEL * 10_000,
  );
});
