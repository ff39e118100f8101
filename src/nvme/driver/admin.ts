/** The admin queue: one command at a time. NVM Express Base Specification 1.4, chapter 5. */

import type { DmaAddr } from '../../core/address.ts';
import { putU32, putU64 } from '../spec/bytes.ts';
import { ADMIN, FEATURE, FLAGS_PSDT_SHIFT, PSDT, QUEUE_CONTIGUOUS, SQE } from '../spec/command.ts';
import { IDENTIFY_BYTES } from '../spec/identify.ts';
import { STATUS, statusCode } from '../spec/status.ts';
import type { DmaBuffer } from './ports.ts';
import type { QueuePair } from './queue-pair.ts';
import type { RegisterLink } from './register-link.ts';
import { type Loss, Patience } from './wait.ts';

/** An admin command in the few fields that those used here have. */
export interface AdminCommand {
  readonly opcode: number;
  readonly namespace?: number;
  readonly prp1?: DmaAddr;
  readonly dwords?: readonly number[];
}

/** How an admin command ended. */
export type AdminOutcome =
  | { readonly kind: 'completed'; readonly status: number; readonly statusField: number; readonly result: number }
  | { readonly kind: Loss };

export class AdminQueue {
  readonly pair: QueuePair;
  readonly #link: RegisterLink;
  readonly #timeoutNs: number;
  /** One page for what commands answer with. */
  readonly #page: DmaBuffer;

  constructor(link: RegisterLink, pair: QueuePair, page: DmaBuffer, timeoutNs: number) {
    this.#link = link;
    this.pair = pair;
    this.#page = page;
    this.#timeoutNs = timeoutNs;
  }

  /** Runs one command to its end. */
  async run(command: AdminCommand): Promise<AdminOutcome> {
    const { pair } = this;
    const patience = new Patience(this.#link, this.#timeoutNs);
    const slot = pair.claim();
    const at = pair.entryAt;
    pair.commands[at + SQE.OPC] = command.opcode;
    pair.commands[at + SQE.FLAGS] = PSDT.PRP << FLAGS_PSDT_SHIFT;
    putU32(pair.commands, at + SQE.NSID, command.namespace ?? 0);
    putU64(pair.commands, at + SQE.PRP1, command.prp1 ?? 0);
    for (const [index, dword] of (command.dwords ?? []).entries()) {
      putU32(pair.commands, at + SQE.CDW10 + index * 4, dword);
    }
    pair.push();
    await pair.ring();
    for (;;) {
      const worked = await patience.run();
      if ((await pair.reap()) > 0) break;
      const loss = await patience.assess(worked);
      if (loss !== null) return { kind: loss };
    }
    const statusField = pair.statusOf[slot] as number;
    pair.release(slot);
    return { kind: 'completed', status: statusCode(statusField), statusField, result: pair.resultOf[slot] as number };
  }

  /** An identify page, or the outcome where there is none. */
  async identify(cns: number, namespace: number): Promise<Uint8Array | AdminOutcome> {
    const outcome = await this.run({ opcode: ADMIN.IDENTIFY, namespace, prp1: this.#page.dma, dwords: [cns] });
    if (outcome.kind !== 'completed' || outcome.status !== STATUS.SUCCESS) return outcome;
    const page = new Uint8Array(IDENTIFY_BYTES);
    await this.#link.engine.readMemory(this.#page.phys, page);
    return page;
  }

  /** Asks for I/O queue pairs: how many of `wanted` there may be, or the outcome of the refusal. */
  async queueCount(wanted: number): Promise<number | AdminOutcome> {
    const dword = (wanted - 1) * 0x10001;
    const outcome = await this.run({ opcode: ADMIN.SET_FEATURES, dwords: [FEATURE.NUMBER_OF_QUEUES, dword] });
    if (outcome.kind !== 'completed' || outcome.status !== STATUS.SUCCESS) return outcome;
    // Both counts are 0's based: submission queues in the low half.
    const given = Math.min(outcome.result & 0xffff, outcome.result >>> 16) + 1;
    return Math.min(given, wanted);
  }

  /** Makes queue pair `id`: first the completion queue, then the submission queue that posts to it. Polled, so no interrupts. */
  async createPair(id: number, entries: number, submission: DmaAddr, completion: DmaAddr): Promise<AdminOutcome> {
    const dword10 = ((entries - 1) * 0x10000 + id) >>> 0;
    const made = await this.run({
      opcode: ADMIN.CREATE_IO_CQ,
      prp1: completion,
      dwords: [dword10, QUEUE_CONTIGUOUS],
    });
    if (made.kind !== 'completed' || made.status !== STATUS.SUCCESS) return made;
    return this.run({
      opcode: ADMIN.CREATE_IO_SQ,
      prp1: submission,
      dwords: [dword10, id * 0x10000 + QUEUE_CONTIGUOUS],
    });
  }

  /** Deletes queue pair `id`, the submission queue first. */
  async deletePair(id: number): Promise<AdminOutcome> {
    const gone = await this.run({ opcode: ADMIN.DELETE_IO_SQ, dwords: [id] });
    if (gone.kind !== 'completed' || gone.status !== STATUS.SUCCESS) return gone;
    return this.run({ opcode: ADMIN.DELETE_IO_CQ, dwords: [id] });
  }
}
