/** Units of rates and sizes as tools write them, converted to one: GB/s of 10^9 bytes, microseconds, bytes. */

const KIBI = 1024;

/** Bytes of one second for each unit of a rate. Units of bits end with a small b. */
const RATES: Readonly<Record<string, number>> = {
  'B/s': 1,
  'kB/s': 1e3,
  'KB/s': 1e3,
  'MB/s': 1e6,
  'GB/s': 1e9,
  'TB/s': 1e12,
  'KiB/s': KIBI,
  'MiB/s': KIBI ** 2,
  'GiB/s': KIBI ** 3,
  'TiB/s': KIBI ** 4,
  'Mb/s': 1e6 / 8,
  'Gb/s': 1e9 / 8,
};

/** GB/s of `value` in `unit` (`GiB/sec`, `MB/s`, `Gb/sec`); null where the unit is unknown. */
export function gigabytes(value: number, unit: string): number | null {
  const bytes = RATES[unit.replace(/\/sec$/, '/s')];
  return bytes === undefined ? null : (value * bytes) / 1e9;
}

/** Bytes of each unit of a size, where a tool means powers of 1024 by all of them. */
const BINARY: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  K: KIBI,
  M: KIBI ** 2,
  G: KIBI ** 3,
  T: KIBI ** 4,
};

const SIZE = /^(\d{1,15}(?:\.\d{1,9})?)\s*([KMGT]?)(?:i?B(?:ytes?)?)?$/i;

/** Bytes of `512 MiB`, `4K`, `32 MB` of a tool that counts in powers of 1024; null for anything else. */
export function binarySize(text: string): number | null {
  const match = SIZE.exec(text.trim());
  return match === null ? null : Number(match[1]) * (BINARY[(match[2] as string).toUpperCase()] as number);
}

const NUMBER = /^[-+]?(?:\d{1,20}(?:\.\d{0,12})?|\.\d{1,12})(?:e[-+]?\d{1,3})?$/i;

/** A number as tools print it; null for `N/A`, `nan`, `-` and anything else. */
export function numberOf(text: string): number | null {
  return NUMBER.test(text) ? Number(text) : null;
}
