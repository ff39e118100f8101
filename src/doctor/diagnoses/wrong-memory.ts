/**
 * An address that was meant to lie in a device's memory and lies in RAM, or nowhere. No machine shows that by itself: an address
 * is needed, so the table holds it for `--explain`, and `p2pdma whose` finds it.
 */

import type { Diagnosis } from './diagnosis.ts';

export const WRONG_MEMORY: Diagnosis = {
  id: 'WRONG-MEMORY',
  aliases: [],
  severity: 'error',
  meaning: 'an address lies in system memory, not in the BAR that it was meant for',
  symptom: 'data arrives somewhere else; counters of the peer stay at zero',
  needs: 'the address: p2pdma whose MACHINE ADDRESS, or fault lines of dmesg on its standard input',
  diagnose: () => [],
};
