/**
 * gdsio of GPUDirect Storage: one line for each run, often broken by a terminal. It calls the direction as the drive sees it: in a READ the drive
 * writes into the GPU's memory, in a WRITE it reads from it. Rates are GiB.
 *
 *   $ gdsio -f /mnt/file -d 0 -x 0 -I 1 -i 1M
 *   IoType: WRITE XferType: GPUD Threads: 1 DataSetSize: 52428800/52428800(KiB) IOSize: 1024(KiB) Throughput: 22.01 GiB/sec, Avg_Latency:
 *   44284.24 usecs ops: 50 total_time 2.271002 secs
 *
 * `GPUD` is printed as well where cuFile fell back to copies through memory: that peers were used is not known from it.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type DeviceLabel, deviceLabel } from '../measured/device-label.ts';
import type { MeasurementItem, StatementItem } from '../measured/items.ts';
import { measurement } from '../measured/measurement.ts';
import { gigabytes, numberOf } from '../measured/units.ts';
import { type BlockContext, type Recogniser, tableOf } from '../recogniser.ts';

export type GdsioItem = (MeasurementItem | StatementItem) & { readonly kind: 'gdsio' };

const RUN = /\bIoType:\s{0,4}(\w{4,12})(?=\s|$)/;
const FAILED = /^\s*(?:file register error:|Error: IO failed|cuFile\w{0,30} (?:failed|error))/;
const WHOLE = /\btotal_time\s+[\d.]{1,16}\s+secs/;

/** Ways of the data: whether the drive reaches the GPU itself, and whether the bytes end there. */
const WAYS: Readonly<Record<string, { readonly toGpu: boolean; readonly isDirect: boolean }>> = {
  GPUD: { toGpu: true, isDirect: true },
  GPUD_ASYNC: { toGpu: true, isDirect: true },
  GPU_BATCH: { toGpu: true, isDirect: true },
  GPU_BATCH_STREAM: { toGpu: true, isDirect: true },
  CPUONLY: { toGpu: false, isDirect: true },
  CPU_GPU: { toGpu: true, isDirect: false },
  CPU_ASYNC_GPU: { toGpu: true, isDirect: false },
  CPU_CACHED_GPU: { toGpu: true, isDirect: false },
};

/** Recognises runs, and what the tool says where it cannot run. */
export const gdsio: Recogniser<GdsioItem> = tableOf<GdsioItem>({
  kind: 'gdsio',
  words: ['IoType:', 'file register error', 'Error: IO failed', 'cuFile'],
  begins: ({ text }) => RUN.test(text) || FAILED.test(text),
  continues: (line, lines) => {
    if (line.isBlank) return 'ended';
    const first = lines[0] as CleanLine;
    if (!RUN.test(first.text)) return FAILED.test(line.text) ? 'taken' : 'ended';
    if (RUN.test(line.text) || WHOLE.test(joined(lines))) return 'ended';
    return lines.length < BROKEN_MAX && PART.test(line.text) ? 'taken' : 'ended';
  },
  read: (lines, context) => {
    const items = RUN.test(lines[0]?.text ?? '') ? runItems(lines, context) : failures(lines, context.file);
    return { items, isComplete: items.length > 0 };
  },
});

/** As many lines one run is broken into. */
const BROKEN_MAX = 12;
/** What the rest of a broken line holds. */
const PART =
  /(?:Threads|DataSetSize|IOSize|Throughput|Avg_Latency|ops|total_time|XferType|GiB\/sec|usecs|\(KiB\)|secs)/;

const joined = (lines: readonly CleanLine[]): string => lines.map(({ text }) => text.trim()).join(' ');

function failures(lines: readonly CleanLine[], file: string): GdsioItem[] {
  return lines.map(({ text, number }) => ({
    kind: 'gdsio',
    file,
    line: number,
    what: 'statement',
    says: 'not-run',
    text: text.trim(),
    about: [],
  }));
}

function runItems(lines: readonly CleanLine[], { file, command }: BlockContext): GdsioItem[] {
  const text = joined(lines);
  const word = (pattern: RegExp): string | null => pattern.exec(text)?.[1] ?? null;
  const [type, way] = [word(RUN), word(/\bXferType:\s+(\w{3,20})/)];
  const { toGpu, isDirect } = WAYS[way ?? ''] ?? { toGpu: true, isDirect: false };
  const isRead = /READ/.test(type ?? '');
  const [drive, memory] = [driveOf(command), toGpu ? gpuOf(command) : deviceLabel('memory', 'cpu')];
  const size = word(/\bIOSize:\s+(\d{1,9})\(KiB\)/);
  const shared = {
    kind: 'gdsio',
    file,
    line: lines[0]?.number ?? 1,
    ...(isRead ? { from: drive, to: memory } : { from: memory, to: drive }),
    operation: !isDirect || type === 'MIXED' ? 'copy' : isRead ? 'write' : 'read',
    ...(type === 'MIXED' ? ({ direction: 'bi', counts: 'both' } as const) : {}),
    size: size === null ? null : Number(size) * 1024,
    peerEnabled: isDirect ? null : false,
    engine: isDirect ? 'drive' : null,
    statistic: 'average',
    test: `${type} ${way}`,
  } as const;
  const [rate, latency] = [
    word(/\bThroughput:\s+([\d.]{1,16})\s+GiB\/sec/),
    word(/\bAvg_Latency:\s+([\d.]{1,20})\s+usecs/),
  ];
  const items: GdsioItem[] = [];
  if (rate !== null) {
    const value = gigabytes(Number(rate), 'GiB/s');
    items.push(measurement({ ...shared, quantity: 'bandwidth', value, unit: 'GB/s', raw: `${rate} GiB/sec` }));
  }
  if (latency !== null) {
    items.push(
      measurement({ ...shared, quantity: 'latency', value: numberOf(latency), unit: 'us', raw: `${latency} usecs` }),
    );
  }
  return items;
}

/** The file or directory that the command names; the drive below it is another matter. */
function driveOf(command: string | null): DeviceLabel {
  const path = /\s-[fD]\s+(\/\S{1,200})/.exec(command ?? '')?.[1];
  return deviceLabel(path ?? 'storage', 'drive');
}

function gpuOf(command: string | null): DeviceLabel {
  const index = /\s-d\s+(\d{1,3})\b/.exec(command ?? '')?.[1];
  if (index === undefined) return deviceLabel('GPU', 'gpu');
  return deviceLabel(`GPU ${index}`, 'gpu', { index: Number(index), numbering: 'cuda' });
}
