/** The names that this system can give: the pci.ids that pciutils brings, where it is installed. */

import { existsSync, readFileSync } from 'node:fs';
import { type Names, namesFrom } from '../report/words/names.ts';

const PLACES: readonly string[] = ['/usr/share/misc/pci.ids', '/usr/share/hwdata/pci.ids'];

/** Names from the first pci.ids found, or the dump's own where there is none. */
export function systemNames(): Names {
  const file = PLACES.find((path) => existsSync(path));
  return namesFrom(file === undefined ? null : readFileSync(file));
}
