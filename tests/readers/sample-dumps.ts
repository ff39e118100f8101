/** Small machines, written as lspci would print them. Nothing here is from a real machine. */

import { ConfigBuilder } from '../../src/pcie/config-builder.ts';
import type { ConfigSpace } from '../../src/pcie/config-space.ts';

/** Rows of hex as `lspci -x` (64), `-xxx` (256) or `-xxxx` (4096) prints them. */
export function hexRows(config: ConfigSpace, length: number): string[] {
  const rows: string[] = [];
  for (let offset = 0; offset < Math.min(length, config.length); offset += 16) {
    const bytes = [...config.bytes.subarray(offset, offset + 16)].map((byte) => byte.toString(16).padStart(2, '0'));
    rows.push(`${offset.toString(16).padStart(2, '0')}: ${bytes.join(' ')}`);
  }
  return rows;
}

export interface SampleFunction {
  readonly address: string;
  readonly header: string;
  readonly config: ConfigSpace;
}

const LINK = { speedGts: 16, width: 8 };

function bridge(
  portType: 'rootPort' | 'upstreamPort' | 'downstreamPort',
  buses: readonly [number, number, number],
  acsControl: number | null,
): ConfigSpace {
  const builder = new ConfigBuilder(
    { vendorId: 0x1234, deviceId: 0x0001, classCode: 0x060400, command: 6, multiFunction: false },
    1,
  );
  const [primary, secondary, subordinate] = buses;
  builder.bridge({
    primary,
    secondary,
    subordinate,
    memoryWindow: { start: 0xe000_0000, end: 0xe020_0000 },
    prefetchableWindow: null,
  });
  builder.express({ portType, link: LINK, maxPayload: 256, maxReadRequest: 512, portNumber: 1 });
  if (acsControl !== null) builder.acs({ capability: 0x5f, control: acsControl, egressVector: [] });
  return builder.build();
}

function endpoint(device: number, busAddress: number): ConfigSpace {
  const builder = new ConfigBuilder(
    { vendorId: 0x1234, deviceId: device, classCode: 0x010802, command: 6, multiFunction: false },
    0,
  );
  builder.bar({ index: 0, busAddress, is64Bit: true, prefetchable: false });
  builder.express({ portType: 'endpoint', link: LINK, maxPayload: 256, maxReadRequest: 512, portNumber: 0 });
  return builder.build();
}

/**
 * One switch with two endpoints, ACS redirect on one of its downstream ports:
 *
 *   00:00.0 host bridge    00:01.0 root port ── 01:00.0 upstream ─┬─ 02:00.0 downstream (RR CR) ── 03:00.0
 *                                                                 └─ 02:01.0 downstream         ── 04:00.0
 */
export function switchMachine(): SampleFunction[] {
  const host = new ConfigBuilder(
    { vendorId: 0x8086, deviceId: 0x2020, classCode: 0x060000, command: 6, multiFunction: false },
    0,
  ).build();
  return [
    { address: '00:00.0', header: 'Host bridge [0600]: Sample Works Host [8086:2020]', config: host },
    { address: '00:01.0', header: bridgeHeader, config: bridge('rootPort', [0, 1, 4], 0x1d) },
    { address: '01:00.0', header: bridgeHeader, config: bridge('upstreamPort', [1, 2, 4], null) },
    { address: '02:00.0', header: bridgeHeader, config: bridge('downstreamPort', [2, 3, 3], 0x0c) },
    { address: '02:01.0', header: bridgeHeader, config: bridge('downstreamPort', [2, 4, 4], 0) },
    { address: '03:00.0', header: endpointHeader(0x10), config: endpoint(0x10, 0xe000_0000) },
    { address: '04:00.0', header: endpointHeader(0x11), config: endpoint(0x11, 0xe010_0000) },
  ];
}

const bridgeHeader = 'PCI bridge [0604]: Sample Works Port [1234:0001] (prog-if 00 [Normal decode])';

function endpointHeader(device: number): string {
  return `Non-Volatile memory controller [0108]: Sample Works Disk [1234:00${device.toString(16)}] (prog-if 02 [NVM Express])`;
}

/** The machine as `lspci -x`, `-xxx` or `-xxxx` prints it. */
export function hexDump(length: 64 | 256 | 4096, machine: readonly SampleFunction[] = switchMachine()): string {
  return machine
    .map(({ address, header, config }) => [`${address} ${header}`, ...hexRows(config, length), '', ''].join('\n'))
    .join('');
}

/** The same machine as `lspci -nnvvv` prints it (the lines that a reader uses). */
export function textDump(): string {
  const flags = (bits: number): string =>
    ['SrcValid', 'TransBlk', 'ReqRedir', 'CmpltRedir', 'UpstreamFwd', 'EgressCtrl', 'DirectTrans']
      .map((name, bit) => name + (bits & (1 << bit) ? '+' : '-'))
      .join(' ');
  const port = (address: string, type: string, buses: readonly string[], acs: number | null): string[] => [
    `${address} ${bridgeHeader}`,
    '\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+',
    '\tStatus: Cap+ 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-',
    '\tInterrupt: pin A routed to IRQ 24',
    '\tNUMA node: 1',
    '\tIOMMU group: 7',
    `\tBus: primary=${buses[0]}, secondary=${buses[1]}, subordinate=${buses[2]}, sec-latency=0`,
    '\tI/O behind bridge: [disabled] [16-bit]',
    '\tMemory behind bridge: e0000000-e01fffff [size=2M] [32-bit]',
    '\tPrefetchable memory behind bridge: [disabled] [64-bit]',
    '\tSecondary status: 66MHz- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- <SERR- <PERR-',
    '\tBridgeCtl: Parity- SERR+ NoISA- VGA- VGA16+ MAbort- >Reset- FastB2B-',
    '\t\tPriDiscTmr- SecDiscTmr- DiscTmrStat- DiscTmrSERREn-',
    `\tCapabilities: [40] Express (v2) ${type}, MSI 00`,
    '\t\tDevCap:\tMaxPayload 256 bytes, PhantFunc 0',
    '\t\t\tExtTag+ RBE+',
    '\t\tDevCtl:\tCorrErr- NonFatalErr- FatalErr- UnsupReq-',
    '\t\t\tRlxdOrd+ ExtTag+ PhantFunc- AuxPwr- NoSnoop+',
    '\t\t\tMaxPayload 256 bytes, MaxReadReq 512 bytes',
    '\t\tLnkCap:\tPort #1, Speed 16GT/s, Width x8, ASPM not supported',
    '\t\t\tClockPM- Surprise- LLActRep- BwNot- ASPMOptComp-',
    '\t\tLnkSta:\tSpeed 16GT/s (ok), Width x8 (ok)',
    '\t\t\tTrErr- Train- SlotClk+ DLActive+ BWMgmt- ABWMgmt-',
    ...(acs === null
      ? []
      : [
          '\tCapabilities: [100 v1] Access Control Services',
          `\t\tACSCap:\t${flags(0x5f)}`,
          `\t\tACSCtl:\t${flags(acs)}`,
        ]),
    '\tKernel driver in use: pcieport',
    '',
  ];
  const disk = (address: string, device: number, memory: string): string[] => [
    `${address} ${endpointHeader(device)}`,
    '\tSubsystem: Sample Works Disk [1234:0099]',
    '\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+',
    '\tStatus: Cap+ 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-',
    `\tRegion 0: Memory at ${memory} (64-bit, non-prefetchable) [size=16K]`,
    '\tCapabilities: [40] Express (v2) Endpoint, MSI 00',
    '\t\tLnkCap:\tPort #0, Speed 16GT/s, Width x8, ASPM not supported',
    '\t\tLnkSta:\tSpeed 16GT/s (ok), Width x8 (ok)',
    '\tKernel driver in use: nvme',
    '\tKernel modules: nvme',
    '',
  ];
  return [
    '00:00.0 Host bridge [0600]: Sample Works Host [8086:2020]',
    '\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-',
    '\tStatus: Cap- 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-',
    '',
    ...port('00:01.0', 'Root Port (Slot-)', ['00', '01', '04'], 0x1d),
    ...port('01:00.0', 'Upstream Port', ['01', '02', '04'], null),
    ...port('02:00.0', 'Downstream Port (Slot+)', ['02', '03', '03'], 0x0c),
    ...port('02:01.0', 'Downstream Port (Slot+)', ['02', '04', '04'], 0),
    ...disk('03:00.0', 0x10, 'e0000000'),
    ...disk('04:00.0', 0x11, 'e0100000'),
    '',
  ].join('\n');
}

/** Mail as it arrives: tabs turned to blanks, wrapped at `columns`, the rest of a line at the margin. */
export function wrapped(text: string, columns = 72): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    let rest = line.replaceAll('\t', '        ');
    while (rest.length > columns && rest.lastIndexOf(' ', columns) > rest.search(/\S/)) {
      const at = rest.lastIndexOf(' ', columns);
      lines.push(rest.slice(0, at));
      rest = rest.slice(at + 1);
    }
    lines.push(rest);
  }
  return lines.join('\n');
}

/** Mail that was answered. */
export function quoted(text: string): string {
  return text
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

/** `lspci -vvvxxx`: each function's text, then its rows. */
export function joined(text: string, hex: string): string {
  const rows = hex.split('\n\n').map((block) => block.split('\n').slice(1).join('\n'));
  return text
    .trimEnd()
    .split('\n\n')
    .map((block, index) => `${block}\n${rows[index]}\n\n`)
    .join('');
}

/** The same text as a reader without root gets it. */
export function withoutRoot(text: string): string {
  return text.replace(
    /^\tCapabilities: \[40\].*\n(?:\t\t.*\n|\tCapabilities: \[1.*\n)*/gm,
    '\tCapabilities: <access denied>\n',
  );
}

/** The text with the paths of `lspci -PP` in its headers. */
export function pathDump(): string {
  return textDump()
    .replace(/^01:00\.0/m, '00:01.0/01:00.0')
    .replace(/^(02:0[01]\.0)/gm, '00:01.0/01:00.0/$1')
    .replace(/^03:00\.0/m, '00:01.0/01:00.0/02:00.0/03:00.0')
    .replace(/^04:00\.0/m, '00:01.0/01:00.0/02:01.0/04:00.0');
}
