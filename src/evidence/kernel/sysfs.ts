/**
 * Attributes of /sys and /proc with their values, as grep, head, cat and ls print them.
 *
 *   /sys/bus/pci/devices/0000:03:00.0/p2pmem/size:1073741824        grep .
 *   ==> /sys/module/nvme_core/parameters/multipath <==              head, tail: the value is below
 *   $ cat /sys/bus/pci/devices/0000:03:00.0/numa_node               the value is below
 *   /sys/block/nvme0n1 -> ../devices/pci0000:00/...                 ls -l, readlink
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { fullName } from '../pci/bdf-words.ts';
import { promptedCommand } from '../prompt.ts';
import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';

export interface SysfsItem extends ItemPlace {
  readonly kind: 'sysfs';
  /** From `/sys/` or `/proc/` on. */
  readonly path: string;
  readonly value: string;
  /** `link`: the value is where a link leads to. */
  readonly what: 'attribute' | 'link';
  /** The last function that the path names, or that a link leads to; null where none does. */
  readonly function: string | null;
  /** The last part of the path: `numa_node`. */
  readonly name: string;
}

// A part of a path is a function, a root bus, or a name without colons, which end a path that grep prints.
const PART = String.raw`(?:(?:pci)?[0-9a-f]{4,8}:[0-9a-f]{2}(?::[0-9a-f]{2}\.[0-7])?|[\w.,@+-]{1,80})`;
const PATH = String.raw`\/(?:sys|proc)(?:\/${PART}){1,24}`;
const GREPPED = new RegExp(String.raw`^\s*(?:[\w.-]{1,64}:)?(${PATH})(?::(?! )| ?[=:]\s{1,4})(\S.{0,2000}|)$`);
const HEADED = new RegExp(String.raw`^\s*==> (${PATH}) <==$`);
const LINK = new RegExp(String.raw`(?:^|\s)(${PATH}) -> (\S{1,240})$`);
const CAT = new RegExp(String.raw`\b(?:cat|head|tail|readlink(?: -f)?)\s(?:-\S+ )?(${PATH})\s*$`);
/** A value below its path: one line, no sentence. */
const VALUE = /^\s*\S.{0,400}$/;
const FUNCTIONS = /\b[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]\b/gi;
/** Files of the kernel that have kinds of their own. */
const OTHERS = /^\/(?:proc\/(?:cmdline|iomem|cpuinfo|kmsg|config\.gz|meminfo|interrupts)|sys\/kernel\/iommu_groups)\b/;

/** Recognises attributes with their values. */
export const sysfs: Recogniser<SysfsItem> = tableOf<SysfsItem>({
  kind: 'sysfs',
  words: ['/sys/', '/proc/'],
  begins: ({ text }) => one(text) !== null || named(text) !== null,
  continues: ({ text, isBlank }, lines) => {
    if (isBlank) return 'taken';
    if (one(text) !== null || HEADED.test(text)) return 'taken';
    // The value of a path that the line above names.
    const above = lines.findLast((line) => !line.isBlank) as CleanLine;
    return named(above.text) !== null && VALUE.test(text) ? 'taken' : 'ended';
  },
  read: (lines, { file }) => {
    const items = itemsOf(lines, file);
    return items.length === 0 ? null : { items };
  },
});

type Found = Pick<SysfsItem, 'path' | 'value' | 'what'>;

/** What one line says. */
function one(text: string): Found | null {
  const link = LINK.exec(text);
  if (link !== null) return { path: link[1] as string, value: link[2] as string, what: 'link' };
  const grepped = GREPPED.exec(text);
  if (grepped === null || OTHERS.test(grepped[1] as string)) return null;
  return { path: grepped[1] as string, value: (grepped[2] as string).trim(), what: 'attribute' };
}

/** The path that a line names, whose value is below. */
function named(text: string): string | null {
  const path = (HEADED.exec(text) ?? CAT.exec(promptedCommand(text) ?? ''))?.[1] ?? null;
  return path === null || OTHERS.test(path) ? null : path;
}

function itemsOf(lines: readonly CleanLine[], file: string): SysfsItem[] {
  const items: SysfsItem[] = [];
  let waiting: string | null = null;
  for (const { text, number, isBlank } of lines) {
    if (isBlank) continue;
    const place = { kind: 'sysfs', file, line: number } as const;
    const path = named(text);
    const found = path === null ? one(text) : null;
    if (path !== null) waiting = path;
    else if (found !== null) {
      items.push({ ...place, ...found, ...partsOf(found) });
      waiting = null;
    } else if (waiting !== null) {
      const value: Found = {
        path: waiting,
        value: text.trim(),
        what: waiting.startsWith('/sys') && text.includes('../') ? 'link' : 'attribute',
      };
      items.push({ ...place, ...value, ...partsOf(value) });
      waiting = null;
    }
  }
  return items;
}

function partsOf({ path, value, what }: Found): Pick<SysfsItem, 'function' | 'name'> {
  const names = [...(path.match(FUNCTIONS) ?? []), ...(what === 'link' ? (value.match(FUNCTIONS) ?? []) : [])];
  const last = names.at(-1);
  return { function: last === undefined ? null : fullName(last), name: path.slice(path.lastIndexOf('/') + 1) };
}
