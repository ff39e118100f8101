/**
 * p2pmem-test: reads from one drive into a buffer, and writes from there to another; the buffer may lie in a device's memory. One rate has both
 * transfers in it, unless one is skipped.
 *
 *   Running p2pmem-test: reading /dev/nvme0n1 (1.6TB): writing /dev/nvme1n1 (1.6TB): p2pmem buffer /sys/bus/pci/devices/0000:03:00.0/p2pmem/allocate.
 *   	chunk size = 4096 : number of chunks =  1: total = 4.096kB : thread(s) = 1 : overlap = OFF.
 *   	skip-read = OFF : skip-write =  OFF : duration = INF sec.
 *   	buffer = 0x7f6a3d6c2000 (p2pmem)
 *   MATCH on data check, 0x66334873 = 0x66334873.
 *   Transfer:
 *   4.10kB in 2.1 ms   1.96MB/s
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type DeviceLabel, deviceLabel, NO_ADDRESS, printedAddress } from '../measured/device-label.ts';
import type { MeasurementItem, SettingItem, StatementItem } from '../measured/items.ts';
import { measurement } from '../measured/measurement.ts';
import { gigabytes, numberOf } from '../measured/units.ts';
import { type Recogniser, type Taken, tableOf } from '../recogniser.ts';

export type P2pmemTestItem = (MeasurementItem | SettingItem | StatementItem) & { readonly kind: 'p2pmem-test' };

const START =
  /^\s*Running p2pmem-test: reading (\S{1,120}?)(?: \([^()]{1,20}\))? ?: writing (\S{1,120}?)(?: \([^()]{1,20}\))? ?: p2pmem buffer (\S{1,200}?)\.?$/i;
const CHUNK = /^\s*chunk size = (\d{1,15}) :/;
const SKIP = /^\s*skip-read = (ON|OFF) : skip-write =\s+(ON|OFF)/;
const BUFFER = /^\s*buffer = \S{1,24} \((p2pmem|system memory)\)/;
const CHECK = /^\s*(MATCH|MISMATCH) on data check/;
const RATE = /^\s*[\d.]{1,12} ?[kMGT]?i?B in\s+[\d.]{1,12} ?\w{1,2}\s+([\d.]{1,12}) ?([kMGT]?i?B\/s)/;
const TALK = /^\s*(?:Transfer:|PAGE_SIZE =|p2pmem =|checking |[\w-]{2,20} = )/;

/** Recognises this test. */
export const p2pmemTest: Recogniser<P2pmemTestItem> = tableOf<P2pmemTestItem>({
  kind: 'p2pmem-test',
  words: ['Running p2pmem-test'],
  begins: ({ text }) => START.test(text),
  continues: ({ text, isBlank }): Taken => {
    if (isBlank) return 'passed';
    if (START.test(text)) return 'ended';
    return [CHUNK, SKIP, BUFFER, CHECK, RATE, TALK].some((pattern) => pattern.test(text)) ? 'taken' : 'passed';
  },
  read: (lines, { file }) => {
    const items = itemsOf(lines, file);
    return { items, isComplete: items.some(({ what }) => what === 'measurement') };
  },
});

function itemsOf(lines: readonly CleanLine[], file: string): P2pmemTestItem[] {
  const items: P2pmemTestItem[] = [];
  const [, read, write, buffer] = START.exec(lines[0]?.text ?? '') as unknown as [string, string, string, string];
  let chunk: number | null = null;
  let skips = { read: false, write: false };
  let isPeer = buffer !== 'system';
  for (const { text, number } of lines) {
    const place = { kind: 'p2pmem-test', file, line: number } as const;
    chunk = Number(CHUNK.exec(text)?.[1] ?? Number.NaN) || chunk;
    const skip = SKIP.exec(text);
    if (skip !== null) skips = { read: skip[1] === 'ON', write: skip[2] === 'ON' };
    const lies = BUFFER.exec(text)?.[1];
    if (lies !== undefined) {
      isPeer = lies === 'p2pmem';
      items.push({ ...place, what: 'setting', name: 'buffer', value: lies });
    }
    const check = CHECK.exec(text)?.[1];
    if (check !== undefined) {
      const says = check === 'MATCH' ? 'data-right' : 'data-wrong';
      items.push({ ...place, what: 'statement', says, text: text.trim(), about: [] });
    }
    const rate = RATE.exec(text);
    if (rate === null) continue;
    const [, raw, unit] = rate as unknown as [string, string, string];
    const value = numberOf(raw);
    items.push(
      measurement({
        ...place,
        quantity: 'bandwidth',
        ...endsOf({ read, write, buffer: bufferLabel(buffer, isPeer), skips }),
        value: value === null ? null : gigabytes(value, unit),
        unit: 'GB/s',
        raw: `${raw} ${unit}`,
        size: chunk,
        peerEnabled: isPeer,
        engine: 'drive',
        statistic: 'average',
        test: isPeer ? `through ${buffer}` : 'through system memory',
      }),
    );
  }
  return items;
}

const drive = (path: string): DeviceLabel => deviceLabel(path, 'drive', { name: path.replace(/^\/dev\//, '') });

/** The device whose memory the buffer lies in, by the path of its file. */
function bufferLabel(path: string, isPeer: boolean): DeviceLabel {
  if (!isPeer) return deviceLabel('memory', 'cpu');
  const address = /\/devices\/(?:.{0,200}\/)?([0-9a-f]{4,8}:[0-9a-f:.]{7})\/p2pmem\//.exec(path)?.[1];
  return deviceLabel(path, 'unknown', address === undefined ? NO_ADDRESS : printedAddress(address));
}

interface Drives {
  readonly read: string;
  readonly write: string;
  readonly buffer: DeviceLabel;
  readonly skips: { readonly read: boolean; readonly write: boolean };
}

/** Each drive issues its own half: the first writes the buffer, the second reads it. */
function endsOf({ read, write, buffer, skips }: Drives): Pick<MeasurementItem, 'from' | 'to' | 'operation'> {
  if (skips.write) return { from: drive(read), to: buffer, operation: 'write' };
  if (skips.read) return { from: buffer, to: drive(write), operation: 'read' };
  return { from: drive(read), to: drive(write), operation: 'copy' };
}
