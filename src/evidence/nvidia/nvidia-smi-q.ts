/**
 * `nvidia-smi -q`: everything about each GPU, as indented keys and values, whole or through grep; `-q -x`: the same as XML.
 *
 *   GPU 00000000:19:00.0
 *       Product Name                          : NVIDIA A40
 *       PCI
 *           GPU Link Info
 *               PCIe Generation
 *                   Max                       : 4
 *                   Current                   : 1
 *       BAR1 Memory Usage
 *           Total                             : 65536 MiB
 *
 * A key means something within its section only, and the section is the last line without a colon. An idle GPU shows a slow link.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, SettingItem } from '../measured/items.ts';
import { type BlockContext, type Recogniser, type Taken, tableOf } from '../recogniser.ts';
import { xmlBegins, xmlGoesOn } from '../topology/xml.ts';
import { deviceFacts, type GpuFact, KEYS } from './gpu-facts.ts';
import { gpusOfXml } from './nvidia-smi-xml.ts';

export type NvidiaQueryItem = (DeviceItem | SettingItem) & { readonly kind: 'nvidia-smi-q' };

const LOG = /^\s*=+\s?NVSMI LOG\s?=+/;
const GPU = /^\s*GPU (?:([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])|(\d{1,3}))\s*$/i;
const KEY = /^\s*(\S[^:]{0,80}?)\s{0,60}:(?:\s+(.{0,200}))?$/;
const SECTION = /^\s*([A-Z][\w ./()&-]{1,60})$/;
const OF_RUN: ReadonlySet<string> = new Set(['Driver Version', 'CUDA Version', 'Attached GPUs']);

/** Recognises both. */
export const nvidiaQuery: Recogniser<NvidiaQueryItem> = tableOf<NvidiaQueryItem>({
  kind: 'nvidia-smi-q',
  words: [
    'NVSMI LOG',
    'GPU 0000',
    'BAR1 Memory Usage',
    'GPU Link Info',
    'PCIe Generation',
    'Link Width',
    '<?xml',
    'nvidia_smi_log',
    'Bus Id',
    'Attached GPUs',
  ],
  begins: (line) => xmlBegins(line, XML) || LOG.test(line.text) || GPU.test(line.text) || isTellingLine(line.text),
  continues: (line, lines) => goesOn(line, lines),
  read: (lines, context) => {
    const items = lines[0]?.text.trimStart().startsWith('<')
      ? gpusOfXml(lines, context.file)
      : queriedItems(lines, context);
    const devices = items.filter(({ what }) => what === 'device');
    return devices.length === 0 ? null : { items, isComplete: devices.length >= attached(items), subject: null };
  },
});

const XML = 'nvidia_smi_log';

/** A line of a listing that went through grep: its first section or key. */
function isTellingLine(text: string): boolean {
  const section = SECTION.exec(text)?.[1];
  if (section !== undefined)
    return section === 'BAR1 Memory Usage' || section === 'GPU Link Info' || section === 'PCIe Generation';
  const key = KEY.exec(text);
  return key !== null && ((key[1] === 'Bus Id' && /^[0-9A-F]{8}:/i.test(key[2] ?? '')) || key[1] === 'Attached GPUs');
}

function goesOn(line: CleanLine, lines: readonly CleanLine[]): Taken {
  const { text, isBlank } = line;
  if ((lines[0] as CleanLine).text.trimStart().startsWith('<')) return xmlGoesOn(line, lines, XML);
  if (isBlank) return 'passed';
  if (LOG.test(text)) return 'ended';
  return GPU.test(text) || KEY.test(text) || SECTION.test(text) ? 'taken' : 'ended';
}

const attached = (items: readonly NvidiaQueryItem[]): number => {
  const said = items.find((item) => item.what === 'setting' && item.name === 'Attached GPUs');
  return said?.what === 'setting' ? Number(said.value) || 0 : 0;
};

function queriedItems(lines: readonly CleanLine[], { file, command }: BlockContext): NvidiaQueryItem[] {
  const items: NvidiaQueryItem[] = [];
  /** `-i` shows some GPUs only, and the order says nothing. */
  const isOrdered = !/\s-i\b|--id=/.test((command ?? '').split('|', 1)[0] as string);
  let gpu: { readonly facts: Map<GpuFact, string>; readonly address: string | null; readonly line: number } | null =
    null;
  let count = 0;
  let section = '';
  const end = (): void => {
    if (gpu === null || (gpu.facts.size === 0 && gpu.address === null)) return;
    const index = isOrdered ? count : null;
    count++;
    const address = gpu.address ?? gpu.facts.get('address') ?? '';
    const device = deviceLabel(index === null ? 'GPU' : `GPU${index}`, 'gpu', {
      index,
      numbering: index === null ? null : 'nvml',
      ...printedAddress(address),
    });
    items.push({ kind: 'nvidia-smi-q', file, line: gpu.line, what: 'device', device, ...deviceFacts(gpu.facts) });
    gpu = null;
  };
  for (const { text, number } of lines) {
    const header = GPU.exec(text);
    if (header !== null) {
      end();
      gpu = { facts: new Map(), address: header[1] ?? null, line: number };
      section = '';
      continue;
    }
    const key = KEY.exec(text);
    if (key === null) {
      section = SECTION.exec(text)?.[1] ?? section;
      continue;
    }
    const [, name, value = ''] = key as unknown as [string, string, string?];
    if (OF_RUN.has(name)) {
      items.push({ kind: 'nvidia-smi-q', file, line: number, what: 'setting', name, value });
      continue;
    }
    const fact = KEYS[`${section}/${name}`] ?? KEYS[name];
    if (fact === undefined) continue;
    // Through grep the GPUs have no headers: a fact that comes again is the next one's.
    if (gpu?.facts.has(fact)) end();
    gpu ??= { facts: new Map(), address: null, line: number };
    gpu.facts.set(fact, value);
  }
  end();
  return items;
}
