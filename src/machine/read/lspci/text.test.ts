/** Decoded text of every version of lspci, line by line. */

import { expect, test } from 'vitest';
import { bytesOf } from '../../../core/text.ts';
import type { FunctionFacts, TextFacts } from '../../../pcie/function-facts.ts';
import type { MachineEvidence } from '../../build.ts';
import { readLspci } from './read-lspci.ts';

function evidenceOf(text: string): MachineEvidence {
  const { evidence } = readLspci(bytesOf(text), 'dump.txt');
  if (evidence === null) throw new Error('no function was read');
  return evidence;
}

function factsOf(text: string): FunctionFacts {
  return evidenceOf(text).functions[0] as FunctionFacts;
}

/** The text of one function with these body lines. */
function textOf(...body: string[]): TextFacts {
  const facts = factsOf(['00:01.0 PCI bridge: Sample', ...body, '', ''].join('\n')).text;
  if (facts === null) throw new Error('no text was read');
  return facts;
}

test('windows: open, closed and absent in the words of every version', () => {
  const open = { start: 0xf820_0000, end: 0xf830_0000 };
  for (const [value, wanted] of [
    ['f8200000-f82fffff', open],
    ['f8200000-f82fffff [size=1M]', open],
    ['f8200000-f82fffff [size=1M] [32-bit]', open],
    ['00000000f8200000-00000000f82fffff [size=1M] [64-bit]', open],
    // A closed window up to 3.5.2 is one whose base is above its limit.
    ['fff00000-000fffff', null],
    ['fff00000-000fffff [empty]', null],
    ['fff00000-000fffff [disabled]', null],
    ['fff00000-000fffff [disabled] [32-bit]', null],
    ['None', null],
    ['[disabled]', null],
    ['[disabled] [64-bit]', null],
    // Both registers zero: open at 0, or a bridge that nobody configured.
    ['00000000-000fffff [size=1M]', { start: 0, end: 0x10_0000 }],
    // A Windows build calls ten digits 32-bit.
    ['6050000000-6061ffffff [size=288M] [32-bit]', { start: 0x60_5000_0000, end: 0x60_6200_0000 }],
    ['fffffffffff00000-00000000000fffff', null],
  ] as const) {
    expect(textOf(`\tMemory behind bridge: ${value}`).memoryWindow, value).toEqual(wanted);
    expect(textOf(`\tPrefetchable memory behind bridge: ${value}`).prefetchableWindow, value).toEqual(wanted);
  }
  expect(textOf('\tI/O behind bridge: 3000-3fff [size=4K] [16-bit]').ioWindow).toEqual({ start: 0x3000, end: 0x4000 });
  expect(textOf('\tLatency: 0').memoryWindow).toBeUndefined();
});

test('links: one line or two, with remarks or without', () => {
  for (const [lines, wanted] of [
    [['LnkSta:\tSpeed 8GT/s, Width x16, TrErr- Train- SlotClk+ DLActive- BWMgmt- ABWMgmt-'], [8, 16, false]],
    [
      ['LnkSta:\tSpeed 8GT/s (ok), Width x8 (downgraded)', '\tTrErr- Train- SlotClk+ DLActive+ BWMgmt-'],
      [8, 8, true],
    ],
    [['LnkSta:\tSpeed 2.5GT/s (overdriven), Width x16 (strange)'], [2.5, 16, null]],
    [['LnkSta:\tSpeed unknown, Width x0, TrErr- Train- SlotClk- DLActive- BWMgmt- ABWMgmt-'], [null, 0, false]],
    [['LnkSta:\tSpeed 32GT/s, Width x4'], [32, 4, null]],
  ] as const) {
    const facts = textOf(
      '\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00',
      ...lines.map((line) => `\t\t${line}`),
    );
    const { link } = facts;
    expect([link?.speedGts, link?.width, link?.active], lines[0]).toEqual(wanted);
  }
  const capability = textOf(
    '\tCapabilities: [40] Express Endpoint, MSI 00',
    '\t\tLnkCap:\tPort #8, Speed 16GT/s, Width x4, ASPM L1',
  );
  expect([capability.link?.maxSpeedGts, capability.link?.maxWidth]).toEqual([16, 4]);
});

test('port types: all nine names, with version and interrupt in every wording', () => {
  for (const [name, wanted] of [
    ['Endpoint', 'endpoint'],
    ['Legacy Endpoint', 'legacyEndpoint'],
    ['Root Port (Slot+)', 'rootPort'],
    ['Root Port (Slot-)', 'rootPort'],
    ['Upstream Port', 'upstreamPort'],
    ['Downstream Port (Slot+)', 'downstreamPort'],
    ['PCI-Express to PCI/PCI-X Bridge', 'pcieToPci'],
    ['PCI/PCI-X to PCI-Express Bridge', 'pciToPcie'],
    ['Root Complex Integrated Endpoint', 'rcIntegratedEndpoint'],
    ['Root Complex Event Collector', 'rcEventCollector'],
  ] as const) {
    for (const version of ['', '(v1) ', '(v2) ']) {
      for (const interrupt of [', MSI 00', ', IntMsgNum 0', '']) {
        const line = `\tCapabilities: [58] Express ${version}${name}${interrupt}`;
        expect(textOf(line).portType, line).toBe(wanted);
      }
    }
  }
});

test('ranges: memory and ports, with every remark, and the BARs of Virtual Functions are not taken for own', () => {
  const { bars } = textOf(
    '\tRegion 0: Memory at b4000000 (32-bit, non-prefetchable) [disabled] [size=16M]',
    '\tRegion 1: Memory at 27fe0000000 (64-bit, prefetchable) [size=256M]',
    '\tRegion 3: Memory at <unassigned> (64-bit, prefetchable) [disabled]',
    '\tRegion 5: I/O ports at 5000 [size=128]',
    '\tExpansion ROM at b5000000 [virtual] [disabled] [size=512K]',
    '\tCapabilities: [180 v1] Single Root I/O Virtualization (SR-IOV)',
    '\t\tInitial VFs: 8, Total VFs: 8, Number of VFs: 3, Function Dependency Link: 00',
    '\t\tVF offset: 2, stride: 1, Device ID: 1018',
    '\t\tRegion 0: Memory at 00000000c0000000 (64-bit, prefetchable)',
  );
  expect(bars?.map((bar) => [bar.index, bar.space, bar.is64Bit, bar.prefetchable, bar.cpuAddress, bar.size])).toEqual([
    [0, 'memory', false, false, 0xb400_0000, 16 * 2 ** 20],
    [1, 'memory', true, true, 0x27f_e000_0000, 256 * 2 ** 20],
    [3, 'memory', true, true, null, null],
    [5, 'io', false, false, 0x5000, 128],
  ]);
  const virtual = textOf(
    '\tRegion 0: [virtual] Memory at 000001f0 (32-bit, non-prefetchable) [size=8]',
    '\tRegion 2: I/O ports at <ignored>',
  );
  expect(virtual.bars?.map((bar) => [bar.index, bar.cpuAddress, bar.size])).toEqual([
    [0, 0x1f0, 8],
    [2, null, null],
  ]);
});

test('SR-IOV: counts, offset and stride; none enabled where IOVCtl says so', () => {
  const lines = (enable: string): string[] => [
    '\tCapabilities: [180 v1] Single Root I/O Virtualization (SR-IOV)',
    `\t\tIOVCtl:\tEnable${enable} Migration- Interrupt- MSE+ ARIHierarchy+`,
    '\t\tInitial VFs: 8, Total VFs: 16, Number of VFs: 3, Function Dependency Link: 00',
    '\t\tVF offset: 2, stride: 1, Device ID: 1018',
  ];
  expect(textOf(...lines('+')).sriov).toEqual({ totalVfs: 16, numVfs: 3, vfOffset: 2, vfStride: 1 });
  expect(textOf(...lines('-')).sriov).toEqual({ totalVfs: 16, numVfs: 0, vfOffset: 2, vfStride: 1 });
});

test('ACS: seven services; a line that was cut tells nothing; every bit off is present all the same', () => {
  const acs = (...lines: string[]): unknown => textOf('\tCapabilities: [2a0 v1] Access Control Services', ...lines).acs;
  const cap = '\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans+';
  const ctl = '\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-';
  expect(acs(cap, ctl)).toEqual({ state: 'present', offset: 0x2a0, capability: 0x5f, control: 0x1d });
  expect(acs(cap.replaceAll('+', '-'), ctl.replaceAll('+', '-'))).toEqual({
    state: 'present',
    offset: 0x2a0,
    capability: 0,
    control: 0,
  });
  expect(acs(cap, ctl.slice(0, 40))).toEqual({ state: 'unknown', missing: 'bitsNotPrinted' });
  expect(acs()).toEqual({ state: 'unknown', missing: 'bitsNotPrinted' });
});

test('Control, BridgeCtl, Flags: bits by name, and only before the first capability', () => {
  const facts = textOf(
    '\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR+ FastB2B- DisINTx+',
    '\tBridgeCtl: Parity- SERR+ NoISA- VGA- VGA16+ MAbort- >Reset+ FastB2B-',
    '\tCapabilities: [58] Express (v2) Root Port (Slot+), MSI 00',
    '\t\tSltCtl:\tEnable: AttnBtn- PwrFlt-',
    '\t\t\tControl: AttnInd Off, PwrInd Off, Power+ Interlock-',
  );
  expect([facts.command, facts.bridgeControl]).toEqual([0x0506, 0x0052]);
  const flags = textOf(
    '\tFlags: bus master, fast devsel, latency 0, IRQ 35, NUMA node 1, IOMMU group 12',
    '\tMemory at f8000000 (32-bit, non-prefetchable) [size=16M]',
  );
  expect([flags.command, flags.numaNode, flags.iommuGroup]).toEqual([6, 1, 12]);
  const off = textOf('\tFlags: fast devsel', '\tMemory at f8000000 (32-bit, non-prefetchable) [disabled] [size=16M]');
  expect(off.command).toBe(0);
  // Whether memory decodes is told by a range; without one the register is not known.
  expect(textOf('\tFlags: bus master, fast devsel').command).toBeUndefined();
});

test('-v: ranges are counted from 0, and take the numbers of the registers where rows follow', () => {
  const body = [
    '\tFlags: fast devsel',
    '\tMemory at f8000000 (32-bit, non-prefetchable) [size=16M]',
    '\tMemory at 27fe0000000 (64-bit, prefetchable) [size=256M]',
    '\tI/O ports at c000 [size=128]',
  ];
  expect(textOf(...body).bars?.map((bar) => bar.index)).toEqual([0, 1, 3]);
  const rows = [
    '00: 34 12 01 00 06 00 00 00 00 00 00 03 00 00 00 00',
    '10: 00 00 00 00 00 00 00 f8 0c 00 00 e0 7f 02 00 00',
    '20: 01 c0 00 00 00 00 00 00 00 00 00 00 00 00 00 00',
  ];
  expect(textOf(...body, ...rows).bars?.map((bar) => bar.index)).toEqual([1, 2, 4]);
});

test('the kernel’s lines: driver, NUMA node, group, slot; a subsystem capability is not the subsystem', () => {
  const facts = textOf(
    '\tSubsystem: Sample Works [1234:00ab]',
    '\tPhysical Slot: 0-1',
    '\tNUMA node: 3',
    '\tIOMMU group: 17',
    '\tCapabilities: [c0] Subsystem: Other Works [9999:9999]',
    '\tKernel driver in use: pcieport',
    '\tKernel modules: nvidiafb, nouveau',
  );
  expect(facts).toMatchObject({
    subsystemVendorId: 0x1234,
    subsystemId: 0xab,
    physicalSlot: '0-1',
    numaNode: 3,
    iommuGroup: 17,
    driver: 'pcieport',
  });
  expect(facts.lines).toMatchObject({ numaNode: 4, iommuGroup: 5, driver: 7 });
});

test('identity: -nn, -n, names only, -mm, and classes that pci.ids does not know', () => {
  const header = (text: string): Partial<TextFacts> => {
    const { classCode, vendorId, deviceId, revision, progIf, className } = factsOf(`0000:03:00.0 ${text}\n`)
      .text as TextFacts;
    return { classCode, vendorId, deviceId, revision, progIf, className } as Partial<TextFacts>;
  };
  expect(header('Audio device [0403]: Sample [Works] Corp. HD [S1] [1234:00ab] (rev a1) (prog-if 01 [X [y]])')).toEqual(
    {
      classCode: 0x0403,
      vendorId: 0x1234,
      deviceId: 0xab,
      revision: 0xa1,
      progIf: 1,
      className: 'Audio device',
    },
  );
  expect(header('0604: 8086:1901 (rev 05) (prog-if 00 [Normal decode])')).toMatchObject({
    classCode: 0x0604,
    vendorId: 0x8086,
    deviceId: 0x1901,
    revision: 5,
  });
  expect(header('Class 0604: Sample Device 1901')).toMatchObject({ classCode: 0x0604, vendorId: undefined });
  expect(header('PCI bridge: Sample Works')).toMatchObject({ classCode: 0x0604, deviceId: undefined });
  expect(header('Generic system peripheral [0807]: Sample Works')).toMatchObject({ classCode: 0x0807 });
  expect(header('Frobnicator: Sample Works')).toMatchObject({ classCode: undefined, className: 'Frobnicator' });
  expect(header('"PCI bridge [0604]" "Sample [1234]" "Port [0001]" -r05 -p01 "" ""')).toMatchObject({
    classCode: 0x0604,
    vendorId: 0x1234,
    deviceId: 1,
    revision: 5,
    progIf: 1,
  });
});

test('paths: -PP names the bridge above, -P is resolved by the bridges’ bus numbers', () => {
  const bridge = (name: string, secondary: string): string =>
    `${name} PCI bridge: Sample\n\tBus: primary=00, secondary=${secondary}, subordinate=05, sec-latency=0\n\n`;
  const disk = (name: string): string => `${name} Non-Volatile memory controller: Sample\n\n`;
  const names = (text: string): unknown =>
    evidenceOf(text).functions.map(({ bdf, pathParent }) => [
      bdf.domain,
      bdf.bus,
      bdf.device,
      pathParent?.bus,
      pathParent?.device,
    ]);
  const wanted = [
    [1, 0, 0x1c, undefined, undefined],
    [1, 4, 0, 0, 0x1c],
    [1, 5, 1, 4, 0],
  ];
  expect(
    names(bridge('0001:00:1c.4', '04') + bridge('0001:00:1c.4/04:00.0', '05') + disk('0001:00:1c.4/04:00.0/05:01.0')),
  ).toEqual(wanted);
  expect(
    names(bridge('0001:00:1c.4', '04') + bridge('0001:00:1c.4/00.0', '05') + disk('0001:00:1c.4/00.0/01.0')),
  ).toEqual(wanted);
  const lost = evidenceOf(bridge('00:1c.4', '04') + disk('00:1d.0/00.0'));
  expect(lost.functions).toHaveLength(1);
  expect(lost.notes?.map(({ code, line }) => [code, line])).toEqual([['PATH_UNKNOWN', 4]]);
});

test('domains of 4 to 8 digits, and functions of two domains with one bus number', () => {
  const text = ['0000', '10000', 'abcdef01', 'ffffffff']
    .map((domain) => `${domain}:00:02.0 PCI bridge: Sample\n`)
    .join('');
  expect(evidenceOf(text).functions.map(({ bdf }) => bdf.domain)).toEqual([0, 0x1_0000, 0xabcd_ef01, 0xffff_ffff]);
});

test('a text that ends in the middle of a function does not show that what follows was not there', () => {
  const port = [
    '00:01.0 PCI bridge: Sample',
    '\tStatus: Cap+ 66MHz-',
    '\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0',
    '\tCapabilities: [40] Express (v2) Root Port (Slot-), MSI 00',
  ];
  expect(factsOf(port.join('\n')).text?.capabilitiesListed).toBeUndefined();
  expect(factsOf(`${port.join('\n')}\n`).text?.capabilitiesListed).toBe(true);
  expect(factsOf(`${port.join('\n')}\n\tKernel driver in use: pcieport`).text?.capabilitiesListed).toBe(true);
  // Status says that there are capabilities, and none is printed.
  expect(factsOf(`${port.slice(0, 3).join('\n')}\n\n`).text?.capabilitiesListed).toBeUndefined();
});

test('a line that should be readable and is not is noted with its number, and the rest is read', () => {
  const evidence = evidenceOf(
    [
      '00:01.0 PCI bridge: Sample',
      '\tControl: I/O- Mem+',
      '\tBus: primary=0x, secondary=01',
      '\tNUMA node: 2',
      '\tMemory behind bridge: zzz',
      '',
      '',
    ].join('\n'),
  );
  expect(evidence.notes?.map(({ code, line }) => [code, line])).toEqual([
    ['TEXT_LINE', 3],
    ['TEXT_LINE', 5],
  ]);
  expect(evidence.functions[0]?.text).toMatchObject({ command: 2, numaNode: 2 });
});

test('a bus offset is seen where text and register of one BAR differ, for the domain', () => {
  const disk = (domain: string, address: string): string =>
    [
      `${domain}:01:00.0 Non-Volatile memory controller: Sample`,
      '\tControl: I/O- Mem+',
      `\tRegion 0: Memory at ${address} (64-bit, non-prefetchable) [size=64K]`,
      '00: 34 12 01 00 06 00 00 00 00 00 08 01 00 00 00 00',
      '10: 04 00 00 80 00 00 00 00 00 00 00 00 00 00 00 00',
      '20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00',
      '',
      '',
    ].join('\n');
  const { busOffsets } = evidenceOf(disk('0000', '80000000') + disk('0003', '600c180000000'));
  expect([...(busOffsets ?? [])]).toEqual([
    [0, 0],
    [0x300, 0x8000_0000 - 0x600c180000000],
  ]);
});
