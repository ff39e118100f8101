/** What the kernel's way of mapping lets pass, and our own rules would refuse or do otherwise: named, one by one. */

import type { BvecList } from '../block/bio-vec.ts';
import { hex } from '../core/hex.ts';
import type { DmaDevice } from '../dma/device.ts';
import { MapError } from '../dma/errors.ts';
import type { DmaSegment } from '../dma/segment.ts';
import type { Machine } from '../machine/machine.ts';
import { parseBdf } from '../pcie/bdf.ts';
import { COMMAND_MEMORY_SPACE } from '../pcie/registers.ts';
import type { MappedVector, MapWarning } from './mapped-bio.ts';

/** The quirks of the `linux-*` rules that this mapping met. */
export function mappingWarnings(
  machine: Machine,
  device: DmaDevice,
  owners: readonly MappedVector[],
  vectors: BvecList,
  segments: readonly DmaSegment[],
): MapWarning[] {
  const { maxSegmentSize, segmentBoundaryMask, dmaMask } = device.limits;
  const warnings: MapWarning[] = [];
  for (const { input, owner } of owners) {
    const length = vectors.length[input] as number;
    if (length > maxSegmentSize) {
      const message = `vector ${input} has ${length} bytes, more than the maximum segment size ${maxSegmentSize}; the kernel does not split it`;
      warnings.push({ code: 'INPUT_ABOVE_SEGMENT_SIZE', inputs: [input], message });
    }
    if (owner !== null && !decodes(machine, owner)) {
      const message = `Memory Space Enable of ${owner} is off: its BARs do not answer; the kernel does not look`;
      warnings.push({ code: 'BAR_NOT_DECODED', inputs: [input], message });
    }
  }
  for (const { space, address, length, firstInput, lastInput } of segments) {
    const inputs = Array.from({ length: lastInput - firstInput + 1 }, (_, index) => firstInput + index);
    if (address === null) continue;
    const last = address + length - 1;
    if ((space === 'bus' || space === 'bar') && last > dmaMask) {
      const message = `bus address ${hex(address)} is above the DMA mask ${hex(dmaMask)}; the kernel does not check`;
      warnings.push({ code: 'BUS_ADDRESS_ABOVE_MASK', inputs, message });
    }
    if (length > maxSegmentSize && inputs.length > 1) {
      const message = `vectors ${firstInput} to ${lastInput} joined to ${length} bytes, more than the maximum segment size ${maxSegmentSize}: an input longer than the maximum switches the kernel's test off`;
      warnings.push({ code: 'SEGMENT_ABOVE_SIZE', inputs, message });
    }
    const boundary = segmentBoundaryMask + 1;
    if (Math.floor(address / boundary) !== Math.floor(last / boundary)) {
      const message = `the segment at ${hex(address)} crosses a boundary of ${hex(segmentBoundaryMask)}; the kernel keeps inputs whole`;
      warnings.push({ code: 'SEGMENT_CROSSES_BOUNDARY', inputs, message });
    }
    const kinds = new Set(inputs.map((input) => (owners[input] as MappedVector).case));
    if (space === 'iova' && kinds.size > 1) {
      const message = `vectors ${firstInput} to ${lastInput} are one segment of RAM and device memory`;
      warnings.push({ code: 'RAM_AND_MMIO_MERGED', inputs, message });
    }
  }
  return warnings;
}

/** Under our own rules a BAR that does not decode is no memory. Throws `MapError` PROVIDER_GONE. */
export function checkDecoding(machine: Machine, owners: readonly MappedVector[]): void {
  for (const { input, owner } of owners) {
    if (owner === null || decodes(machine, owner)) continue;
    const message = `Memory Space Enable of ${owner} is off: nothing answers at the address`;
    throw new MapError(
      'PROVIDER_GONE',
      `vectors[${input}]`,
      message,
      `let its driver enable it, or: setpci -s ${owner} COMMAND=0002:0002`,
    );
  }
}

/** Whether the function decodes its memory BARs; true where the register is not known. */
function decodes(machine: Machine, name: string): boolean {
  const bdf = parseBdf(name);
  const command = bdf === null ? null : (machine.hierarchy.at(bdf)?.command ?? null);
  return command === null || (command & COMMAND_MEMORY_SPACE) !== 0;
}
