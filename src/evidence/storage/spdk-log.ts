/**
 * Lines of SPDK, NVMe drivers in user space: its own log, and what its example for controller memory buffers asks.
 *
 *   [2026-01-05 10:00:00.000000] nvme_pcie.c: 554:nvme_pcie_ctrlr_map_cmb: *ERROR*: spdk_mem_register() failed
 *   Are you sure 0000:00:04.0 has a valid CMB?
 */

import { fullName } from '../pci/bdf-words.ts';
import { type ItemPlace, linesOf, type Recogniser } from '../recogniser.ts';

export type SpdkItem = SpdkMessage | SpdkNoBuffer;

export interface SpdkMessage extends ItemPlace {
  readonly kind: 'spdk-log';
  readonly what: 'message';
  readonly level: 'error' | 'warning' | 'notice' | 'info' | 'debug' | null;
  /** `nvme_pcie_ctrlr_map_cmb`; null where the line names none. */
  readonly function: string | null;
  readonly message: string;
}

export interface SpdkNoBuffer extends ItemPlace {
  readonly kind: 'spdk-log';
  readonly what: 'noCmb';
  readonly at: string;
}

const MESSAGE = /\b[\w-]{2,40}\.c: {0,4}\d{1,5}:(\w{2,80}): \*(ERROR|WARNING|NOTICE|INFO|DEBUG)\*: (.{1,400})$/;
const NO_CMB = /\bAre you sure (\S{7,16}) has a valid CMB\b/;
/** Errors that its examples print without its log. */
const PLAIN =
  /^(?:.{0,40}\bspdk_\w{2,80}\(\).{1,200}|(?:Error|ERROR)\b.{0,60}\bspdk_\w{2,80}.{0,200}|Starting SPDK v\S.{0,120}|\[ DPDK EAL parameters: .{0,400})$/;

/** Recognises lines of SPDK. */
export const spdkLog: Recogniser<SpdkItem> = linesOf<SpdkItem>({
  kind: 'spdk-log',
  words: ['*ERROR*', '*WARNING*', '*NOTICE*', '*INFO*', '*DEBUG*', 'valid CMB', 'spdk_', 'SPDK v', 'DPDK EAL'],
  readLine: ({ bare, number: line }, { file }) => {
    const place = { kind: 'spdk-log', file, line } as const;
    const [, name, level, message] = MESSAGE.exec(bare) ?? [];
    if (message !== undefined) {
      const lower = (level as string).toLowerCase() as Exclude<SpdkMessage['level'], null>;
      return [{ ...place, what: 'message', level: lower, function: name as string, message }];
    }
    const at = fullName(NO_CMB.exec(bare)?.[1] ?? '');
    if (at !== null) return [{ ...place, what: 'noCmb', at }];
    return PLAIN.test(bare)
      ? [{ ...place, what: 'message', level: null, function: null, message: bare.slice(0, 400) }]
      : null;
  },
});
