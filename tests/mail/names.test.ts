/** Every identifier of the mail has a counterpart that is exported, and whose documentation names it. */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as front from '../../src/index.ts';

const SRC = new URL('../../src/', import.meta.url);

/** The mail's identifier, the export that stands for it, and the member of it that is meant, if it is one. */
const NAMES: readonly (readonly [mail: string, name: string, member?: string])[] = [
  ['bio_vec', 'BioVec'],
  ['bv_addr', 'BioVec', 'address'],
  ['bv_flags', 'BioVec', 'flags'],
  ['BVEC_MAP_RESOURCE', 'BVEC_MAP_RESOURCE'],
  ['BVEC_MAP_BUS_ADDR', 'BVEC_MAP_BUS_ADDR'],
  ['pci_p2pdma_dist', 'p2pdmaDistance'],
  ['PCI_P2PDMA_THRU_HOST_BRIDGE', 'PCI_P2PDMA_THRU_HOST_BRIDGE'],
  ['pci_p2pmem_alloc_phys', 'P2pMemory', 'allocPhys'],
  ['pci_p2pmem_alloc_bus_addr', 'P2pMemory', 'allocBusAddr'],
  ['kmalloc', 'RamAllocator', 'kmalloc'],
  ['virt_to_phys', 'RamAllocator', 'kmalloc'],
  ['phys_to_page', 'dmaMapPage'],
  ['pgmap', 'RangeTable'],
  ['&bar, &off', 'BarOffset'],
  ['pci_bus_addr_in_bar', 'busAddrInBar'],
  ['pci_bus_addr_in_bar', 'resolveOwnBar'],
  ['dma_addr_t', 'DmaAddr'],
  ['dma_map_resource', 'dmaMapResource'],
  ['dma_map_page', 'dmaMapPage'],
  ['dma_map_bvec', 'dmaMapBvec'],
  ['mapping_dev', 'DmaDevice'],
  ['lookup', 'classifyByLookup'],
  ['mayContainP2p', 'Bio', 'mayContainP2p'],
];

/** Names of types, which leave no trace at run time. */
const TYPES = new Set(['BioVec', 'DmaAddr', 'Bio', 'BarOffset']);

function sourceOf(name: string): string {
  const declaration = new RegExp(`^export (?:abstract )?(?:const|function|class|interface|type) ${name}\\b`, 'm');
  for (const path of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts') || path.endsWith('.test.ts')) continue;
    const text = readFileSync(new URL(path.replaceAll('\\', '/'), SRC), 'utf8');
    if (declaration.test(text)) return text;
  }
  throw new Error(`${name} is declared nowhere`);
}

/** The doc comments in front of a declaration: the file's own, the export's, and the member's. */
function documentation(name: string, member: string | undefined): string {
  const text = sourceOf(name);
  const declaration = new RegExp(`^export (?:abstract )?(?:const|function|class|interface|type) ${name}\\b`, 'm');
  const at = declaration.exec(text)?.index ?? 0;
  const where =
    member === undefined ? at : text.slice(at).search(new RegExp(`^  (?:readonly )?${member}\\b`, 'm')) + at;
  expect(where, `${name}.${member} is there`).toBeGreaterThanOrEqual(at);
  const before = text.slice(0, where);
  const own = before.slice(before.lastIndexOf('/**'));
  const head = text.startsWith('/**') ? text.slice(0, text.indexOf('*/')) : '';
  return `${own}\n${head}`;
}

test('MAIL1: every identifier of the mail has an exported counterpart whose documentation names it', () => {
  const index = readFileSync(new URL('index.ts', SRC), 'utf8');
  for (const [mail, name, member] of NAMES) {
    if (TYPES.has(name)) expect(index, name).toMatch(new RegExp(`export type \\{[^}]*\\b${name}\\b`));
    else expect(Object.keys(front), name).toContain(name);
    expect(documentation(name, member), `${name}${member ? `.${member}` : ''} names ${mail}`).toContain(mail);
  }
  console.log(`found ${NAMES.length} identifiers of the mail`);
});
