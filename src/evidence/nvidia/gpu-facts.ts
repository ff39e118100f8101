/** What `nvidia-smi` says of a GPU, under the names of its listing, its XML and its comma-separated form, and what becomes of it. */

import type { DeviceItem, DeviceLink } from '../measured/items.ts';
import { binarySize, numberOf } from '../measured/units.ts';

export type GpuFact =
  | 'product'
  | 'architecture'
  | 'address'
  | 'minor'
  | 'pciDevice'
  | 'generationMax'
  | 'generationCurrent'
  | 'generationDeviceMax'
  | 'generationHostMax'
  | 'widthMax'
  | 'widthCurrent'
  | 'bar1'
  | 'memory'
  | 'state'
  | 'persistence'
  | 'addressing'
  | 'gsp'
  | 'virtualization'
  | 'replays'
  | 'rollovers'
  | 'mig'
  | 'numa';

/** Keys of `-q`, with their sections where the key alone says too little. */
export const KEYS: Readonly<Record<string, GpuFact | undefined>> = {
  'Product Name': 'product',
  'Product Architecture': 'architecture',
  'Bus Id': 'address',
  'Minor Number': 'minor',
  'Device Id': 'pciDevice',
  'PCIe Generation/Max': 'generationMax',
  'PCIe Generation/Current': 'generationCurrent',
  'PCIe Generation/Device Current': 'generationCurrent',
  'PCIe Generation/Device Max': 'generationDeviceMax',
  'PCIe Generation/Host Max': 'generationHostMax',
  'Link Width/Max': 'widthMax',
  'Link Width/Current': 'widthCurrent',
  'BAR1 Memory Usage/Total': 'bar1',
  'FB Memory Usage/Total': 'memory',
  'Performance State': 'state',
  'Persistence Mode': 'persistence',
  'Addressing Mode': 'addressing',
  'GSP Firmware Version': 'gsp',
  'Virtualization Mode': 'virtualization',
  'Replays Since Reset': 'replays',
  'Replay Number Rollovers': 'rollovers',
  'GPU NUMA ID': 'numa',
};

/** The facts that have no field of their own, by the names of `-q`. */
const BY_NAME: Readonly<Partial<Record<GpuFact, string>>> = {
  architecture: 'Product Architecture',
  persistence: 'Persistence Mode',
  addressing: 'Addressing Mode',
  gsp: 'GSP Firmware Version',
  virtualization: 'Virtualization Mode',
  replays: 'Replays Since Reset',
  rollovers: 'Replay Number Rollovers',
  mig: 'MIG Mode',
};

/** Words for a value that is not there. */
const NOTHING =
  /^\[?(?:N\/A|Not Supported|Unknown Error|Unknown|GPU is lost|GPU requires reset|Insufficient Permissions|None)\]?$/i;

type Facts = Omit<DeviceItem, 'kind' | 'file' | 'line' | 'what' | 'device'>;

/** The fields of a device item. */
export function deviceFacts(read: ReadonlyMap<GpuFact, string>): Facts {
  const text = (fact: GpuFact): string | null => {
    const value = read.get(fact)?.trim();
    return value === undefined || value === '' || NOTHING.test(value) ? null : value;
  };
  const facts: Record<string, string> = {};
  for (const [fact, name] of Object.entries(BY_NAME)) {
    const value = text(fact as GpuFact);
    if (value !== null) facts[name] = value;
  }
  return {
    ...present('product', text('product')),
    ...present('link', linkOf(text)),
    ...present('bar1Size', sizeOf(text('bar1'))),
    ...present('memorySize', sizeOf(text('memory'))),
    ...present('minorNumber', countOf(text('minor'))),
    ...present('numaNode', countOf(text('numa'))),
    ...present('performanceState', text('state')),
    ...present('id', idOf(text('pciDevice'))),
    ...(Object.keys(facts).length > 0 ? { facts } : {}),
  };
}

function present<Name extends keyof Facts>(name: Name, value: Facts[Name] | null): Facts {
  return value === null ? {} : { [name]: value };
}

function linkOf(text: (fact: GpuFact) => string | null): DeviceLink | null {
  const count = (fact: GpuFact): number | null => countOf(text(fact));
  const hostMax = count('generationHostMax');
  const link = {
    generation: {
      current: count('generationCurrent'),
      max: count('generationMax') ?? count('generationDeviceMax'),
      ...(hostMax === null ? {} : { hostMax }),
    },
    width: { current: count('widthCurrent'), max: count('widthMax') },
  };
  const said = [link.generation.current, link.generation.max, hostMax, link.width.current, link.width.max];
  return said.every((value) => value === null) ? null : link;
}

/** `4`, `16x`. */
function countOf(text: string | null): number | null {
  const digits = /^(\d{1,6})x?$/.exec(text ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

/** `65536 MiB`; a bare number is MiB. */
function sizeOf(text: string | null): number | null {
  if (text === null) return null;
  return numberOf(text) === null ? binarySize(text) : binarySize(`${text} MiB`);
}

/** `0x223510DE`: device, then vendor. */
function idOf(text: string | null): { readonly vendor: number; readonly device: number } | null {
  const digits = /^(?:0x)?([0-9a-f]{4})([0-9a-f]{4})$/i.exec(text ?? '');
  if (digits === null) return null;
  return { vendor: Number.parseInt(digits[2] as string, 16), device: Number.parseInt(digits[1] as string, 16) };
}
