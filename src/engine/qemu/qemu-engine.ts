/**
 * QEMU as an engine. There is no guest: the virtual CPU never runs, and this program is the machine's only software. It
 * enumerates and programs the machine as firmware would, turns the IOMMU on as an operating system would, and is then what
 * the Engine contract asks for: accesses that take effect in order.
 */

import type { PhysAddr, Word64 } from '../../core/index.ts';
import { assert } from '../../core/index.ts';
import type { Machine } from '../../machine/index.ts';
import { tarOf } from '../../machine/read/live/write-archive.ts';
import { type Bdf, bdfKey, ConfigSpace, EXT_CAP_ACS, findExtendedCapability } from '../../pcie/index.ts';
import type { AccessSize, Answer, Capability, Engine, EngineFault } from '../contract.ts';
import { BackingFile, folderWithRoom } from './backing-file.ts';
import { findQemu, formatVersion, type QemuVersion } from './binary.ts';
import { type CaptureFacts, capturedEntries, machineOf } from './captured.ts';
import { type BackingWords, commandLine, type QemuPart } from './command-line.ts';
import { ConfigAccess, openEcam } from './config-access.ts';
import { crossCheck } from './cross-check.ts';
import { DecodeMap } from './decode-map.ts';
import { enumerate, type FoundFunction } from './enumerate.ts';
import { envelopeOf, type QemuEnvelope, versionNotes } from './envelope.ts';
import { QemuError } from './errors.ts';
import { GuestMemory } from './guest-memory.ts';
import { QEMU_CPUS, type QemuMachineDescription } from './machine-description.ts';
import { FIRST_BACKING_DESCRIPTOR, QemuProcess } from './process.ts';
import { QmpLink } from './qmp.ts';
import { QtestLink } from './qtest.ts';
import { type Placement, placeResources, programResources } from './resources.ts';
import { selfTest } from './self-test.ts';
import { unplug } from './unplug.ts';
import { type QemuIommuContext, VtdUnit } from './vtd.ts';

export interface QemuEngineOptions {
  readonly machine: QemuMachineDescription;
  /** Path of the program; left out, it is looked for on the PATH. */
  readonly binary?: string;
  /** Folder for the files that hold RAM and media, which have no names there; left out, one with room is taken. */
  readonly folder?: string;
  /** A QEMU that does not answer for this long is killed. Default 10 s. */
  readonly timeoutMs?: number;
}

/** Arguments before the machine's own. The CPU is stopped (-S) and never run. */
const BASE_ARGUMENTS: readonly string[] = [
  '-S',
  '-nodefaults',
  '-no-user-config',
  '-display',
  'none',
  '-monitor',
  'none',
  '-accel',
  'tcg,tb-size=1',
  // Slots are powered by their own registers, not by ACPI, which has nobody to run it.
  '-global',
  'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off',
];

/** Backing files are opened through the descriptors that QEMU inherits, in the order in which they were asked for. */
const INHERITED: BackingWords = {
  memory: (_, index) => `memory-backend-file,share=on,mem-path=${inherited(index)}`,
  drive: (_, index) => `format=raw,cache=unsafe,file.locking=off,file=${inherited(index)}`,
};

function inherited(index: number): string {
  return `/proc/self/fd/${FIRST_BACKING_DESCRIPTOR + index}`;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Waits below this are slept through where they stand: the event loop has no finer clock. */
const SLEEP_IN_PLACE_NS = 1e6;
const ALL_ONES = 0xffffffff;
/** Offset of the control register in the ACS capability. */
const ACS_CONTROL = 6;

/** Everything that `start` made. */
interface Parts {
  readonly process: QemuProcess;
  readonly link: QtestLink;
  readonly qmp: QmpLink;
  readonly version: QemuVersion;
  readonly description: QemuMachineDescription;
  readonly named: readonly QemuPart[];
  readonly media: ReadonlyMap<string, BackingFile>;
  readonly files: readonly BackingFile[];
  readonly memory: GuestMemory;
  readonly config: ConfigAccess;
  readonly functions: readonly FoundFunction[];
  readonly placement: Placement;
  readonly iommu: VtdUnit | null;
}

export class QemuEngine implements Engine {
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
  readonly #parts: Parts;
  readonly #decoders: DecodeMap;
  readonly #contexts = new Map<number, QemuIommuContext>();
  readonly #startedNs: bigint = process.hrtime.bigint();
  readonly #sleep = new Int32Array(new SharedArrayBuffer(4));
  readonly #bdfOf = new Map<string, Bdf>();
  #isClosed = false;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.name = `qemu ${formatVersion(parts.version)}`;
    this.version = parts.version;
    this.envelope = envelopeOf(parts.version, 'qemu');
    this.notes = versionNotes(parts.version);
    this.functions = parts.functions;
    this.memory = parts.memory;
    this.iommu = parts.iommu;
    this.qmp = parts.qmp;
    this.qtest = parts.link;
    this.#decoders = new DecodeMap(parts.link, parts.functions);
    for (const part of parts.named) this.#bdfOf.set(part.id, bdfByRoute(parts.functions, part));
  }

  /**
   * Starts QEMU with the machine described, enumerates it, assigns BARs and windows, enables decoding and bus mastering, turns
   * the IOMMU on where there is one (all functions blocked), and tests what the engine relies on. Throws `QemuError`; nothing is
   * left behind then.
   */
  static async start(options: QemuEngineOptions): Promise<QemuEngine> {
    const binary = findQemu(options.binary);
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const line = commandLine(options.machine, INHERITED);
    const total = line.backing.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    const folder = folderWithRoom(total, options.folder);
    const files: BackingFile[] = [];
    let running: QemuProcess | null = null;
    try {
      for (const { lengthBytes } of line.backing) files.push(BackingFile.create(folder, lengthBytes));
      const args = [...BASE_ARGUMENTS, ...line.options.flat()];
      running = new QemuProcess(
        binary,
        args,
        files.map((file) => file.descriptor),
      );
      const media = new Map(line.backing.map((request, index) => [request.id, files[index] as BackingFile]));
      const booted = await boot(running, files[0] as BackingFile, options.machine, timeoutMs, binary);
      const engine = new QemuEngine({ ...booted, named: line.parts, media, files });
      for (const { id, acsControl } of line.parts) {
        if (acsControl !== 0) await engine.setAcs(engine.#bdfOf.get(id) as Bdf, acsControl);
      }
      return engine;
    } catch (error) {
      await running?.stop();
      for (const file of files) file.close();
      throw error;
    }
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
    return this.#bdfOf.get(part.id) as Bdf;
  }

  /** The function that stands at the end of a route: root bus, then device and function of each bridge on the way. */
  partBdf(id: string): Bdf | undefined {
    return this.#bdfOf.get(id);
  }

  /** The parts of the description in order, with their routes. */
  get parts(): readonly QemuPart[] {
    return this.#parts.named;
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
  async setAcs(fn: Bdf, control: number): Promise<boolean> {
    const { config } = this.#parts;
    const offset = findExtendedCapability(new ConfigSpace(await config.dump(fn)), EXT_CAP_ACS);
    if (offset === undefined || offset === 0) return false;
    await config.write(fn, offset + ACS_CONTROL, 2, control);
    return true;
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
    return machineOf(await this.#captureFacts(), source);
  }

  /** The machine as the bytes of a tar archive, which every command reads. */
  async captureTar(): Promise<Uint8Array> {
    return tarOf(capturedEntries(await this.#captureFacts()));
  }

  async #captureFacts(): Promise<CaptureFacts> {
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

/** From a process that was just started to a machine that is ready. */
async function boot(
  running: QemuProcess,
  ram: BackingFile,
  description: QemuMachineDescription,
  timeoutMs: number,
  binary: string,
): Promise<Omit<Parts, 'named' | 'media' | 'files'>> {
  const link = new QtestLink(running, { timeoutMs });
  const qmp = new QmpLink(running);
  const [version] = await Promise.all([qmp.version(), link.command('endianness')]);
  running.answered();
  envelopeOf(version, binary);
  await openEcam(link);
  const config = new ConfigAccess(link);
  const memory = new GuestMemory(ram, link);
  await selfTest(link, config, ram);
  const functions = await enumerate(config, rootBusesOf(description));
  const placement = placeResources(functions);
  await programResources(config, functions, placement);
  const { iommuLevels } = description;
  const iommu = iommuLevels === undefined ? null : await VtdUnit.bringUp(link, memory, iommuLevels);
  return { process: running, link, qmp, version, description, memory, config, functions, placement, iommu };
}

function rootBusesOf(description: QemuMachineDescription): number[] {
  return description.rootBuses.map(({ bus }) => bus).sort((a, b) => a - b);
}

/** Follows the route of a part through the functions that were found. */
function bdfByRoute(functions: readonly FoundFunction[], part: QemuPart): Bdf {
  let bus = part.rootBus;
  let bdf: Bdf | null = null;
  for (const place of part.route) {
    const found = functions.find(
      (fn) => fn.bdf.bus === bus && fn.bdf.device === place.device && fn.bdf.function === place.function,
    );
    assert(found !== undefined, `part ${part.id} was enumerated on bus ${bus}, device ${place.device}`);
    bdf = found.bdf;
    bus = found.secondaryBus;
  }
  assert(bdf !== null, `part ${part.id} has a place`);
  return bdf;
}
