/**
 * Hops as a trace that Perfetto and chrome://tracing open, in the Trace Event format: an instant for each hop, on the track of the
 * place where it was; and for each TLP a span from its first hop to its last. TLPs pass a place while others do, so spans are
 * asynchronous ones: those of a track would have to nest.
 */

import { hex } from '../../core/hex.ts';
import type { TracedHop } from '../../scenario/report.ts';

/** The trace of a run as JSON text. Times are in microseconds of virtual time. */
export function traceJson(hops: readonly TracedHop[]): string {
  const tracks = new Map<string, number>();
  const trackOf = (name: string): number => {
    const track = tracks.get(name) ?? tracks.size + 1;
    tracks.set(name, track);
    return track;
  };
  const events = tlpsOf(hops).flatMap((tlp, id) => {
    const first = tlp[0] as TracedHop;
    const last = tlp[tlp.length - 1] as TracedHop;
    const span = { name: first.kind, cat: first.transfer, id, pid: 1, tid: trackOf(first.name) };
    const args = { tlp: first.tlp, address: hex(first.address), length: first.length, fate: last.fate };
    return [
      { ...span, ph: 'b', ts: first.timeNs / 1000, args },
      ...tlp.map((hop) => ({
        name: `${hop.kind} ${hop.action}`,
        cat: hop.transfer,
        ph: 'i',
        s: 't',
        ts: hop.timeNs / 1000,
        pid: 1,
        tid: trackOf(hop.name),
        args: { tlp: hop.tlp, address: hex(hop.address), length: hop.length, fate: hop.fate },
      })),
      { ...span, ph: 'e', ts: last.timeNs / 1000 },
    ];
  });
  const names = [...tracks].map(([name, tid]) => ({ name: 'thread_name', ph: 'M', pid: 1, tid, args: { name } }));
  return `${JSON.stringify({ displayTimeUnit: 'ns', traceEvents: [...names, ...events] })}\n`;
}

/** The hops of each TLP: a request and its completions have one number, and each begins where it is issued. */
function tlpsOf(hops: readonly TracedHop[]): TracedHop[][] {
  const tlps: TracedHop[][] = [];
  for (const hop of hops) {
    const current = tlps[tlps.length - 1];
    const before = current?.[0];
    if (current === undefined || hop.action === 'issue' || before?.tlp !== hop.tlp || before.kind !== hop.kind) {
      tlps.push([hop]);
    } else current.push(hop);
  }
  return tlps;
}
