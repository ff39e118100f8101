/**
 * bandwidthTest of the CUDA samples: copies between host and device, and within a device, where each byte is counted twice.
 *
 *    Device 0: NVIDIA A40
 *    Host to Device Bandwidth, 1 Device(s)
 *    PINNED Memory Transfers
 *      Transfer Size (Bytes)        Bandwidth(GB/s)
 *      32000000                     26.8
 *   bandwidthTest-H2D-Pinned, Bandwidth = 26.8 GB/s, Time = 0.00119 s, Size = 32000000 bytes, NumDevsUsed = 1
 *
 * Releases before CUDA 10.1 print MB/s and mean 1,024,000 bytes: they multiply by 1024, for milliseconds, and divide by 1024 twice.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type DeviceLabel, deviceLabel } from '../measured/device-label.ts';
import type { DeviceItem, MeasurementItem } from '../measured/items.ts';
import { measurement, sameTable } from '../measured/measurement.ts';
import { numberOf } from '../measured/units.ts';
import { type Recogniser, type Taken, tableOf } from '../recogniser.ts';

export type CudaBandwidthItem = (DeviceItem | MeasurementItem) & { readonly kind: 'cuda-bandwidth' };

const START = /^\s*\[CUDA Bandwidth Test\] - Starting/;
const DEVICE = /^\s*Device (\d{1,3}): (\S.{0,80})$/;
const TITLE = /^\s*(Host|Device) to (Device|Host) Bandwidth, (\d{1,3}) Device\(s\)/;
const MEMORY = /^\s*(PINNED|PAGEABLE) Memory Transfers/;
const HEADER = /^\s*Transfer Size \(Bytes\)\s+Bandwidth ?\((GB|MB)\/s\)/;
const ROW = /^\s*(\d{1,15})\s+(\d{1,9}\.?\d{0,6})$/;
const LINE =
  /^\s*bandwidthTest-([HD])2([HD])(?:-(Pinned|Paged))?, Bandwidth = ([\d.]{1,16}) (GB|MB)\/s, Time = [\d.]{1,16} s, Size = (\d{1,15}) bytes, NumDevsUsed = (\d{1,3})/;
const TALK =
  /^\s*(?:Running on\.{3}|(?:Quick|Range|Shmoo) Mode|Result = |NOTE: The CUDA Samples|\.{5,}|Device to Host|\[CUDA)/;

/** GB/s of one MB/s of older releases. */
const OLD_UNIT = 1.024e-3;

/** Recognises this sample. */
export const cudaBandwidth: Recogniser<CudaBandwidthItem> = tableOf<CudaBandwidthItem>({
  kind: 'cuda-bandwidth',
  words: ['[CUDA Bandwidth Test]', 'Bandwidth, ', 'bandwidthTest-', 'Transfer Size (Bytes)'],
  begins: ({ text }) => START.test(text) || TITLE.test(text) || LINE.test(text) || HEADER.test(text),
  continues: ({ text, isBlank }): Taken => {
    if (isBlank) return 'passed';
    if (START.test(text)) return 'ended';
    const isOwn =
      DEVICE.test(text) ||
      TITLE.test(text) ||
      MEMORY.test(text) ||
      HEADER.test(text) ||
      LINE.test(text) ||
      TALK.test(text);
    return isOwn || ROW.test(text) ? 'taken' : 'passed';
  },
  read: (lines, { file }) => {
    const items = itemsOf(lines, file);
    return items.length === 0 ? null : { items, subject: sameTable(items) };
  },
});

type Place = { readonly kind: 'cuda-bandwidth'; readonly file: string; readonly line: number };

interface Transfer {
  readonly source: string;
  readonly target: string;
  readonly devices: number;
  readonly memory: string;
}

function itemsOf(lines: readonly CleanLine[], file: string): CudaBandwidthItem[] {
  const items: CudaBandwidthItem[] = [];
  let gpu = deviceLabel('GPU', 'gpu');
  let transfer: Transfer = { source: '', target: '', devices: 0, memory: '' };
  let unit = 'GB';
  for (const { text, number } of lines) {
    const place: Place = { kind: 'cuda-bandwidth', file, line: number };
    const device = DEVICE.exec(text);
    const title = TITLE.exec(text);
    const line = LINE.exec(text);
    const row = ROW.exec(text);
    unit = HEADER.exec(text)?.[1] ?? unit;
    if (device !== null) {
      const [, index, product] = device as unknown as [string, string, string];
      gpu = deviceLabel(`Device ${index}`, 'gpu', { index: Number(index), numbering: 'cuda' });
      items.push({ ...place, what: 'device', device: gpu, product });
    } else if (title !== null) {
      const [, source, target, devices] = title as unknown as [string, string, string, string];
      transfer = { source: source.charAt(0), target: target.charAt(0), devices: Number(devices), memory: '' };
    } else if (MEMORY.test(text)) {
      transfer = { ...transfer, memory: MEMORY.exec(text)?.[1]?.toLowerCase() ?? '' };
    } else if (line !== null) {
      const [, source, target, memory, rate, lineUnit, size, devices] = line as unknown as string[];
      const said = { source, target, devices: Number(devices), memory: memory?.toLowerCase() ?? '' } as Transfer;
      items.push(rateItem(said, { gpu, rate: rate as string, unit: lineUnit as string, size: Number(size) }, place));
    } else if (row !== null && transfer.devices > 0) {
      items.push(rateItem(transfer, { gpu, rate: row[2] as string, unit, size: Number(row[1]) }, place));
    }
  }
  return items;
}

interface Rate {
  readonly gpu: DeviceLabel;
  readonly rate: string;
  readonly unit: string;
  readonly size: number;
}

/** The device moves what the host holds. Of several devices the sum is printed. */
function rateItem(
  { source, target, devices, memory }: Transfer,
  { gpu, rate, unit, size }: Rate,
  place: Place,
): CudaBandwidthItem {
  const host = deviceLabel('host', 'cpu');
  const device = devices > 1 ? deviceLabel(`${devices} devices`, 'gpu') : gpu;
  const number = numberOf(rate);
  return measurement({
    ...place,
    quantity: 'bandwidth',
    from: source === 'H' ? host : device,
    to: target === 'H' ? host : device,
    operation: source === target ? 'copy' : source === 'H' ? 'read' : 'write',
    value: number === null ? null : unit === 'MB' ? number * OLD_UNIT : number,
    unit: 'GB/s',
    raw: `${rate} ${unit}/s`,
    size,
    engine: 'copy-engine',
    load: devices > 1 ? 'together' : 'alone',
    test: `${source}2${target} ${memory}`.trim(),
  });
}
