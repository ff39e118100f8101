/**
 * Lines in which kernels report that a device used an address that its IOMMU does not know. The forms are those of Linux's drivers:
 * DMAR (Intel), AMD-Vi, and the SMMUs of ARM.
 */

import { parseBdf } from '../pcie/bdf.ts';

export interface FaultLine {
  readonly iommu: 'DMAR' | 'AMD-Vi' | 'SMMU';
  /** Full name of the requester; null where the line names none (an SMMU names streams). */
  readonly by: string | null;
  readonly address: number;
  readonly access: 'read' | 'write' | null;
  /** What the driver says of the cause. */
  readonly reason: string | null;
}

const DMAR =
  /DMAR:.*\[(?:DMA )?(Read|Write)(?: NO_PASID)?\].*?(?:Request device|device) \[([0-9a-f:.]+)\].*?fault addr (?:0x)?([0-9a-f]+)(?:.*?\[fault reason (?:0x)?([0-9a-f]+)\]\s*(.*))?/i;
const AMD =
  /(?:AMD-Vi:.*)?\[?IO_PAGE_FAULT\s+(?:device=)?(?:([0-9a-f:.]+)\s+)?.*?address=0x([0-9a-f]+)(?:.*?flags=0x([0-9a-f]+))?/i;
const AMD_DEVICE = /(?:device=|AMD-Vi: Event logged \[IO_PAGE_FAULT device=)([0-9a-f:.]+)/i;
const AMD_PREFIX = /\b([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): AMD-Vi/i;
const SMMU = /(?:arm-smmu\S*|smmu).*?(?:iova|input address|fault(?:addr)?)\s*[=:]?\s*(?:0x)([0-9a-f]+)/i;

/** Reads one line of dmesg; null where it reports no such fault. */
export function parseFaultLine(line: string): FaultLine | null {
  return dmarLine(line) ?? amdLine(line) ?? smmuLine(line);
}

function nameOf(text: string | undefined): string | null {
  const bdf = text === undefined ? null : parseBdf(text);
  if (bdf === null || text === undefined) return null;
  return text.split(':').length === 3 ? text.toLowerCase() : `0000:${text.toLowerCase()}`;
}

function addressOf(digits: string | undefined): number | null {
  const value = digits === undefined ? Number.NaN : Number.parseInt(digits, 16);
  return Number.isSafeInteger(value) ? value : null;
}

function dmarLine(line: string): FaultLine | null {
  const match = DMAR.exec(line);
  const address = addressOf(match?.[3]);
  if (match === null || address === null) return null;
  const reason = match[5]?.trim();
  return {
    iommu: 'DMAR',
    by: nameOf(match[2]),
    address,
    access: (match[1] as string).toLowerCase() as 'read' | 'write',
    reason: reason === undefined || reason === '' ? null : reason,
  };
}

/** Bit 5 of the flags: the request was a write. AMD I/O Virtualization Technology specification, 2.5.3. */
const AMD_WRITE = 0x20;

function amdLine(line: string): FaultLine | null {
  if (!line.includes('IO_PAGE_FAULT')) return null;
  const match = AMD.exec(line);
  const address = addressOf(match?.[2]);
  if (match === null || address === null) return null;
  const flags = match[3] === undefined ? null : Number.parseInt(match[3], 16);
  const by = nameOf(AMD_DEVICE.exec(line)?.[1]) ?? nameOf(AMD_PREFIX.exec(line)?.[1]);
  return {
    iommu: 'AMD-Vi',
    by,
    address,
    access: flags === null ? null : flags & AMD_WRITE ? 'write' : 'read',
    reason: null,
  };
}

function smmuLine(line: string): FaultLine | null {
  const match = SMMU.exec(line);
  const address = addressOf(match?.[1]);
  if (match === null || address === null || !/fault|translation|event/i.test(line)) return null;
  const sid = /\b(?:sid|cbfrsynra|streamid)\s*[=:]\s*(0x[0-9a-f]+)/i.exec(line)?.[1];
  return { iommu: 'SMMU', by: null, address, access: null, reason: sid === undefined ? null : `stream ${sid}` };
}
