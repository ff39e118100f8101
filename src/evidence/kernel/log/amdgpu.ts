/**
 * What AMD's GPU driver says: AtomicOps that no port routes, BARs that are too small, and faults of the GPU's own page tables, which
 * are none of an IOMMU. Linux drivers/gpu/drm/amd.
 *
 *   amdgpu 0000:03:00.0: amdgpu: [gfxhub] page fault (src_id:0 ring:40 vmid:9 pasid:32775, ...)
 *   amdgpu 0000:03:00.0: amdgpu:   in page starting at address 0x0000000000000000 from client 10
 *   amdgpu 0000:03:00.0: amdgpu:          RW: 0x1
 */

import type { DriverSays } from './items.ts';
import {
  hexNumber,
  type LogMessage,
  type LogReader,
  type LogSubject,
  NAME,
  type Said,
  sentences,
} from './log-reader.ts';

const MIB = 2 ** 20;

export const atomicsSubject: LogSubject = sentences(
  [
    'rejects atomics',
    'atomic ops is not supported',
    'VRAM RAM=',
    'PCI address space for a large BAR',
    'Problem resizing BAR',
  ],
  [
    {
      pattern: /\bkfd kfd: (?:amdgpu: )?skipped device ([0-9a-f]{4}:[0-9a-f]{4}), PCI rejects atomics/,
      says: ([, device]) => ({ what: 'atomicsRefused', at: null, device: device as string }),
    },
    {
      pattern: new RegExp(`^(?:\\w{1,16} ${NAME}: )?.{0,24}?\\bPCIE? atomic ops is not supported`, 'i'),
      says: ([, at]) => ({ what: 'atomicsRefused', at: at ?? null, device: null }),
    },
    {
      pattern: new RegExp(`^(?:\\w{1,16} ${NAME}: )?.{0,24}?Detected VRAM RAM=(\\d{1,9})M, BAR=(\\d{1,9})M`),
      says: ([, at, vram, bar]) => ({
        what: 'vram',
        at: at ?? null,
        vram: Number(vram) * MIB,
        bar: Number(bar) * MIB,
      }),
    },
    {
      pattern: new RegExp(
        `^(?:\\w{1,16} ${NAME}: )?.{0,24}?(?:Not enough PCI address space for a large BAR|Problem resizing BAR)`,
      ),
      says: ([, at]) => ({ what: 'barTooSmall', at: at ?? null }),
    },
  ],
);

type GpuFault = Extract<DriverSays, { readonly what: 'gpuFault' }>;

const FAULT = new RegExp(`\\b${NAME}:.{0,24}?\\[(\\w{2,12})\\]\\s?(?:retry |no-retry )?page fault`);
const PAGE = new RegExp(`\\b${NAME}:.{0,24}?in (?:page starting at|process .{0,100}? at) address (0x[0-9a-f]{1,16})`);
const ACCESS = new RegExp(`\\b${NAME}:.{0,40}?\\bRW: (0x[01])\\b`);

export const gpuFaultSubject: LogSubject = {
  words: ['] page fault', 'retry page fault', 'in page starting at address', ' RW: 0x'],
  start: () => new GpuFaultReader(),
};

class GpuFaultReader implements LogReader {
  readonly #faults: { fault: GpuFault; readonly message: LogMessage }[] = [];

  take(message: LogMessage): boolean {
    const { text } = message;
    const head = FAULT.exec(text);
    if (head !== null) {
      const [, at, hub] = head as unknown as [string, string, string];
      this.#faults.push({ fault: { what: 'gpuFault', at, hub, address: null, access: null }, message });
      return true;
    }
    const page = PAGE.exec(text);
    if (page !== null) return this.#change(page[1], (fault) => ({ ...fault, address: hexNumber(page[2]) }));
    const access = ACCESS.exec(text);
    return (
      access !== null &&
      this.#change(access[1], (fault) => ({ ...fault, access: access[2] === '0x1' ? 'write' : 'read' }))
    );
  }

  finish(): readonly Said[] {
    return this.#faults.map(({ fault, message }) => ({ says: fault, message }));
  }

  #change(at: string | undefined, change: (fault: GpuFault) => GpuFault): boolean {
    const last = this.#faults.at(-1);
    if (last === undefined || last.fault.at !== at) return false;
    last.fault = change(last.fault);
    return true;
  }
}
