/** All readings, in the order in which a page shows what they say. */

import { ACSCTL } from './acsctl.ts';
import { COMMAND_LINE } from './command-line.ts';
import { DRAWING } from './drawing.ts';
import type { Reading } from './reading.ts';
import { SETPCI } from './setpci.ts';

export const READINGS: readonly Reading[] = [DRAWING, ACSCTL, SETPCI, COMMAND_LINE];
