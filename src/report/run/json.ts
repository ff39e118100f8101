/** `p2pdma run --json`: addresses as hex text, as everywhere in our JSON. */

import { hex } from '../../core/hex.ts';
import type { ScenarioReport, SegmentReport, TransferReport, VectorReport } from '../../scenario/report.ts';
import type { Difference } from './compare.ts';

export interface VectorDocument extends Omit<VectorReport, 'address' | 'certificate'> {
  readonly address: string;
  readonly certificate: string | null;
}

export interface SegmentDocument extends Omit<SegmentReport, 'address'> {
  readonly address: string | null;
}

export interface TransferDocument extends Omit<TransferReport, 'iova' | 'vectors' | 'segments'> {
  readonly iova: { readonly base: string; readonly size: number } | null;
  readonly vectors: readonly VectorDocument[];
  readonly segments: readonly SegmentDocument[];
}

export interface ScenarioDocument extends Omit<ScenarioReport, 'transfers'> {
  readonly transfers: readonly TransferDocument[];
}

interface RunHead {
  readonly schemaVersion: 1;
  readonly command: 'run';
  /** What of the machine the engine has otherwise. */
  readonly notes: readonly string[];
}

/** One run; or, with `--engine both`, two and where they part. */
export type RunDocument =
  | (RunHead & ScenarioDocument)
  | (RunHead & { readonly reports: readonly ScenarioDocument[]; readonly differences: readonly Difference[] });

/** The document of one report, or of two with their differences. */
export function runDocument(
  [first, second]: readonly [ScenarioReport, ScenarioReport?],
  differences: readonly Difference[],
  notes: readonly string[],
): RunDocument {
  const head = { schemaVersion: 1, command: 'run' } as const;
  return second === undefined
    ? { ...head, ...scenarioDocument(first), notes }
    : { ...head, reports: [first, second].map(scenarioDocument), differences, notes };
}

function scenarioDocument(report: ScenarioReport): ScenarioDocument {
  return {
    ...report,
    transfers: report.transfers.map((transfer) => ({
      ...transfer,
      iova: transfer.iova === null ? null : { base: hex(transfer.iova.base), size: transfer.iova.size },
      vectors: transfer.vectors.map((vector) => ({
        ...vector,
        address: hex(vector.address),
        certificate: vector.certificate === null ? null : hex(vector.certificate),
      })),
      segments: transfer.segments.map((segment) => ({
        ...segment,
        address: segment.address === null ? null : hex(segment.address),
      })),
    })),
  };
}
