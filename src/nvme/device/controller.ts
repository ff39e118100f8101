/**
 * A simulated NVMe controller. NVM Express Base Specification 1.4.
 *
 * It is driven as hardware is: registers and doorbells through `readBar`/`writeBar`, commands and data through memory. A
 * doorbell only notes that there is work; `work` does it. So nothing runs behind the back of whoever holds the clock, and a
 * transfer that lands on the controller's own doorbell cannot call it from within itself.
 *
 * Interrupts, metadata, the Persistent Memory Region (CAP.PMRS = 0) and fused commands are not modelled, nor the time that a
 * medium takes: no rule needs them yet.
 */

import type { Clock } from '../../core/clock.ts';
import type { BarTarget } from '../../fabric/live-function.ts';
import { getU32, putU32 } from '../spec/bytes.ts';
import { getField, withField } from '../spec/field.ts';
import { AQA, CAP, CC, CSTS, DOORBELLS, REGISTERS } from '../spec/registers.ts';
import { Cmb } from './cmb.ts';
import { CommandProcessor } from './command-processor.ts';
import { ControllerRegisters } from './controller-registers.ts';
import { DataPath } from './data-path.ts';
import { NvmeDeviceError } from './errors.ts';
import { type ControllerProfile, type NvmeControllerOptions, resolveProfile } from './options.ts';

/** A BAR that the function must have. */
export interface ControllerBar {
  readonly index: number;
  /** A power of two. */
  readonly sizeBytes: number;
  readonly prefetchable: boolean;
  /** Takes the next index as well. */
  readonly is64Bit: boolean;
}

/** CSTS.SHST: shutdown complete. */
const SHUTDOWN_COMPLETE = 2;

export class NvmeController {
  /** Doorbell writes that named no queue, or a value that the queue cannot have. */
  invalidDoorbells = 0;
  /** Register accesses that are no aligned dwords: reads give 0, writes do nothing. */
  invalidAccesses = 0;
  readonly #clock: Clock;
  readonly #profile: ControllerProfile;
  readonly #cmb: Cmb | null;
  readonly #registers: ControllerRegisters;
  readonly #processor: CommandProcessor;
  #configurationIsValid = true;
  #readyAtNs = 0;
  #isShutDown = false;
  #isWorking = false;

  /** Throws `NvmeDeviceError` for a description that no controller can have. */
  constructor(options: NvmeControllerOptions) {
    this.#clock = options.clock;
    this.#profile = resolveProfile(options);
    this.#cmb = options.cmb === undefined ? null : new Cmb(options.cmb, options.bars);
    this.#registers = new ControllerRegisters(this.#profile, this.#cmb);
    this.#processor = new CommandProcessor(this.#profile, new DataPath(options.upstream, this.#cmb));
    if (this.#cmb !== null && this.#cmb.bar === 0 && this.#cmb.offsetBytes < this.#registerBytes) {
      throw new NvmeDeviceError({
        code: 'NVME_CMB_GEOMETRY',
        path: 'cmb.offsetBytes',
        message: `the buffer begins at ${this.#cmb.offsetBytes} in BAR 0, whose first ${this.#registerBytes} bytes are registers`,
        hint: 'move it behind the doorbells, or to another BAR',
      });
    }
  }

  /** Bytes of BAR 0 that are registers and doorbells. */
  get #registerBytes(): number {
    return DOORBELLS + 2 * (this.#profile.ioQueuePairs + 1) * this.#strideBytes;
  }

  get #strideBytes(): number {
    return 4 << this.#profile.doorbellStride;
  }

  /** The memory BARs that the function needs. */
  get bars(): readonly ControllerBar[] {
    const cmb = this.#cmb;
    const cmbEnd = cmb === null ? 0 : cmb.offsetBytes + cmb.sizeBytes;
    const bar0 = Math.max(this.#registerBytes, 16384, cmb?.bar === 0 ? cmbEnd : 0);
    const bars: ControllerBar[] = [{ index: 0, sizeBytes: powerOfTwo(bar0), prefetchable: false, is64Bit: true }];
    if (cmb !== null && cmb.bar !== 0) {
      bars.push({ index: cmb.bar, sizeBytes: powerOfTwo(cmbEnd), prefetchable: true, is64Bit: cmb.bar !== 5 });
    }
    return bars;
  }

  /** Commands executed since the controller was made, admin included. */
  get commandCount(): number {
    return this.#processor.commandCount;
  }

  /** Whether `work` would find something to do. */
  get hasWork(): boolean {
    return this.#mayWork && this.#processor.hasWork;
  }

  /** Fills `into` from `offset` of a BAR. What lies in no register and in no CMB reads 0. */
  readBar(bar: number, offset: number, into: Uint8Array): void {
    into.fill(0);
    const part = this.#cmbPart(bar, offset, into.length);
    if (part !== null) this.#cmb?.memory.read(part.cmbOffset, into.subarray(part.from, part.to));
    else if (this.#isRegisterAccess(bar, offset, into.length)) {
      for (let at = 0; at < into.length; at += 4) putU32(into, at, this.readRegister(offset + at));
    }
  }

  /** Writes `from` at `offset` of a BAR, registers dword by dword in rising order. */
  writeBar(bar: number, offset: number, from: Uint8Array): void {
    const part = this.#cmbPart(bar, offset, from.length);
    if (part !== null) this.#cmb?.memory.write(part.cmbOffset, from.subarray(part.from, part.to));
    else if (this.#isRegisterAccess(bar, offset, from.length)) {
      for (let at = 0; at < from.length; at += 4) this.writeRegister(offset + at, getU32(from, at));
    }
  }

  /** A BAR as the fabric reaches it: registers one access at a time, the buffer in bulk. */
  barTarget(bar: number): BarTarget {
    return {
      read: (offset, into) => {
        this.readBar(bar, offset, into);
        return true;
      },
      write: (offset, from, start = 0, end = from.length) => {
        this.writeBar(bar, offset, from.subarray(start, end));
        return true;
      },
      bulkLength: (offset) => {
        const cmb = this.#cmb;
        if (cmb === null || cmb.bar !== bar || offset < cmb.offsetBytes) return 0;
        return Math.max(0, cmb.offsetBytes + cmb.sizeBytes - offset);
      },
    };
  }

  #isRegisterAccess(bar: number, offset: number, length: number): boolean {
    if (bar !== 0) return false;
    if (offset % 4 === 0 && length % 4 === 0) return true;
    this.invalidAccesses++;
    return false;
  }

  /** Which part of an access lies in the CMB: `from` to `to` of its bytes. */
  #cmbPart(bar: number, offset: number, length: number): { cmbOffset: number; from: number; to: number } | null {
    const cmb = this.#cmb;
    if (cmb === null || cmb.bar !== bar) return null;
    const start = Math.max(offset, cmb.offsetBytes);
    const end = Math.min(offset + length, cmb.offsetBytes + cmb.sizeBytes);
    if (start >= end) return null;
    return { cmbOffset: start - cmb.offsetBytes, from: start - offset, to: end - offset };
  }

  /** The 32-bit register at `offset` of BAR 0, a multiple of 4; a 64-bit one is read in two halves. Doorbells read 0. */
  readRegister(offset: number): number {
    return offset === REGISTERS.CSTS.offset ? this.#status() : this.#registers.read(offset);
  }

  #status(): number {
    let csts = withField(0, CSTS.RDY, Number(this.#isReady));
    csts = withField(csts, CSTS.CFS, Number(this.#processor.isFatal || !this.#configurationIsValid));
    return withField(csts, CSTS.SHST, this.#isShutDown ? SHUTDOWN_COMPLETE : 0);
  }

  /** Writes the 32-bit register or doorbell at `offset` of BAR 0, a multiple of 4. */
  writeRegister(offset: number, value: number): void {
    if (offset >= DOORBELLS) {
      this.#ringDoorbell((offset - DOORBELLS) / this.#strideBytes, value);
      return;
    }
    const before = this.#registers.read(REGISTERS.CC.offset);
    this.#registers.write(offset, value);
    if (offset === REGISTERS.CC.offset) this.#configure(before, this.#registers.read(offset));
  }

  /** Doorbells alternate: tail of queue 0, head of queue 0, tail of queue 1, .... */
  #ringDoorbell(index: number, value: number): void {
    const id = Math.floor(index / 2);
    const rung =
      Number.isInteger(index) &&
      (index % 2 === 0 ? this.#processor.setTail(id, value) : this.#processor.setHead(id, value));
    if (!rung) this.invalidDoorbells++;
  }

  /** Puts everything but the CMB's bytes back to power-on values: a function level or conventional reset. */
  reset(): void {
    this.#disable();
    this.#isShutDown = false;
    this.#registers.reset();
    this.#cmb?.reset();
  }

  /**
   * Executes waiting commands, taking turns between the queues, until none is left or `maxCommands` are done. Returns how many
   * it did. Called from within itself (by a transfer that comes back) it does nothing.
   */
  work(maxCommands: number = Number.POSITIVE_INFINITY): number {
    if (this.#isWorking || !this.#mayWork) return 0;
    this.#isWorking = true;
    try {
      // A legacy CMB is recognised where the BAR is now.
      this.#cmb?.refresh();
      return this.#processor.serve(maxCommands);
    } finally {
      this.#isWorking = false;
    }
  }

  /** CSTS.RDY: enabled, and the time to get ready has passed. */
  get #isReady(): boolean {
    return this.#processor.isStarted && this.#clock.nowNs >= this.#readyAtNs;
  }

  get #mayWork(): boolean {
    return this.#isReady && !this.#isShutDown;
  }

  /** Acts on a write to CC: enable, reset, shutdown. */
  #configure(before: number, after: number): void {
    const wasEnabled = getField(before, CC.EN) === 1;
    const isEnabled = getField(after, CC.EN) === 1;
    if (isEnabled && !wasEnabled) this.#enable(after);
    if (!isEnabled && wasEnabled) this.#disable();
    // Nothing is cached, so a shutdown is complete at once.
    this.#isShutDown = getField(after, CC.SHN) !== 0;
  }

  #enable(cc: number): void {
    const registers = this.#registers;
    const capHigh = registers.read(CAP.MPSMAX.offset);
    const mps = getField(cc, CC.MPS);
    this.#configurationIsValid =
      getField(cc, CC.CSS) === 0 &&
      getField(cc, CC.AMS) === 0 &&
      mps >= getField(capHigh, CAP.MPSMIN) &&
      mps <= getField(capHigh, CAP.MPSMAX);
    if (!this.#configurationIsValid) return;
    this.#cmb?.refresh();
    const aqa = registers.read(REGISTERS.AQA.offset);
    this.#processor.start(
      {
        submissionBase: registers.readLong(REGISTERS.ASQ.offset),
        submissionEntries: getField(aqa, AQA.ASQS) + 1,
        completionBase: registers.readLong(REGISTERS.ACQ.offset),
        completionEntries: getField(aqa, AQA.ACQS) + 1,
      },
      {
        pageBytes: 4096 * 2 ** mps,
        ioSubmissionShift: getField(cc, CC.IOSQES),
        ioCompletionShift: getField(cc, CC.IOCQES),
      },
    );
    this.#readyAtNs = this.#clock.nowNs + this.#profile.readyDelayNs;
  }

  /** A controller reset: queues and status go, AQA, ASQ, ACQ and CMBMSC stay. */
  #disable(): void {
    this.#processor.stop();
    this.#configurationIsValid = true;
  }
}

function powerOfTwo(atLeast: number): number {
  let size = 1;
  while (size < atLeast) size *= 2;
  return size;
}
