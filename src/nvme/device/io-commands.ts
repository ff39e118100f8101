/** Commands of the NVM command set: read, write, flush. NVM Express Base Specification 1.4, chapter 6. */

import { getU16, getU32, getU64 } from '../spec/bytes.ts';
import { NSID_ALL, NVM, SQE } from '../spec/command.ts';
import { STATUS } from '../spec/status.ts';
import type { DataPointer } from './data-pointer.ts';
import type { ControllerProfile } from './options.ts';
import type { Transfer } from './transfer.ts';

export class IoCommands {
  readonly #profile: ControllerProfile;
  readonly #pointer: DataPointer;
  readonly #transfer: Transfer;

  constructor(profile: ControllerProfile, pointer: DataPointer, transfer: Transfer) {
    this.#profile = profile;
    this.#pointer = pointer;
    this.#transfer = transfer;
  }

  /** Executes the command at `at`. Returns a status code. */
  execute(command: Uint8Array, at: number, commandInCmb: boolean): number {
    const opcode = command[at + SQE.OPC];
    if (opcode === NVM.READ || opcode === NVM.WRITE) return this.#move(command, at, commandInCmb, opcode === NVM.READ);
    if (opcode === NVM.FLUSH) return this.#flush(getU32(command, at + SQE.NSID));
    return STATUS.INVALID_OPCODE;
  }

  #move(command: Uint8Array, at: number, commandInCmb: boolean, toHost: boolean): number {
    const namespace = this.#profile.namespaces[getU32(command, at + SQE.NSID) - 1];
    if (namespace === undefined) return STATUS.INVALID_NAMESPACE;
    const firstBlock = getU64(command, at + SQE.CDW10);
    // NLB, CDW12 bits 15:0, is 0's based.
    const blocks = getU16(command, at + SQE.CDW12) + 1;
    const lengthBytes = blocks * namespace.blockBytes;
    if (lengthBytes > this.#profile.maxTransferBytes) return STATUS.INVALID_FIELD;
    if (firstBlock + blocks > namespace.blocks) return STATUS.LBA_OUT_OF_RANGE;
    const status = this.#pointer.load(command, at, lengthBytes, toHost, commandInCmb, true);
    if (status !== STATUS.SUCCESS) return status;
    const offset = firstBlock * namespace.blockBytes;
    return toHost
      ? this.#transfer.fromStore(namespace.store, offset, this.#pointer.list)
      : this.#transfer.toStore(namespace.store, offset, this.#pointer.list);
  }

  #flush(nsid: number): number {
    const { namespaces } = this.#profile;
    if (nsid !== NSID_ALL && namespaces[nsid - 1] === undefined) return STATUS.INVALID_NAMESPACE;
    const flushed = nsid === NSID_ALL ? namespaces : namespaces.slice(nsid - 1, nsid);
    return flushed.every((namespace) => namespace.store.flush() === 'ok') ? STATUS.SUCCESS : STATUS.WRITE_FAULT;
  }
}
