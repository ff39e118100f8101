/** The questions that a controller is asked once it is ready. NVM Express Base Specification 1.4, 7.6.1, steps 7 to 9. */

import { getU32 } from '../spec/bytes.ts';
import { CNS } from '../spec/identify.ts';
import { REGISTERS } from '../spec/registers.ts';
import type { AdminOutcome, AdminQueue } from './admin.ts';
import type { CmbFacts } from './cmb-setup.ts';
import { type ControllerFacts, type NamespaceFacts, readControllerPage, readNamespacePage } from './facts.ts';
import { PAGE_BYTES } from './plan.ts';
import type { RegisterLink } from './register-link.ts';
import type { Loss } from './wait.ts';

/** A command that the driver cannot do without was answered with an error. */
export interface Refusal {
  readonly kind: 'refused';
  readonly what: string;
  readonly status: number;
}

/** As many queue pairs as are asked for: the answer tells what there is. */
const QUEUE_PAIRS_WANTED = 255;

/** Who it is, what it can do, which namespaces it has; or why it did not tell. */
export async function interview(
  link: RegisterLink,
  admin: AdminQueue,
  cmb: CmbFacts | null,
  maxQueueEntries: number,
): Promise<ControllerFacts | Refusal | { readonly kind: Loss }> {
  const page = await admin.identify(CNS.CONTROLLER, 0);
  if (!(page instanceof Uint8Array)) return failure('identify controller', page);
  const list = await admin.identify(CNS.ACTIVE_NAMESPACES, 0);
  if (!(list instanceof Uint8Array)) return failure('identify active namespaces', list);
  const namespaces: NamespaceFacts[] = [];
  for (let at = 0; at < list.length && getU32(list, at) !== 0; at += 4) {
    const id = getU32(list, at);
    const namespace = await admin.identify(CNS.NAMESPACE, id);
    if (!(namespace instanceof Uint8Array)) return failure(`identify namespace ${id}`, namespace);
    const facts = readNamespacePage(namespace, id);
    if (facts !== null) namespaces.push(facts);
  }
  const ioQueuePairs = await admin.queueCount(QUEUE_PAIRS_WANTED);
  if (typeof ioQueuePairs !== 'number') return failure('set features: number of queues', ioQueuePairs);
  const version = await link.read(REGISTERS.VS.offset);
  return { ...readControllerPage(page, PAGE_BYTES), version, maxQueueEntries, ioQueuePairs, cmb, namespaces };
}

function failure(what: string, outcome: AdminOutcome): Refusal | { readonly kind: Loss } {
  return outcome.kind === 'completed' ? { kind: 'refused', what, status: outcome.status } : { kind: outcome.kind };
}
