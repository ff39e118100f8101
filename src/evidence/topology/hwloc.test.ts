import { describe, expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);
const functions = (text: string) =>
  items(text).flatMap((item) => ('names' in item ? `${item.function} below ${item.parent} node ${item.numaNode}` : []));

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<topology version="2.0">
  <object type="Machine" os_index="0" nodeset="0x00000003">
    <info name="OSRelease" value="6.8.0"/>
    <info name="HostName" value="secret"/>
    <object type="Package" os_index="0" nodeset="0x00000001">
      <info name="CPUVendor" value="AuthenticAMD"/>
      <info name="CPUFamilyNumber" value="25"/>
      <info name="CPUModelNumber" value="17"/>
      <object type="NUMANode" os_index="0" nodeset="0x00000001" local_memory="1"/>
      <object type="Bridge" bridge_type="0-1" depth="0" bridge_pci="0000:[00-3f]">
        <object type="Bridge" bridge_type="1-1" depth="1" bridge_pci="0000:[01-05]" pci_busid="0000:00:01.0" pci_type="0604 [1022:14ab] [0000:0000] 00" pci_link_speed="31.507692">
          <object type="PCIDev" pci_busid="0000:01:00.0" pci_type="0302 [10de:20b0] [10de:1450] a1" pci_link_speed="4.000000">
            <info name="PCIDevice" value="GA100"/>
            <object type="OSDev" name="cuda1" subtype="CUDA" osdev_type="5"/>
            <object type="OSDev" name="nvml0" subtype="NVML" osdev_type="1"/>
          </object>
        </object>
        <object type="PCIDev" pci_busid="0000:00:02.0" pci_type="0108 [144d:a80a] [144d:a801] 00" pci_link_speed="0.000000">
          <object type="OSDev" name="nvme0n1" subtype="Disk" osdev_type="0"/>
        </object>
      </object>
    </object>
    <object type="Bridge" bridge_type="0-1" depth="0" bridge_pci="0001:[00-00]">
      <object type="PCIDev" pci_busid="0001:00:00.0" pci_type="0207 [15b3:101b] [15b3:0006] 00" pci_link_speed="31.5">
        <object type="OSDev" name="mlx5_0" osdev_type="3"/>
      </object>
    </object>
  </object>
</topology>`;

describe('XML', () => {
  test('functions hang from the bridges that are shown, with their nodes', () => {
    expect(functions(XML)).toEqual([
      '0000:00:01.0 below null node 0',
      '0000:01:00.0 below 0000:00:01.0 node 0',
      '0000:00:02.0 below null node 0',
      '0001:00:00.0 below null node null',
    ]);
    expect(blocks(XML)).toMatchObject([{ kind: 'hwloc', isComplete: true }]);
  });

  test('links, classes, identities and names', () => {
    const read = items(XML);
    expect(read).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          function: '0000:00:01.0',
          buses: { secondary: 1, subordinate: 5 },
          class: 0x0604,
          subsystem: null,
          link: { rate: 31.507692, speed: null, width: null, state: 'current' },
        }),
        expect.objectContaining({
          function: '0000:01:00.0',
          name: 'GA100',
          ids: { vendor: 0x10de, device: 0x20b0 },
          subsystem: { vendor: 0x10de, device: 0x1450 },
          names: ['cuda1', 'nvml0'],
        }),
        expect.objectContaining({ function: '0000:00:02.0', link: null, names: ['nvme0n1'] }),
        expect.objectContaining({ what: 'processor', vendor: 'AuthenticAMD', family: 25, model: 17, numaNode: 0 }),
        expect.objectContaining({ what: 'setting', name: 'kernel release', value: '6.8.0' }),
      ]),
    );
    expect(JSON.stringify(read)).not.toContain('secret');
  });

  test('names that count are devices with addresses', () => {
    const devices = items(XML).flatMap((item) => ('what' in item && item.what === 'device' ? item.device : []));
    expect(devices).toMatchObject([
      { label: 'cuda1', index: 1, numbering: 'cuda', address: '0000:01:00.0' },
      { label: 'nvml0', index: 0, numbering: 'nvml', address: '0000:01:00.0' },
      { label: 'nvme0n1', sort: 'drive', address: '0000:00:02.0' },
      { label: 'mlx5_0', sort: 'nic', name: 'mlx5_0', address: '0001:00:00.0' },
    ]);
  });

  test('of version 1, where what is near a node stands within it', () => {
    const old = `<topology>
 <object type="Machine" os_index="0" nodeset="0x00000003">
  <object type="NUMANode" os_index="1" nodeset="0x00000002">
   <object type="Socket" os_index="1" nodeset="0x00000002"/>
   <object type="Bridge" os_index="0" bridge_type="0-1" depth="0" bridge_pci="0000:[00-02]">
    <object type="PCIDev" os_index="1" name="x" pci_busid="0000:02:00.0" pci_type="0200 [8086:1521] [8086:0001] 01" pci_link_speed="2.0"/>
   </object>
  </object>
 </object>
</topology>`;
    expect(functions(old)).toEqual(['0000:02:00.0 below null node 1']);
  });

  test('cut at its end or its beginning', () => {
    expect(blocks(XML.slice(0, 1500))).toMatchObject([{ kind: 'hwloc', isComplete: false }]);
    expect(functions(XML.slice(0, 1500)).length).toBeGreaterThan(0);
    const part = XML.split('\n').slice(12, 19).join('\n');
    expect(functions(part)).toEqual([
      '0000:00:01.0 below undefined node null',
      '0000:01:00.0 below 0000:00:01.0 node null',
    ]);
  });
});

describe('text', () => {
  const VERBOSE = `Machine L#0 (P#0 total=64GB)
  Package L#0 (P#0)
    NUMANode L#0 (P#3 local=64GB)
    HostBridge L#0 (buses=0000:[40-4f])
      PCIBridge L#1 (busid=0000:40:01.0 id=1022:14ab class=0604(PCIBridge) link=31.51GB/s buses=0000:[41-42])
        PCI L#0 (busid=0000:41:00.0 id=10de:20b0 class=0302(3D) link=4.00GB/s) "GA100"
          CoProc(CUDA) L#0 "cuda0"
      PCI L#1 (busid=0000:40:02.0 id=144d:a80a class=0108(NVMExp))
        Block(Disk) L#1 "nvme1n1"
  L3 L#0 (32MB) + L2 L#0 (1MB)`;
  const SHORT = `Machine (64GB total)
  Package L#0
    NUMANode L#0 (P#0 64GB)
    HostBridge
      PCIBridge
        PCI 41:00.0 (3D)
          GPU(NVML) "nvml0"
        PCI 42:00.0 (Ethernet)
  Package L#1
    NUMANode L#1 (P#1 64GB)
    HostBridge
      PCI c1:00.0 (NVMExp)`;

  test('with -v', () => {
    expect(functions(VERBOSE)).toEqual([
      '0000:40:01.0 below null node 3',
      '0000:41:00.0 below 0000:40:01.0 node 3',
      '0000:40:02.0 below null node 3',
    ]);
    expect(items(VERBOSE)).toMatchObject([
      { buses: { secondary: 0x41, subordinate: 0x42 }, class: 0x0604, link: { rate: 31.51 } },
      { ids: { vendor: 0x10de, device: 0x20b0 }, class: 0x0302, names: ['GA100', 'cuda0'].slice(1) },
      { device: { label: 'cuda0', address: '0000:41:00.0' } },
      { names: ['nvme1n1'] },
      { device: { label: 'nvme1n1' } },
    ]);
  });

  test('without, where bridges have no addresses', () => {
    expect(functions(SHORT)).toEqual([
      'line 5 below null node 0',
      '0000:41:00.0 below line 5 node 0',
      '0000:42:00.0 below line 5 node 0',
      '0000:c1:00.0 below null node 1',
    ]);
    expect(items(SHORT)).toEqual(
      expect.arrayContaining([expect.objectContaining({ function: '0000:41:00.0', names: ['nvml0'] })]),
    );
  });

  test('other text is none', () => {
    expect(blocks('HostBridge is listed\nMachine (x').map(({ kind }) => kind)).toEqual(['unknown']);
  });
});
