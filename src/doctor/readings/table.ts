/** All readings, in the order in which a page shows what they say. */

import { ACSCTL } from './acsctl.ts';
import { COMMAND_LINE } from './command-line.ts';
import { DRAWING } from './drawing.ts';
import { BAR1_SIZES } from './measured/bar1.ts';
import { TOPO_CLASSES } from './measured/classes.ts';
import { DRIVER_STATUS } from './measured/driver-status.ts';
import { PEER_BANDWIDTH } from './measured/peer-bandwidth.ts';
import { TOOL_SENTENCES } from './measured/tool-sentences.ts';
import type { Reading } from './reading.ts';
import { SETPCI } from './setpci.ts';

export const READINGS: readonly Reading[] = [
  DRAWING,
  ACSCTL,
  SETPCI,
  COMMAND_LINE,
  TOPO_CLASSES,
  DRIVER_STATUS,
  PEER_BANDWIDTH,
  ...BAR1_SIZES,
  ...TOOL_SENTENCES,
];
