/** Memory that could not be mapped as wanted: PAT, hotplug, DMA masks, bounce buffers; and disks that failed. */

import { hexNumber, type LogSubject, NAME, rangeOf, sentences } from './log-reader.ts';

export const memorySubject: LogSubject = sentences(
  ['x86/PAT', 'memtype_reserve', 'Hotplugged memory exceeds', 'of DMA mask', 'swiotlb buffer is full'],
  [
    {
      pattern:
        /x86\/PAT: (?:([^\s:]{1,40}):\d{1,9} )?(?:conflicting memory types|map pfn expected mapping type .{0,80}? for) \[?(?:mem )?(?:0x)?([0-9a-f]{1,16})-(?:0x)?([0-9a-f]{1,16})\]?,? ?(.{0,80})$/,
      says: ([, process, first, last, types]) => {
        const range = rangeOf(first, last);
        if (range === null) return null;
        const names = (types ?? '').split(/<->|, ?|\bgot\b/).map((name) => name.trim());
        return {
          what: 'patConflict',
          // The end that is printed is one beyond the last byte.
          range: { start: range.start, end: range.end - 1 },
          process: process ?? null,
          types: names.filter((name) => name !== ''),
        };
      },
    },
    {
      pattern:
        /x86\/PAT: (?:memtype_reserve|reserve_memtype) failed \[mem (0x[0-9a-f]{1,16})-(0x[0-9a-f]{1,16})\](?:, track ([\w-]{1,30}))?(?:, req ([\w-]{1,30}))?/,
      says: ([, first, last, tracked, wanted]) => {
        const range = rangeOf(first, last);
        if (range === null) return null;
        const types = [tracked, wanted].filter((type): type is string => type !== undefined);
        return { what: 'patConflict', range, process: null, types };
      },
    },
    {
      pattern:
        /Hotplugged memory exceeds maximum addressable address(?:, range=\[(?:0x)?([0-9a-f]{1,16})-(?:0x)?([0-9a-f]{1,16})\])?/,
      says: ([, first, last]) => ({ what: 'outsideHotplug', range: rangeOf(first, last) }),
    },
    {
      pattern: new RegExp(
        `\\b${NAME}: .{0,40}?overflow (0x[0-9a-f]{1,16})\\+\\d{1,12} of DMA mask (?:0x)?([0-9a-f]{1,16})`,
      ),
      says: ([, at, digits, mask]) => {
        const address = hexNumber(digits);
        const limit = hexNumber(mask);
        return address === null || limit === null
          ? null
          : { what: 'maskOverflow', at: at as string, address, mask: limit };
      },
    },
    {
      pattern: new RegExp(`\\b${NAME}: swiotlb buffer is full`),
      says: ([, at]) => ({ what: 'bounceFull', at: at as string }),
    },
  ],
);

export const storageSubject: LogSubject = sentences(
  ['pci function ', 'I/O error, dev', 'critical target error', 'I/O Error'],
  [
    {
      pattern: new RegExp(`\\b(nvme\\d{1,4}): pci function ${NAME}`),
      says: ([, name, at]) => ({ what: 'nvmeName', name: name as string, at: at as string }),
    },
    {
      pattern:
        /\b(?:I\/O|critical \w{1,12}) error, dev (\S{1,32}), sector (\d{1,18})(?: op 0x[0-9a-f]{1,4}:\((\w{1,16})\))?/,
      says: ([, device, sector, operation]) => ({
        what: 'ioError',
        device: device as string,
        sector: Number(sector),
        isWrite: operation === undefined ? null : operation === 'WRITE',
      }),
    },
  ],
);
