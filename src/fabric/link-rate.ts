/**
 * Line rate of a link: GT/s times lanes times the share of the line code that is data. PCIe Base Specification, 4.2.1 (8b/10b),
 * 4.2.2 (128b/130b), 4.2.3 (flits of 256 bytes, 242 of them for TLPs and DLLPs).
 */

import type { LinkFacts } from '../pcie/express.ts';

/** Taken where nothing tells how fast a link is. */
const UNKNOWN_LINK = { speedGts: 8, width: 4 };

/** Bytes a nanosecond in each direction. A link that is not trained, or not known, counts with what it could do. */
export function linkBytesPerNs(link: LinkFacts | null): number {
  const speedGts = link?.speedGts || link?.maxSpeedGts || UNKNOWN_LINK.speedGts;
  const width = link?.width || link?.maxWidth || UNKNOWN_LINK.width;
  const code = speedGts <= 5 ? 8 / 10 : speedGts <= 32 ? 128 / 130 : 242 / 256;
  return (speedGts * width * code) / 8;
}
