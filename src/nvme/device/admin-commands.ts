/** Admin commands. NVM Express Base Specification 1.4, chapter 5: those that a driver needs to bring a controller up. */

import { getU16, getU32, getU64 } from '../spec/bytes.ts';
import { ADMIN, FEATURE, FLAGS_PSDT_SHIFT, NSID_ALL, QUEUE_CONTIGUOUS, SQE, SQE_SHIFT } from '../spec/command.ts';
import { CQE_SHIFT } from '../spec/completion.ts';
import { CNS } from '../spec/identify.ts';
import { STATUS } from '../spec/status.ts';
import type { DataPointer } from './data-pointer.ts';
import {
  ASYNC_EVENTS_MAX,
  identifyActiveNamespaces,
  identifyController,
  identifyDescriptors,
  identifyNamespace,
} from './identify-data.ts';
import type { ControllerProfile } from './options.ts';
import type { QueueTable } from './queue-table.ts';
import type { Transfer } from './transfer.ts';

/** What a command answers when it stays open: an Asynchronous Event Request for which nothing has happened. */
export const STAYS_OPEN = -1;

/** What CC said when the controller was enabled. */
export interface EnabledConfiguration {
  readonly pageBytes: number;
  readonly ioSubmissionShift: number;
  readonly ioCompletionShift: number;
}

/** Features whose value is kept and has no effect: this model has no temperature, power states or interrupts. */
const KEPT_FEATURES: readonly number[] = [
  FEATURE.ARBITRATION,
  FEATURE.POWER_MANAGEMENT,
  FEATURE.TEMPERATURE_THRESHOLD,
  FEATURE.ERROR_RECOVERY,
  FEATURE.INTERRUPT_COALESCING,
  FEATURE.INTERRUPT_VECTOR,
  FEATURE.WRITE_ATOMICITY,
  FEATURE.ASYNC_EVENT,
];

/** Log pages 01h to 03h (errors, health, firmware) are given as zeros up to this length. 5.14. */
const LOG_BYTES_MAX = 4096;

export class AdminCommands {
  /** Dword 0 of the completion of the last command. */
  result = 0;
  readonly #profile: ControllerProfile;
  readonly #queues: QueueTable;
  readonly #pointer: DataPointer;
  readonly #transfer: Transfer;
  readonly #configuration: EnabledConfiguration;
  readonly #features: Map<number, number> = new Map();
  #openEvents = 0;

  constructor(
    profile: ControllerProfile,
    queues: QueueTable,
    pointer: DataPointer,
    transfer: Transfer,
    configuration: EnabledConfiguration,
  ) {
    this.#profile = profile;
    this.#queues = queues;
    this.#pointer = pointer;
    this.#transfer = transfer;
    this.#configuration = configuration;
  }

  /** Executes the command at `at`. Returns a status code, or `STAYS_OPEN`. */
  execute(command: Uint8Array, at: number, commandInCmb: boolean): number {
    this.result = 0;
    // No SGL on the admin queue over PCIe, 1.4, 4.2 (PSDT).
    if ((command[at + SQE.FLAGS] as number) >>> FLAGS_PSDT_SHIFT !== 0) return STATUS.INVALID_FIELD;
    switch (command[at + SQE.OPC]) {
      case ADMIN.CREATE_IO_CQ:
        return this.#createCompletion(command, at);
      case ADMIN.CREATE_IO_SQ:
        return this.#createSubmission(command, at);
      case ADMIN.DELETE_IO_CQ:
        return this.#queues.deleteCompletion(getU16(command, at + SQE.CDW10));
      case ADMIN.DELETE_IO_SQ:
        return this.#queues.deleteSubmission(getU16(command, at + SQE.CDW10));
      case ADMIN.IDENTIFY:
        return this.#identify(command, at, commandInCmb);
      case ADMIN.GET_LOG_PAGE:
        return this.#getLogPage(command, at, commandInCmb);
      case ADMIN.SET_FEATURES:
        return this.#setFeatures(command, at);
      case ADMIN.GET_FEATURES:
        return this.#getFeatures(command, at);
      case ADMIN.ABORT:
        // Commands are executed one at a time, so there is never one left to abort: bit 0 says "not aborted".
        this.result = 1;
        return STATUS.SUCCESS;
      case ADMIN.ASYNC_EVENT_REQUEST:
        if (this.#openEvents === ASYNC_EVENTS_MAX) return STATUS.ASYNC_EVENT_LIMIT_EXCEEDED;
        this.#openEvents++;
        return STAYS_OPEN;
      default:
        return STATUS.INVALID_OPCODE;
    }
  }

  #createCompletion(command: Uint8Array, at: number): number {
    const id = getU16(command, at + SQE.CDW10);
    const check = this.#checkQueue(command, at, this.#queues.completion(id) !== undefined);
    if (check !== STATUS.SUCCESS) return check;
    if (this.#configuration.ioCompletionShift !== CQE_SHIFT) return STATUS.INVALID_QUEUE_SIZE;
    // One interrupt vector a queue pair and one for admin; interrupts themselves are not modelled: drivers here poll.
    if (getU16(command, at + SQE.CDW11 + 2) > this.#profile.ioQueuePairs) return STATUS.INVALID_INTERRUPT_VECTOR;
    return this.#queues.createCompletion(id, getU64(command, at + SQE.PRP1), getU16(command, at + SQE.CDW10 + 2) + 1);
  }

  #createSubmission(command: Uint8Array, at: number): number {
    const id = getU16(command, at + SQE.CDW10);
    const completionId = getU16(command, at + SQE.CDW11 + 2);
    // Completion queue 0 belongs to the admin queue alone.
    if (completionId === 0) return STATUS.COMPLETION_QUEUE_INVALID;
    const check = this.#checkQueue(command, at, this.#queues.submission(id) !== undefined);
    if (check !== STATUS.SUCCESS) return check;
    if (this.#configuration.ioSubmissionShift !== SQE_SHIFT) return STATUS.INVALID_QUEUE_SIZE;
    const base = getU64(command, at + SQE.PRP1);
    return this.#queues.createSubmission(id, base, getU16(command, at + SQE.CDW10 + 2) + 1, completionId);
  }

  /** What both kinds of queue ask: identifier, size, contiguity, alignment. */
  #checkQueue(command: Uint8Array, at: number, exists: boolean): number {
    const id = getU16(command, at + SQE.CDW10);
    if (id === 0 || id > this.#profile.ioQueuePairs || exists) return STATUS.INVALID_QUEUE_IDENTIFIER;
    const entries = getU16(command, at + SQE.CDW10 + 2) + 1;
    if (entries < 2 || entries > this.#profile.maxQueueEntries) return STATUS.INVALID_QUEUE_SIZE;
    const contiguous = (getU32(command, at + SQE.CDW11) & QUEUE_CONTIGUOUS) !== 0;
    const base = getU64(command, at + SQE.PRP1);
    if (!contiguous || base === 0) return STATUS.INVALID_FIELD;
    return (base & (this.#configuration.pageBytes - 1)) === 0 ? STATUS.SUCCESS : STATUS.PRP_OFFSET_INVALID;
  }

  #identify(command: Uint8Array, at: number, commandInCmb: boolean): number {
    const nsid = getU32(command, at + SQE.NSID);
    const namespace = this.#profile.namespaces[nsid - 1];
    let page: Uint8Array;
    switch (command[at + SQE.CDW10]) {
      case CNS.NAMESPACE:
        if (namespace === undefined) return STATUS.INVALID_NAMESPACE;
        page = identifyNamespace(namespace);
        break;
      case CNS.CONTROLLER:
        page = identifyController(this.#profile);
        break;
      case CNS.ACTIVE_NAMESPACES:
        if (nsid >= NSID_ALL - 1) return STATUS.INVALID_NAMESPACE;
        page = identifyActiveNamespaces(this.#profile.namespaces.length, nsid);
        break;
      case CNS.NAMESPACE_DESCRIPTORS:
        if (namespace === undefined) return STATUS.INVALID_NAMESPACE;
        page = identifyDescriptors(this.#profile.serial, nsid);
        break;
      default:
        return STATUS.INVALID_FIELD;
    }
    return this.#answer(command, at, commandInCmb, page);
  }

  #getLogPage(command: Uint8Array, at: number, commandInCmb: boolean): number {
    const page = command[at + SQE.CDW10] as number;
    if (page < 1 || page > 3) return STATUS.INVALID_LOG_PAGE;
    const dwords = getU16(command, at + SQE.CDW11) * 0x10000 + getU16(command, at + SQE.CDW10 + 2) + 1;
    const offset = getU64(command, at + SQE.CDW12);
    if (offset + dwords * 4 > LOG_BYTES_MAX) return STATUS.INVALID_FIELD;
    return this.#answer(command, at, commandInCmb, new Uint8Array(dwords * 4));
  }

  #setFeatures(command: Uint8Array, at: number): number {
    // Bit 31 (SV) asks to keep the value over resets.
    if (((command[at + SQE.CDW10 + 3] as number) & 0x80) !== 0) return STATUS.FEATURE_NOT_SAVEABLE;
    const feature = command[at + SQE.CDW10] as number;
    const value = getU32(command, at + SQE.CDW11);
    if (feature === FEATURE.NUMBER_OF_QUEUES) {
      // Both counts are 0's based; 65,535 of either is more than can be named.
      if ((value & 0xffff) === 0xffff || value >>> 16 === 0xffff) return STATUS.INVALID_FIELD;
      this.result = this.#queueCounts();
      return STATUS.SUCCESS;
    }
    if (!KEPT_FEATURES.includes(feature)) return STATUS.INVALID_FIELD;
    this.#features.set(feature, value);
    return STATUS.SUCCESS;
  }

  #getFeatures(command: Uint8Array, at: number): number {
    const feature = command[at + SQE.CDW10] as number;
    // Bits 10:8 select current, default or saved; of what is kept here the last two are 0.
    const select = (command[at + SQE.CDW10 + 1] as number) & 7;
    if (feature === FEATURE.NUMBER_OF_QUEUES) this.result = this.#queueCounts();
    else if (!KEPT_FEATURES.includes(feature)) return STATUS.INVALID_FIELD;
    else this.result = select === 0 ? (this.#features.get(feature) ?? 0) : 0;
    return STATUS.SUCCESS;
  }

  #queueCounts(): number {
    const last = this.#profile.ioQueuePairs - 1;
    return last * 0x10000 + last;
  }

  #answer(command: Uint8Array, at: number, commandInCmb: boolean, page: Uint8Array): number {
    const status = this.#pointer.load(command, at, page.length, true, commandInCmb, false);
    return status === STATUS.SUCCESS ? this.#transfer.fromBytes(page, this.#pointer.list) : status;
  }
}
