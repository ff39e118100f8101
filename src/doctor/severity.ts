/**
 * How bad a refusal or a detour is. An error is only what was asked for, or what the machine is plainly built for: a pair that the
 * user named, memory that a driver has published and nobody reaches, compute accelerators below one switch.
 */

import { type DoctorContext, slotsOf } from './context.ts';
import type { Severity } from './finding.ts';

/** Of pairs that meet below one switch, which nothing but ACS parts. */
export function severityBelowSwitch(context: DoctorContext, functions: ReadonlySet<number>): Severity {
  if (context.asked !== null) return 'error';
  const publishes = [...functions].some((index) => context.publishers.has(index));
  const compute = slotsOf(
    context.judge,
    [...functions].filter((index) => context.compute.has(index)),
  );
  return publishes || compute >= 2 || context.opensAcs ? 'error' : 'warning';
}

/** Of pairs that meet in a host bridge only: no board is built for that. */
export function severityAtHostBridge(context: DoctorContext, functions: ReadonlySet<number>): Severity {
  if (context.asked !== null) return 'error';
  const lonely = [...functions].some((index) => context.publishers.has(index) && !hasPeer(context, index));
  if (lonely) return 'error';
  return context.intent !== null || hasTwoGpus(context, functions) ? 'warning' : 'note';
}

/** Of a road that is there and does not serve everybody: a desktop's one GPU and one drive do not ask for it. */
export function severityOfDetour(context: DoctorContext, functions: ReadonlySet<number>): Severity {
  return context.intent !== null || hasTwoGpus(context, functions) ? 'warning' : 'note';
}

/** Where a pair is not known, nobody can say that the memory is out of reach. */
function hasPeer({ cases }: DoctorContext, index: number): boolean {
  return cases.some((item) => item.type !== 'notSupported' && item.functions.has(index));
}

function hasTwoGpus({ roles, judge }: DoctorContext, functions: ReadonlySet<number>): boolean {
  const gpus = [...functions].filter((index) => roles[index] === 'gpu' || roles[index] === 'accelerator');
  return slotsOf(judge, gpus) >= 2;
}
