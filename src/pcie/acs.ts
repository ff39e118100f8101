/** Access Control Services. PCIe Base Specification, 6.12 (behaviour) and 7.7.11 (registers). */

import type { ConfigSpace } from './config-space.ts';

/** Bits of the ACS Capability and Control registers, offsets 04h and 06h of the capability. */
export const ACS_SOURCE_VALIDATION = 0x01;
export const ACS_TRANSLATION_BLOCKING = 0x02;
export const ACS_REQUEST_REDIRECT = 0x04;
export const ACS_COMPLETION_REDIRECT = 0x08;
export const ACS_UPSTREAM_FORWARDING = 0x10;
export const ACS_EGRESS_CONTROL = 0x20;
export const ACS_DIRECT_TRANSLATED = 0x40;

/**
 * What Linux calls a redirect: any of Request Redirect, Completion Redirect and Egress Control in ACS Control, wherever the function
 * stands. drivers/pci/p2pdma.c: pci_bridge_has_acs_redir().
 */
export const REDIRECT_BITS: number = ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT | ACS_EGRESS_CONTROL;

/** The seven services with the names that the specification, lspci and this project's messages use. */
export const ACS_BITS: readonly { readonly mask: number; readonly short: string; readonly lspci: string }[] = [
  { mask: ACS_SOURCE_VALIDATION, short: 'SV', lspci: 'SrcValid' },
  { mask: ACS_TRANSLATION_BLOCKING, short: 'TB', lspci: 'TransBlk' },
  { mask: ACS_REQUEST_REDIRECT, short: 'RR', lspci: 'ReqRedir' },
  { mask: ACS_COMPLETION_REDIRECT, short: 'CR', lspci: 'CmpltRedir' },
  { mask: ACS_UPSTREAM_FORWARDING, short: 'UF', lspci: 'UpstreamFwd' },
  { mask: ACS_EGRESS_CONTROL, short: 'EC', lspci: 'EgressCtrl' },
  { mask: ACS_DIRECT_TRANSLATED, short: 'DT', lspci: 'DirectTrans' },
];

/** What keeps us from knowing a function's ACS registers. */
export type AcsMissing =
  /** Only 64 or 256 bytes of configuration space: the extended capabilities start at 100h. */
  | 'extendedConfigNotCaptured'
  /** `Capabilities: <access denied>`: the dump was taken without root. */
  | 'accessDenied'
  /** The function answered with all ones (D3cold, or gone). */
  | 'poweredDown'
  /** The text names the capability but not its bits (`lspci -v`). */
  | 'bitsNotPrinted'
  /** The capture shows no capabilities at all: a short listing, or a tree of sysfs without config. */
  | 'capabilitiesNotListed';

/** Three-valued: an ACS capability that is not visible is not an ACS capability that is off. */
export type AcsState =
  | { readonly state: 'absent' }
  | {
      readonly state: 'present';
      /** Offset of the capability, or null where only text tells of it without one. */
      readonly offset: number | null;
      /** ACS Capability register, 16 bits. */
      readonly capability: number;
      /** ACS Control register, 16 bits. */
      readonly control: number;
    }
  | { readonly state: 'unknown'; readonly missing: AcsMissing };

/** Whether a function redirects peer traffic to the root complex; null where its ACS registers are not known. */
export function redirects({ acs }: { readonly acs: AcsState }): boolean | null {
  if (acs.state === 'unknown') return null;
  return acs.state === 'present' && (acs.control & REDIRECT_BITS) !== 0;
}

/** The registers of an ACS capability at `offset`; null where those bytes are not known. */
export function acsAt(config: ConfigSpace, offset: number): Extract<AcsState, { state: 'present' }> | null {
  const capability = config.u16(offset + 4);
  const control = config.u16(offset + 6);
  if (capability === undefined || control === undefined) return null;
  return { state: 'present', offset, capability, control };
}

/** The names of the set bits, `RR CR`, or `none`. */
export function acsBitNames(bits: number): string {
  const names = ACS_BITS.filter((bit) => bits & bit.mask).map((bit) => bit.short);
  return names.length === 0 ? 'none' : names.join(' ');
}
