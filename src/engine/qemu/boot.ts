/**
 * From a description to a machine that is ready, as firmware and an operating system would get there:
 *
 * Step 1  files for RAM and media, the process, its first answers, its version
 * Step 2  configuration space through its window, and the self-test of what the engine relies on
 * Step 3  bus numbers, BARs, bridge windows; memory space and bus mastering on everywhere; a look whether the envelope holds
 * Step 4  the IOMMU on, every function blocked; ACS controls as described
 */

import { assert } from '../../core/assert.ts';
import type { Bdf } from '../../pcie/bdf.ts';
import { EXT_CAP_ACS, findExtendedCapability } from '../../pcie/capability.ts';
import { ConfigSpace } from '../../pcie/config-space.ts';
import { BackingFile, folderWithRoom } from './backing-file.ts';
import { findQemu, type QemuVersion } from './binary.ts';
import { type BackingWords, commandLine, type QemuPart } from './command-line.ts';
import { ConfigAccess, openEcam } from './config-access.ts';
import { enumerate, type FoundFunction } from './enumerate.ts';
import { envelopeOf, type QemuEnvelope, versionNotes } from './envelope.ts';
import { type EnvelopeDifference, envelopeDifferences, judgeEnvelope, observeEnvelope } from './envelope-check.ts';
import { GuestMemory } from './guest-memory.ts';
import type { QemuMachineDescription } from './machine-description.ts';
import { FIRST_BACKING_DESCRIPTOR, QemuProcess } from './process.ts';
import { QmpLink } from './qmp.ts';
import { QtestLink } from './qtest.ts';
import { type Placement, placeResources, programResources } from './resources.ts';
import { selfTest } from './self-test.ts';
import { VtdUnit } from './vtd.ts';

export interface QemuEngineOptions {
  readonly machine: QemuMachineDescription;
  /** Path of the program; left out, it is looked for on the PATH. */
  readonly binary?: string;
  /** Folder for the files that hold RAM and media, which have no names there; left out, one with room is taken. */
  readonly folder?: string;
  /** A QEMU that does not answer for this long is killed. Default 10 s. */
  readonly timeoutMs?: number;
  /** In place of the row of `ENVELOPES` for this release: for a QEMU that was measured, or built, by hand. */
  readonly envelope?: QemuEnvelope;
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
/** Offset of the control register in the ACS capability. */
const ACS_CONTROL = 6;

/** A machine that is ready, in its parts. */
export interface StartedMachine {
  readonly process: QemuProcess;
  readonly link: QtestLink;
  readonly qmp: QmpLink;
  readonly version: QemuVersion;
  readonly envelope: QemuEnvelope;
  /** What to know of this QEMU, for the report. */
  readonly notes: readonly string[];
  readonly description: QemuMachineDescription;
  /** Parts of the description, and where each was found, by its id. */
  readonly named: readonly QemuPart[];
  readonly places: ReadonlyMap<string, Bdf>;
  /** All files, and those that belong to a part by the id of the file. */
  readonly files: readonly BackingFile[];
  readonly media: ReadonlyMap<string, BackingFile>;
  readonly memory: GuestMemory;
  readonly config: ConfigAccess;
  readonly functions: readonly FoundFunction[];
  readonly placement: Placement;
  readonly iommu: VtdUnit | null;
}

/** Starts and sets up a machine. Throws `QemuError`; the process and all files are gone then. */
export async function startMachine(options: QemuEngineOptions): Promise<StartedMachine> {
  const { machine } = options;
  const binary = findQemu(options.binary);
  const line = commandLine(machine, INHERITED);
  const total = line.backing.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  const folder = folderWithRoom(total, options.folder);
  const files: BackingFile[] = [];
  let running: QemuProcess | null = null;
  try {
    for (const { lengthBytes } of line.backing) files.push(BackingFile.create(folder, lengthBytes));
    const descriptors = files.map((file) => file.descriptor);
    running = new QemuProcess(binary, [...BASE_ARGUMENTS, ...line.options.flat()], descriptors);
    const media = new Map(line.backing.map((request, index) => [request.id, files[index] as BackingFile]));
    const links = await firstAnswers(running, binary, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const envelope = options.envelope ?? envelopeOf(links.version, binary);
    const { differences, ...ready } = await setUp(links.link, files[0] as BackingFile, machine, envelope);
    const notes = [...versionNotes(links.version), ...judgeEnvelope(differences, links.version)];
    const places = new Map(line.parts.map((part) => [part.id, bdfByRoute(ready.functions, part)]));
    for (const { id, acsControl } of line.parts) {
      if (acsControl !== 0) await setAcs(ready.config, places.get(id) as Bdf, acsControl);
    }
    return {
      process: running,
      ...links,
      ...ready,
      envelope,
      notes,
      description: machine,
      named: line.parts,
      places,
      files,
      media,
    };
  } catch (error) {
    await running?.stop();
    for (const file of files) file.close();
    throw error;
  }
}

/** Step 1, from the process on. */
async function firstAnswers(
  running: QemuProcess,
  binary: string,
  timeoutMs: number,
): Promise<Pick<StartedMachine, 'link' | 'qmp' | 'version'>> {
  const link = new QtestLink(running, { timeoutMs });
  const qmp = new QmpLink(running);
  const [version] = await Promise.all([qmp.version(), link.command('endianness')]);
  running.answered();
  envelopeOf(version, binary);
  return { link, qmp, version };
}

/** Steps 2 to 4. */
async function setUp(
  link: QtestLink,
  ram: BackingFile,
  description: QemuMachineDescription,
  envelope: QemuEnvelope,
): Promise<
  Pick<StartedMachine, 'memory' | 'config' | 'functions' | 'placement' | 'iommu'> & {
    readonly differences: readonly EnvelopeDifference[];
  }
> {
  await openEcam(link);
  const config = new ConfigAccess(link);
  const memory = new GuestMemory(ram, link);
  await selfTest(link, config, ram);
  const rootBuses = description.rootBuses.map(({ bus }) => bus).sort((a, b) => a - b);
  const functions = await enumerate(config, rootBuses);
  const placement = placeResources(functions);
  await programResources(config, functions, placement);
  const seen = await observeEnvelope(link, ram, functions, placement);
  const differences = seen === null ? [] : envelopeDifferences(seen, envelope);
  const { iommuLevels } = description;
  const iommu = iommuLevels === undefined ? null : await VtdUnit.bringUp(link, memory, iommuLevels);
  return { memory, config, functions, placement, iommu, differences };
}

/** Sets the ACS controls of a function, of those that it has. False where it has no ACS capability. */
export async function setAcs(config: ConfigAccess, fn: Bdf, control: number): Promise<boolean> {
  const offset = findExtendedCapability(new ConfigSpace(await config.dump(fn)), EXT_CAP_ACS);
  if (offset === undefined || offset === 0) return false;
  await config.write(fn, offset + ACS_CONTROL, 2, control);
  return true;
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
