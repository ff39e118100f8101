/**
 * A listing that is as long as a reader will ever meet: many domains, each a board of switches with GPUs, network cards and drives, as
 * `lspci -Dnnvvvxxxx` prints it. From a seed, so that a test and a benchmark read the same machine.
 *
 *   node dist/bench/large-listing.js FILE [DOMAINS] [SEED]       212 domains: 12,720 functions, 200 MB
 */

import { closeSync, openSync, writeSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Prng } from 'p2pdma/core';
import {
  type AcsDescription,
  buildTree,
  type DeviceDescription,
  type EndpointFunctionDescription,
  type PciFunction,
  type RootBusDescription,
} from 'p2pdma/pcie';

/** Functions of one domain, whatever the seed. */
export const FUNCTIONS_PER_DOMAIN = 60;
const SWITCHES = 4;
const PORTS = 6;

const MIB = 2 ** 20;

/** What hangs below the ports: class, vendor and device as the world has them, with a BAR of the usual size. */
const CARDS: readonly EndpointFunctionDescription[] = [
  {
    classCode: 0x030200,
    vendorId: 0x10de,
    deviceId: 0x2330,
    bars: [{ size: 16 * MIB }, { size: 2 ** 37, prefetchable: true }],
  },
  { classCode: 0x020700, vendorId: 0x15b3, deviceId: 0x1021, bars: [{ size: 32 * MIB, prefetchable: true }] },
  { classCode: 0x010802, vendorId: 0x144d, deviceId: 0xa80a, bars: [{ size: 16384 }] },
  { classCode: 0x120000, vendorId: 0x1da3, deviceId: 0x1020, bars: [{ size: 512 * MIB, prefetchable: true }] },
  { classCode: 0x040300, vendorId: 0x8086, deviceId: 0xa348, bars: [{ size: 16384 }] },
];

/** The functions of `domain`. Switch ports redirect, or not, and cards differ from domain to domain by `seed`. */
export function domainFunctions(domain: number, seed: number): readonly PciFunction[] {
  const chance = new Prng(seed * 65_537 + domain);
  const acs = (): AcsDescription => (chance.below(2) === 0 ? 'clear' : ['SV', 'RR', 'CR', 'UF']);
  const card = (): DeviceDescription => ({
    kind: 'endpoint',
    functions: [CARDS[chance.below(CARDS.length)] as EndpointFunctionDescription],
  });
  const root: RootBusDescription = {
    domain,
    hostBridge: { vendorId: 0x8086, deviceId: chance.below(2) === 0 ? 0x2020 : 0x09a2 },
    children: [
      ...Array.from({ length: SWITCHES }, () => ({
        kind: 'rootPort' as const,
        acs: acs(),
        link: { speedGts: 16, width: 16 },
        below: [
          {
            kind: 'switch' as const,
            ports: Array.from({ length: PORTS }, () => ({
              acs: acs(),
              link: { speedGts: 16, width: 16 },
              below: [card()],
            })),
          },
        ],
      })),
      ...Array.from({ length: FUNCTIONS_PER_DOMAIN - 1 - SWITCHES * (2 + 2 * PORTS) }, card),
    ],
  };
  return buildTree({ rootBuses: [root] }).hierarchy.functions;
}

/** The listing of `domain`: about 940 kB. */
export function domainListing(domain: number, seed: number): string {
  return domainFunctions(domain, seed).map(blockOf).join('\n');
}

/** Writes a listing of `domains` domains to `path`. */
export function writeLargeListing(path: string, domains: number, seed: number): void {
  const file = openSync(path, 'w');
  for (let domain = 0; domain < domains; domain++) writeSync(file, `${domainListing(domain, seed)}\n`);
  closeSync(file);
}

/** Header, decoded text and registers of one function. */
function blockOf(fn: PciFunction): string {
  const code = digits(fn.classCode ?? 0, 4);
  const ids = `${digits(fn.vendorId ?? 0, 4)}:${digits(fn.deviceId ?? 0, 4)}`;
  const lines = [`${fn.name} ${CLASS_NAMES[code] ?? 'Unclassified device'} [${code}]: Vendor Device [${ids}] (rev 01)`];
  const bridge = fn.busNumbers;
  lines.push('\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+');
  lines.push('\tStatus: Cap+ 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-');
  lines.push('\tLatency: 0, Cache Line Size: 64 bytes', '\tInterrupt: pin A routed to IRQ 16', '\tNUMA node: 0');
  for (const bar of fn.bars) {
    const kind = `${bar.is64Bit ? '64' : '32'}-bit, ${bar.prefetchable ? '' : 'non-'}prefetchable`;
    lines.push(
      `\tRegion ${bar.index}: Memory at ${(bar.busAddress ?? 0).toString(16)} (${kind}) [size=${sizeText(bar.size)}]`,
    );
  }
  if (bridge !== null) {
    const [primary, secondary, subordinate] = [bridge.primary, bridge.secondary, bridge.subordinate].map((bus) =>
      digits(bus, 2),
    );
    lines.push(`\tBus: primary=${primary}, secondary=${secondary}, subordinate=${subordinate}, sec-latency=0`);
  }
  lines.push('\tCapabilities: [40] Express (v2) Endpoint, IntMsgNum 0', ...EXPRESS_LINES, ...AER_LINES);
  return `${lines.join('\n')}\n${rowsOf(fn)}`;
}

const CLASS_NAMES: Readonly<Record<string, string>> = {
  '0108': 'Non-Volatile memory controller',
  '0207': 'Infiniband controller',
  '0302': '3D controller',
  '0403': 'Audio device',
  '0600': 'Host bridge',
  '0604': 'PCI bridge',
  '1200': 'Processing accelerators',
};

/** What every function has in common: text that is read past, as in the world. */
const EXPRESS_LINES: readonly string[] = [
  '\t\tDevCap:\tMaxPayload 512 bytes, PhantFunc 0, Latency L0s unlimited, L1 <64us',
  '\t\t\tExtTag+ AttnBtn- AttnInd- PwrInd- RBE+ FLReset+ SlotPowerLimit 75W TEE-IO-',
  '\t\tDevCtl:\tCorrErr+ NonFatalErr+ FatalErr+ UnsupReq+',
  '\t\t\tRlxdOrd+ ExtTag+ PhantFunc- AuxPwr- NoSnoop+ FLReset-',
  '\t\t\tMaxPayload 256 bytes, MaxReadReq 512 bytes',
  '\t\tDevSta:\tCorrErr- NonFatalErr- FatalErr- UnsupReq- AuxPwr- TransPend-',
  '\t\tLnkCap:\tPort #0, Speed 16GT/s, Width x16, ASPM not supported',
  '\t\t\tClockPM- Surprise- LLActRep- BwNot- ASPMOptComp+',
  '\t\tLnkCtl:\tASPM Disabled; RCB 64 bytes, LnkDisable- CommClk+',
  '\t\tLnkSta:\tSpeed 16GT/s, Width x16',
  '\t\t\tTrErr- Train- SlotClk+ DLActive- BWMgmt- ABWMgmt-',
];

const AER_LINES: readonly string[] = [
  '\tCapabilities: [100 v2] Advanced Error Reporting',
  '\t\tUESta:\tDLP- SDES- TLP- FCP- CmpltTO- CmpltAbrt- UnxCmplt- RxOF- MalfTLP- ECRC- UnsupReq- ACSViol-',
  '\t\tUEMsk:\tDLP- SDES- TLP- FCP- CmpltTO- CmpltAbrt- UnxCmplt- RxOF- MalfTLP- ECRC- UnsupReq- ACSViol-',
  '\t\tUESvrt:\tDLP+ SDES+ TLP- FCP+ CmpltTO- CmpltAbrt- UnxCmplt- RxOF+ MalfTLP+ ECRC- UnsupReq- ACSViol-',
  '\t\tCESta:\tRxErr- BadTLP- BadDLLP- Rollover- Timeout- AdvNonFatalErr-',
  '\t\tCEMsk:\tRxErr- BadTLP- BadDLLP- Rollover- Timeout- AdvNonFatalErr+',
  '\t\tAERCap:\tFirst Error Pointer: 00, ECRCGenCap+ ECRCGenEn- ECRCChkCap+ ECRCChkEn-',
];

function rowsOf(fn: PciFunction): string {
  const { bytes } = fn.config;
  const rows: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 16) {
    let row = `${digits(offset, 2)}:`;
    for (let at = offset; at < offset + 16; at++) row += ` ${digits(bytes[at] as number, 2)}`;
    rows.push(`${row}\n`);
  }
  return rows.join('');
}

function digits(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}

function sizeText(bytes: number | null): string {
  if (bytes === null) return '?';
  for (const [unit, size] of [
    ['G', 2 ** 30],
    ['M', MIB],
    ['K', 1024],
  ] as const) {
    if (bytes >= size) return `${bytes / size}${unit}`;
  }
  return `${bytes}`;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [, , path, domains = '212', seed = '1'] = argv;
  if (path === undefined) throw new Error('usage: node dist/bench/large-listing.js FILE [DOMAINS] [SEED]');
  writeLargeListing(path, Number(domains), Number(seed));
}
