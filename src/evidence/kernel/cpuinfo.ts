/** The processor as /proc/cpuinfo and lscpu print it. Both print `key : value`; one item is a machine's processors. */

import type { CleanLine } from '../clean/clean-line.ts';
import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';

export interface CpuItem extends ItemPlace {
  readonly kind: 'cpuinfo';
  /** `AuthenticAMD`, `GenuineIntel`, `ARM`; null where no line says it. */
  readonly vendor: string | null;
  readonly family: number | null;
  readonly model: number | null;
  readonly name: string | null;
  readonly architecture: string | null;
  readonly sockets: number | null;
  readonly numaNodes: number | null;
  /** Of a guest: `KVM`. Also where only the flag tells that there is one: `unknown`. */
  readonly hypervisor: string | null;
  /** Bits of a physical address. */
  readonly physicalBits: number | null;
}

type Fact = Exclude<keyof CpuItem, keyof ItemPlace>;

const LINE = /^\s*([A-Za-z][\w() .,/-]{1,40}?)\s{0,40}:\s{0,40}(\S.{0,4000})?$/;

/** Keys of both, in lower case, and the fact that they carry. */
const KEYS: ReadonlyMap<string, Fact> = new Map([
  ['vendor_id', 'vendor'],
  ['vendor id', 'vendor'],
  ['cpu implementer', 'vendor'],
  ['cpu family', 'family'],
  ['model', 'model'],
  ['model name', 'name'],
  ['architecture', 'architecture'],
  ['socket(s)', 'sockets'],
  ['numa node(s)', 'numaNodes'],
  ['hypervisor vendor', 'hypervisor'],
]);
/** Keys that no other listing has: a block needs one. An adapter's `vendor_id` is a number. */
const OWN =
  /^\s*(?:vendor_id\s{0,40}:\s{0,8}[A-Z]|(?:cpu family|Vendor ID|CPU family|CPU implementer|model name|Model name|Hypervisor vendor|Socket\(s\)|NUMA node\(s\))\s{0,40}:)/;
const SIZES = /(\d{1,3}) bits physical/;

/** lscpu indents what it wraps to the column of its values. */
const WRAPPED_INDENT = 16;

/** Recognises /proc/cpuinfo and lscpu. */
export const cpuinfo: Recogniser<CpuItem> = tableOf<CpuItem>({
  kind: 'cpuinfo',
  words: [
    'vendor_id',
    'cpu family',
    'Vendor ID',
    'CPU family',
    'CPU implementer',
    'odel name',
    'Architecture:',
    'processor\t',
    'Hypervisor vendor',
    'Socket(s):',
    'NUMA node(s):',
  ],
  begins: ({ text }) => OWN.test(text) || /^\s*(?:Architecture:\s{2,40}\S|processor\s:\s\d)/.test(text),
  continues: ({ text, isBlank, indent }, lines) => {
    // Flags go on for several lines where a terminal wrapped them.
    if (!isBlank) return LINE.test(text) || indent >= WRAPPED_INDENT ? 'taken' : 'ended';
    return lines.some((line) => line.text.startsWith('processor')) ? 'taken' : 'ended';
  },
  read: (lines, { file }) => {
    if (!lines.some(({ text }) => OWN.test(text))) return null;
    return { items: [cpuOf(lines, file)], subject: 'processor' };
  },
});

function cpuOf(lines: readonly CleanLine[], file: string): CpuItem {
  const found = new Map<Fact, string>();
  let physicalBits: number | null = null;
  for (const { text } of lines) {
    const [, key = '', value = ''] = LINE.exec(text) ?? [];
    const fact = KEYS.get(key.trim().toLowerCase());
    if (fact !== undefined && !found.has(fact)) found.set(fact, value.trim());
    physicalBits ??= numberOf(SIZES.exec(value)?.[1]);
    if (/^flags$/i.test(key) && /\bhypervisor\b/.test(value) && !found.has('hypervisor'))
      found.set('hypervisor', 'unknown');
  }
  const text = (fact: Fact): string | null => found.get(fact) ?? null;
  return {
    kind: 'cpuinfo',
    file,
    line: lines.find(({ text: line }) => OWN.test(line))?.number ?? (lines[0] as CleanLine).number,
    vendor: vendorOf(text('vendor')),
    family: numberOf(found.get('family')),
    model: numberOf(found.get('model')),
    name: text('name'),
    architecture: text('architecture'),
    sockets: numberOf(found.get('sockets')),
    numaNodes: numberOf(found.get('numaNodes')),
    hypervisor: text('hypervisor'),
    physicalBits,
  };
}

/** ARM prints who made the core as a number: 0x41 is ARM itself. */
function vendorOf(value: string | null): string | null {
  return value === '0x41' ? 'ARM' : value;
}

function numberOf(digits: string | undefined): number | null {
  return digits !== undefined && /^\d{1,9}$/.test(digits) ? Number(digits) : null;
}
