/**
 * The kernel prints the redirecting functions of a pair into a buffer of 128 bytes, names of 12 characters with a semicolon each, when it is asked
 * about the pair for the first time. Ten are one byte too many: Linux 6.12 was seen to crash, twice of two times; 6.1 has more room.
 */

import { kernelKnows } from '../../machine/kernel-release.ts';
import type { Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** Bytes. */
const REDIRECT_LIST_MAX = 128;

/** Bytes that the names take, with the separators. */
function redirectListLength(functions: readonly PciFunction[]): number {
  return functions.reduce((sum, { name }) => sum + name.length + 1, 0);
}

/** What to know before such a pair is used; null where the names fit, or the machine's kernel is old enough. One that is not known may crash. */
export function redirectListHazard({ kernel }: Machine, functions: readonly PciFunction[]): string | null {
  const length = redirectListLength(functions);
  if (length <= REDIRECT_LIST_MAX || kernelKnows(kernel, 'shortRedirectList') === false) return null;
  return `Beware: ${functions.length} functions on one path redirect, and their names take ${length} bytes of a buffer of ${REDIRECT_LIST_MAX}. Linux 6.12 was seen to crash when it was first asked about such a pair. Clear the bits before the pair is used.`;
}
