/**
 * Reads and writes over one I/O queue pair: checks and plans every request first, then keeps as many commands out as the queue is
 * deep. Over an engine that answers at once nothing is awaited between the first command and the last.
 */

import { assert } from '../../core/assert.ts';
import { DataPointerWriter } from './data-pointer.ts';
import { NvmeError } from './errors.ts';
import type { ControllerFacts, NamespaceFacts } from './facts.ts';
import { type IoOutcome, type IoRequest, IoRun, Job, listBytes } from './io-run.ts';
import type { DriverLimits } from './limits.ts';
import { isPending } from './pending.ts';
import { type PlannedCommand, type PlanRules, type PointerFormat, planTransfer, prpCapacityBytes } from './plan.ts';
import type { DmaBuffer, OwnFunction } from './ports.ts';
import type { QueuePair } from './queue-pair.ts';
import type { RegisterLink } from './register-link.ts';
import { resolveSegments } from './resolve.ts';
import { type Loss, Patience } from './wait.ts';

export interface IoQueueParts {
  readonly link: RegisterLink;
  readonly pair: QueuePair;
  /** `limits.listPages` pages for each slot. */
  readonly lists: DmaBuffer;
  readonly controller: ControllerFacts;
  readonly fn: OwnFunction;
  readonly limits: DriverLimits;
  /** Called when the controller was lost. */
  readonly onLoss: () => void;
}

/** A command without data. */
const NO_DATA: readonly PlannedCommand[] = [{ format: 'prp', lengthBytes: 0, segment: 0, offset: 0 }];

export class IoQueue {
  readonly #parts: IoQueueParts;
  readonly #writer: DataPointerWriter;
  /** Rules of the last request, for the next one of the same namespace and format. */
  #rulesOfLast: PlanRules | null = null;
  #lastNamespace: NamespaceFacts | null = null;
  #run: IoRun | null = null;
  #lost: Loss | null = null;

  constructor(parts: IoQueueParts) {
    const { listPages } = parts.limits;
    assert(
      parts.lists.lengthBytes >= listBytes(parts.pair.depth, listPages),
      'the lists of all slots fit their memory',
    );
    this.#parts = parts;
    this.#writer = new DataPointerWriter(listPages, parts.limits.sglSegments);
  }

  /** Queue pair number. */
  get id(): number {
    return this.#parts.pair.id;
  }

  /** Commands at once. */
  get depth(): number {
    return this.#parts.pair.depth;
  }

  /** Completions for commands that were never out: a sign that the controller reads its queue from the wrong place. */
  get strayCompletions(): number {
    return this.#parts.pair.strayCompletions;
  }

  /** The commands that a request would become. Throws `NvmeError` where it is refused; tells the controller nothing. */
  plan(request: IoRequest): readonly PlannedCommand[] {
    return this.#prepare(request).commands;
  }

  /**
   * Checks and plans requests, to be run step by step. Throws `NvmeError` where one of them is refused, where the controller
   * was lost, or where an earlier run is not done.
   */
  begin(requests: readonly IoRequest[]): IoRun {
    const path = `${this.#parts.fn.name}/queue${this.id}`;
    if (this.#lost !== null) {
      throw new NvmeError({
        code: 'NVME_NOT_UP',
        path,
        message: `the controller was lost (${this.#lost}); its queues are void`,
        hint: 'bring it up again and make new queues',
      });
    }
    if (this.#run !== null && !this.#run.isDone) {
      throw new NvmeError({
        code: 'NVME_QUEUE',
        path,
        message: 'requests are under way on this queue',
        hint: 'wait for them, or use another queue',
      });
    }
    const { link, pair, lists } = this.#parts;
    const jobs = requests.map((request) => this.#prepare(request));
    this.#run = new IoRun({ engine: link.engine, pair, writer: this.#writer, lists }, jobs);
    return this.#run;
  }

  /** Runs requests to their end, in order as far as the queue is deep. Throws as `begin` does, before the first command. */
  async execute(requests: readonly IoRequest[]): Promise<IoOutcome[]> {
    const run = this.begin(requests);
    const patience = new Patience(this.#parts.link, this.#parts.limits.timeoutNs);
    while (!run.isDone) {
      const submitted = run.submit();
      if (isPending(submitted)) await submitted;
      const slice = patience.run();
      const worked = isPending(slice) ? await slice : slice;
      const collected = run.collect();
      const arrived = isPending(collected) ? await collected : collected;
      if (arrived > 0) {
        patience.renew();
        continue;
      }
      const loss = await patience.assess(worked);
      if (loss !== null) return this.#lose(run, loss);
    }
    return run.outcomes(null);
  }

  #lose(run: IoRun, loss: Loss): IoOutcome[] {
    this.#lost = loss;
    this.#parts.onLoss();
    return run.outcomes(loss);
  }

  /** Checks and plans one request; nothing is told to the controller. */
  #prepare(request: IoRequest): Job {
    const { fn, controller } = this.#parts;
    const namespace = this.#checkRange(request);
    const isRelative = request.relative ?? false;
    if (isRelative && !controller.offersRelativeSgl) {
      throw new NvmeError({
        code: 'NVME_RELATIVE_NOT_OFFERED',
        path: fn.name,
        message: 'the controller does not offer the relative SGL (a vendor extension)',
        hint: 'tell the own buffer by address',
      });
    }
    const segments = resolveSegments(request.segments, fn, controller.cmb, isRelative);
    const commands = request.kind === 'flush' ? NO_DATA : planTransfer(segments, this.#rules(request, namespace));
    return new Job(request, namespace, segments, commands);
  }

  #checkRange(request: IoRequest): NamespaceFacts {
    const { fn, controller } = this.#parts;
    const namespace = controller.namespaces.find(({ id }) => id === request.namespace);
    if (namespace === undefined) {
      throw new NvmeError({
        code: 'NVME_NAMESPACE',
        path: fn.name,
        message: `namespace ${request.namespace} is not there`,
        hint: `use one of: ${controller.namespaces.map(({ id }) => id).join(', ')}`,
      });
    }
    const { totalBytes } = request.segments;
    const blocks = totalBytes / namespace.blockBytes;
    const fits = Number.isInteger(blocks) && blocks > 0 !== (request.kind === 'flush');
    const end = request.block + blocks;
    if (!fits || !Number.isInteger(request.block) || request.block < 0 || end > namespace.blocks) {
      throw new NvmeError({
        code: 'NVME_LENGTH',
        path: fn.name,
        message: `a ${request.kind} of ${totalBytes} bytes at block ${request.block} of a namespace of ${namespace.blocks} blocks of ${namespace.blockBytes} bytes`,
        hint: 'transfer one or more whole blocks inside the namespace; a flush has no data',
      });
    }
    return namespace;
  }

  #rules(request: IoRequest, namespace: NamespaceFacts): PlanRules {
    const format = request.format ?? null;
    let rules = this.#rulesOfLast;
    if (rules === null || this.#lastNamespace !== namespace || rules.format !== format) {
      rules = this.#makeRules(format, namespace);
      this.#rulesOfLast = rules;
      this.#lastNamespace = namespace;
    }
    return rules;
  }

  #makeRules(format: PointerFormat | null, namespace: NamespaceFacts): PlanRules {
    const { controller, fn, limits } = this.#parts;
    const { blockBytes } = namespace;
    // NLB has 16 bits and is 0's based.
    const longest = Math.min(limits.maxTransferBytes, controller.maxTransferBytes, 65536 * blockBytes);
    const maxBytes = Math.min(longest, prpCapacityBytes(limits.listPages));
    return {
      path: fn.name,
      blockBytes,
      maxBytes: maxBytes - (maxBytes % blockBytes),
      mixing: limits.mixing === 'byController' && controller.cmb?.mixedData === true,
      sglGranularity: controller.sglGranularity,
      sglThresholdBytes: limits.sglThresholdBytes,
      listPages: limits.listPages,
      mmioGranuleBytes: limits.mmioGranuleBytes,
      ownSglLists: limits.ownSglLists,
      format,
    };
  }
}
