/**
 * fio: its text and its JSON. A read is the drive writing into memory. Which memory that was stands nowhere in the output: `iomem=` or `mem=` of the
 * job does, where it was pasted too.
 *
 *   job: (g=0): rw=read, bs=(R) 1024KiB-1024KiB, ... ioengine=libaio, iodepth=32
 *      READ: bw=5120MiB/s (5369MB/s), 5120MiB/s-5120MiB/s (5369MB/s-5369MB/s), io=300GiB (322GB), run=60001-60001msec
 *   Disk stats (read/write):
 *     nvme0n1: ios=...
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type DeviceLabel, deviceLabel } from '../measured/device-label.ts';
import type { MeasurementItem, SettingItem } from '../measured/items.ts';
import { elements, type Json, type JsonForm, member, numeral, words } from '../measured/json-text.ts';
import { measurement } from '../measured/measurement.ts';
import { binarySize, gigabytes } from '../measured/units.ts';
import { type Recogniser, type Taken, tableOf } from '../recogniser.ts';

export type FioItem = (MeasurementItem | SettingItem) & { readonly kind: 'fio' };

const VERSION = /^\s*fio-(\d[\d.]{1,10})/;
const JOB = /^\s*([\w.-]{1,60}): \(g=\d{1,4}\): rw=(\w{3,12}), bs=(?:\(R\) )?(\d{1,9}[KMG]?i?B?)?/;
const SUM = /^\s*(READ|WRITE): (?:io=\S{1,20}, )?(?:bw|aggrb)=([\d.]{1,12})([KMG]i?B\/s)/;
const DISK = /^\s*((?:nvme|sd|vd|md|dm-)[\w-]{1,20}): ios=/;
/** Memory of a job, in its file or its command. */
const MEMORY = /\b(iomem|mem|filename|ioengine|direct)=(\S{1,200})/g;
const TALK =
  /^\s*(?:Starting \d|Jobs: \d|Run status group|Disk stats|(?:read|write|trim)\s{0,2}: |(?:[sc]?lat|bw|iops|slat|clat)\s{0,6}\(?|cpu\s|IO depths|issued|latency\s|submit|complete|\||[\w.-]{1,60}: \(groupid=|\.\.\.$|\[[\w.-]{1,60}\]$|[a-z_]{2,24}=\S|lat \()/;

/** Recognises the text, and the file of a job. */
export const fioText: Recogniser<FioItem> = tableOf<FioItem>({
  kind: 'fio',
  words: ['fio-', ': (g=', 'READ: ', 'WRITE: ', 'iomem=', 'ioengine=', 'mem=mmap'],
  begins: ({ text }) =>
    JOB.test(text) || SUM.test(text) || VERSION.test(text) || /^\s*(?:iomem|ioengine|mem)=\S/.test(text),
  continues: (line, lines): Taken => {
    const { text, isBlank } = line;
    if (isBlank) return 'passed';
    if (JOB.test(text)) return lines.some((above) => SUM.test(above.text)) ? 'ended' : 'taken';
    return VERSION.test(text) || SUM.test(text) || DISK.test(text) || TALK.test(text) ? 'taken' : 'passed';
  },
  read: (lines, { file, command }) => {
    const items = itemsOf(lines, file, command);
    return items.length === 0 ? null : { items };
  },
});

function itemsOf(lines: readonly CleanLine[], file: string, command: string | null): FioItem[] {
  const items: FioItem[] = [];
  const disks = lines.flatMap(({ text }) => DISK.exec(text)?.[1] ?? []);
  const drive = driveOf(disks.length === 1 ? (disks[0] as string) : null);
  let size: number | null = null;
  let job = 'fio';
  for (const { text, number } of lines) {
    const place = { kind: 'fio', file, line: number } as const;
    const started = JOB.exec(text);
    if (started !== null) {
      job = `${started[1]} ${started[2]}`;
      size = started[3] === undefined ? null : binarySize(started[3]);
    }
    const sum = SUM.exec(text);
    const version = VERSION.exec(text)?.[1];
    if (sum !== null) {
      const [, way, raw, unit] = sum as unknown as [string, string, string, string];
      const value = gigabytes(Number(raw), oldUnit(unit));
      items.push(rateItem({ way, value, raw: `${raw}${unit}`, drive, size, test: job }, place));
    } else if (version !== undefined) items.push({ ...place, what: 'setting', name: 'fio version', value: version });
    else if (/^\s*\w{2,20}=\S/.test(text)) items.push(...settings(text, place));
  }
  if (command !== null && /\bfio\b/.test(command))
    items.push(...settings(command, { kind: 'fio', file, line: lines[0]?.number ?? 1 }));
  return items.some(({ what }) => what === 'measurement') ||
    items.some((item) => item.what === 'setting' && item.name !== 'fio version')
    ? items
    : [];
}

/** Releases before 3 print KB and mean KiB. */
const oldUnit = (unit: string): string => (/iB/.test(unit) ? unit : unit.replace(/^([KMG])B/, '$1iB'));

type Place = { readonly kind: 'fio'; readonly file: string; readonly line: number };

function settings(text: string, place: Place): FioItem[] {
  return [...text.matchAll(MEMORY)].map(([, name, value]) => ({
    ...place,
    what: 'setting',
    name: name as string,
    value: value as string,
  }));
}

function driveOf(path: string | null): DeviceLabel {
  if (path === null) return deviceLabel('storage', 'drive');
  const name = path.replace(/^\/dev\//, '');
  return deviceLabel(path, 'drive', { name: /^[\w-]+$/.test(name) ? name : null });
}

interface Rate {
  readonly way: string;
  readonly value: number | null;
  readonly raw: string;
  readonly drive: DeviceLabel;
  readonly size: number | null;
  readonly test: string;
}

function rateItem({ way, value, raw, drive, size, test }: Rate, place: Place): FioItem {
  const memory = deviceLabel('memory', 'unknown');
  const isRead = way.toUpperCase() === 'READ';
  return measurement({
    ...place,
    quantity: 'bandwidth',
    ...(isRead ? { from: drive, to: memory, operation: 'write' } : { from: memory, to: drive, operation: 'read' }),
    value,
    unit: 'GB/s',
    raw,
    size,
    engine: 'drive',
    statistic: 'average',
    test,
  });
}

/** Recognises the JSON. */
export const fioJson: JsonForm<FioItem> = {
  kind: 'fio',
  sign: /"fio version"/,
  read: (value, line, { file }) => {
    const place: Place = { kind: 'fio', file, line };
    const global = member(value, 'global options');
    const items: FioItem[] = elements(member(value, 'jobs')).flatMap((job) => jobItems(job, global, place));
    const version = words(member(value, 'fio version'));
    if (version !== null)
      items.unshift({ ...place, what: 'setting', name: 'fio version', value: version.replace(/^fio-/, '') });
    return items.length === 0 ? null : { items };
  },
};

function jobItems(job: Json, global: Json, place: Place): FioItem[] {
  const option = (name: string): string | null =>
    words(member(job, 'job options', name)) ?? words(member(global, name));
  const items: FioItem[] = ['iomem', 'mem', 'filename'].flatMap((name) => {
    const value = option(name);
    return value === null ? [] : [{ ...place, what: 'setting', name, value } as const];
  });
  const size = option('bs');
  for (const way of ['read', 'write']) {
    const bytes = numeral(member(job, way, 'bw_bytes'));
    if (bytes === null || bytes === 0) continue;
    items.push(
      rateItem(
        {
          way,
          value: bytes / 1e9,
          raw: `${bytes} bytes/s`,
          drive: driveOf(option('filename')),
          size: size === null ? null : binarySize(size),
          test: words(member(job, 'jobname')) ?? 'fio',
        },
        place,
      ),
    );
  }
  return items;
}
