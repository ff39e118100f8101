/**
 * Whether a function keeps requests from turning round at it, so that all of them pass the IOMMU. Linux:
 * pci_acs_enabled() with REQ_ACS_FLAGS. PCIe 6.12.1 says which functions need ACS for that, and which have no way to
 * turn a request round in the first place.
 */

import {
  ACS_COMPLETION_REDIRECT,
  ACS_REQUEST_REDIRECT,
  ACS_SOURCE_VALIDATION,
  ACS_UPSTREAM_FORWARDING,
} from '../pcie/acs.ts';
import type { PciFunction } from '../pcie/pci-function.ts';

/** What Linux asks of a function before it trusts it (REQ_ACS_FLAGS). */
export const ISOLATION_BITS: number =
  ACS_SOURCE_VALIDATION | ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT | ACS_UPSTREAM_FORWARDING;

const VENDOR_INTEL = 0x8086;

/**
 * Root ports of Intel's 100 and 200 series chipsets and their mobile kin, first and last device ID: their ACS Capability
 * and Control are 32 bits wide, at offsets 04h and 08h, so that the Control register of the specification reads as zero.
 */
const WIDE_ACS_ROOT_PORTS: readonly (readonly [number, number])[] = [
  [0x9d10, 0x9d1b],
  [0xa110, 0xa11f],
  [0xa167, 0xa16a],
  [0xa290, 0xa29f],
  [0xa2e7, 0xa2ee],
];

/**
 * Whether a function isolates; null if the evidence does not tell. A service that a function has no control for counts as
 * given. Of the kernel's list of devices that isolate without saying so, two are known here: Intel's Root Complex
 * Integrated Endpoints (VT-d specification 3.16) and root ports with wide ACS registers.
 * @param multiFunction - whether its device has several functions
 */
export function isolates(fn: PciFunction, multiFunction: boolean): boolean | null {
  switch (fn.portType) {
    case null:
      return null;
    case 'conventional':
    case 'pcieToPci':
    case 'pciToPcie':
    case 'rcEventCollector':
      return false;
    case 'rootPort':
      return hasWideAcs(fn) ? wideBits(fn) : hasBits(fn);
    case 'downstreamPort':
      return hasBits(fn);
    case 'rcIntegratedEndpoint':
      if (fn.vendorId === VENDOR_INTEL) return true;
      return multiFunction ? hasBits(fn) : true;
    case 'endpoint':
    case 'legacyEndpoint':
    case 'upstreamPort':
      // Requests of a single function have nowhere to turn round: no ACS is defined for it (PCIe 6.12.1.3).
      return multiFunction ? hasBits(fn) : true;
  }
}

function hasBits({ acs }: PciFunction): boolean | null {
  if (acs.state === 'unknown') return null;
  return acs.state === 'present' && controls(acs.capability, acs.control);
}

function controls(capability: number, control: number): boolean {
  const wanted = ISOLATION_BITS & capability;
  return (control & wanted) === wanted;
}

function hasWideAcs({ vendorId, deviceId, acs }: PciFunction): boolean {
  if (vendorId !== VENDOR_INTEL || deviceId === null || acs.state === 'absent') return false;
  return WIDE_ACS_ROOT_PORTS.some(([first, last]) => deviceId >= first && deviceId <= last);
}

function wideBits({ acs, config }: PciFunction): boolean | null {
  // Text shows what stands where Control should be, which tells nothing.
  if (acs.state !== 'present' || acs.offset === null) return null;
  const capability = config.u32(acs.offset + 4);
  const control = config.u32(acs.offset + 8);
  return capability === undefined || control === undefined ? null : controls(capability, control);
}
