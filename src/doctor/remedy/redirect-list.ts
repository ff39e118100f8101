/**
 * The kernel prints the redirecting functions of a pair into a buffer of 128 bytes, names of 12 characters with a semicolon each, when it is asked
 * about the pair for the first time. Ten are one byte too many: Linux 6.12 was seen to crash, twice of two times; 6.1 has more room.
 */

import { kernelKnows } from '../../machine/kernel-release.ts';
import type { Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** Bytes. */
export const REDIRECT_LIST_MAX = 128;

/** Bytes that the names take, with the separators. */
export function redirectListLength(functions: readonly PciFunction[]): number {
  return functions.reduce((sum, { name }) => sum + name.length + 1, 0);
}

/** Whether asking about a pair with these redirecting functions can crash the machine's kernel; of one that is not known it is taken to. */
export function overrunsRedirectList({ kernel }: Machine, functions: readonly PciFunction[]): boolean {
  return redirectListLength(functions) > REDIRECT_LIST_MAX && kernelKnows(kernel, 'shortRedirectList') !== false;
}
