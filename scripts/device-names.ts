/**
 * Writes src/machine/infer/device-names.ts: the ids of root complexes, host bridges, switches, GPUs, network cards and hypervisors' devices
 * by the names that lspci prints, from a pci.ids of the PCI ID Project and the rows below, which that list did not have yet.
 *
 *   npm run --silent device-names -- /usr/share/misc/pci.ids > src/machine/infer/device-names.ts
 */

import { readFileSync } from 'node:fs';

const path = process.argv[2] ?? '/usr/share/misc/pci.ids';
const text = readFileSync(path, 'utf8');
const version = /Version: (\S+)/.exec(text)?.[1] ?? 'unknown';

/** Every device of the vendor, or none: makers of processors that no table tells apart. */
const ALL = /(?:)/;
const NONE = /^$/;

/** Which names of a vendor are kept, and which of these are not. */
const KEPT: Readonly<Record<string, readonly [kept: RegExp, except?: RegExp]>> = {
  '0014': [ALL],
  1000: [/PEX|Switch|PCIe/i],
  1002: [
    /\[(?:Radeon|FirePro|Instinct|BC-)|Host Bridge|Northbridge|Vega \d\d|Navi|Instinct/,
    /HDMI|Audio|USB|HD [2-6]\d|Radeon (?:X|9|E\d|R\d)|R[VSC][1-7]\d\d|R[1-7]\d\d|M[1-9]\d |Xpress|Rage|FireGL|FireMV/,
  ],
  1014: [/Bridge|Root|CAPI|Power/],
  1022: [
    /Root Complex|Host Bridge|GPP|PCIe|IOMMU|Data Fabric|Device 24|Root Port|Processor Function|HyperTransport|Switch|Cryptographic/,
  ],
  1077: [/FastLinQ|QL4/],
  '10b5': [/PEX 8|PEX8|PEX 9|PEX9|PCI Express Switch/i],
  '10de': [/./],
  '10ee': [ALL],
  '11f8': [ALL],
  '12d8': [/PCI(?:e| Express)/],
  1414: [ALL],
  '14e4': [/BCM57[4-9]|BCM58|Stingray|PCIe Bridge|StrataGX/],
  '15ad': [ALL],
  '15b3': [ALL],
  '177d': [/Root|Bridge|PCIERC|Switch/i],
  '17cb': [/Root/],
  1924: [ALL],
  1957: [/Root|Bridge|Layerscape|QorIQ/i],
  '19e5': [ALL],
  '1ae0': [ALL],
  '1af4': [ALL],
  '1b21': [/PCIe|Switch|PCI Express/],
  '1b36': [ALL],
  '1d0f': [ALL],
  '1d17': [/Host|Root|Bridge/],
  '1d87': [ALL],
  '1d94': [ALL],
  '1da3': [ALL],
  '1db7': [ALL],
  '1dd8': [ALL],
  '1ded': [/Root|Switch/],
  '1def': [ALL],
  '1ed5': [/./, /Audio/],
  5853: [ALL],
  8086: [
    /Host Bridge|DMI\d?\b|DRAM (?:Registers|Controller)|Memory Controller Hub|Memory Map\/VT-d|(?:Xeon|Sky Lake-E|Ice Lake).*Root Port|PCIe Controller|Ethernet (?:Controller|Network)|Arc |Data Center GPU|Volume Management|440FX|I\/O Hub to ESI|Omni-Path|Flex Series|Max Series|DG2|Infrastructure/i,
    /I2[12]\d|\b[48]\d\d[A-Z]*[0-9]* |82[5-8]\d\d|E7\d\d\d|E8\d\d\d|E-?3?200|C5500|Atom|Thermal|SMBus|Wireless|WiFi|8254\d|82557|8255\d|82562|82559|82801|82567|82566|82573|82574|82583|EtherExpress|Ibexpeak|PRO\/1000|PRO\/100|PRO\/10Gb|IXP|I\/O Processor|AGP|Legacy/,
  ],
  '80ee': [ALL],
  1172: [NONE],
  '106b': [NONE],
  '10e8': [NONE],
  '108e': [NONE],
  '11aa': [NONE],
  '11ab': [NONE],
  '13b5': [NONE],
  '14c3': [NONE],
  '144d': [NONE],
  1556: [NONE],
  '16c3': [NONE],
  '17cd': [NONE],
  1912: [NONE],
  '1a41': [NONE],
  '1b4b': [NONE],
  '1c36': [NONE],
  '104c': [NONE],
  f15e: [NONE],
  '1fff': [NONE],
  '1dbf': [NONE],
  '1e52': [NONE],
  '1ab8': [NONE],
  1039: [NONE],
  1106: [NONE],
  1166: [NONE],
  '10b9': [NONE],
};

/** Low device ids of NVIDIA are older than Kepler, and its chipsets. */
const NVIDIA_FIRST = 0x0fae;
const NVIDIA_OTHER = /Audio|USB|UCSI|Hub Controller|MCP\d|nForce|SMBus|SATA|Ethernet|^GF1\d\d|^G[A-Z]\d+\w*$/;

/** Newer than the list, or names that older and newer lists had: pci.ids of 2012, 2014 and 2026.05.24. */
const ROWS = `
1002 74a0 Aqua Vanjaram [Instinct MI300A]
1002 74a1 Aqua Vanjaram [Instinct MI300X]
1002 74a5 Aqua Vanjaram [Instinct MI325X]
1002 74b5 Aqua Vanjaram [Instinct MI300X VF]
1002 7550 Navi 48 [Radeon RX 9070/9070 XT/9070 GRE]
1022 1110 Krackan Internal PCIe GPP Bridge 0 to Bus A
1022 1122 Krackan Root Complex
1022 1123 Krackan IOMMU
1022 1248 Krackan Data Fabric; Function 0
1022 12b8 Strix Halo Data Fabric; Function 0
1022 12c0 Turin Data Fabric; Function 0
1022 149e Genoa/Bergamo IOMMU
1022 149f Genoa/Bergamo Dummy Host Bridge
1022 14a4 Genoa/Bergamo Root Complex
1022 14a5 Genoa/Bergamo GPP Bridge
1022 14a7 Genoa/Bergamo Internal PCIe GPP Bridge to Bus [D:B]
1022 14aa Genoa/Bergamo GPP Bridge
1022 14ab Genoa/Bergamo GPP Bridge
1022 14ac Genoa/Bergamo Dummy Function
1022 14ad Genoa/Bergamo Data Fabric; Function 0
1022 14d8 Raphael/Granite Ridge Root Complex
1022 14d9 Raphael/Granite Ridge IOMMU
1022 14da Raphael/Granite Ridge Dummy Host Bridge
1022 14db Raphael/Granite Ridge GPP Bridge
1022 14dd Raphael/Granite Ridge Internal GPP Bridge to Bus [C:A]
1022 14de Raphael/Granite Ridge PCIe Dummy Function
1022 14e0 Raphael/Granite Ridge Data Fabric; Function 0
1022 14e8 Phoenix Root Complex
1022 14e9 Phoenix IOMMU
1022 14ea Phoenix Dummy Host Bridge
1022 14eb Phoenix Internal GPP Bridge to Bus [C:A]
1022 14ed Phoenix GPP Bridge
1022 14ee Phoenix GPP Bridge
1022 14f0 Phoenix Data Fabric; Function 0
1022 1507 Strix/Strix Halo Root Complex
1022 1508 Strix/Strix Halo IOMMU
1022 1509 Strix/Strix Halo Dummy Host Bridge
1022 150b Strix/Strix Halo GPP Bridge
1022 150c Strix/Strix Halo Internal GPP Bridge to Bus [C:A]
1022 153a Turin Root Complex
1022 153b Turin IOMMU
1022 153d Turin PCIe Dummy Host Bridge
1022 153e Turin GPP Bridge
1022 1554 Turin GPP Bridge
1022 1555 Turin Internal PCIe GPP Bridge to Bus [D:C]
1022 16f8 Strix Data Fabric; Function 0
10de 22b1 Grace PCIe Root Port
10de 2689 AD102 [GeForce RTX 4070 Ti SUPER]
10de 26b3 AD102GL [RTX 5880 Ada Generation]
10de 26b7 AD102GL [L20]
10de 26ba AD102GL [L20]
10de 26bb AD102GL [L30]
10de 2685 AD102 [GeForce RTX 4090 D]
10de 2702 AD103 [GeForce RTX 4080 SUPER]
10de 2703 AD103 [GeForce RTX 4080 SUPER]
10de 2705 AD103 [GeForce RTX 4070 Ti SUPER]
10de 2709 AD103 [GeForce RTX 4070]
10de 2783 AD104 [GeForce RTX 4070 SUPER]
10de 2788 AD104 [GeForce RTX 4060 Ti]
10de 27b1 AD104GL [RTX 4500 Ada Generation]
10de 27b2 AD104GL [RTX 4000 Ada Generation]
10de 27b6 AD104GL [L2]
10de 27b8 AD104GL [L4]
10de 2803 AD106 [GeForce RTX 4060 Ti]
10de 2805 AD106 [GeForce RTX 4060 Ti 16GB]
10de 2808 AD106 [GeForce RTX 4060]
10de 2882 AD107 [GeForce RTX 4060]
10de 28b0 AD107GL [RTX 2000 / 2000E Ada Generation]
10de 2901 GB100 [B200]
10de 2941 GB100 [HGX GB200]
10de 29bc GB102 [B100]
10de 2b00 GB10B [Jetson AGX Thor]
10de 2b85 GB202 [GeForce RTX 5090]
10de 2b87 GB202 [GeForce RTX 5090 D]
10de 2bb1 GB202GL [RTX PRO 6000 Blackwell Workstation Edition]
10de 2bb3 GB202GL [RTX PRO 5000 Blackwell / RTX PRO 5000 72GB Blackwell]
10de 2bb4 GB202GL [RTX PRO 6000 Blackwell Max-Q Workstation Edition]
10de 2bb5 GB202GL [RTX PRO 6000 Blackwell Server Edition]
10de 2c02 GB203 [GeForce RTX 5080]
10de 2c05 GB203 [GeForce RTX 5070 Ti]
10de 2c31 GB203GL [RTX PRO 4500 Blackwell]
10de 2c34 GB203GL [RTX PRO 4000 Blackwell]
10de 2d04 GB206 [GeForce RTX 5060 Ti]
10de 2d05 GB206 [GeForce RTX 5060]
10de 2d30 GB206GL [RTX PRO 2000 Blackwell]
10de 2d83 GB207 [GeForce RTX 5050]
10de 2e12 GB20B [GB10]
10de 2f04 GB205 [GeForce RTX 5070]
10de 3182 GB110 [B300 SXM6 AC]
10de 31c2 GB110 [GB300]
8086 1237 440FX - 82441FX PMC [Natoma]
8086 2f00 Haswell-E DMI2
8086 3c00 Sandy Bridge DMI2
8086 3c01 Sandy Bridge DMI2 in PCI Express Mode
8086 7191 440BX/ZX/DX - 82443BX/ZX/DX AGP bridge
8086 7192 440BX/ZX/DX - 82443BX/ZX/DX Host bridge (AGP disabled)
`;

interface Vendor {
  readonly id: string;
  readonly name: string;
  readonly kept: readonly [kept: RegExp, except?: RegExp];
  readonly devices: (readonly [id: string, name: string])[];
}

const vendors = new Map<string, Vendor>();
let current: Vendor | null = null;
for (const line of text.split('\n')) {
  if (line.startsWith('C ')) break;
  if (line === '' || line.startsWith('#') || line.startsWith('\t\t')) continue;
  if (line.startsWith('\t')) {
    const [id, name] = [line.slice(1, 5), line.slice(7).trim()];
    if (current !== null && keeps(current, id, name)) current.devices.push([id, name]);
  } else {
    const [id, name] = [line.slice(0, 4), line.slice(6).trim()];
    const kept = KEPT[id];
    current = kept === undefined ? null : { id, name, kept, devices: [] };
    if (current !== null) vendors.set(id, current);
  }
}
for (const row of ROWS.trim().split('\n')) {
  const devices = vendors.get(row.slice(0, 4))?.devices ?? [];
  const device = [row.slice(5, 9), row.slice(10)] as const;
  if (!devices.some(([id, name]) => id === device[0] && name === device[1])) devices.push(device);
}

function keeps({ id: vendor, kept: [pattern, except] }: Vendor, id: string, name: string): boolean {
  if (vendor === '10de') return Number.parseInt(id, 16) >= NVIDIA_FIRST && !NVIDIA_OTHER.test(name);
  return pattern.test(name) && !(except?.test(name) ?? false);
}

const lines = [...vendors.values()].flatMap(({ id, name, devices }) => [
  `${id} ${name}`,
  ...devices.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([device, known]) => ` ${device} ${known}`),
]);
const table = lines.join('\n').replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
process.stdout.write(`/**
 * Ids by the names that lspci prints: a line for each vendor, below it a blank and a line for each device. Facts of the PCI ID Project's
 * list (pci.ids ${version}, 3-clause BSD licence, https://pci-ids.ucw.cz), chosen and laid out anew by scripts/device-names.ts.
 */

export const DEVICE_NAMES: string = \`
${table}
\`;
`);
