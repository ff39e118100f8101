/**
 * Line rate of a link: GT/s times lanes times the share of the line code that is data. PCIe Base Specification, 4.2.1 (8b/10b),
 * 4.2.2 (128b/130b), 4.2.3 (flits of 256 bytes, 242 of them for TLPs and DLLPs).
 */

/** Bytes a nanosecond in each direction, which are GB/s, at a speed in GT/s and over so many lanes. */
export function lineRate(speedGts: number, width: number): number {
  const code = speedGts <= 5 ? 8 / 10 : speedGts <= 32 ? 128 / 130 : 242 / 256;
  return (speedGts * width * code) / 8;
}
