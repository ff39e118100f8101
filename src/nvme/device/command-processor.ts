/**
 * The part of a controller that turns submission queue entries into completions. NVM Express Base Specification 1.4, 4.1 and 7.2.
 *
 * Queues take turns (round robin, 4.13.1). A command is fetched, executed to its end and completed before the next one.
 */

import { getU16 } from '../spec/bytes.ts';
import { FLAGS_FUSE_MASK, SQE, SQE_BYTES } from '../spec/command.ts';
import { CQE_BYTES, putCqe } from '../spec/completion.ts';
import { STATUS, STATUS_DNR } from '../spec/status.ts';
import { AdminCommands, type EnabledConfiguration, STAYS_OPEN } from './admin-commands.ts';
import type { DataPath } from './data-path.ts';
import { DataPointer } from './data-pointer.ts';
import { IoCommands } from './io-commands.ts';
import type { ControllerProfile } from './options.ts';
import { completionRoom, QueueTable, type SubmissionQueue, waiting } from './queue-table.ts';
import { Transfer } from './transfer.ts';

/** Commands fetched at once from an I/O queue: up to 1 KiB of entries. */
const BURST = 16;

/** Where the admin queues lie, and how long they are. */
export interface AdminQueues {
  readonly submissionBase: number;
  readonly submissionEntries: number;
  readonly completionBase: number;
  readonly completionEntries: number;
}

export class CommandProcessor {
  /** Commands executed since the controller was made, admin included. */
  commandCount = 0;
  /** An entry could not be fetched, or a completion not be posted: CSTS.CFS. Only a reset helps. */
  isFatal = false;
  readonly #profile: ControllerProfile;
  readonly #path: DataPath;
  readonly #queues: QueueTable;
  readonly #transfer: Transfer;
  readonly #entries: Uint8Array = new Uint8Array(BURST * SQE_BYTES);
  readonly #completion: Uint8Array = new Uint8Array(CQE_BYTES);
  /** Made at the start, since they depend on CC; null while the controller is disabled. */
  #admin: AdminCommands | null = null;
  #io: IoCommands | null = null;
  /** Counts stops: work begun before one must not touch what comes after. */
  #generation = 0;

  constructor(profile: ControllerProfile, path: DataPath) {
    this.#profile = profile;
    this.#path = path;
    this.#queues = new QueueTable(path);
    this.#transfer = new Transfer(path);
  }

  /** Whether `start` succeeded and `stop` has not been called since. */
  get isStarted(): boolean {
    return this.#admin !== null;
  }

  /** Makes the admin queues and gets ready for commands. Where the queues cannot be, the controller is fatal instead. */
  start(admin: AdminQueues, configuration: EnabledConfiguration): void {
    this.#queues.clear();
    const aligned = (base: number): boolean => base % configuration.pageBytes === 0;
    const made =
      aligned(admin.submissionBase) &&
      aligned(admin.completionBase) &&
      admin.submissionEntries >= 2 &&
      admin.completionEntries >= 2 &&
      this.#queues.createCompletion(0, admin.completionBase, admin.completionEntries) === STATUS.SUCCESS &&
      this.#queues.createSubmission(0, admin.submissionBase, admin.submissionEntries, 0) === STATUS.SUCCESS;
    if (!made) {
      this.isFatal = true;
      return;
    }
    const pointer = new DataPointer(this.#path, configuration.pageBytes, this.#profile.sgl);
    this.#io = new IoCommands(this.#profile, pointer, this.#transfer);
    this.#admin = new AdminCommands(this.#profile, this.#queues, pointer, this.#transfer, configuration);
  }

  /** Forgets all queues and whatever was fatal: a controller reset. */
  stop(): void {
    this.#generation++;
    this.#queues.clear();
    this.#admin = null;
    this.#io = null;
    this.isFatal = false;
  }

  /** Whether a queue has an entry to fetch and room for its completion. */
  get hasWork(): boolean {
    const { live } = this.#queues;
    return this.#mayWork && live.some((queue) => waiting(queue) > 0 && completionRoom(queue.completion) > 0);
  }

  get #mayWork(): boolean {
    return this.#admin !== null && !this.isFatal;
  }

  /** A new tail of a submission queue. Returns false where there is no such queue, or the value is none of it. */
  setTail(id: number, value: number): boolean {
    const queue = this.#queues.submission(id);
    if (queue === undefined || value >= queue.entries) return false;
    queue.tail = value;
    return true;
  }

  /** A new head of a completion queue. Returns false where there is no such queue, or the host takes more than was posted. */
  setHead(id: number, value: number): boolean {
    const queue = this.#queues.completion(id);
    if (queue === undefined || value >= queue.entries) return false;
    const posted = (queue.tail - queue.head + queue.entries) % queue.entries;
    const taken = (value - queue.head + queue.entries) % queue.entries;
    if (taken > posted) return false;
    queue.head = value;
    return true;
  }

  /** Executes waiting commands until none is left or `maxCommands` are done. Returns how many it did. */
  serve(maxCommands: number): number {
    const { live } = this.#queues;
    let done = 0;
    for (let before = -1; before !== done; ) {
      before = done;
      // Asked anew each time: a command may end in a fatal status, or come back to CC.
      for (let index = 0; index < live.length && done < maxCommands && this.#mayWork; index++) {
        done += this.#serveQueue(live[index] as SubmissionQueue, maxCommands - done);
      }
    }
    return done;
  }

  /** Fetches one burst of a queue and executes it. Returns the number of commands. */
  #serveQueue(queue: SubmissionQueue, maxCommands: number): number {
    const generation = this.#generation;
    const count = Math.min(
      waiting(queue),
      completionRoom(queue.completion),
      // Up to the end of the ring; admin commands make and delete queues, so those one at a time.
      queue.entries - queue.head,
      queue.id === 0 ? 1 : BURST,
      maxCommands,
    );
    if (count <= 0) return 0;
    const bytes = this.#entries.subarray(0, count * SQE_BYTES);
    if (!this.#path.read(queue.base + queue.head * SQE_BYTES, bytes)) {
      this.isFatal = true;
      return 0;
    }
    for (let done = 0; done < count; done++) {
      queue.head = (queue.head + 1) % queue.entries;
      this.commandCount++;
      const status = this.#execute(queue, done * SQE_BYTES);
      // A transfer or a completion may have landed on CC and reset the controller: then the rest of the burst is void.
      if (this.#generation !== generation) return done + 1;
      if (status !== STAYS_OPEN) this.#post(queue, done * SQE_BYTES, status);
      if (this.isFatal || this.#generation !== generation) return done + 1;
    }
    return count;
  }

  #execute(queue: SubmissionQueue, at: number): number {
    const bytes = this.#entries;
    if (((bytes[at + SQE.FLAGS] as number) & FLAGS_FUSE_MASK) !== 0) return STATUS.INVALID_FIELD;
    const commands = queue.id === 0 ? this.#admin : this.#io;
    return (commands as AdminCommands | IoCommands).execute(bytes, at, queue.inCmb);
  }

  /** Writes the completion. Where it cannot be told, the controller is fatal. */
  #post(queue: SubmissionQueue, at: number, status: number): void {
    const { completion } = queue;
    const result = queue.id === 0 ? (this.#admin as AdminCommands).result : 0;
    const cid = getU16(this.#entries, at + SQE.CID);
    putCqe(this.#completion, 0, result, queue.head, queue.id, cid, withRetryHint(status), completion.phase);
    if (!this.#path.write(completion.base + completion.tail * CQE_BYTES, this.#completion)) {
      this.isFatal = true;
      return;
    }
    completion.tail++;
    if (completion.tail === completion.entries) {
      completion.tail = 0;
      completion.phase ^= 1;
    }
  }
}

/** Do Not Retry on everything but what may pass: a transfer that failed on the road, or a medium that may recover. */
function withRetryHint(status: number): number {
  const mayPass =
    status === STATUS.SUCCESS ||
    status === STATUS.DATA_TRANSFER_ERROR ||
    status === STATUS.WRITE_FAULT ||
    status === STATUS.UNRECOVERED_READ_ERROR;
  return mayPass ? status : status | STATUS_DNR;
}
