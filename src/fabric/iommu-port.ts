/** Where the IOMMU meets the fabric: in front of the root complex, one table per requester, with a cache that may be stale. */

import type { Iova } from '../core/address.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import { Iotlb } from '../iommu/invalidation.ts';
import type { BdfKey } from '../pcie/bdf.ts';

/** How a requester's DMA is treated. `blocked`: no context entry, every access faults. */
export type IommuContext = IommuDomain | 'passthrough' | 'blocked';

/** A blocked access, as the IOMMU's fault log has it. */
export interface FabricIommuFault {
  /** bdfKey of the Requester ID that the TLP carried. */
  readonly requester: BdfKey;
  readonly address: Iova;
  readonly access: 'read' | 'write';
  readonly reason: 'notMapped' | 'readNotAllowed' | 'writeNotAllowed' | 'noContext';
}

const FAULTS_KEPT = 1024;

export class IommuPort {
  readonly iotlb: Iotlb;
  /** Blocked accesses, oldest first, at most FAULTS_KEPT. */
  readonly #faults: FabricIommuFault[] = [];
  readonly #contexts = new Map<BdfKey, IommuContext>();
  readonly #otherwise: 'passthrough' | 'blocked';

  /** `otherwise`: how requesters are treated that nobody attached. Default `blocked`. */
  constructor(options: { readonly iotlb?: Iotlb; readonly otherwise?: 'passthrough' | 'blocked' } = {}) {
    this.iotlb = options.iotlb ?? new Iotlb();
    this.#otherwise = options.otherwise ?? 'blocked';
  }

  /** Says how the DMA of a requester is treated from now on. */
  attach(requester: BdfKey, context: IommuContext): void {
    this.#contexts.set(requester, context);
    if (typeof context === 'object') context.attach(this.iotlb);
  }

  /** Notes a blocked access. Hardware has room for a few; what does not fit is lost. */
  report(fault: FabricIommuFault): void {
    if (this.#faults.length < FAULTS_KEPT) this.#faults.push(fault);
  }

  /** Faults since the last call, oldest first; they are forgotten. */
  takeFaults(): FabricIommuFault[] {
    return this.#faults.splice(0, this.#faults.length);
  }

  /** How the DMA of a requester is treated. */
  contextOf(requester: BdfKey): IommuContext {
    return this.#contexts.get(requester) ?? this.#otherwise;
  }
}
