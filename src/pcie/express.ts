/** The PCI Express capability: port type, link, payload sizes. PCIe Base Specification, 7.5.3. */

import type { ConfigSpace } from './config-space.ts';

/** Device/Port Type. `conventional` is a function without the capability. */
export type PortType =
  | 'endpoint'
  | 'legacyEndpoint'
  | 'rootPort'
  | 'upstreamPort'
  | 'downstreamPort'
  | 'pcieToPci'
  | 'pciToPcie'
  | 'rcIntegratedEndpoint'
  | 'rcEventCollector'
  | 'conventional';

/** Capabilities register bits 7:4. PCIe 7.5.3.2. */
export const PORT_TYPES: readonly (PortType | undefined)[] = [
  'endpoint',
  'legacyEndpoint',
  undefined,
  undefined,
  'rootPort',
  'upstreamPort',
  'downstreamPort',
  'pcieToPci',
  'pciToPcie',
  'rcIntegratedEndpoint',
  'rcEventCollector',
];

/** The Device/Port Type of an Express capability at `offset`, or undefined if not known or reserved. */
export function portTypeAt(config: ConfigSpace, offset: number): PortType | undefined {
  const flags = config.u16(offset + 2);
  return flags === undefined ? undefined : PORT_TYPES[(flags >> 4) & 0xf];
}

/** Link speeds by their register code, in GT/s. PCIe 7.5.3.6. */
export const SPEEDS_GTS: readonly number[] = [0, 2.5, 5, 8, 16, 32, 64];

export interface LinkFacts {
  /** Highest speed the port can do, GT/s; null where not known. */
  readonly maxSpeedGts: number | null;
  /** Most lanes the port can use; null where not known. */
  readonly maxWidth: number | null;
  /** Trained speed, GT/s; null where unknown or no link. */
  readonly speedGts: number | null;
  /** Trained width; 0 where nothing is attached. */
  readonly width: number | null;
  /** Data Link Layer Link Active, where the port reports it. */
  readonly active: boolean | null;
}

/** Link Capabilities and Status of an Express capability at `offset`; null where the function has no link registers. */
export function linkAt(config: ConfigSpace, offset: number, portType: PortType): LinkFacts | null {
  if (portType === 'rcIntegratedEndpoint' || portType === 'rcEventCollector') return null;
  const capability = config.u32(offset + 0x0c);
  const status = config.u16(offset + 0x12);
  if (capability === undefined && status === undefined) return null;
  return {
    maxSpeedGts: capability === undefined ? null : SPEEDS_GTS[capability & 0xf] || null,
    maxWidth: capability === undefined ? null : (capability >>> 4) & 0x3f,
    speedGts: status === undefined ? null : SPEEDS_GTS[status & 0xf] || null,
    width: status === undefined ? null : (status >> 4) & 0x3f,
    active: status === undefined ? null : (status & 0x2000) !== 0,
  };
}

export interface PayloadFacts {
  /** Max_Payload_Size supported and in use, bytes. */
  readonly maxPayloadSupported: number;
  readonly maxPayload: number;
  /** Max_Read_Request_Size in use, bytes. */
  readonly maxReadRequest: number;
}

/** Payload and read request sizes of an Express capability at `offset`, or null where not known. PCIe 7.5.3.3, 7.5.3.4. */
export function payloadAt(config: ConfigSpace, offset: number): PayloadFacts | null {
  const capability = config.u32(offset + 4);
  const control = config.u16(offset + 8);
  if (capability === undefined || control === undefined) return null;
  return {
    maxPayloadSupported: 128 << (capability & 7),
    maxPayload: 128 << ((control >> 5) & 7),
    maxReadRequest: 128 << ((control >> 12) & 7),
  };
}

/** Tags of ten bits: whether a function answers requests that bear them, and whether it sends such requests; null where text does not tell. */
export interface TagFacts {
  /** 10-Bit Tag Completer Supported. */
  readonly completes10Bit: boolean | null;
  /** 10-Bit Tag Requester Supported. */
  readonly requests10Bit: boolean | null;
  /** 10-Bit Tag Requester Enable. */
  readonly enabled10Bit: boolean | null;
}

/** Device Capabilities 2 and Device Control 2, in the Express capability. PCIe 7.5.3.15, 7.5.3.16. */
const DEVICE_CAPABILITIES_2 = 0x24;
export const DEVICE_CONTROL_2 = 0x28;
const TAG_COMPLETER_SUPPORTED = 1 << 16;
const TAG_REQUESTER_SUPPORTED = 1 << 17;
/** In Device Control 2. */
export const TAG_REQUESTER_ENABLE: number = 1 << 12;

/** Tags of an Express capability at `offset`; null where not known, or where the capability is of version 1 and too short. */
export function tagsAt(config: ConfigSpace, offset: number): TagFacts | null {
  const flags = config.u16(offset + 2);
  const capability = config.u32(offset + DEVICE_CAPABILITIES_2);
  const control = config.u16(offset + DEVICE_CONTROL_2);
  if (flags === undefined || (flags & 0xf) < 2 || capability === undefined || control === undefined) return null;
  return {
    completes10Bit: (capability & TAG_COMPLETER_SUPPORTED) !== 0,
    requests10Bit: (capability & TAG_REQUESTER_SUPPORTED) !== 0,
    enabled10Bit: (control & TAG_REQUESTER_ENABLE) !== 0,
  };
}

/**
 * Line rate of a link: bytes a nanosecond in each direction, which are GB/s. GT/s times lanes times the share of the line code that is
 * data: 8b/10b, 128b/130b, and of a flit of 256 bytes the 242 for TLPs and DLLPs. PCIe Base Specification, 4.2.1 to 4.2.3.
 */
export function lineRate(speedGts: number, width: number): number {
  const code = speedGts <= 5 ? 8 / 10 : speedGts <= 32 ? 128 / 130 : 242 / 256;
  return (speedGts * width * code) / 8;
}
