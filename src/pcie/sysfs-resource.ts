/** The kernel's `resource` file: three numbers a line, CPU addresses, flags of `struct resource`. */

import { busAddr, physAddr } from '../core/address.ts';
import type { Bar } from './bar.ts';
import type { SysfsResource } from './function-facts.ts';

const RESOURCE_IO = 0x00000100;
const RESOURCE_MEMORY = 0x00000200;
const RESOURCE_PREFETCH = 0x00002000;
const RESOURCE_MEMORY_64 = 0x00100000;
const RESOURCE_UNSET = 0x20000000;

/** Whether the resource is memory space. */
export function isMemoryResource(resource: SysfsResource): boolean {
  return (resource.flags & RESOURCE_MEMORY) !== 0;
}

/**
 * The BAR that line `index` describes, or null where the line is empty. `busOffset` is bus minus CPU address.
 */
export function resourceBar(index: number, resource: SysfsResource, busOffset: number): Bar | null {
  const isMemory = isMemoryResource(resource);
  if (!isMemory && (resource.flags & RESOURCE_IO) === 0) return null;
  if (resource.end < resource.start || (resource.end === 0 && resource.start === 0)) return null;
  const assigned = (resource.flags & RESOURCE_UNSET) === 0 && resource.start !== 0;
  // I/O space is not shifted by a memory window's offset.
  const busAddress = resource.start + (isMemory ? busOffset : 0);
  return {
    index,
    space: isMemory ? 'memory' : 'io',
    is64Bit: (resource.flags & RESOURCE_MEMORY_64) !== 0,
    prefetchable: (resource.flags & RESOURCE_PREFETCH) !== 0,
    busAddress: assigned && busAddress >= 0 ? busAddr(busAddress) : null,
    cpuAddress: assigned ? physAddr(resource.start) : null,
    size: resource.end - resource.start + 1,
  };
}
