/** Items of the kernel's log by what they say, and findings that rest on lines of it. */

import { itemsOf } from '../../../case/case.ts';
import type { KernelLogItem } from '../../../evidence/kernel/log/items.ts';
import type { Evidence } from '../../finding.ts';
import type { CaseContext, Statement } from '../reading.ts';

/** Items that say `what`. */
export type Saying<What extends KernelLogItem['what']> = Extract<KernelLogItem, { readonly what: What }>;

/** All items of the log that say `what`, in order. */
export function logged<What extends KernelLogItem['what']>({ given }: CaseContext, what: What): Saying<What>[] {
  return itemsOf(given.blocks, 'kernel-log').filter((item): item is Saying<What> => item.what === what);
}

/** Characters of a line that a page shows. */
const SHOWN = 160;

/** A line of the log as evidence; `at` is the function that it is about. */
export function logLine({ text, file, line }: KernelLogItem, at: string | null, meaning: string): Evidence {
  return { at, register: 'kernel log', offset: null, value: text.slice(0, SHOWN), meaning, source: file, line };
}

/** A statement about a line of the log. */
export function logSays({ file, line }: KernelLogItem, sure: Statement['sure'], text: string): Statement {
  return { sure, text, kind: 'kernel-log', source: file, line };
}
