/**
 * `nvidia-smi` without a command: a box with the driver's release and a line or two for each GPU; `-L`: a line for each; `--query-gpu`: fields
 * with commas.
 *
 *   | NVIDIA-SMI 575.51.03     Driver Version: 575.51.03      CUDA Version: 12.9     |
 *   |   0  NVIDIA A40                     Off |   00000000:01:00.0 Off |           0 |
 *   GPU 0: NVIDIA A40 (UUID: GPU-...)
 *   index, name, pci.bus_id, pcie.link.gen.current, pcie.link.width.current
 *   0, NVIDIA A40, 00000000:01:00.0, 1, 16
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, SettingItem } from '../measured/items.ts';
import { type BlockContext, type Recogniser, type Taken, tableOf } from '../recogniser.ts';
import { deviceFacts, type GpuFact } from './gpu-facts.ts';

export type NvidiaSmiItem = (DeviceItem | SettingItem) & { readonly kind: 'nvidia-smi' };

const VERSIONS = /\bNVIDIA-SMI ([\d.]{3,20})\s+(?:Driver Version|KMD Version): ?([\d.]{3,20})/;
const CUDA = /\bCUDA (?:UMD )?Version: ?([\d.]{3,10})/;
const BOX_GPU =
  /^\s{0,16}(?:\|\s{0,8})?(\d{1,3})\s{1,8}(\S.{0,60}?)\s{1,40}(On|Off|N\/A|ERR!)\s{0,8}\|\s{0,8}([0-9A-F]{8}:[0-9A-F]{2}:[0-9A-F]{2}\.[0-7])\s/i;
const BOX_STATE = /^\s*\|.{1,20}?\s(P\d{1,2})\s.*?\/\s{0,8}(\d{1,8}MiB)\s*\|/;
const BOX = /^\s*[|+]/;
const LISTED = /^\s*GPU (\d{1,3}): (.{1,80}?) \(UUID: /;
const FIELD = /^(?:[a-z][\w.]{1,60})(?: \[[A-Za-z/%]{1,8}\])?$/;

/** Fields of `--query-gpu`, old names among them, without the unit that the heading adds. */
const FIELDS: Readonly<Record<string, GpuFact | 'index' | 'driver'>> = {
  index: 'index',
  name: 'product',
  gpu_name: 'product',
  'pci.bus_id': 'address',
  gpu_bus_id: 'address',
  'pci.device_id': 'pciDevice',
  driver_version: 'driver',
  pstate: 'state',
  'pcie.link.gen.current': 'generationCurrent',
  'pcie.link.gen.gpucurrent': 'generationCurrent',
  'pcie.link.gen.max': 'generationMax',
  'pcie.link.gen.gpumax': 'generationDeviceMax',
  'pcie.link.gen.hostmax': 'generationHostMax',
  'pcie.link.width.current': 'widthCurrent',
  'pcie.link.width.max': 'widthMax',
  'memory.total': 'memory',
  persistence_mode: 'persistence',
  addressing_mode: 'addressing',
  'mig.mode.current': 'mig',
};

/** Recognises the three. */
export const nvidiaSmi: Recogniser<NvidiaSmiItem> = tableOf<NvidiaSmiItem>({
  kind: 'nvidia-smi',
  words: [
    'NVIDIA-SMI',
    '(UUID: ',
    'pci.bus_id',
    'pcie.link',
    'gpu_name',
    ', name',
    'Bus-Id',
    ', 0000',
    '| 0000',
    '|   0000',
  ],
  begins: ({ text }, context) =>
    VERSIONS.test(text) ||
    BOX_GPU.test(text) ||
    LISTED.test(text) ||
    headingOf(text) !== null ||
    queriedRow(text, context) !== null,
  continues: (line, lines) => goesOn(line, lines),
  read: (lines, context) => {
    const items = itemsOf(lines, context);
    return items.length === 0 ? null : { items };
  },
});

function goesOn({ text, isBlank }: CleanLine, lines: readonly CleanLine[]): Taken {
  if (isBlank) return 'passed';
  const first = (lines[0] as CleanLine).text;
  if (LISTED.test(first)) return LISTED.test(text) || /^\s+MIG .{1,80}Device/.test(text) ? 'taken' : 'ended';
  if (VERSIONS.test(first) || BOX_GPU.test(first)) return BOX.test(text) && !VERSIONS.test(text) ? 'taken' : 'ended';
  return text.split(',').length === first.split(',').length && headingOf(text) === null ? 'taken' : 'ended';
}

function itemsOf(lines: readonly CleanLine[], context: BlockContext): NvidiaSmiItem[] {
  const [first] = lines as readonly [CleanLine];
  const place = { kind: 'nvidia-smi', file: context.file } as const;
  const fields = headingOf(first.text);
  if (fields !== null) return lines.slice(1).flatMap((line) => rowItems(fields, line, place));
  const asked = queriedRow(first.text, context);
  if (asked !== null) return lines.flatMap((line) => rowItems(asked, line, place));
  return lines.flatMap((line, at) => boxItems(line, lines[at + 1] ?? null, place));
}

type Place = { readonly kind: 'nvidia-smi'; readonly file: string };

function boxItems({ text, number }: CleanLine, next: CleanLine | null, kindAndFile: Place): NvidiaSmiItem[] {
  const place = { ...kindAndFile, line: number };
  const versions = VERSIONS.exec(text);
  if (versions !== null) {
    const cuda = CUDA.exec(text)?.[1];
    const items: NvidiaSmiItem[] = [
      { ...place, what: 'setting', name: 'Driver Version', value: versions[2] as string },
    ];
    if (cuda !== undefined) items.push({ ...place, what: 'setting', name: 'CUDA Version', value: cuda });
    return items;
  }
  const listed = LISTED.exec(text);
  const boxed = BOX_GPU.exec(text);
  const [, index, product] = listed ?? boxed ?? [];
  if (index === undefined || product === undefined) return [];
  const facts = new Map<GpuFact, string>([['product', product.replace(/\s*\.{3}$/, '...')]]);
  if (boxed?.[3] === 'On' || boxed?.[3] === 'Off') facts.set('persistence', boxed[3] === 'On' ? 'Enabled' : 'Disabled');
  const state = boxed === null || next === null ? null : BOX_STATE.exec(next.text);
  if (state != null) {
    facts.set('state', state[1] as string);
    facts.set('memory', state[2] as string);
  }
  const device = gpuLabel(Number(index), boxed?.[4] ?? '');
  return [{ ...place, what: 'device', device, ...deviceFacts(facts) }];
}

const gpuLabel = (index: number | null, address: string): DeviceItem['device'] =>
  deviceLabel(index === null ? 'GPU' : `GPU${index}`, 'gpu', {
    index,
    numbering: index === null ? null : 'nvml',
    ...printedAddress(address),
  });

/** Names of the fields of a heading; null where the line is none. */
function headingOf(text: string): readonly string[] | null {
  const words = text.split(',').map((word) => word.trim());
  const known = words.filter((word) => word.replace(/ \[.*$/, '') in FIELDS).length;
  return words.length > 1 && known * 2 >= words.length && words.every((word) => FIELD.test(word))
    ? words.map((word) => word.replace(/ \[.*$/, ''))
    : null;
}

/** The fields that the command above asked for, where the line is a row of them and no heading was printed. */
function queriedRow(text: string, { command }: BlockContext): readonly string[] | null {
  if (!text.includes(', ')) return null;
  const asked = /--query-gpu[= ]"?([\w.,]{3,400})/.exec(command ?? '')?.[1]?.split(',');
  if (asked === undefined || asked.length < 2) return null;
  return text.split(',').length === asked.length ? asked : null;
}

function rowItems(fields: readonly string[], { text, number }: CleanLine, kindAndFile: Place): NvidiaSmiItem[] {
  const place = { ...kindAndFile, line: number };
  const facts = new Map<GpuFact, string>();
  const items: NvidiaSmiItem[] = [];
  let index: number | null = null;
  for (const [at, cell] of text.split(',').entries()) {
    const field = FIELDS[fields[at] ?? ''];
    const value = cell.trim();
    if (field === 'index') index = /^\d{1,3}$/.test(value) ? Number(value) : null;
    else if (field === 'driver') items.push({ ...place, what: 'setting', name: 'Driver Version', value });
    else if (field !== undefined) facts.set(field, value);
  }
  if (facts.size === 0) return items;
  items.push({ ...place, what: 'device', device: gpuLabel(index, facts.get('address') ?? ''), ...deviceFacts(facts) });
  return items;
}
