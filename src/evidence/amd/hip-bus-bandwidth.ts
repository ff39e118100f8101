/**
 * hipBusBandwidth of the HIP samples: copies between host and device over many sizes, in five statistics. `kB` are 1024 bytes, GB 10^9.
 *
 *   Device:Device 738c Mem=32.0GB #CUs=120 Freq=1502Mhz  MallocMode=pinned
 *                     test        atts        units        median  mean    stddev  min     max
 *     D2H_Bandwidth_pinned      +064By       GB/sec        0.0000  0.0000  0.0000  0.0000  0.0000
 *     D2H_Bandwidth_pinned    524288kB       GB/sec        28.0193 27.9348 0.1912  27.4707 28.0314
 *          D2H_Time_pinned    524288kB           ms        19.1607 19.2196 0.1333  19.1525 19.5434
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { deviceLabel } from '../measured/device-label.ts';
import type { DeviceItem, MeasurementItem } from '../measured/items.ts';
import { measurement } from '../measured/measurement.ts';
import { binarySize, numberOf } from '../measured/units.ts';
import { type Recogniser, type Taken, tableOf } from '../recogniser.ts';

export type HipBusItem = (DeviceItem | MeasurementItem) & { readonly kind: 'rocm-bandwidth' };

const DEVICE = /^\s*Device:(?:Device )?(.{1,60}?) Mem=[\d.]{1,8}GB #CUs=/;
const HEADING = /^\s*test\s+atts\s+units\s+median\s+mean\s+stddev\s+min\s+max$/;
const ROW =
  /^\s*([DH]2[DHP]|Bidir)_(Bandwidth|Time)\w{0,24}\*?\s+\+?(\d{1,12})(By|kB|MB)\s+(GB\/sec|ms)\s+([\d.]{1,14})\s/;

/** Recognises this sample. */
export const hipBusBandwidth: Recogniser<HipBusItem> = tableOf<HipBusItem>({
  kind: 'rocm-bandwidth',
  words: ['_Bandwidth_', '#CUs='],
  begins: ({ text }) => DEVICE.test(text) || ROW.test(text),
  continues: ({ text, isBlank }): Taken => {
    if (isBlank) return 'passed';
    if (DEVICE.test(text)) return 'ended';
    return ROW.test(text) || HEADING.test(text) || /^\s*(?:Note: results marked|might occur with)/.test(text)
      ? 'taken'
      : 'passed';
  },
  read: (lines, { file }) => {
    const items = lines.flatMap((line) => itemsOf(line, file));
    return items.some(({ what }) => what === 'measurement') ? { items } : null;
  },
});

/** The median of a row. The times are those of the same copies and say nothing more. */
function itemsOf({ text, number }: CleanLine, file: string): HipBusItem[] {
  const place = { kind: 'rocm-bandwidth', file, line: number } as const;
  const gpu = deviceLabel('GPU', 'gpu');
  const product = DEVICE.exec(text)?.[1];
  if (product !== undefined) return [{ ...place, what: 'device', device: gpu, product }];
  const row = ROW.exec(text);
  if (row === null || row[2] !== 'Bandwidth') return [];
  const [, way, , count, unit, , median] = row as unknown as [string, string, string, string, string, string, string];
  const host = deviceLabel('host', 'cpu');
  const isBoth = way === 'Bidir';
  const isToDevice = way === 'H2D';
  return [
    measurement({
      ...place,
      quantity: 'bandwidth',
      from: isToDevice || isBoth ? host : gpu,
      to: isToDevice || isBoth ? gpu : way === 'D2H' ? host : gpu,
      operation: isBoth || way === 'D2D' ? 'copy' : isToDevice ? 'read' : 'write',
      direction: isBoth ? 'bi' : 'uni',
      counts: isBoth ? 'both' : 'one',
      value: numberOf(median),
      unit: 'GB/s',
      raw: `${median} GB/sec`,
      size: unit === 'By' ? Number(count) : binarySize(`${count} ${unit}`),
      engine: 'copy-engine',
      statistic: 'median',
      test: text.trim().split(/\s/, 1)[0] as string,
    }),
  ];
}
