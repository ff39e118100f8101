/** A text that is a listing of lspci, or the refusal that says what it is instead. */

import type { MachineEvidence } from '../build.ts';
import { nameFunctions } from '../infer/named-functions.ts';
import { plainText, refuseText } from './lspci/plain-text.ts';
import { readLspci } from './lspci/read-lspci.ts';

/** Reads a listing in any encoding. Throws `MachineError` where no function is listed. */
export async function readText(bytes: Uint8Array, source: string): Promise<MachineEvidence> {
  const text = plainText(bytes);
  const reading = readLspci(text, source);
  if (reading.evidence === null) throw refuseText(text, reading, source);
  await nameFunctions(reading.evidence.functions);
  return reading.evidence;
}
