/** What the parts of the explanation's screen share: how it is shown, and the words for a map type. */

import type { MapType } from '../../p2p/verdict.ts';
import type { Names } from '../words/names.ts';
import type { Style } from '../words/style.ts';

export interface ExplainView {
  /** Width to fit, characters. */
  readonly columns: number;
  readonly style: Style;
  readonly names: Names;
}

/** What a map type is in a sentence. */
export const TYPE_WORDS: Readonly<Record<MapType, string>> = {
  busAddr: 'by bus address, the IOMMU never sees it',
  thruHostBridge: 'through the host bridge',
  notSupported: 'not supported',
  unknown: 'not known',
};

/** `enum pci_p2pdma_map_type`. */
export const KERNEL_MAP_TYPES: Readonly<Record<MapType, string>> = {
  busAddr: 'PCI_P2PDMA_MAP_BUS_ADDR',
  thruHostBridge: 'PCI_P2PDMA_MAP_THRU_HOST_BRIDGE',
  notSupported: 'PCI_P2PDMA_MAP_NOT_SUPPORTED',
  unknown: 'PCI_P2PDMA_MAP_UNKNOWN',
};
