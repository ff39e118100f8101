/** The queues of a controller and the rules for making and deleting them. NVM Express Base Specification 1.4, 4.1 and 5.3 to 5.6. */

import { SQE_BYTES } from '../spec/command.ts';
import { CQE_BYTES } from '../spec/completion.ts';
import { STATUS } from '../spec/status.ts';
import { type DataPath, PLACE_CMB, PLACE_NOWHERE, PLACE_STRADDLES } from './data-path.ts';

export interface CompletionQueue {
  readonly id: number;
  readonly base: number;
  readonly entries: number;
  /** First entry that the host has not taken yet. */
  head: number;
  /** Where the next completion goes. */
  tail: number;
  /** Phase tag of the next completion. */
  phase: number;
  /** Submission queues that post here. */
  users: number;
}

export interface SubmissionQueue {
  readonly id: number;
  readonly base: number;
  readonly entries: number;
  readonly completion: CompletionQueue;
  /** Whether the queue lay in the CMB when it was made. */
  readonly inCmb: boolean;
  /** Next entry to fetch. */
  head: number;
  /** First entry that the host has not filled. */
  tail: number;
}

/** Free entries of a completion queue; one always stays empty. */
export function completionRoom(queue: CompletionQueue): number {
  return (queue.head - queue.tail - 1 + queue.entries) % queue.entries;
}

/** Entries of a submission queue that wait to be fetched. */
export function waiting(queue: SubmissionQueue): number {
  return (queue.tail - queue.head + queue.entries) % queue.entries;
}

export class QueueTable {
  /** Submission queues in the order of their making, the admin queue first. */
  readonly live: SubmissionQueue[] = [];
  readonly #submission: Map<number, SubmissionQueue> = new Map();
  readonly #completion: Map<number, CompletionQueue> = new Map();
  readonly #path: DataPath;

  constructor(path: DataPath) {
    this.#path = path;
  }

  /** Forgets all queues: a controller reset. */
  clear(): void {
    this.live.length = 0;
    this.#submission.clear();
    this.#completion.clear();
  }

  submission(id: number): SubmissionQueue | undefined {
    return this.#submission.get(id);
  }

  completion(id: number): CompletionQueue | undefined {
    return this.#completion.get(id);
  }

  /** Whether memory for a queue may lie where it does. Returns a status code. */
  checkPlace(base: number, lengthBytes: number, kind: 'submission' | 'completion'): number {
    const place = this.#path.placeOf(base, lengthBytes);
    if (place === PLACE_NOWHERE) return STATUS.INVALID_FIELD;
    if (place === PLACE_STRADDLES) return STATUS.INVALID_USE_OF_CMB;
    if (place !== PLACE_CMB) return STATUS.SUCCESS;
    const allowed = kind === 'submission' ? this.#path.cmb?.sqs : this.#path.cmb?.cqs;
    return allowed ? STATUS.SUCCESS : STATUS.INVALID_USE_OF_CMB;
  }

  /** Makes a completion queue. The caller has checked identifier, size and base. Returns a status code. */
  createCompletion(id: number, base: number, entries: number): number {
    const place = this.checkPlace(base, entries * CQE_BYTES, 'completion');
    if (place !== STATUS.SUCCESS) return place;
    this.#completion.set(id, { id, base, entries, head: 0, tail: 0, phase: 1, users: 0 });
    return STATUS.SUCCESS;
  }

  /** Makes a submission queue. The caller has checked identifier, size and base. Returns a status code. */
  createSubmission(id: number, base: number, entries: number, completionId: number): number {
    const completion = this.#completion.get(completionId);
    if (completion === undefined) return STATUS.COMPLETION_QUEUE_INVALID;
    const lengthBytes = entries * SQE_BYTES;
    const place = this.checkPlace(base, lengthBytes, 'submission');
    if (place !== STATUS.SUCCESS) return place;
    const inCmb = this.#path.placeOf(base, lengthBytes) === PLACE_CMB;
    const queue: SubmissionQueue = { id, base, entries, completion, inCmb, head: 0, tail: 0 };
    completion.users++;
    this.#submission.set(id, queue);
    this.live.push(queue);
    return STATUS.SUCCESS;
  }

  /** Deletes a completion queue that nobody posts to. Returns a status code. */
  deleteCompletion(id: number): number {
    const queue = this.#completion.get(id);
    if (queue === undefined || id === 0) return STATUS.INVALID_QUEUE_IDENTIFIER;
    if (queue.users > 0) return STATUS.INVALID_QUEUE_DELETION;
    this.#completion.delete(id);
    return STATUS.SUCCESS;
  }

  /** Deletes a submission queue; commands not fetched yet are gone with it. Returns a status code. */
  deleteSubmission(id: number): number {
    const queue = this.#submission.get(id);
    if (queue === undefined || id === 0) return STATUS.INVALID_QUEUE_IDENTIFIER;
    this.#submission.delete(id);
    this.live.splice(this.live.indexOf(queue), 1);
    queue.completion.users--;
    return STATUS.SUCCESS;
  }
}
