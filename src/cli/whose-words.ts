/** The owner of an address in words, and as JSON. */

import { hex } from '../core/hex.ts';
import type { AddressOwner } from '../doctor/address-owner.ts';
import type { FaultLine } from '../doctor/fault-line.ts';
import { iommuModeOf, type Machine } from '../machine/machine.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { sizeWords } from './fact-words.ts';

/** Who used the address, as far as it is known. */
export interface Use {
  readonly by: PciFunction | null;
  readonly fault: FaultLine | null;
}

/** What the address is, then what follows from it. */
export function ownerSentences(machine: Machine, owner: AddressOwner, use: Use): string[] {
  return [whatItIs(owner), ...whatFollows(machine, owner, use)];
}

function whatItIs(owner: AddressOwner): string {
  switch (owner.kind) {
    case 'ram':
      return `system memory (RAM ${hex(owner.range.start)}-${hex(owner.range.end - 1)}).`;
    case 'bar': {
      const size = owner.size === null ? 'size not in the capture' : `of ${sizeWords(owner.size)}`;
      const space = owner.space === 'bus' ? ', as a bus address' : '';
      const off = owner.decoding === false ? ' Memory decoding of the function is off: nobody answers there now.' : '';
      return `BAR${owner.bar} of ${owner.fn.name}, offset ${hex(owner.offset)} (${size})${space}.${off}`;
    }
    case 'window':
      return `inside the ${owner.prefetchable ? 'prefetchable ' : ''}window of ${owner.bridge.name} (${hex(owner.window.start)}-${hex(owner.window.end - 1)}), and in no BAR below it: a read there ends as Unsupported Request.`;
    case 'reserved':
      return `reserved: ${owner.name}${owner.range === null ? '' : ` (${hex(owner.range.start)}-${hex(owner.range.end - 1)})`}.`;
    case 'iova':
      return `looks like an I/O virtual address: ${owner.why}.`;
    case 'nothing':
      return 'nothing of this machine.';
  }
}

function whatFollows(machine: Machine, owner: AddressOwner, { by, fault }: Use): string[] {
  const who = by?.name ?? fault?.by ?? null;
  const sentences: string[] = [];
  if (fault !== null) sentences.push(faultSentence(owner, who));
  else if (owner.kind === 'ram' && by !== null) {
    sentences.push(`If ${by.name} meant a peer's memory, this is WRONG-MEMORY: the data is in RAM.`);
  }
  if (owner.kind === 'bar' && by !== null && fault === null) {
    const mode = iommuModeOf(machine, by);
    if (owner.fn === by) sentences.push('It is its own memory: nothing goes on the wire (case c).');
    else
      sentences.push(
        `Whether ${by.name} reaches it: p2pdma explain ${owner.fn.name} ${by.name}.${mode === 'on' ? ' Its IOMMU translates: as an address of the DMA it must be mapped first.' : ''}`,
      );
  }
  return sentences;
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
      return `${device} aimed at a peer's window and missed every BAR: a wrong offset, or a BAR that has moved.`;
    case 'reserved':
      return `${device} has no business there: firmware or a driver gave it a wrong address.`;
    case 'nothing':
      return `${device} used an address that was never a good one, or a mapping that is gone.`;
  }
}

/** `kind`, and what belongs to it. */
export function ownerDocument(owner: AddressOwner): object {
  switch (owner.kind) {
    case 'ram':
      return { kind: 'ram', start: hex(owner.range.start), end: hex(owner.range.end - 1) };
    case 'bar':
      return {
        kind: 'bar',
        function: owner.fn.name,
        bar: owner.bar,
        offset: owner.offset,
        size: owner.size,
        space: owner.space,
        decoding: owner.decoding,
      };
    case 'window':
      return {
        kind: 'window',
        bridge: owner.bridge.name,
        prefetchable: owner.prefetchable,
        start: hex(owner.window.start),
        end: hex(owner.window.end - 1),
      };
    case 'reserved':
      return { kind: 'reserved', name: owner.name };
    case 'iova':
      return { kind: 'iova', why: owner.why };
    case 'nothing':
      return { kind: 'nothing' };
  }
}
