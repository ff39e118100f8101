/**
 * `gdscheck -p` of GPUDirect Storage: which file systems and drivers it can use, how it is set up, and what it says of each GPU and of the
 * IOMMU.
 *
 *   =====================
 *   DRIVER CONFIGURATION:
 *   =====================
 *   NVMe P2PDMA        : Unsupported
 *   GPU index 0 NAME bar:1 bar size (MiB):256 supports GDS, IOMMU State: Disabled
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';

export type GdscheckItem = GdsSetting | GdsGpu;

export interface GdsSetting extends ItemPlace {
  readonly kind: 'gdscheck';
  readonly what: 'setting';
  /** `DRIVER CONFIGURATION`; null above the first section. */
  readonly section: string | null;
  /** `NVMe P2PDMA`, `properties.use_pci_p2pdma`, `IOMMU`. */
  readonly name: string;
  readonly value: string;
}

export interface GdsGpu extends ItemPlace {
  readonly kind: 'gdscheck';
  readonly what: 'gpu';
  readonly index: number;
  readonly name: string;
  readonly bar: number;
  readonly barMib: number;
  readonly isSupported: boolean;
  /** `Disabled`, `Pass-through or Enabled`; null in older releases. */
  readonly iommu: string | null;
}

const RULE = /^\s*={4,80}$/;
const SECTION = /^\s*([A-Z][A-Z ]{2,40}):$/;
const GPU =
  /^\s*GPU index (\d{1,3}) (.{1,80}?) bar: ?(\d) bar size \(MiB\): ?(\d{1,9}) (supports|does not support|doesn't support) GDS(?:, IOMMU State: (.{1,60}))?/;
const SETTING = /^\s*(?:-{2} ?)?([A-Za-z_][\w .()/-]{1,60}?)\s{0,30}:\s{0,8}(\S.{0,200})$/;
/** Lines that no other tool prints. */
const OWN =
  /GDS release version|NVMe P2PDMA\s{0,20}:|\bproperties\.\w{2,40}\s:|\bGPU index \d{1,3} .{1,80} bar size \(MiB\)|libcufile version|^\s*(?:DRIVER|CUFILE) CONFIGURATION:$/;
const VERDICT = /^\s*Platform verification (succeeded|error.{0,120}|failed.{0,120})/;

/** Recognises reports of gdscheck. */
export const gdscheck: Recogniser<GdscheckItem> = tableOf<GdscheckItem>({
  kind: 'gdscheck',
  words: [
    'GDS release',
    'NVMe P2PDMA',
    'properties.',
    'GPU index',
    'libcufile version',
    'DRIVER CONFIGURATION',
    'CUFILE CONFIGURATION',
    'Platform verification',
  ],
  begins: ({ text }) => OWN.test(text) || VERDICT.test(text),
  continues: ({ text, isBlank }) => {
    if (isBlank) return 'taken';
    return RULE.test(text) || SECTION.test(text) || GPU.test(text) || SETTING.test(text) || VERDICT.test(text)
      ? 'taken'
      : 'ended';
  },
  read: (lines, { file }) => {
    const items = itemsOf(lines, file);
    return items.length === 0 ? null : { items, subject: 'gdscheck' };
  },
});

function itemsOf(lines: readonly CleanLine[], file: string): GdscheckItem[] {
  const items: GdscheckItem[] = [];
  let section: string | null = null;
  for (const { text, number } of lines) {
    const place = { kind: 'gdscheck', file, line: number } as const;
    const heading = SECTION.exec(text)?.[1];
    if (heading !== undefined) {
      section = heading;
      continue;
    }
    const gpu = GPU.exec(text);
    if (gpu !== null) {
      items.push({
        ...place,
        what: 'gpu',
        index: Number(gpu[1]),
        name: gpu[2] as string,
        bar: Number(gpu[3]),
        barMib: Number(gpu[4]),
        isSupported: gpu[5] === 'supports',
        iommu: gpu[6]?.trim() ?? null,
      });
      continue;
    }
    const verdict = VERDICT.exec(text)?.[1];
    if (verdict !== undefined) {
      items.push({ ...place, what: 'setting', section, name: 'Platform verification', value: verdict });
      continue;
    }
    for (const setting of settingsOf(text)) items.push({ ...place, what: 'setting', section, ...setting });
  }
  return items;
}

/** The settings of a line: the version line has two. */
function settingsOf(text: string): { readonly name: string; readonly value: string }[] {
  const [, name, value] = SETTING.exec(text) ?? [];
  if (name === undefined || value === undefined) return [];
  const second = /^(\S{1,24}) {1,8}([a-z]\w{2,24} version): {0,4}(\S{1,24})$/.exec(value);
  return second === null
    ? [{ name, value: value.trim() }]
    : [
        { name, value: second[1] as string },
        { name: second[2] as string, value: second[3] as string },
      ];
}
