/** The owner of an address in words. */

import { hex } from '../../core/hex.ts';
import { sizeWords } from '../../core/words.ts';
import type { AddressOwner } from '../../doctor/facts/address-owner.ts';
import { knowsRequester } from '../../doctor/log/fault-requester.ts';
import type { FaultLine } from '../../evidence/kernel/log/fault-line.ts';
import { type IommuMode, iommuModeOf, type Machine } from '../../machine/machine.ts';
import type { PairVerdict } from '../../p2p/verdict.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

type BarOwner = Extract<AddressOwner, { kind: 'bar' }>;

/** Who used the address, as far as it is known. */
export interface Use {
  readonly by: PciFunction | null;
  readonly fault: FaultLine | null;
  /** By which road `by` reaches the BAR that owns the address; null where there is no such question. */
  readonly road: PairVerdict | null;
  /** The BAR that the same number means as a bus address, where that is another place. */
  readonly asBus: BarOwner | null;
}

/** What the address is, then what follows from it. */
export function ownerSentences(machine: Machine, owner: AddressOwner, use: Use): string[] {
  const asBus = use.asBus === null ? [] : [`As a bus address it is another place: ${barWords(use.asBus)}`];
  return [whatItIs(owner), ...asBus, ...whatFollows(machine, owner, use)];
}

/** An interrupt that was refused: no address was asked for. */
export function interruptSentences(fault: FaultLine): string[] {
  const reason = fault.reason === null ? '' : ` (${fault.reason})`;
  return [
    `interrupt remapping refused a message${reason}: no data was lost, and no peer is concerned.`,
    'Its driver misses an interrupt, or an old one came after a reset: reload the driver, or update firmware.',
  ];
}

function whatItIs(owner: AddressOwner): string {
  switch (owner.kind) {
    case 'ram':
      return `system memory (RAM ${hex(owner.range.start)}-${hex(owner.range.end - 1)}).`;
    case 'bar':
      return [barWords(owner), ...decodingWords(owner), ...claimWords(owner)].join(' ');
    case 'window':
      return `inside the ${owner.prefetchable ? 'prefetchable ' : ''}window of ${owner.bridge.name} (${hex(owner.window.start)}-${hex(owner.window.end - 1)}), and in no BAR below it: a read there ends as Unsupported Request.`;
    case 'aperture':
      return `inside the range of ${owner.name} (${hex(owner.range.start)}-${hex(owner.range.end - 1)}), and in no BAR: a read there ends as Unsupported Request.`;
    case 'reserved':
      return `reserved: ${owner.name}${owner.range === null ? '' : ` (${hex(owner.range.start)}-${hex(owner.range.end - 1)})`}.`;
    case 'iova':
      return `looks like an I/O virtual address: ${owner.why}.`;
    case 'nothing':
      return 'nothing of this machine.';
    case 'unknown':
      return 'in no BAR and no window; whether it is RAM is not in this capture.';
  }
}

function barWords(owner: BarOwner): string {
  const size = owner.size === null ? 'size not in the capture' : `of ${sizeWords(owner.size)}`;
  const space = owner.space === 'bus' ? ', as a bus address' : '';
  return `BAR${owner.bar} of ${owner.fn.name}, offset ${hex(owner.offset)} (${size})${space}.`;
}

function decodingWords({ decoding }: BarOwner): string[] {
  return decoding === false ? ['Memory decoding of the function is off: nobody answers there now.'] : [];
}

function claimWords({ others }: BarOwner): string[] {
  if (others.length === 0) return [];
  const names = others.map(({ fn, bar }) => `BAR${bar} of ${fn.name}`);
  return [`The same address is claimed by ${names.join(' and ')} too: the wrong one may answer.`];
}

function whatFollows(machine: Machine, owner: AddressOwner, { by, fault, road }: Use): string[] {
  if (fault !== null) {
    const strange = strangerSentences(machine, fault);
    if (isAboutRequester(fault)) return [requesterSentence(fault), ...strange];
    return [faultSentence(owner, by?.name ?? fault.by), ...strange];
  }
  if (by === null) return [];
  if (owner.kind === 'ram') return [`If ${by.name} meant a peer's memory, this is WRONG-MEMORY: the data is in RAM.`];
  if (owner.kind !== 'bar' || road === null) return [];
  return owner.fn === by
    ? [
        `It is ${by.name}'s own memory: nothing goes on the wire, and its driver programs BAR${owner.bar} and the offset (case c).`,
      ]
    : [roadSentence(machine, owner, by, road), `Why: p2pdma explain ${owner.fn.name} ${by.name}.`];
}

/** What `by` must be given instead of the address, so that the transfer arrives. */
function roadSentence(machine: Machine, owner: BarOwner, by: PciFunction, road: PairVerdict): string {
  const bar = owner.fn.bars.find(({ index }) => index === owner.bar);
  const at = (start: number | null | undefined): string =>
    start === null || start === undefined ? '' : ` ${hex(start + owner.offset)}`;
  switch (road.type) {
    case 'busAddr':
      return `${by.name} reaches it inside the switch: give it the bus address${at(bar?.busAddress)}, the IOMMU never sees it (case b2).`;
    case 'thruHostBridge':
      return hostBridgeSentence(by, iommuModeOf(machine, by), at(bar?.cpuAddress));
    case 'notSupported':
      return `${by.name} cannot reach it: go by way of RAM (case a).`;
    case 'unknown':
      return `Whether ${by.name} reaches it is not in this capture.`;
  }
}

/**
 * Whether the IOMMU refused the requester before it looked at the address: it found no root or context entry (VT-d 7.1.3, as
 * Linux's dmar_fault_reasons say it), no entry of the device table (AMD-Vi 2.5.2).
 */
function isAboutRequester({ reason }: FaultLine): boolean {
  return /\b(?:root|context)[- ](?:entry|table)\b|\bRTP\b|\bCTP\b|^ILLEGAL_DEV_TABLE_ENTRY$|^DEV_TAB_HARDWARE_ERROR$/i.test(
    reason ?? '',
  );
}

function requesterSentence({ by, reason }: FaultLine): string {
  return `The address is not at fault: the IOMMU has nothing set up for ${by ?? 'this requester'} (${reason}).`;
}

/** Where the requester is none of the machine's functions: who it may be. */
function strangerSentences({ hierarchy }: Machine, fault: FaultLine): string[] {
  if (fault.by === null || knowsRequester(hierarchy, fault)) return [];
  return [
    `No function ${fault.by} is in this capture: it is an alias by which a bridge speaks for what is behind it, a phantom function of a device on that bus, or was not attached when the capture was taken.`,
  ];
}

function faultSentence(owner: AddressOwner, who: string | null): string {
  const device = who ?? 'the device';
  switch (owner.kind) {
    case 'bar':
      return owner.fn.name === who
        ? `${device} sent a request for its own memory out on the wire: its driver should have used BAR and offset (case c).`
        : `${device} was given the raw address of a peer's memory, and its IOMMU does not know it (IOMMU-TRANSLATED): map it with the DMA API, use iommu=pt, or a road inside a switch.`;
    case 'ram':
      return `${device} was given a physical address instead of a mapped one, or used a mapping after it was undone (WRONG-MEMORY).`;
    case 'iova':
      return `Most likely ${device} used a mapping after it was undone, or beyond its end.`;
    case 'window':
    case 'aperture':
      return `${device} aimed at a peer's window and missed every BAR: a wrong offset, or a BAR that has moved.`;
    case 'reserved':
      return `${device} has no business there: firmware or a driver gave it a wrong address.`;
    case 'nothing':
    case 'unknown':
      return `${device} used an address that was never a good one, or a mapping that is gone.`;
  }
}

/** The address, where it may be given as it is: that depends on the IOMMU. */
function hostBridgeSentence(by: PciFunction, mode: IommuMode | null, address: string): string {
  const road = `${by.name} reaches it through the host bridge`;
  if (mode === 'on') return `${road}, and its IOMMU translates: the address must be mapped first (case b1).`;
  const where = `by the address${address} (case b1)`;
  if (mode !== null) return `${road}, ${where}.`;
  return `${road}: ${where} where no IOMMU translates for it, which is not in this capture.`;
}
