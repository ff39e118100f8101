/**
 * Whether a QEMU keeps to its envelope, as far as its controllers show it without a namespace, in a few milliseconds at every
 * start: what registers of the controller memory buffer say, when its base address takes effect, and how data in the buffer and
 * elsewhere is answered. The commands are Identify, by an admin queue that is gone afterwards; the controller is as it was.
 *
 * The other rules need reads and writes of a namespace, and breaking them may hang a controller for good: pieces into device memory
 * (`mmioGranuleBytes`), SGL segments that chain (`sglSegments`), lists that name the own buffer (`ownSglLists`). Those are held by
 * `npm run qemu:soak` and by the tests, tests/qemu/envelope.test.ts, on the QEMU that is installed.
 */

import { addBytes, type PhysAddr, physAddr, wordsOf } from '../../core/address.ts';
import { hex } from '../../core/hex.ts';
import type { BackingFile } from './backing-file.ts';
import { formatVersion, type QemuVersion } from './binary.ts';
import type { FoundFunction } from './enumerate.ts';
import type { QemuEnvelope } from './envelope.ts';
import { QemuError } from './errors.ts';
import {
  CAP_HIGH_CMBS,
  CC_ENABLED,
  CMBMSC_CMSE,
  CMBMSC_CRE,
  COMPLETION_BYTES,
  CSTS_READY,
  completionOf,
  IDENTIFY_BYTES,
  identifyEntry,
  NVME,
} from './nvme-registers.ts';
import type { QtestLink } from './qtest.ts';
import type { Placement } from './resources.ts';

/** What a controller was seen to do. */
export interface EnvelopeObservation {
  /** CMBLOC once CMBMSC.CRE is set. */
  readonly cmbloc: number;
  /** Written high half first, the buffer answers at the whole base. */
  readonly highFirstTakesWhole: boolean;
  /** Written low half first, it answers at the low 32 bits of the base. */
  readonly lowFirstTakesLow: boolean;
  /** Status of a command with data in RAM and in the buffer; null where it was not completed. */
  readonly mixedStatus: number | null;
}

/** A rule of the envelope that a QEMU does not keep. */
export interface EnvelopeDifference {
  /** Field of `QemuEnvelope`. */
  readonly rule: 'cmbloc' | 'cmbmscHighFirst' | 'cmbmscLatchesLow' | 'mixedStatus';
  readonly expected: string;
  readonly seen: string;
  /** Data would be lost without a word. Else the engine is stricter than it would have to be. */
  readonly losesData: boolean;
}

/** Where an observation and a row part; empty where the QEMU is as its row says. */
export function envelopeDifferences(seen: EnvelopeObservation, envelope: QemuEnvelope): EnvelopeDifference[] {
  const differences: EnvelopeDifference[] = [];
  const differs = (rule: EnvelopeDifference['rule'], expected: string, was: string, losesData = false): void => {
    if (expected !== was) differences.push({ rule, expected, seen: was, losesData });
  };
  differs('cmbloc', `CMBLOC ${hex(envelope.cmbloc)}`, `CMBLOC ${hex(seen.cmbloc)}`);
  const high = (isWhole: boolean): string => `the buffer ${isWhole ? 'answers' : 'does not answer'} at the base`;
  differs('cmbmscHighFirst', high(envelope.cmbmscHighFirst), high(seen.highFirstTakesWhole), true);
  const low = (isLow: boolean): string => `the buffer ${isLow ? 'answers' : 'does not answer'} at its low 32 bits`;
  differs('cmbmscLatchesLow', low(envelope.cmbmscLatchesLow), low(seen.lowFirstTakesLow));
  const status = (value: number | null): string => (value === null ? 'no completion' : `status ${hex(value)}`);
  // What never completes is worse than any answer.
  differs('mixedStatus', status(envelope.mixedStatus), status(seen.mixedStatus), seen.mixedStatus === null);
  return differences;
}

/** The differences as notes for the report. Throws `QEMU_ENVELOPE` where one of them loses data without a word. */
export function judgeEnvelope(differences: readonly EnvelopeDifference[], version: QemuVersion): string[] {
  const lost = differences.find(({ losesData }) => losesData);
  if (lost === undefined) {
    return differences.map(
      ({ rule, expected, seen }) =>
        `QEMU ${formatVersion(version)} departs from rule ${rule} of its envelope: ${seen}, where ${expected} was measured; npm run qemu:soak measures the others`,
    );
  }
  throw new QemuError({
    code: 'QEMU_ENVELOPE',
    path: 'qemu',
    message: `QEMU ${formatVersion(version)} breaks rule ${lost.rule} of its envelope: ${lost.seen}, where ${lost.expected} was measured`,
    hint: 'use a release that was tested, 7.2; or measure this one (npm run qemu:soak) and give it a row of its own',
  });
}

/** Pages of RAM that nobody uses yet: submission queue, completion queue, data. */
const PAGES = 0x200000;
const PAGE = 4096;
const QUEUE_ENTRIES = 8;
/** Above all RAM and all BARs (resources.ts), and with low 32 bits where nothing lies either. */
const BASE = 0x40_a000_0000;
const TIMEOUT_NS = 2_000_000_000n;

/**
 * Watches the first controller that has a buffer of the 1.4 kind; null where the machine has none, and nothing depends on its
 * rules. To be called before the IOMMU is on. RAM, buffer and registers are as they were afterwards.
 */
export async function observeEnvelope(
  link: QtestLink,
  ram: BackingFile,
  functions: readonly FoundFunction[],
  placement: Placement,
): Promise<EnvelopeObservation | null> {
  for (const [index, fn] of functions.entries()) {
    if (fn.classCode !== CLASS_NVM_EXPRESS_IO) continue;
    const place = (bar: number): number | undefined =>
      placement.bars.find((one) => one.fn === index && one.index === bar)?.address;
    const [registers, buffer] = [place(0), place(2)];
    if (registers === undefined || buffer === undefined) continue;
    const probe = new Probe(link, ram, physAddr(registers), physAddr(buffer), fn.vendorId);
    const seen = await probe.observe();
    if (seen !== null) return seen;
  }
  return null;
}

const CLASS_NVM_EXPRESS_IO = 0x010802;

class Probe {
  readonly #link: QtestLink;
  readonly #ram: BackingFile;
  readonly #registers: PhysAddr;
  readonly #buffer: PhysAddr;
  readonly #vendorId: number;
  #commands = 0;

  constructor(link: QtestLink, ram: BackingFile, registers: PhysAddr, buffer: PhysAddr, vendorId: number) {
    this.#link = link;
    this.#ram = ram;
    this.#registers = registers;
    this.#buffer = buffer;
    this.#vendorId = vendorId;
  }

  async observe(): Promise<EnvelopeObservation | null> {
    const [capability, before] = await Promise.all([this.#get(NVME.CAP_HIGH), this.#get(NVME.CMBLOC)]);
    // A buffer of the kind before 1.4 is on already (QEMU sets CMBS for that too), and has no base address.
    if ((capability & CAP_HIGH_CMBS) === 0 || before !== 0) return null;
    this.#base(CMBMSC_CRE, 'highFirst');
    const cmbloc = await this.#get(NVME.CMBLOC);
    await this.#enable();
    this.#base(BASE + CMBMSC_CRE + CMBMSC_CMSE, 'highFirst');
    const highFirstTakesWhole = await this.#answersAt(BASE);
    const mixedStatus = await this.#identify(PAGES + 2 * PAGE + PAGE / 2, BASE);
    this.#base(0, 'highFirst');
    this.#base(BASE + CMBMSC_CRE + CMBMSC_CMSE, 'lowFirst');
    const lowFirstTakesLow = await this.#answersAt(wordsOf(BASE).low);
    await this.#leave();
    return { cmbloc, highFirstTakesWhole, lowFirstTakesLow, mixedStatus };
  }

  #get(offset: number): Promise<number> {
    return this.#link.read(addBytes(this.#registers, offset), 4);
  }

  /** Writes a register; what fails is told by the read that follows. */
  #put(offset: number, value: number): void {
    this.#link.write(addBytes(this.#registers, offset), 4, value >>> 0).catch(() => undefined);
  }

  #base(value: number, order: 'highFirst' | 'lowFirst'): void {
    const { high, low } = wordsOf(value);
    const halves = [
      [NVME.CMBMSC + 4, high],
      [NVME.CMBMSC, low],
    ] as const;
    for (const [offset, word] of order === 'highFirst' ? halves : halves.toReversed()) this.#put(offset, word);
  }

  async #enable(): Promise<void> {
    this.#put(NVME.AQA, (QUEUE_ENTRIES - 1) * 0x10001);
    this.#put(NVME.ASQ, PAGES);
    this.#put(NVME.ASQ + 4, 0);
    this.#put(NVME.ACQ, PAGES + PAGE);
    this.#put(NVME.ACQ + 4, 0);
    this.#put(NVME.CC, CC_ENABLED);
    const isReady = await this.#until(async () => ((await this.#get(NVME.CSTS)) & CSTS_READY) !== 0);
    if (!isReady) throw tooSlow('a controller did not become ready');
  }

  /** Whether the buffer takes what the controller writes to `address`: its own identity, whose first word is the vendor. */
  async #answersAt(address: number): Promise<boolean> {
    await this.#link.write(this.#buffer, 4, 0);
    if ((await this.#identify(address, 0)) === null) throw tooSlow('an Identify was not completed');
    return ((await this.#link.read(this.#buffer, 4)) & 0xffff) === this.#vendorId;
  }

  /** Status of one Identify, or null where it is not completed in time. */
  async #identify(prp1: number, prp2: number): Promise<number | null> {
    const slot = this.#commands++;
    this.#ram.write(PAGES + slot * 64, identifyEntry(slot, prp1, prp2));
    this.#put(NVME.ADMIN_TAIL, this.#commands);
    const last = physAddr(PAGES + PAGE + slot * COMPLETION_BYTES + 12);
    let status: number | null = null;
    await this.#until(async () => {
      const completion = completionOf(await this.#link.read(last, 4));
      if (completion.phase === 1) status = completion.status;
      return completion.phase === 1;
    });
    return status;
  }

  async #leave(): Promise<void> {
    this.#put(NVME.CC, 0);
    await this.#until(async () => ((await this.#get(NVME.CSTS)) & CSTS_READY) === 0);
    this.#base(0, 'highFirst');
    for (const offset of [NVME.AQA, NVME.ASQ, NVME.ACQ]) this.#put(offset, 0);
    await this.#link.writeBlock(this.#buffer, new Uint8Array(IDENTIFY_BYTES));
    this.#ram.write(PAGES, new Uint8Array(3 * PAGE));
  }

  /** Asks until it holds, two seconds at most. Returns whether it did. */
  async #until(holds: () => Promise<boolean>): Promise<boolean> {
    const end = process.hrtime.bigint() + TIMEOUT_NS;
    for (;;) {
      if (await holds()) return true;
      if (process.hrtime.bigint() >= end) return false;
    }
  }
}

/** What did not happen in time tells nothing of rules: this computer may be busy. */
function tooSlow(what: string): QemuError {
  return new QemuError({
    code: 'QEMU_TIMEOUT',
    path: 'qemu',
    message: `${what} in two seconds, so the envelope of this QEMU cannot be checked`,
    hint: 'try again when this computer has less to do; if it stays so, this QEMU is broken',
  });
}
