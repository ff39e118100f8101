/** Hops as a trace that Perfetto and chrome://tracing open: the Trace Event format, one complete event a hop. */

import { hex } from '../core/hex.ts';
import type { TracedHop } from '../scenario/report.ts';

/** The trace of a run as JSON text. Times are in microseconds of virtual time. */
export function traceJson(hops: readonly TracedHop[]): string {
  const threads = new Map<string, number>();
  const events = hops.map((hop) => {
    const thread = threads.get(hop.name) ?? threads.size + 1;
    threads.set(hop.name, thread);
    return {
      name: `${hop.kind} ${hop.action}`,
      cat: hop.transfer,
      ph: 'X',
      ts: hop.timeNs / 1000,
      dur: 1,
      pid: 1,
      tid: thread,
      args: { tlp: hop.tlp, address: hex(hop.address), length: hop.length, fate: hop.fate },
    };
  });
  const names = [...threads].map(([name, tid]) => ({ name: 'thread_name', ph: 'M', pid: 1, tid, args: { name } }));
  return `${JSON.stringify({ displayTimeUnit: 'ns', traceEvents: [...names, ...events] })}\n`;
}
