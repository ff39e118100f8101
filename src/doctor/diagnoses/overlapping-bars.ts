/** BARs in one place: both devices take the request, and what comes of that no specification says. PCIe 7.5.1.2.1. */

import { hex } from '../../core/hex.ts';
import { listed } from '../../core/words.ts';
import type { Bar } from '../../pcie/bar.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { COMMAND_MEMORY_SPACE } from '../../pcie/registers.ts';
import type { DoctorContext } from '../context.ts';
import { barsOutside } from '../facts/closed-gate.ts';
import { factEvidence } from '../facts/evidence.ts';
import type { Finding } from '../finding.ts';
import { NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';
import { rescanFix, wantedIndices } from './shut-roads.ts';

interface Place {
  readonly fn: PciFunction;
  readonly index: number;
  readonly bar: Bar;
  readonly start: number;
  readonly end: number;
}

/** One finding for each BAR in whose place others are, where one of them is somebody's whom users pair. */
export function overlappingBars(context: DoctorContext): Finding[] {
  const wanted = new Set(wantedIndices(context));
  const found = new Map<Place, Place[]>();
  let widest: Place | undefined;
  for (const place of placesOf(context)) {
    const other = widest;
    if (other === undefined || place.end > other.end || place.fn.bdf.domain !== other.fn.bdf.domain) widest = place;
    if (other === undefined || place.start >= other.end || place.fn.bdf.domain !== other.fn.bdf.domain) continue;
    found.set(other, [...(found.get(other) ?? []), place]);
  }
  return [...found].flatMap(([one, others]) =>
    [one, ...others].some(({ index }) => wanted.has(index)) ? [findingOf(context, one, others)] : [],
  );
}

/** Memory BARs that decode, by domain and address; where only a start is known, the start. */
function placesOf({ functions }: DoctorContext): Place[] {
  const places: Place[] = [];
  for (const [index, fn] of functions.entries()) {
    if (((fn.command ?? 0) & COMMAND_MEMORY_SPACE) === 0) continue;
    for (const bar of fn.bars) {
      const start = bar.cpuAddress;
      if (bar.space === 'memory' && start !== null)
        places.push({ fn, index, bar, start, end: start + (bar.size ?? 1) });
    }
  }
  return places.sort((a, b) => a.fn.bdf.domain - b.fn.bdf.domain || a.start - b.start);
}

function findingOf(context: DoctorContext, one: Place, others: readonly Place[]): Finding {
  const all = [one, ...others];
  const names = [...new Set(all.map(({ fn }) => fn.name))].sort();
  const words = ({ fn, bar }: Place): string => `BAR${bar.index} of ${fn.name}`;
  // Who stands outside of the windows above it is the one in the wrong place.
  const stray = all.find((place) => isStray(context, place)) ?? one;
  return {
    ...NOTHING,
    id: 'NOT-DECODING',
    severity: severityOf('NOT-DECODING', 'overlap', context),
    sure: 'certain',
    title: `${listed(all.map(words))} answer at one address, ${hex((others[0] as Place).start)}: which of them gets a request nobody can tell`,
    at: names,
    functions: names,
    evidence: all.slice(0, 16).map(({ fn, bar, start, end }) =>
      factEvidence(fn, 'bars', {
        register: `BAR${bar.index}`,
        offset: 0x10 + 4 * bar.index,
        value: bar.size === null ? hex(start) : `${hex(start)}-${hex(end - 1)}`,
        meaning: 'where it answers',
      }),
    ),
    why: 'Each address belongs to one device. A write may land in the wrong one, or in both, without any error.',
    fixes: [rescanFix([stray.fn.name])],
  };
}

function isStray({ machine: { hierarchy }, functions }: DoctorContext, { fn, index, bar }: Place): boolean {
  const bridges = hierarchy.chainOf(index).slice(1);
  return bridges.some((at) => barsOutside(fn, functions[at] as PciFunction).includes(bar));
}
