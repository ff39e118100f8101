/** Whether QEMU is here; for the names of tests that need it. */

import { findQemu, QEMU_INSTALL } from '../../src/engine/qemu/index.ts';

/** Null where QEMU is installed, else how to install it. */
export function missingQemu(): string | null {
  try {
    findQemu();
    return null;
  } catch {
    return `needs QEMU: ${QEMU_INSTALL}`;
  }
}
