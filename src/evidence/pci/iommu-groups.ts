/**
 * IOMMU groups: which functions share one, and of which type it is. Scripts print them in many ways, and so does find.
 *
 *   IOMMU Group 1:
 *           00:01.0 PCI bridge [0604]: ...
 *   /sys/kernel/iommu_groups/17/devices/0000:01:00.0
 *   /sys/kernel/iommu_groups/17/type:DMA-FQ
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';
import { fullName, leadingBdf } from './bdf-words.ts';

export type IommuGroupItem = GroupMember | GroupType;

export interface GroupMember extends ItemPlace {
  readonly kind: 'iommu-groups';
  readonly what: 'member';
  readonly group: number;
  readonly function: string;
  /** What a script prints of it; null where it prints the address alone. */
  readonly name: string | null;
}

export interface GroupType extends ItemPlace {
  readonly kind: 'iommu-groups';
  readonly what: 'type';
  readonly group: number;
  /** `DMA`, `DMA-FQ`, `identity`, `blocked`, ... as sysfs says it. */
  readonly type: string;
}

const GROUP = /^\s*(?:\*{0,2})?(?:IOMMU )?[Gg]roup:? ?#?(\d{1,5})\b:?(?:\*{0,2})?\s*(.*)$/;
const PATH = /\/iommu_groups\/(\d{1,5})(?:\/devices)?(?:\/([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]))?/i;
const OF_FUNCTION = /\b([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\/iommu_group\b.{0,24}?iommu_groups\/(\d{1,5})\b/i;
const TYPE = /\/iommu_groups\/(\d{1,5})\/type[:= ]{1,3}([A-Za-z][\w-]{2,20})\s*$/;
const ADDRESS = /\b((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7])\b/i;
const TYPES = /^(?:DMA(?:-FQ|-SVA)?|identity|blocked|unmanaged|auto)$/;

/** Recognises listings of IOMMU groups. */
export const iommuGroups: Recogniser<IommuGroupItem> = tableOf<IommuGroupItem>({
  kind: 'iommu-groups',
  words: ['iommu_group', 'IOMMU Group', 'IOMMU group', 'Group ', 'Group:', 'group '],
  begins: ({ text }) => isLine(text) && !/^\s*IOMMU group: \d+\s*$/.test(text),
  continues: ({ text, isBlank, stamp }, lines) => {
    if (isBlank) return 'taken';
    if (stamp !== null) return 'passed';
    if (isLine(text)) return 'taken';
    return leadingBdf(text.replace(LEAD, '')) !== null &&
      lines.some((line) => GROUP.test(line.text) || line.text.endsWith('devices:'))
      ? 'taken'
      : 'ended';
  },
  read: (lines, { file }) => {
    const items = itemsOf(lines, file);
    return items.length === 0 ? null : { items };
  },
});

/** What scripts and ls put before an address: bullets, marks of functions that can be reset, modes and owners. */
const LEAD =
  /^\s*(?:[-*\u2022|] {0,4}|\[R\] {0,4}|\[[0-9a-f]{4}:[0-9a-f]{4}\] {0,4}|l[rwx-]{9}.{0,60}?\d\d:\d\d ){0,3}/;

function isLine(text: string): boolean {
  if (PATH.test(text)) return !/\$\(|\bfor\b|\bfind\b/.test(text);
  const group = GROUP.exec(text);
  return (
    group !== null &&
    (group[2] === '' || ADDRESS.test((group[2] as string).slice(0, 48)) || TYPES.test((group[2] as string).trim()))
  );
}

function itemsOf(lines: readonly CleanLine[], file: string): IommuGroupItem[] {
  const items: IommuGroupItem[] = [];
  let group: number | null = null;
  for (const { text, number } of lines) {
    const place = { kind: 'iommu-groups', file, line: number } as const;
    const type = TYPE.exec(text);
    if (type !== null) {
      items.push({ ...place, what: 'type', group: Number(type[1]), type: type[2] as string });
      continue;
    }
    const link = OF_FUNCTION.exec(text);
    const path = PATH.exec(text);
    if (link !== null) {
      items.push({
        ...place,
        what: 'member',
        group: Number(link[2]),
        function: (link[1] as string).toLowerCase(),
        name: null,
      });
    } else if (path !== null) {
      group = Number(path[1]);
      if (path[2] !== undefined)
        items.push({ ...place, what: 'member', group, function: path[2].toLowerCase(), name: null });
    } else {
      const heading = GROUP.exec(text);
      if (heading !== null) group = Number(heading[1]);
      const rest = heading === null ? text : (heading[2] as string);
      if (heading !== null && TYPES.test(rest.trim()) && group !== null) {
        items.push({ ...place, what: 'type', group, type: rest.trim() });
      } else if (group !== null) items.push(...memberOf(rest, group, place));
    }
  }
  return items;
}

function memberOf(text: string, group: number, place: Pick<GroupMember, 'kind' | 'file' | 'line'>): GroupMember[] {
  const match = ADDRESS.exec(text.slice(0, 160));
  const name = match === null ? null : fullName(match[1] as string);
  if (match === null || name === null) return [];
  const behind = text
    .slice(match.index + match[0].length)
    .replace(/^[\s:->]{1,8}/, '')
    .trim();
  const shown = /^(?:\.\.\/|$)/.test(behind) ? null : behind.slice(0, 200);
  return [{ ...place, what: 'member', group, function: name, name: shown }];
}
