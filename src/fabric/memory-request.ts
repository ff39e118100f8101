/** A memory request under way, and the parts of a fabric that routing asks. */

import type { BdfKey } from '../pcie/bdf.ts';
import type { AddressType } from './acs-decision.ts';
import type { LiveFunction } from './live-function.ts';
import type { RootComplex } from './root-complex.ts';
import type { FabricRules } from './rules.ts';
import type { Topology } from './topology.ts';

/** One object serves a whole transfer: routing reads it and keeps nothing of it. */
export interface MemoryRequest {
  /** null: the CPU, at the root complex. */
  readonly requester: LiveFunction | null;
  readonly isWrite: boolean;
  /** As the requester puts it into the TLP. */
  address: number;
  /** Payload of a write; 0 for a read, whose request carries none. */
  payload: number;
  readonly addressType: AddressType;
  readonly relaxedOrdering: boolean;
  /** Requester ID as the TLP carries it, 16 bits: the requester's own, unless it lies. */
  readonly requesterId: number;
  /** The same with the domain: what the IOMMU looks up. */
  readonly requesterKey: BdfKey;
}

export interface Wiring {
  readonly topology: Topology;
  readonly rootComplex: RootComplex;
  readonly rules: FabricRules;
}
