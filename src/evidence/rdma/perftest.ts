/**
 * perftest: ib_write_bw, ib_read_lat and so on. Both ends may print to one terminal, line by line, so that every line stands there twice.
 *
 *   CUDA device 0: PCIe address is 17:00
 *   Picking device No. 0
 *                       RDMA_Write BW Test
 *    Dual-port       : OFF          Device         : mlx5_0
 *    #bytes     #iterations    BW peak[MiB/sec]    BW average[MiB/sec]   MsgRate[Mpps]
 *    65536      5000             14954.91            14948.67            0.239179
 *
 * `MB/sec` of older releases is MiB as well. Who sends reads its memory, who receives writes it; of a READ it is the other way round. Which end
 * this is shows in what it prints: only the one that sends has a TX depth, only the one that waits says so.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { busAlone, type DeviceLabel, deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, MeasurementItem, SettingItem } from '../measured/items.ts';
import { measurement } from '../measured/measurement.ts';
import { gigabytes, numberOf } from '../measured/units.ts';
import { type BlockContext, type Recogniser, type Taken, tableOf } from '../recogniser.ts';

export type PerftestItem = (DeviceItem | MeasurementItem | SettingItem) & { readonly kind: 'perftest' };

const TITLE =
  /^\s*((?:RDMA_(?:Write|Read)|Send|Atomic_\w{2,12}|Raw_?\w{0,12}|Write|Read)(?: \w{2,14}){0,3} (?:BW|Latency) Test)\s*$/;
const HEADER = /^\s*#bytes\s+#iterations\s+(?:BW peak|t_min|#)/;
const RATE_HEADER = /BW average\[(MB|MiB|Gb)\/sec\]/;
const ROW = /^\s*\d{1,12}\s+\d{1,12}(?:\s+-?[\d.]{1,20}){1,12}$/;
const CUDA = /^\s*CUDA device (\d{1,3}): PCIe address is ([0-9a-f]{1,2}:[0-9a-f]{1,2}(?:\.\d)?)/i;
const PICKED = /^\s*Picking device No\. (\d{1,3})/;
const ROCM = /Using ROCm Device with ID: (\d{1,3}), Name: (.{1,80}?), PCI Bus ID: 0x([0-9a-f]{1,2})\b/i;
const NAMED = /device name = \[(.{1,80})\]/;
const WAITING = /Waiting for client/;
const BEGINS = [
  TITLE,
  HEADER,
  CUDA,
  PICKED,
  ROCM,
  WAITING,
  /^\s*Perftest doesn't/,
  /^\s*(?:initializing CUDA|Listing all CUDA devices)/,
];
/** What else the tool prints. */
const TALK =
  /^\s*(?:-{20,}|\*{10,}|\* Waiting|(?:local|remote) address:|GID:|Perftest|Listing all CUDA|initializing CUDA|creating CUDA|making it the current|cuMem|allocated|deallocating|destroying|Conflicting CPU|\[pid = |Max msg size|Requested|Picking|Could not|Couldn't|Using (?:ROCm|sampled)|Completed|Connected:)/;

/** Settings that say something about the path, as they are named. */
const SETTINGS = [
  'Device',
  'Number of qps',
  'PCIe relax order',
  'Mtu',
  'Link type',
  'Transport type',
  'Connection type',
  'Use ROCm memory',
  'TX depth',
];
const SETTING = new RegExp(String.raw`(?<![\w-])(${SETTINGS.join('|')})\s{0,20}: {0,2}(\S{1,40})`, 'g');
const ANY_SETTING = /^\s*[\w*][\w.* -]{1,24}?\s{0,20}: {0,2}\S/;

/** Recognises these tests. */
export const perftest: Recogniser<PerftestItem> = tableOf<PerftestItem>({
  kind: 'perftest',
  words: [
    'BW Test',
    'Latency Test',
    '#bytes',
    'CUDA device',
    'initializing CUDA',
    'Picking device No',
    'Waiting for client',
    'Using ROCm Device',
    "Perftest doesn't",
  ],
  begins: ({ text }) => BEGINS.some((pattern) => pattern.test(text)),
  continues: ({ text, isBlank }, lines): Taken => {
    if (isBlank) return 'passed';
    if (isOwn(text)) return 'taken';
    // Settings follow the title.
    return ANY_SETTING.test(text) && lines.some((line) => TITLE.test(line.text)) ? 'taken' : 'passed';
  },
  read: (lines, context) => {
    const items = itemsOf(lines, context);
    const says = lines.some(({ text }) => TITLE.test(text) || HEADER.test(text) || CUDA.test(text));
    return says ? { items, isComplete: items.some(({ what }) => what === 'measurement') } : null;
  },
});

const isOwn = (text: string): boolean =>
  TITLE.test(text) ||
  HEADER.test(text) ||
  ROW.test(text) ||
  CUDA.test(text) ||
  PICKED.test(text) ||
  ROCM.test(text) ||
  TALK.test(text);

type Place = { readonly kind: 'perftest'; readonly file: string; readonly line: number };

function itemsOf(lines: readonly CleanLine[], { file, command }: BlockContext): PerftestItem[] {
  const items: PerftestItem[] = [];
  const gpus = new Map<number, DeviceLabel>();
  const seen = new Set<string>();
  let memory = deviceLabel('memory', 'cpu');
  let nic = deviceLabel('NIC', 'nic');
  let title = '';
  let header = '';
  const side = sideOf(lines);
  for (const { text, number } of lines) {
    const place: Place = { kind: 'perftest', file, line: number };
    const cuda = CUDA.exec(text);
    const picked = PICKED.exec(text)?.[1];
    const rocm = ROCM.exec(text);
    if (cuda !== null) {
      const [, index, address] = cuda as unknown as [string, string, string];
      const known = { index: Number(index), numbering: 'cuda', ...printedAddress(address) } as const;
      const label = deviceLabel(`CUDA device ${index}`, 'gpu', known);
      if (!gpus.has(Number(index))) items.push({ ...place, what: 'device', device: label });
      gpus.set(Number(index), label);
    } else if (picked !== undefined) {
      memory =
        gpus.get(Number(picked)) ??
        deviceLabel(`CUDA device ${picked}`, 'gpu', { index: Number(picked), numbering: 'cuda' });
    } else if (rocm !== null) {
      const [, index, product, bus] = rocm as unknown as [string, string, string, string];
      memory = deviceLabel(`ROCm device ${index}`, 'gpu', {
        index: Number(index),
        numbering: 'hip',
        ...busAlone(Number.parseInt(bus, 16)),
      });
      items.push({ ...place, what: 'device', device: memory, product });
    } else if (NAMED.test(text) && memory.sort === 'gpu') {
      items.push({ ...place, what: 'device', device: memory, product: NAMED.exec(text)?.[1] ?? '' });
    } else if (TITLE.test(text)) title = TITLE.exec(text)?.[1] ?? '';
    else if (HEADER.test(text)) header = text;
    else if (ROW.test(text)) {
      const key = text.trim().split(/\s+/).join(' ');
      if (header === '' || seen.has(key)) continue;
      seen.add(key);
      items.push(...rowItems({ cells: key.split(' '), header, title, ...endsOf(title, side, memory, nic) }, place));
    } else {
      for (const [, name, value] of text.matchAll(SETTING)) {
        if (name === 'Device') nic = deviceLabel(value as string, 'nic', { name: value as string });
        const key = `${name} ${value}`;
        if (!seen.has(key)) items.push({ ...place, what: 'setting', name: name as string, value: value as string });
        seen.add(key);
      }
    }
  }
  const mapped = /--mmap[= ](\S{1,200})/.exec(command ?? '')?.[1];
  if (mapped !== undefined)
    items.push({ kind: 'perftest', file, line: lines[0]?.number ?? 1, what: 'setting', name: 'mmap', value: mapped });
  return items;
}

/** Which end printed this; null where both did, or neither shows. */
function sideOf(lines: readonly CleanLine[]): 'sends' | 'waits' | null {
  const sends = lines.some(({ text }) => /\bTX depth\s/.test(text));
  const waits = lines.some(({ text }) => WAITING.test(text));
  return sends === waits ? null : sends ? 'sends' : 'waits';
}

type Ends = Pick<MeasurementItem, 'from' | 'to' | 'operation'>;

function endsOf(title: string, side: 'sends' | 'waits' | null, memory: DeviceLabel, nic: DeviceLabel): Ends {
  const isRead = /Read/.test(title);
  if (side === null || /Bidirectional/.test(title)) return { from: memory, to: nic, operation: 'copy' };
  const readsMemory = (side === 'sends') !== isRead;
  return readsMemory ? { from: memory, to: nic, operation: 'read' } : { from: nic, to: memory, operation: 'write' };
}

interface Row extends Ends {
  readonly cells: readonly string[];
  readonly header: string;
  readonly title: string;
}

/** Columns of latency by their names. */
const LATENCIES: Readonly<Record<string, MeasurementItem['statistic']>> = {
  t_min: 'minimum',
  t_max: 'maximum',
  t_typical: 'typical',
  t_avg: 'average',
};

function rowItems({ cells, header, title, ...ends }: Row, place: Place): PerftestItem[] {
  const isBoth = /Bidirectional/.test(title);
  const shared = {
    ...place,
    ...ends,
    direction: isBoth ? 'bi' : 'uni',
    counts: isBoth ? 'both' : 'one',
    size: Number(cells[0]),
    engine: 'nic',
    test: title === '' ? 'perftest' : title,
  } as const;
  const unit = RATE_HEADER.exec(header)?.[1];
  if (unit !== undefined) {
    // Releases that print MB divide by 1024 twice all the same.
    const printed = `${unit}/sec`;
    const meant = unit === 'Gb' ? 'Gb/s' : 'MiB/s';
    return (['peak', 'average'] as const).flatMap((statistic, at) => {
      const raw = cells[2 + at];
      const number = raw === undefined ? null : numberOf(raw);
      if (raw === undefined) return [];
      const value = number === null ? null : gigabytes(number, meant);
      return [
        measurement({ ...shared, quantity: 'bandwidth', value, unit: 'GB/s', raw: `${raw} ${printed}`, statistic }),
      ];
    });
  }
  const names = header
    .trim()
    .split(/\s+/)
    .filter((word) => /\[/.test(word) || word.startsWith('#'));
  return names.flatMap((name, at) => {
    const statistic = LATENCIES[name.replace(/\[.*$/, '')];
    const raw = cells[at];
    if (statistic === undefined || raw === undefined) return [];
    return [
      measurement({ ...shared, quantity: 'latency', value: numberOf(raw), unit: 'us', raw: `${raw} usec`, statistic }),
    ];
  });
}
