/** `p2pdma run --step`: every hop of each transfer, under its heading. What is done around it is counted, a line each. */

import { hex } from '../../core/hex.ts';
import { plural } from '../../core/words.ts';
import type { HopPhase, ScenarioReport, TracedHop } from '../../scenario/report.ts';

/** Run of hops of one phase. */
interface Stretch {
  readonly phase: HopPhase;
  readonly hops: TracedHop[];
}

/** The lines of all transfers, in their order, with a blank line behind each. */
export function stepLines({ transfers }: ScenarioReport, hops: readonly TracedHop[]): string[] {
  const byTransfer = new Map<number, TracedHop[]>();
  for (const hop of hops) {
    const known = byTransfer.get(hop.position);
    if (known === undefined) byTransfer.set(hop.position, [hop]);
    else known.push(hop);
  }
  return transfers.flatMap(({ name, device, engine, direction }, position) => {
    const stretches = stretchesOf(byTransfer.get(position) ?? []);
    const lines = stretches.flatMap((stretch) => linesOf(stretch, device));
    const isSeen = stretches.some(({ phase }) => phase === 'transfer');
    const none = isSeen ? [] : ['  no TLP of the transfer itself'];
    return [`${name}: ${device} by ${engine}, ${direction}, step by step`, ...lines, ...none, ''];
  });
}

function stretchesOf(hops: readonly TracedHop[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const hop of hops) {
    const last = stretches.at(-1);
    if (last?.phase === hop.phase) last.hops.push(hop);
    else stretches.push({ phase: hop.phase, hops: [hop] });
  }
  return stretches;
}

function linesOf({ phase, hops }: Stretch, device: string): string[] {
  if (phase === 'transfer') return hops.map(stepLine);
  const tlps = plural(new Set(hops.map(({ tlp, kind }) => `${tlp} ${kind}`)).size, 'TLP');
  return phase === 'bringUp'
    ? [`  (bring-up of ${device}: ${tlps})`]
    : [`  (memory filled and read by the CPU, data brought to the disk and fetched from it: ${tlps})`];
}

function stepLine(hop: TracedHop): string {
  const fate = hop.fate === 'delivered' ? '' : `  ${hop.fate}`;
  return `  TLP ${hop.tlp}  ${hop.kind.padEnd(11)}  ${hop.name.padEnd(14)}  ${hop.action.padEnd(18)}  ${hex(hop.address)} + ${hop.length}${fate}`;
}
