/** Line rate of a link that may not be trained, or not known: the fabric takes a guess then, since time must pass. */

import { type LinkFacts, lineRate } from '../pcie/express.ts';

/** Taken where nothing tells how fast a link is. */
const UNKNOWN_LINK = { speedGts: 8, width: 4 };

/** Bytes a nanosecond in each direction. A link that is not trained, or not known, counts with what it could do. */
export function linkBytesPerNs(link: LinkFacts | null): number {
  const speedGts = link?.speedGts || link?.maxSpeedGts || UNKNOWN_LINK.speedGts;
  const width = link?.width || link?.maxWidth || UNKNOWN_LINK.width;
  return lineRate(speedGts, width);
}
