/**
 * A polling NVMe driver. It knows registers and memory, and nothing of what stands behind them: the same driver programs our
 * simulated controller and QEMU's. NVM Express Base Specification 1.4, 7.6.1 (initialization).
 *
 * The function's Memory Space and Bus Master Enable are set by whoever prepares the machine. Interrupts are not used.
 */

import type { RegisterEngine } from '../../engine/register.ts';
import { SQE_BYTES, SQE_SHIFT } from '../spec/command.ts';
import { CQE_BYTES, CQE_SHIFT } from '../spec/completion.ts';
import { getField, withField } from '../spec/field.ts';
import { AQA, CAP, CC, CSTS, completionDoorbell, REGISTERS, submissionDoorbell } from '../spec/registers.ts';
import { STATUS } from '../spec/status.ts';
import { type AdminOutcome, AdminQueue } from './admin.ts';
import { type CmbChoice, setUpCmb } from './cmb-setup.ts';
import { NvmeError } from './errors.ts';
import type { ControllerFacts } from './facts.ts';
import { interview, type Refusal } from './interview.ts';
import { IoQueue } from './io-queue.ts';
import { listBytes } from './io-run.ts';
import { DEFAULT_LIMITS, type DriverLimits } from './limits.ts';
import { PAGE_BYTES } from './plan.ts';
import type { DmaBuffer, DmaMemory, OwnFunction } from './ports.ts';
import { QueuePair } from './queue-pair.ts';
import { RegisterLink } from './register-link.ts';
import type { Loss } from './wait.ts';

export interface NvmeDriverOptions {
  readonly engine: RegisterEngine;
  readonly fn: OwnFunction;
  readonly memory: DmaMemory;
  /** What is known of the machine; the rest is `DEFAULT_LIMITS`. */
  readonly limits?: Partial<DriverLimits>;
  /** Default `on`: enabled at the bus address of its BAR, as Linux does. */
  readonly cmb?: CmbChoice;
}

/** How bringing up ended. */
export type BringUpOutcome =
  | { readonly kind: 'up'; readonly controller: ControllerFacts }
  /** CSTS.RDY did not come, or the controller was lost. */
  | { readonly kind: Loss }
  /** A command that bringing up needs was refused. */
  | Refusal;

/** How making or deleting a queue ended. */
export type QueueOutcome = { readonly kind: 'made'; readonly queue: IoQueue } | { readonly kind: Loss } | Refusal;

export interface IoQueueOptions {
  /** Commands at once. Default 32, less where the controller has fewer entries. */
  readonly depth?: number;
  /** Memory for the submission queue in place of the driver's own: in a controller memory buffer, for instance. */
  readonly submission?: DmaBuffer;
}

const ADMIN_DEPTH = 31;
const DEFAULT_DEPTH = 32;
/** CC for 4 KiB pages, 64-byte and 16-byte entries, the NVM command set. */
const CC_ENABLED: number = withField(withField(withField(0, CC.EN, 1), CC.IOSQES, SQE_SHIFT), CC.IOCQES, CQE_SHIFT);
/** CC.SHN: normal shutdown. CSTS.SHST: shutdown complete. */
const SHUTDOWN_NORMAL = 1;
const SHUTDOWN_COMPLETE = 2;

export class NvmeDriver {
  readonly #engine: RegisterEngine;
  readonly #fn: OwnFunction;
  readonly #memory: DmaMemory;
  readonly #limits: DriverLimits;
  readonly #cmbChoice: CmbChoice;
  readonly #link: RegisterLink;
  #stride = 0;
  #admin: AdminQueue | null = null;
  #controller: ControllerFacts | null = null;
  /** Buffers of each queue pair by its number, given back at shutdown; 0 is the admin queue. */
  #buffers: Map<number, DmaBuffer[]> = new Map();

  constructor(options: NvmeDriverOptions) {
    this.#engine = options.engine;
    this.#fn = options.fn;
    this.#memory = options.memory;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#cmbChoice = options.cmb ?? 'on';
    this.#link = new RegisterLink(options.engine, options.fn.registers);
  }

  /** What the controller said of itself, or null while it is not up. */
  get controller(): ControllerFacts | null {
    return this.#controller;
  }

  /**
   * Resets the controller and brings it up: also a second time, after it was lost. Throws `NVME_PAGE_SIZE`; whatever the
   * controller does is in the outcome.
   */
  async bringUp(): Promise<BringUpOutcome> {
    const link = this.#link;
    this.#lose();
    const capLow = await link.read(CAP.MQES.offset);
    const capHigh = await link.read(CAP.DSTRD.offset);
    if (capLow === 0xffffffff && capHigh === 0xffffffff) return { kind: 'gone' };
    this.#checkPageSize(getField(capHigh, CAP.MPSMIN));
    this.#stride = getField(capHigh, CAP.DSTRD);
    const readyNs = getField(capLow, CAP.TO) * 500e6;

    // Step 1: disable, and wait until the controller has noticed. From then on it writes to no memory of an earlier life.
    await link.write(REGISTERS.CC.offset, 0);
    const disabled = await this.#waitForReady(0, readyNs);
    if (disabled !== null) return { kind: disabled };
    await this.#giveBack();

    // Step 2: the buffer, before queues could be asked to lie in it.
    const cmb = await setUpCmb(link, this.#fn, this.#cmbChoice);

    // Step 3: the admin queues.
    const depth = Math.min(ADMIN_DEPTH, getField(capLow, CAP.MQES));
    const pair = await this.#makePair(0, depth);
    const page = await this.#allocate(0, PAGE_BYTES);
    const aqa = withField(withField(0, AQA.ASQS, pair.entries - 1), AQA.ACQS, pair.entries - 1);
    await link.write(REGISTERS.AQA.offset, aqa);
    await link.writeLong(REGISTERS.ASQ.offset, pair.submission.dma);
    await link.writeLong(REGISTERS.ACQ.offset, pair.completion.dma);

    // Step 4: enable, and wait for CSTS.RDY.
    await link.write(REGISTERS.CC.offset, CC_ENABLED);
    const enabled = await this.#waitForReady(1, readyNs);
    if (enabled !== null) return { kind: enabled };
    const admin = new AdminQueue(link, pair, page, this.#limits.timeoutNs);

    // Step 5: ask who it is, and for I/O queues.
    const facts = await interview(link, admin, cmb, getField(capLow, CAP.MQES) + 1);
    if ('kind' in facts) return facts;
    this.#admin = admin;
    this.#controller = facts;
    return { kind: 'up', controller: facts };
  }

  #checkPageSize(mpsMin: number): void {
    if (mpsMin === 0) return;
    throw new NvmeError({
      code: 'NVME_PAGE_SIZE',
      path: this.#fn.name,
      message: `the smallest page of the controller is ${4096 * 2 ** mpsMin} bytes (CAP.MPSMIN ${mpsMin})`,
      hint: 'use a controller that takes pages of 4 KiB',
    });
  }

  /** Waits until CSTS.RDY is `ready`. Returns why not, or null. */
  async #waitForReady(ready: number, timeoutNs: number): Promise<Loss | null> {
    const startNs = this.#engine.nowNs;
    for (let sliceNs = 1000; ; sliceNs = Math.min(sliceNs * 2, 10e6)) {
      const csts = await this.#link.read(REGISTERS.CSTS.offset);
      if (csts === 0xffffffff) return 'gone';
      // CFS of an earlier life goes with the reset that is being waited for.
      if (ready === 1 && getField(csts, CSTS.CFS) === 1) return 'fatal';
      if (getField(csts, CSTS.RDY) === ready) return null;
      if (this.#engine.nowNs - startNs > timeoutNs) return 'timeout';
      await this.#engine.run(sliceNs);
    }
  }

  /** Makes I/O queue pair `id`, 1 to `controller.ioQueuePairs`. Throws `NVME_NOT_UP` or `NVME_QUEUE`. */
  async createIoQueue(id: number, options: IoQueueOptions = {}): Promise<QueueOutcome> {
    const { admin, controller } = this.#up();
    const deepest = controller.maxQueueEntries - 1;
    const depth = options.depth ?? Math.min(DEFAULT_DEPTH, deepest);
    const isFree = !this.#buffers.has(id);
    if (!isFree || !(id >= 1 && id <= controller.ioQueuePairs) || !(depth >= 1 && depth <= deepest)) {
      throw new NvmeError({
        code: 'NVME_QUEUE',
        path: `${this.#fn.name}/queue${id}`,
        message: isFree ? `queue ${id} with ${depth} commands at once` : `queue ${id} is there already`,
        hint: `use queues 1 to ${controller.ioQueuePairs} once each, with 1 to ${deepest} commands at once`,
      });
    }
    const pair = await this.#makePair(id, depth, options.submission);
    const lists = await this.#allocate(id, listBytes(depth, this.#limits.listPages));
    const made = await admin.createPair(id, pair.entries, pair.submission.dma, pair.completion.dma);
    if (made.kind !== 'completed') {
      this.#lose();
      return { kind: made.kind };
    }
    if (made.status !== STATUS.SUCCESS) {
      await this.#giveBack(id);
      return { kind: 'refused', what: `create queue pair ${id}`, status: made.status };
    }
    const onLoss = (): void => this.#lose();
    const parts = { link: this.#link, pair, lists, controller, fn: this.#fn, limits: this.#limits, onLoss };
    return { kind: 'made', queue: new IoQueue(parts) };
  }

  /** Deletes an I/O queue pair. No command may be out. Throws `NVME_NOT_UP`. */
  async deleteIoQueue(queue: IoQueue): Promise<AdminOutcome> {
    const { admin } = this.#up();
    const outcome = await admin.deletePair(queue.id);
    if (outcome.kind !== 'completed') this.#lose();
    else if (outcome.status === STATUS.SUCCESS) await this.#giveBack(queue.id);
    return outcome;
  }

  /** Shuts the controller down and gives all memory back. Returns why it did not answer, or null. */
  async shutdown(): Promise<Loss | null> {
    const link = this.#link;
    const cc = await link.read(REGISTERS.CC.offset);
    await link.write(REGISTERS.CC.offset, withField(cc, CC.SHN, SHUTDOWN_NORMAL));
    const startNs = this.#engine.nowNs;
    let loss: Loss | null = null;
    for (;;) {
      const csts = await link.read(REGISTERS.CSTS.offset);
      if (csts === 0xffffffff) loss = 'gone';
      else if (this.#engine.nowNs - startNs > this.#limits.timeoutNs) loss = 'timeout';
      if (loss !== null || getField(csts, CSTS.SHST) === SHUTDOWN_COMPLETE) break;
      await this.#engine.run(1e6);
    }
    await link.write(REGISTERS.CC.offset, 0);
    await this.#giveBack();
    return loss;
  }

  #up(): { admin: AdminQueue; controller: ControllerFacts } {
    const [admin, controller] = [this.#admin, this.#controller];
    if (admin !== null && controller !== null) return { admin, controller };
    throw new NvmeError({
      code: 'NVME_NOT_UP',
      path: this.#fn.name,
      message: 'the controller is not up',
      hint: 'bring it up first, again where it was lost',
    });
  }

  /** Not up any more: only `bringUp` helps. Memory is given back there, since until then it may still be written to. */
  #lose(): void {
    this.#admin = null;
    this.#controller = null;
  }

  async #makePair(id: number, depth: number, submission?: DmaBuffer): Promise<QueuePair> {
    const entries = depth + 1;
    const queue = submission ?? (await this.#allocate(id, entries * SQE_BYTES));
    const completion = await this.#allocate(id, entries * CQE_BYTES);
    // Phase tags begin at 0.
    await this.#engine.writeMemory(completion.phys, new Uint8Array(entries * CQE_BYTES));
    return new QueuePair({
      engine: this.#engine,
      id,
      depth,
      submission: queue,
      completion,
      tailDoorbell: this.#link.addressOf(submissionDoorbell(id, this.#stride)),
      headDoorbell: this.#link.addressOf(completionDoorbell(id, this.#stride)),
    });
  }

  /** Memory that is noted under queue `id`. */
  async #allocate(id: number, lengthBytes: number): Promise<DmaBuffer> {
    const buffer = await this.#memory.allocate(Math.ceil(lengthBytes / PAGE_BYTES) * PAGE_BYTES, PAGE_BYTES);
    this.#buffers.set(id, [...(this.#buffers.get(id) ?? []), buffer]);
    return buffer;
  }

  /** Gives the memory of queue `id` back, or of all queues. */
  async #giveBack(id?: number): Promise<void> {
    const ids = id === undefined ? [...this.#buffers.keys()] : [id];
    for (const one of ids) {
      for (const buffer of this.#buffers.get(one) ?? []) await this.#memory.free(buffer);
      this.#buffers.delete(one);
    }
    if (id === undefined) this.#lose();
  }
}
