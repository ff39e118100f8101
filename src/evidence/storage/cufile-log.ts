/**
 * cufile.log of GPUDirect Storage: what its library tried, what it fell back to, and the path of each drive.
 *
 *    19-02-2026 18:53:37:123 [pid=53432 tid=53435] ERROR  0:140 unable to load, liburcu-bp.so.6
 */

import { fullName } from '../pci/bdf-words.ts';
import { type ItemPlace, linesOf, type Recogniser } from '../recogniser.ts';

export type CufileItem = CufileMessage | CufilePath | CufileCounters;

export interface CufileMessage extends ItemPlace {
  readonly kind: 'cufile-log';
  readonly what: 'message';
  readonly level: 'error' | 'warning' | 'notice' | 'info' | 'debug' | 'trace';
  readonly message: string;
}

/** The bridges above a device, nearest last. */
export interface CufilePath extends ItemPlace {
  readonly kind: 'cufile-log';
  readonly what: 'path';
  readonly functions: readonly string[];
}

/** Reads and writes by the way they took. */
export interface CufileCounters extends ItemPlace {
  readonly kind: 'cufile-log';
  readonly what: 'counters';
  readonly nvfs: number;
  readonly posix: number;
}

const HEAD =
  /^\s*\d{2}-\d{2}-\d{4} \d{2}:\d{2}:\d{2}:\d{1,6} \[pid=\d{1,9} tid=\d{1,9}\] {1,4}(ERROR|WARN|WARNING|NOTICE|INFO|DEBUG|TRACE) {1,8}\d{1,4}:\d{1,6} (.{1,600})$/;
const PATH = /\bdevice pci path string : (\S{7,400})/;
const COUNTERS = /\bnvfs=(\d{1,15})\b.{0,80}?\bposix=(\d{1,15})\b/;

/** Recognises lines of cufile.log. */
export const cufileLog: Recogniser<CufileItem> = linesOf<CufileItem>({
  kind: 'cufile-log',
  words: [' tid=', 'device pci path string', 'nvfs='],
  readLine: ({ text, number: line }, { file }) => {
    const [, level, message] = HEAD.exec(text) ?? [];
    const rest = message ?? text;
    const place = { kind: 'cufile-log', file, line } as const;
    const path = PATH.exec(rest)?.[1];
    if (path !== undefined) {
      const functions = path.split('->').flatMap((part) => fullName(part) ?? []);
      return [{ ...place, what: 'path', functions }];
    }
    const counters = COUNTERS.exec(rest);
    if (counters !== null) {
      return [{ ...place, what: 'counters', nvfs: Number(counters[1]), posix: Number(counters[2]) }];
    }
    if (level === undefined || message === undefined) return null;
    const lower = level === 'WARN' ? 'warning' : (level.toLowerCase() as CufileMessage['level']);
    return [{ ...place, what: 'message', level: lower, message }];
  },
});
