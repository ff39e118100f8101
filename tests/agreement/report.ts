/** One case told in words: the tree, what each rule says, and the way of every TLP. */

import type { Hop } from 'p2pdma/fabric';
import { ROOT_COMPLEX } from 'p2pdma/fabric';
import { p2pdmaDistance } from 'p2pdma/p2p';
import { type Case, formatCase } from './case.ts';
import { draw } from './draw.ts';
import { LegBed } from './legs.ts';

/** The lines of the report, and whether prediction and fabric agree as far as our own rule goes. */
export function reportCase(one: Case): { lines: string[]; agrees: boolean } {
  const legs = new LegBed(one.shape, one.conditions, false);
  const { bed, client, provider } = legs;
  legs.run(one.acs, one.conditions.translated);
  const names = new Map([...bed.tree.names].map(([name]) => [bed.index(name), name]));
  const place = (at: number): string => (at === ROOT_COMPLEX ? 'root complex' : (names.get(at) ?? bed.fn(at).name));
  const lines = [formatCase(one), '', ...draw(one), ''];
  for (const policy of ['linux-7.0', 'directional'] as const) {
    const verdict = p2pdmaDistance(bed.fn(provider), bed.fn(client), bed.judge(policy));
    const why = verdict.reasons.map(({ message }) => message).join('; ');
    lines.push(`${policy.padEnd(12)} ${verdict.type.padEnd(15)} ${withNames(why, bed.tree.names, bed)}`);
  }
  bed.eye.recording = [];
  const examined = legs.examiner.examine(client, provider, one.conditions.translated);
  lines.push('');
  for (const { what, hops } of bed.eye.recording) lines.push(`${what}: ${wayOf(hops, place)}`);
  if (one.conditions.translated) lines.push('', `directional, for translated requests: ${examined.directional}`);
  const seen = [`by the bus address: ${outcomeText(examined.byBus, examined.reason)}`];
  if (examined.byRoad !== null) {
    seen.push(`on the road through the host bridge: ${outcomeText(examined.byRoad, examined.roadReason)}`);
  }
  lines.push('', `seen ${seen.join('; ')}`);
  lines.push(`linux-7.0 says ${examined.linux}: ${examined.difference ?? 'as the fabric has it'}`);
  for (const complaint of examined.complaints) lines.push(`OUR RULE DISAGREES: ${complaint}`);
  return { lines, agrees: examined.complaints.length === 0 };
}

function outcomeText(outcome: string, reason: string): string {
  return reason === 'none' ? outcome : `${outcome} (${reason})`;
}

/** `c2 issue, c1 peer, p1 downstream, p2 accept`; a completion after a semicolon. */
function wayOf(hops: readonly Hop[], place: (at: number) => string): string {
  const text = (isCompletion: boolean): string =>
    hops
      .filter((hop) => (hop.kind === 'completion') === isCompletion)
      .map((hop) => `${place(hop.at)} ${hop.action === 'stop' ? hop.reason : hop.action}`)
      .join(', ');
  const completion = text(true);
  return completion === '' ? text(false) : `${text(false)}; completion: ${completion}`;
}

function withNames(text: string, names: ReadonlyMap<string, unknown>, bed: LegBed['bed']): string {
  let named = text;
  for (const name of names.keys()) named = named.replaceAll(bed.fn(bed.index(name)).name, name);
  return named;
}
