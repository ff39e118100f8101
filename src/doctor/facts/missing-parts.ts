/**
 * What of a machine a capture does not show, though it shows that it is there: bridges above a bus, devices below a port, registers that
 * only root reads, all that stood behind a cut. A listing that was filtered (-s, -d, grep) is a part of a machine, and what it says of the
 * whole is nothing.
 */

import { listed } from '../../core/words.ts';
import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import type { Machine } from '../../machine/machine.ts';
import { DUMP_CUT } from '../../machine/note-list.ts';
import type { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { CLASS_HOST_BRIDGE } from '../../pcie/registers.ts';
import { isAtThunderbolt } from './thunderbolt.ts';

export interface MissingPart {
  /** `above`: bridges. `below`: devices. `registers`: capabilities. `end`: what stood behind a cut. `rest`: all but the functions listed. */
  readonly kind: 'above' | 'below' | 'registers' | 'end' | 'rest';
  /** A noun phrase: `the bridges above 0000:03:00.0`. */
  readonly words: string;
  /** Functions at the edge of the part. */
  readonly at: readonly PciFunction[];
  /** Whether the capture proves that something is missing, or makes it likely. */
  readonly sure: 'certain' | 'likely';
}

const KNOWN = new WeakMap<Machine, readonly MissingPart[]>();

/** The missing parts; none where the capture shows no gap. */
export function missingParts(machine: Machine): readonly MissingPart[] {
  let known = KNOWN.get(machine);
  if (known === undefined) {
    known = machine.hierarchy.functions.length === 0 ? [] : find(machine);
    KNOWN.set(machine, known);
  }
  return known;
}

function find(machine: Machine): MissingPart[] {
  const above = partAbove(machine);
  const below = partBelow(machine);
  const parts = [above, below, partOfRegisters(machine), partBehindCut(machine)].filter((part) => part !== null);
  const rest = above === null && below === null ? theRest(machine) : null;
  return rest === null ? parts : [...parts, rest];
}

/** Buses to which no bridge in the capture leads, and which are no root buses. */
function partAbove({ hierarchy }: Machine): MissingPart | null {
  const at = hierarchy.rootBuses
    .filter(({ id, evidence }) => evidence === null && holdsCards(hierarchy, id))
    .map(({ first }) => hierarchy.functions[first] as PciFunction);
  if (at.length === 0) return null;
  return { kind: 'above', words: `the bridges above ${listed(at.map(({ name }) => name))}`, at, sure: 'certain' };
}

/** Base classes of what a processor has on root buses of its own, beside bridges and cards: system peripherals and counters. */
const OF_PROCESSOR: ReadonlySet<number> = new Set([0x08, 0x0b, 0x11]);

/**
 * Whether something leads to a bus. A root bus of a processor that no host bridge marks holds parts of the processor, or bridges beside
 * devices of other numbers: below a link there is one device, and inside a switch there are ports alone.
 */
function holdsCards({ functions, rootBusOf }: Hierarchy, id: number): boolean {
  const own = functions.filter((_, index) => rootBusOf[index] === id);
  const first = own[0]?.bdf.bus;
  const onBus = own.filter(({ bdf }) => bdf.bus === first);
  const bridges = onBus.filter(({ isBridge }) => isBridge);
  const isMixed = onBus.some(
    ({ isBridge, bdf }) =>
      !isBridge && bridges.length > 0 && bridges.every((bridge) => bridge.bdf.device !== bdf.device),
  );
  return !isMixed && own.some(({ classCode }) => classCode === null || !OF_PROCESSOR.has(classCode >> 8));
}

/** Bridges below which something stands that is not listed. */
function partBelow({ hierarchy }: Machine): MissingPart | null {
  const empty = hierarchy.functions.filter(
    (fn, index) =>
      fn.isBridge &&
      hierarchy.childrenOf(index).length === 0 &&
      (fn.portType === 'upstreamPort' || isLinkUp(hierarchy, fn)),
  );
  if (empty.length === 0) return null;
  // A switch without ports inside is not one: that much is proved. A link that is up may lead to a device that is hidden.
  const isProved = empty.some(({ portType }) => portType === 'upstreamPort');
  const words = `what stands below ${listed(empty.map(({ name }) => name))}`;
  return { kind: 'below', words, at: empty, sure: isProved ? 'certain' : 'likely' };
}

/** A tunnel of Thunderbolt shows a link whether something is plugged in or not. */
function isLinkUp(hierarchy: Hierarchy, fn: PciFunction): boolean {
  const { busNumbers, link } = fn;
  return busNumbers !== null && busNumbers.secondary > 0 && link?.active === true && !isAtThunderbolt(hierarchy, fn);
}

/** Capabilities of ports and endpoints that a listing without root, or without -v, does not show. */
function partOfRegisters({ hierarchy }: Machine): MissingPart | null {
  const blind = hierarchy.functions.filter(
    ({ acs, facts }) => acs.state === 'unknown' && BLIND.has(acs.missing) && facts.text?.capabilities === undefined,
  );
  if (blind.length === 0) return null;
  const isDenied = blind.some(({ acs }) => acs.state === 'unknown' && acs.missing === 'accessDenied');
  const words = isDenied
    ? 'the registers that only root reads (ACS, links)'
    : 'the capabilities of the functions (ACS, links), which lspci prints with -vvv';
  return { kind: 'registers', words, at: blind, sure: 'certain' };
}

const BLIND: ReadonlySet<string> = new Set(['accessDenied', 'capabilitiesNotListed']);

function partBehindCut({ notes }: Machine): MissingPart | null {
  const isCut = notes.some(({ code }) => code === DUMP_CUT);
  return isCut ? { kind: 'end', words: 'what stood behind the cut end', at: [], sure: 'certain' } : null;
}

/** No machine is this small; an embedded one without a host bridge has integrated endpoints. */
const FEW = 4;

/** A listing of a few functions without a host bridge, and without a bridge that leads anywhere. */
function theRest(machine: Machine): MissingPart | null {
  const { hierarchy } = machine;
  const { functions } = hierarchy;
  const hasRoot = functions.some(
    (fn, index) => fn.classCode === CLASS_HOST_BRIDGE || (fn.isBridge && hierarchy.childrenOf(index).length > 0),
  );
  const isIntegrated = functions.some(({ portType }) => portType === 'rcIntegratedEndpoint');
  if (hasRoot || isIntegrated || functions.length > FEW || hypervisorOf(machine) !== null) return null;
  if (functions.some(({ facts }) => facts.sysfs !== null)) return null;
  return { kind: 'rest', words: 'the host bridge and the other functions', at: functions, sure: 'likely' };
}
