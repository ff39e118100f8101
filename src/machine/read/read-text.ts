/** A text that is a listing of lspci, or the refusal that says what it is instead. */

import type { MachineEvidence } from '../build.ts';
import { readLspci } from './lspci.ts';
import { plainText, refuseText } from './plain-text.ts';

/** Reads a listing in any encoding. Throws `MachineError` where no function is listed. */
export function readText(bytes: Uint8Array, source: string): MachineEvidence {
  const text = plainText(bytes);
  const { evidence, drawing } = readLspci(text, source);
  if (evidence === null) throw refuseText(text, drawing, source);
  return evidence;
}
