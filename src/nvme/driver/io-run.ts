/**
 * Requests under way on one queue, step by step: `submit` keeps the queue full, `collect` takes what has arrived, and between
 * them the caller lets the machine run. Several runs on several queues and controllers go forward together that way:
 *
 *     a.submit(); b.submit(); engine.run(...); a.collect(); b.collect();
 */

import { addBytes } from '../../core/address.ts';
import type { Answer, RegisterEngine } from '../../engine/register.ts';
import { putU16, putU32, putU64 } from '../spec/bytes.ts';
import { NVM, SQE } from '../spec/command.ts';
import { STATUS, statusCode } from '../spec/status.ts';
import type { DataPointerWriter } from './data-pointer.ts';
import type { NamespaceFacts } from './facts.ts';
import { isPending } from './pending.ts';
import { PAGE_BYTES, type PlannedCommand, type PointerFormat } from './plan.ts';
import type { DmaBuffer } from './ports.ts';
import type { QueuePair } from './queue-pair.ts';
import type { ResolvedSegments } from './resolve.ts';
import type { DataSegments } from './segments.ts';
import type { Loss } from './wait.ts';

/** One read, write or flush: any number of commands. */
export interface IoRequest {
  /** `read`: from the namespace to memory. `flush`: makes last what was written; it moves no data. */
  readonly kind: 'read' | 'write' | 'flush';
  readonly namespace: number;
  /** First block. */
  readonly block: number;
  /** Whole blocks in sum; none for a flush. */
  readonly segments: DataSegments;
  /** PRPs or an SGL; left out, Linux's choice. */
  readonly format?: PointerFormat;
  /** Tell own segments as offsets in the buffer, by our vendor extension. Default false: as addresses. */
  readonly relative?: boolean;
}

/** How a request ended. */
export interface IoOutcome {
  /** `completed`: every command was answered. Otherwise why not; nothing is known of the data then. */
  readonly kind: 'completed' | Loss;
  /** Status code of the first command that was refused or failed, 0 for none. Never believe 0: compare the bytes. */
  readonly status: number;
  /** Status field of that command with DNR and the rest. */
  readonly statusField: number;
  /** Commands that the request became. */
  readonly commands: number;
}

/** A request that was checked and planned, and how far it has come. */
export class Job {
  readonly kind: IoRequest['kind'];
  readonly namespace: NamespaceFacts;
  readonly segments: ResolvedSegments;
  readonly commands: readonly PlannedCommand[];
  /** First block of the next command. */
  block: number;
  started = 0;
  finished = 0;
  /** Of the first command that was refused or failed. */
  statusField = 0;

  constructor(
    request: IoRequest,
    namespace: NamespaceFacts,
    segments: ResolvedSegments,
    commands: readonly PlannedCommand[],
  ) {
    this.kind = request.kind;
    this.block = request.block;
    this.namespace = namespace;
    this.segments = segments;
    this.commands = commands;
  }

  get isDone(): boolean {
    return this.finished === this.commands.length;
  }
}

export interface IoRunParts {
  readonly engine: RegisterEngine;
  readonly pair: QueuePair;
  readonly writer: DataPointerWriter;
  /** `writer.lists.length` bytes for each slot. */
  readonly lists: DmaBuffer;
}

const OPCODES = { read: NVM.READ, write: NVM.WRITE, flush: NVM.FLUSH } as const;

export class IoRun {
  readonly #parts: IoRunParts;
  readonly #jobs: readonly Job[];
  readonly #jobOf: (Job | undefined)[] = [];
  #next = 0;
  #open: number;

  constructor(parts: IoRunParts, jobs: readonly Job[]) {
    this.#parts = parts;
    this.#jobs = jobs;
    this.#open = jobs.length;
  }

  /** Whether every request was answered. */
  get isDone(): boolean {
    return this.#open === 0;
  }

  /** Programs as many commands as there are free slots, and rings once for all of them. */
  submit(): Answer<void> {
    const { pair } = this.#parts;
    while (this.#next < this.#jobs.length && pair.hasRoom) {
      const job = this.#jobs[this.#next] as Job;
      this.#start(job);
      if (job.started === job.commands.length) this.#next++;
    }
    return pair.ring();
  }

  /** Takes the completions that have arrived. Returns how many. */
  collect(): Answer<number> {
    const reaped = this.#parts.pair.reap();
    return isPending(reaped) ? reaped.then((arrived) => this.#finish(arrived)) : this.#finish(reaped);
  }

  /** How each request ended, in the order in which they were asked; `loss` is why waiting was given up, or null. */
  outcomes(loss: Loss | null): IoOutcome[] {
    return this.#jobs.map((job) => ({
      kind: job.isDone || loss === null ? 'completed' : loss,
      status: statusCode(job.statusField),
      statusField: job.statusField,
      commands: job.commands.length,
    }));
  }

  /** Programs the next command of a job and adds it to the queue. */
  #start(job: Job): void {
    const { engine, pair, writer, lists } = this.#parts;
    const { namespace, segments } = job;
    const command = job.commands[job.started] as PlannedCommand;
    const slot = pair.claim();
    const entry = pair.commands;
    const at = pair.entryAt;
    entry[at + SQE.OPC] = OPCODES[job.kind];
    putU32(entry, at + SQE.NSID, namespace.id);
    if (command.lengthBytes > 0) {
      const listsAt = slot * writer.lists.length;
      const used = writer.write(entry, at, segments, command, lists.dma + listsAt);
      if (used > 0) pair.after(engine.writeMemory(addBytes(lists.phys, listsAt), writer.lists.subarray(0, used)));
      const blocks = command.lengthBytes / namespace.blockBytes;
      putU64(entry, at + SQE.CDW10, job.block);
      putU16(entry, at + SQE.CDW12, blocks - 1);
      job.block += blocks;
    }
    pair.push();
    job.started++;
    this.#jobOf[slot] = job;
  }

  #finish(arrived: number): number {
    const { pair } = this.#parts;
    for (let index = 0; index < arrived; index++) {
      const slot = pair.arrived[index] as number;
      const job = this.#jobOf[slot] as Job;
      const status = pair.statusOf[slot] as number;
      pair.release(slot);
      job.finished++;
      if (statusCode(job.statusField) === STATUS.SUCCESS) job.statusField = status;
      if (job.isDone) this.#open--;
    }
    return arrived;
  }
}

/** Bytes of list pages that a queue needs: `listPages` pages for each slot. */
export function listBytes(depth: number, listPages: number): number {
  return depth * listPages * PAGE_BYTES;
}
