/**
 * Which AMD processors show which PCI functions of their own. Several families share a part (the I/O die of Matisse is Vermeer's too), so
 * a row names all that may be there. Sources: the names in pci.ids (2023.04.10 and 2026.05.24), the root complexes that Linux knows
 * (arch/x86/kernel/amd_nb.c, drivers/platform/x86/amd/pmc), and AMD's lists of models by family.
 */

import type { PciFunction } from '../../pcie/pci-function.ts';
import { CLASS_HOST_BRIDGE, CLASS_PCI_BRIDGE } from '../../pcie/registers.ts';

/** What part of a processor a function is; the earlier, the better known. */
export type ProcessorPart =
  | 'root complex'
  | 'host bridge'
  | 'root port'
  | 'IOMMU'
  | 'data fabric'
  | 'processor function';

export interface AmdPart {
  readonly part: ProcessorPart;
  /** CPU families that have it, ascending, as /proc/cpuinfo prints them. */
  readonly families: readonly number[];
  /** AMD's names of the processors. */
  readonly name: string;
}

/** First AMD family whose root complexes route between all their ports. */
export const ZEN_FAMILY = 0x17;

const VENDOR_AMD = 0x1022;
const VENDOR_ATI = 0x1002;

type Row = readonly [first: number, last: number, part: ProcessorPart, families: readonly number[], name: string];

const ROOT = 'root complex';
const BRIDGE = 'host bridge';
const PORT = 'root port';
const IOMMU = 'IOMMU';
const FABRIC = 'data fabric';
const OTHER = 'processor function';

/** Device ids of vendor 1022, ascending. */
const AMD_ROWS: readonly Row[] = [
  [0x1100, 0x1103, OTHER, [15], 'K8'],
  [0x1110, 0x1112, PORT, [26], 'Krackan'],
  [0x1113, 0x1117, OTHER, [26], 'Krackan'],
  [0x1122, 0x1122, ROOT, [26], 'Krackan'],
  [0x1123, 0x1123, IOMMU, [26], 'Krackan'],
  [0x1200, 0x1204, OTHER, [16], 'K10'],
  [0x1248, 0x124f, FABRIC, [26], 'Krackan'],
  [0x12b8, 0x12bf, FABRIC, [26], 'Strix Halo'],
  [0x12c0, 0x12c7, FABRIC, [26], 'Turin'],
  [0x1300, 0x1307, OTHER, [17], 'Griffin'],
  [0x13e0, 0x13e0, ROOT, [23], 'Ariel'],
  [0x13e1, 0x13e1, IOMMU, [23], 'Ariel'],
  [0x13e2, 0x13e2, BRIDGE, [23], 'Ariel'],
  [0x13e3, 0x13e6, PORT, [23], 'Ariel'],
  [0x13f0, 0x13f7, FABRIC, [23], 'Ariel'],
  [0x1400, 0x1405, OTHER, [21], 'Trinity/Richland'],
  [0x1410, 0x1410, ROOT, [21], 'Trinity/Richland'],
  [0x1412, 0x1418, PORT, [21], 'Trinity/Richland'],
  [0x1419, 0x1419, IOMMU, [21], 'Trinity/Richland'],
  [0x141a, 0x141f, OTHER, [21], 'Kaveri'],
  [0x1422, 0x1422, ROOT, [21], 'Kaveri'],
  [0x1423, 0x1423, IOMMU, [21], 'Kaveri'],
  [0x1424, 0x1426, PORT, [21], 'Kaveri'],
  [0x142e, 0x1434, OTHER, [22], 'Liverpool'],
  [0x1436, 0x1436, ROOT, [22], 'Liverpool'],
  [0x1437, 0x1437, IOMMU, [22], 'Liverpool'],
  [0x1438, 0x1438, BRIDGE, [22], 'Liverpool'],
  [0x1439, 0x1439, PORT, [22], 'Kabini'],
  [0x1440, 0x1447, FABRIC, [23, 25], 'Matisse/Vermeer'],
  [0x1448, 0x144f, FABRIC, [23], 'Renoir'],
  [0x1450, 0x1450, ROOT, [23], 'Zeppelin'],
  [0x1451, 0x1451, IOMMU, [23], 'Zeppelin'],
  [0x1452, 0x1452, BRIDGE, [23], 'Zeppelin/Raven'],
  [0x1453, 0x1454, PORT, [23], 'Zeppelin'],
  [0x1455, 0x1456, OTHER, [23], 'Zeppelin'],
  [0x145a, 0x145a, OTHER, [23], 'Zeppelin/Raven'],
  [0x1460, 0x1467, FABRIC, [23], 'Zeppelin'],
  [0x1480, 0x1480, ROOT, [23, 25], 'Starship/Matisse'],
  [0x1481, 0x1481, IOMMU, [23, 25], 'Starship/Matisse'],
  [0x1482, 0x1482, BRIDGE, [23, 25], 'Starship/Matisse'],
  [0x1483, 0x1484, PORT, [23, 25], 'Starship/Matisse'],
  [0x1485, 0x1486, OTHER, [23, 25], 'Starship/Matisse'],
  [0x148a, 0x148a, OTHER, [23, 25], 'Starship/Matisse'],
  [0x1490, 0x1497, FABRIC, [23], 'Starship'],
  [0x149a, 0x149a, PORT, [23, 25], 'Starship/Milan'],
  [0x149e, 0x149e, IOMMU, [25], 'Genoa/Bergamo'],
  [0x149f, 0x149f, BRIDGE, [25], 'Genoa/Bergamo'],
  [0x14a4, 0x14a4, ROOT, [25], 'Genoa/Bergamo'],
  [0x14a5, 0x14a5, PORT, [25], 'Genoa/Bergamo'],
  [0x14a6, 0x14a6, OTHER, [25], 'Genoa/Bergamo'],
  [0x14a7, 0x14ab, PORT, [25], 'Genoa/Bergamo'],
  [0x14ac, 0x14ac, OTHER, [25], 'Genoa/Bergamo'],
  [0x14ad, 0x14b4, FABRIC, [25], 'Genoa/Bergamo'],
  [0x14b5, 0x14b5, ROOT, [23, 25], 'Mendocino/Rembrandt'],
  [0x14b6, 0x14b6, IOMMU, [23, 25], 'Mendocino/Rembrandt'],
  [0x14b7, 0x14b7, BRIDGE, [23, 25], 'Mendocino/Rembrandt'],
  [0x14b8, 0x14ba, PORT, [23, 25], 'Mendocino/Rembrandt'],
  [0x14bb, 0x14bb, ROOT, [25], 'Trento with MI200'],
  [0x14cd, 0x14cd, PORT, [25], 'Rembrandt'],
  [0x14d8, 0x14d8, ROOT, [25, 26], 'Raphael/Granite Ridge'],
  [0x14d9, 0x14d9, IOMMU, [25, 26], 'Raphael/Granite Ridge'],
  [0x14da, 0x14da, BRIDGE, [25, 26], 'Raphael/Granite Ridge'],
  [0x14db, 0x14db, PORT, [25, 26], 'Raphael/Granite Ridge'],
  [0x14dd, 0x14dd, PORT, [25, 26], 'Raphael/Granite Ridge'],
  [0x14de, 0x14de, OTHER, [25, 26], 'Raphael/Granite Ridge'],
  [0x14e0, 0x14e7, FABRIC, [25, 26], 'Raphael/Granite Ridge'],
  [0x14e8, 0x14e8, ROOT, [25], 'Phoenix'],
  [0x14e9, 0x14e9, IOMMU, [25], 'Phoenix'],
  [0x14ea, 0x14ea, BRIDGE, [25], 'Phoenix'],
  [0x14eb, 0x14eb, PORT, [25], 'Phoenix'],
  [0x14ec, 0x14ec, OTHER, [25], 'Phoenix'],
  [0x14ed, 0x14ef, PORT, [25], 'Phoenix'],
  [0x14f0, 0x14f7, FABRIC, [25], 'Phoenix'],
  [0x14f8, 0x14f8, ROOT, [25], 'MI300A'],
  [0x1507, 0x1507, ROOT, [26], 'Strix/Strix Halo'],
  [0x1508, 0x1508, IOMMU, [26], 'Strix/Strix Halo'],
  [0x1509, 0x1509, BRIDGE, [26], 'Strix/Strix Halo'],
  [0x150a, 0x150c, PORT, [26], 'Strix/Strix Halo'],
  [0x150d, 0x150d, OTHER, [26], 'Strix/Strix Halo'],
  [0x1510, 0x1510, ROOT, [20], 'Ontario/Zacate'],
  [0x1512, 0x1516, PORT, [20], 'Ontario/Zacate'],
  [0x1530, 0x1535, OTHER, [22], 'Kabini'],
  [0x1536, 0x1536, ROOT, [22], 'Kabini'],
  [0x1538, 0x1538, OTHER, [22], 'Kabini'],
  [0x1539, 0x1539, PORT, [22], 'Kabini'],
  [0x153a, 0x153a, ROOT, [26], 'Turin'],
  [0x153b, 0x153b, IOMMU, [26], 'Turin'],
  [0x153c, 0x153c, OTHER, [26], 'Turin'],
  [0x153d, 0x153d, BRIDGE, [26], 'Turin'],
  [0x153e, 0x153e, PORT, [26], 'Turin'],
  [0x1540, 0x1545, OTHER, [22], 'the Jaguar consoles'],
  [0x1546, 0x1546, ROOT, [22], 'the Jaguar consoles'],
  [0x1547, 0x1547, IOMMU, [22], 'the Jaguar consoles'],
  [0x1554, 0x1555, PORT, [26], 'Turin'],
  [0x1556, 0x1556, OTHER, [26], 'Turin'],
  [0x1559, 0x1559, OTHER, [26], 'Turin'],
  [0x155b, 0x155b, ROOT, [22], 'the Jaguar consoles'],
  [0x1566, 0x1566, ROOT, [22], 'Mullins/Beema'],
  [0x1567, 0x1567, IOMMU, [22], 'Mullins/Beema'],
  [0x156b, 0x156b, BRIDGE, [22], 'Mullins/Beema'],
  [0x1570, 0x1575, OTHER, [21], 'Carrizo'],
  [0x1576, 0x1576, ROOT, [21], 'Carrizo/Stoney'],
  [0x1577, 0x1577, IOMMU, [21], 'Carrizo/Stoney'],
  [0x157b, 0x157b, BRIDGE, [21], 'Carrizo/Stoney'],
  [0x157c, 0x157c, PORT, [21], 'Carrizo/Stoney'],
  [0x157d, 0x157d, BRIDGE, [21], 'Carrizo/Stoney'],
  [0x1580, 0x1585, OTHER, [22], 'Mullins/Beema'],
  [0x15b0, 0x15b5, OTHER, [21], 'Stoney'],
  [0x15bc, 0x15bc, PORT, [21], 'Stoney'],
  [0x15d0, 0x15d0, ROOT, [23], 'Raven/Picasso'],
  [0x15d1, 0x15d1, IOMMU, [23], 'Raven/Picasso'],
  [0x15d2, 0x15d2, BRIDGE, [23], 'Raven/Picasso'],
  [0x15d3, 0x15d3, PORT, [23], 'Raven/Picasso'],
  [0x15da, 0x15da, BRIDGE, [23], 'Raven/Picasso'],
  [0x15db, 0x15dc, PORT, [23], 'Raven/Picasso'],
  [0x15e8, 0x15ef, FABRIC, [23], 'Raven/Picasso'],
  [0x15f0, 0x15f7, FABRIC, [23], 'FireFlight'],
  [0x15f8, 0x15f8, ROOT, [23], 'FireFlight'],
  [0x15f9, 0x15f9, IOMMU, [23], 'FireFlight'],
  [0x15fa, 0x15fa, BRIDGE, [23], 'FireFlight'],
  [0x15fb, 0x15fb, PORT, [23], 'FireFlight'],
  [0x15fc, 0x15fc, BRIDGE, [23], 'FireFlight'],
  [0x15fd, 0x15fe, PORT, [23], 'FireFlight'],
  [0x1600, 0x1605, OTHER, [21], 'Bulldozer/Piledriver'],
  [0x1608, 0x160f, FABRIC, [23], 'Arden'],
  [0x1626, 0x1626, ROOT, [23], 'Arden'],
  [0x1627, 0x1627, IOMMU, [23], 'Arden'],
  [0x1628, 0x1628, BRIDGE, [23], 'Arden'],
  [0x1629, 0x162a, PORT, [23], 'Arden'],
  [0x1630, 0x1630, ROOT, [23, 25], 'Renoir/Cezanne'],
  [0x1631, 0x1631, IOMMU, [23, 25], 'Renoir/Cezanne'],
  [0x1632, 0x1632, BRIDGE, [23, 25], 'Renoir/Cezanne'],
  [0x1633, 0x1635, PORT, [23, 25], 'Renoir/Cezanne'],
  [0x1645, 0x1645, ROOT, [23], 'VanGogh'],
  [0x1646, 0x1646, IOMMU, [23], 'VanGogh'],
  [0x1647, 0x1648, PORT, [23], 'VanGogh'],
  [0x164f, 0x164f, IOMMU, [25], 'Milan'],
  [0x1650, 0x1657, FABRIC, [25], 'Milan'],
  [0x1660, 0x1667, FABRIC, [23], 'VanGogh'],
  [0x166a, 0x1671, FABRIC, [25], 'Cezanne'],
  [0x1679, 0x1680, FABRIC, [25], 'Rembrandt'],
  [0x16f8, 0x16ff, FABRIC, [26], 'Strix'],
  [0x1700, 0x1704, OTHER, [18, 20], 'Llano/Ontario'],
  [0x1705, 0x1705, ROOT, [18], 'Llano'],
  [0x1706, 0x170d, PORT, [18], 'Llano'],
  [0x1716, 0x1719, OTHER, [18, 20], 'Llano/Ontario'],
  [0x2080, 0x2080, BRIDGE, [5], 'Geode LX'],
  // Chipsets on HyperTransport: K8 to Piledriver; Zen has its root complex in itself.
  [0x9600, 0x9601, BRIDGE, [15, 16, 17, 21], 'a chipset on HyperTransport'],
];

/** Host bridges of vendor 1002 on HyperTransport. */
const ATI_ROWS: readonly Row[] = [
  [0x5950, 0x5957, BRIDGE, [15], 'a chipset on HyperTransport'],
  [0x5a10, 0x5a14, BRIDGE, [15, 16, 21], 'a chipset on HyperTransport'],
  [0x7910, 0x7911, BRIDGE, [15, 16, 17], 'a chipset on HyperTransport'],
];

/**
 * The part of an AMD processor that a function is by its vendor and device; null where it is none that is known here. Of one that is
 * known by a name that several have, the families of all, if each is a part of a processor.
 */
export function amdPartOf(fn: PciFunction): AmdPart | null {
  const { vendorId, deviceId } = fn;
  if (deviceId !== null || !fn.isNamedOnly) return partOfIds({ vendorId, deviceId });
  const parts = fn.possibleIds.map(partOfIds);
  const [first] = parts;
  if (first === undefined || first === null || parts.includes(null)) return null;
  const families = new Set(parts.flatMap((part) => part?.families ?? []));
  return { ...first, families: [...families].sort((a, b) => a - b) };
}

function partOfIds({ vendorId, deviceId }: Pick<PciFunction, 'vendorId' | 'deviceId'>): AmdPart | null {
  const rows = vendorId === VENDOR_AMD ? AMD_ROWS : vendorId === VENDOR_ATI ? ATI_ROWS : null;
  if (rows === null || deviceId === null) return null;
  const row = rows.find(([first, last]) => deviceId >= first && deviceId <= last);
  return row === undefined ? null : { part: row[2], families: row[3], name: row[4] };
}

const CLASS_IOMMU = 0x0806;

/** Whether a function stays with the host, whatever is given to a guest: host bridges, which the data fabric is by class, root ports, IOMMUs. */
export function isHostPart({ classCode }: PciFunction): boolean {
  return classCode === CLASS_HOST_BRIDGE || classCode === CLASS_PCI_BRIDGE || classCode === CLASS_IOMMU;
}

/**
 * Whether a host bridge is one of AMD's that is newer than the table: by the number range that AMD's processors have had since 2006, of
 * which everything before Zen is known.
 */
export function isUnknownAmdRoot({ vendorId, deviceId, classCode }: PciFunction): boolean {
  return (
    vendorId === VENDOR_AMD &&
    classCode === CLASS_HOST_BRIDGE &&
    deviceId !== null &&
    deviceId >= 0x1100 &&
    deviceId < 0x2000
  );
}
