/** All readings, in the order in which a page shows what they say. */

import { ACSCTL } from './acsctl.ts';
import { COMMAND_LINE } from './command-line.ts';
import { DRAWING } from './drawing.ts';
import { IOMMU_GROUPS } from './iommu-groups.ts';
import { BAR_SPACE } from './kernel/bar-space.ts';
import { DRIVER_WORDS } from './kernel/driver-words.ts';
import { IOMMU_FAULTS } from './kernel/iommu-faults.ts';
import { LINK_ERRORS } from './kernel/link-errors.ts';
import { P2PDMA_WORDS } from './kernel/p2pdma-words.ts';
import { BAR1_SIZES } from './measured/bar1.ts';
import { TOPO_CLASSES } from './measured/classes.ts';
import { DRIVER_STATUS } from './measured/driver-status.ts';
import { PEER_BANDWIDTH } from './measured/peer-bandwidth.ts';
import { TOOL_SENTENCES } from './measured/tool-sentences.ts';
import type { Reading } from './reading.ts';
import { SETPCI } from './setpci.ts';
import { STORAGE } from './storage.ts';
import { VFIO } from './vfio.ts';

export const READINGS: readonly Reading[] = [
  P2PDMA_WORDS,
  IOMMU_FAULTS,
  LINK_ERRORS,
  BAR_SPACE,
  DRIVER_WORDS,
  VFIO,
  ...STORAGE,
  DRAWING,
  ACSCTL,
  SETPCI,
  COMMAND_LINE,
  IOMMU_GROUPS,
  TOPO_CLASSES,
  DRIVER_STATUS,
  PEER_BANDWIDTH,
  ...BAR1_SIZES,
  ...TOOL_SENTENCES,
];
