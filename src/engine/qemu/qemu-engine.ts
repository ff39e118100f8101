/**
 * QEMU as an engine. There is no guest: the virtual CPU never runs, and this program is the machine's only software. It
 * enumerates and programs the machine as firmware would, turns the IOMMU on as an operating system would, and is then what
 * the RegisterEngine contract asks for: accesses that take effect in order.
 */

import type { PhysAddr } from '../../core/address.ts';
import { assert } from '../../core/assert.ts';
import type { Word64 } from '../../core/word64.ts';
import type { Machine } from '../../machine/machine.ts';
import { tarOf } from '../../machine/read/live/write-archive.ts';
import { type Bdf, bdfKey } from '../../pcie/bdf.ts';
import type { AccessSize, Answer, Capability, EngineFault, RegisterEngine } from '../register.ts';
import type { BackingFile } from './backing-file.ts';
import { formatVersion, type QemuVersion } from './binary.ts';
import { type QemuEngineOptions, type StartedMachine, setAcs, startMachine } from './boot.ts';
import { type CaptureFacts, capturedEntries, machineOf } from './captured.ts';
import type { QemuPart } from './command-line.ts';
import { crossCheck } from './cross-check.ts';
import { DecodeMap } from './decode-map.ts';
import type { FoundFunction } from './enumerate.ts';
import type { QemuEnvelope } from './envelope.ts';
import { QemuError } from './errors.ts';
import type { GuestMemory } from './guest-memory.ts';
import { QEMU_CPUS } from './machine-description.ts';
import type { QmpLink } from './qmp.ts';
import type { QtestLink } from './qtest.ts';
import { unplug } from './unplug.ts';
import type { QemuIommuContext, VtdUnit } from './vtd.ts';

/** Waits below this are slept through where they stand: the event loop has no finer clock. */
const SLEEP_IN_PLACE_NS = 1e6;
const ALL_ONES = 0xffffffff;

export class QemuEngine implements RegisterEngine {
  readonly kind = 'qemu';
  readonly name: string;
  readonly version: QemuVersion;
  readonly envelope: QemuEnvelope;
  /** What to know of this QEMU, for the report. */
  readonly notes: readonly string[];
  /** The functions found, in the order of enumeration. */
  readonly functions: readonly FoundFunction[];
  readonly memory: GuestMemory;
  /** Null where the machine has none. */
  readonly iommu: VtdUnit | null;
  readonly qmp: QmpLink;
  readonly qtest: QtestLink;
  readonly #parts: StartedMachine;
  readonly #decoders: DecodeMap;
  readonly #contexts = new Map<number, QemuIommuContext>();
  readonly #startedNs: bigint = process.hrtime.bigint();
  readonly #sleep = new Int32Array(new SharedArrayBuffer(4));
  #isClosed = false;

  private constructor(parts: StartedMachine) {
    this.#parts = parts;
    this.name = `qemu ${formatVersion(parts.version)}`;
    this.version = parts.version;
    this.envelope = parts.envelope;
    this.notes = parts.notes;
    this.functions = parts.functions;
    this.memory = parts.memory;
    this.iommu = parts.iommu;
    this.qmp = parts.qmp;
    this.qtest = parts.link;
    this.#decoders = new DecodeMap(parts.link, parts.functions);
  }

  /**
   * Starts QEMU with the machine described and sets it up: see `startMachine`. Throws `QemuError`; nothing is left behind then.
   */
  static async start(options: QemuEngineOptions): Promise<QemuEngine> {
    return new QemuEngine(await startMachine(options));
  }

  get nowNs(): number {
    return Number(process.hrtime.bigint() - this.#startedNs);
  }

  /** Process number of QEMU. */
  get pid(): number {
    return this.#parts.process.pid;
  }

  /** What QEMU complained of so far. */
  get stderr(): string {
    return this.#parts.process.stderr;
  }

  /** The function of a named part of the description. Throws `QEMU_NAME`. */
  locate(name: string): Bdf {
    const part = this.#part(name);
    return this.#parts.places.get(part.id) as Bdf;
  }

  #part(name: string): QemuPart {
    const part = this.#parts.named.find((one) => one.name === name);
    if (part !== undefined) return part;
    throw new QemuError({
      code: 'QEMU_NAME',
      path: name,
      message: 'is the name of no part of this machine',
      hint: `names are: ${this.#parts.named.flatMap((one) => one.name ?? []).join(', ')}`,
    });
  }

  readConfig(fn: Bdf, offset: number, size: AccessSize): Promise<number> {
    return this.#parts.config.read(fn, offset, size);
  }

  writeConfig(fn: Bdf, offset: number, size: AccessSize, value: number): Promise<void> {
    this.#decoders.forget();
    this.iommu?.sync();
    return this.#parts.config.write(fn, offset, size, value);
  }

  async read32(address: PhysAddr): Promise<number> {
    const value = await this.#parts.link.read(address, 4);
    return value === 0 && (await this.#isNowhere(address, 4)) ? ALL_ONES : value;
  }

  write32(address: PhysAddr, value: number): Promise<void> {
    this.iommu?.sync();
    return this.#parts.link.write(address, 4, value >>> 0);
  }

  async read64(address: PhysAddr): Promise<Word64> {
    const value = await this.#parts.link.read64(address);
    if (value.high !== 0 || value.low !== 0 || !(await this.#isNowhere(address, 8))) return value;
    return { high: ALL_ONES, low: ALL_ONES };
  }

  write64(address: PhysAddr, value: Word64): Promise<void> {
    this.iommu?.sync();
    return this.#parts.link.write64(address, value);
  }

  readMemory(address: PhysAddr, into: Uint8Array): Answer<void> {
    if (this.memory.holds(address, into.length)) return this.memory.read(address, into);
    return this.#readDevice(address, into);
  }

  async #readDevice(address: PhysAddr, into: Uint8Array): Promise<void> {
    await this.#parts.link.readBlock(address, into);
    if (into.every((byte) => byte === 0) && (await this.#isNowhere(address, into.length))) into.fill(0xff);
  }

  writeMemory(address: PhysAddr, from: Uint8Array): Answer<void> {
    if (this.memory.holds(address, from.length)) return this.memory.write(address, from);
    this.iommu?.sync();
    return this.#parts.link.writeBlock(address, from);
  }

  async #isNowhere(address: PhysAddr, length: number): Promise<boolean> {
    return !this.memory.holds(address, length) && !(await this.#decoders.covers(address, length));
  }

  /**
   * QEMU works by itself and does not tell when it is done: this waits, and says that nothing is known to have been done. Faults
   * of the IOMMU are collected on the way, since hardware keeps only one.
   */
  run(maxNs: number): Answer<boolean> {
    if (this.iommu !== null) return this.iommu.harvest().then(() => this.#wait(maxNs));
    return this.#wait(maxNs);
  }

  #wait(maxNs: number): Answer<boolean> {
    if (maxNs < SLEEP_IN_PLACE_NS && this.#parts.link.outstanding === 0) {
      Atomics.wait(this.#sleep, 0, 0, maxNs / 1e6);
      return false;
    }
    return new Promise((resolve) => setTimeout(() => resolve(false), maxNs / 1e6));
  }

  async takeFaults(): Promise<readonly EngineFault[]> {
    if (this.iommu === null) return [];
    await this.iommu.harvest();
    return this.iommu.takeFaults();
  }

  /** Says how the DMA of a function is treated from now on. The machine must have an IOMMU. */
  attachIommu(fn: Bdf, context: QemuIommuContext): void {
    assert(this.iommu !== null, 'the machine has an IOMMU');
    this.#contexts.set(bdfKey(fn), context);
    this.iommu.attach(fn, context);
  }

  /** Sets the ACS controls of a function, of those that it has. False where it has no ACS capability. */
  setAcs(fn: Bdf, control: number): Promise<boolean> {
    return setAcs(this.#parts.config, fn, control);
  }

  capabilities(): readonly Capability[] {
    return [
      { what: 'registers', shown: true, reason: 'controller and ports were written by others' },
      { what: 'data', shown: true, reason: 'bytes are compared where they lie, whatever the status says' },
      this.iommu === null
        ? { what: 'translation', shown: false, reason: 'this machine has no IOMMU' }
        : { what: 'translation', shown: true, reason: 'VT-d walks our page tables in its own memory' },
      { what: 'loss', shown: true, reason: 'QEMU loses data with status 0: only the comparison of bytes shows it' },
      { what: 'routing', shown: false, reason: 'QEMU sends every peer transaction through the root complex' },
      {
        what: 'acs',
        shown: false,
        reason: 'QEMU shows ACS on root ports and enforces it nowhere; its switches have none',
      },
    ];
  }

  /** Bytes of a controller's medium, past the controller: what really was written. */
  readMedium(name: string, offset: number, into: Uint8Array): void {
    this.#medium(name).read(offset, into);
  }

  /** Puts bytes on a controller's medium, past the controller. */
  writeMedium(name: string, offset: number, from: Uint8Array): void {
    this.#medium(name).write(offset, from);
  }

  #medium(name: string): BackingFile {
    const { id, kind } = this.#part(name);
    const file = this.#parts.media.get(`${id}${kind === 'memory' ? 'm' : 'd'}`);
    if (file !== undefined) return file;
    throw new QemuError({
      code: 'QEMU_NAME',
      path: name,
      message: 'has no medium',
      hint: 'name a controller or a memory',
    });
  }

  /** The machine as it is now: configuration spaces dumped, sizes as they were found. */
  async machine(source: string = this.name): Promise<Machine> {
    return machineOf(await this.#captureFacts(null), source);
  }

  /**
   * The machine as the bytes of a tar archive, which every command reads. `kernel`: the release by whose rules it is to be judged;
   * left out, the capture has none.
   */
  async captureTar(kernel: string | null = null): Promise<Uint8Array> {
    return tarOf(capturedEntries(await this.#captureFacts(kernel)));
  }

  async #captureFacts(kernel: string | null): Promise<CaptureFacts> {
    const { functions, placement, config, description, memory } = this.#parts;
    const configs = await Promise.all(functions.map(({ bdf }) => config.dump(bdf)));
    const bypassed = new Set(description.rootBuses.filter((root) => root.bypassIommu).map((root) => root.bus));
    return {
      functions,
      placement,
      configs,
      ram: memory.usable,
      reserved: memory.reserved,
      cpu: QEMU_CPUS[description.cpu ?? 'qemu64'],
      kernel,
      groupTypes: functions.map(({ bdf, rootBus }) => {
        if (this.iommu === null || bypassed.has(rootBus)) return null;
        return this.#contexts.get(bdfKey(bdf)) === 'passthrough' ? 'identity' : 'DMA';
      }),
    };
  }

  /** How our enumeration and QEMU's own account differ, a sentence each; empty where they agree. */
  crossCheck(): Promise<string[]> {
    return crossCheck(this.qmp, this.functions, this.#parts.placement);
  }

  /** Takes a named part out of its slot, as a hand would, and waits until QEMU says that it is gone. */
  async unplug(name: string): Promise<void> {
    const part = this.#part(name);
    const fn = this.functions.find(({ bdf }) => bdfKey(bdf) === bdfKey(this.locate(name)));
    const port = this.functions[fn?.parent ?? -1];
    if (port === undefined) {
      throw new QemuError({
        code: 'QEMU_NAME',
        path: name,
        message: 'stands on a root bus, in no slot',
        hint: 'put it below a port',
      });
    }
    await unplug(this.qmp, this.#parts.config, part.id, port.bdf);
    this.#decoders.forget();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#parts.process.stop();
    for (const file of this.#parts.files) file.close();
  }
}
