/**
 * The header of a function in a listing of lspci, behind the address:
 *
 *   CLASS NAME [CCCC]: VENDOR DEVICE NAME [VVVV:DDDD] (rev RR) (prog-if PP [NAME])      -nn
 *   CLASS NAME: VENDOR DEVICE NAME (rev RR) (prog-if PP [NAME])                         names only
 *   CCCC: VVVV:DDDD (rev RR) (prog-if PP [NAME])                                        -n
 *   "CLASS NAME [CCCC]" "VENDOR [VVVV]" "DEVICE NAME [DDDD]" -rRR -pPP "..."             -mm
 */

import type { TextFacts } from '../../../pcie/function-facts.ts';
import { classCodeOf } from '../class-names.ts';

const CLASS_NUMBER = /\[([0-9a-f]{4})\]$/i;
const NUMERIC = /^(?:Class )?([0-9a-f]{4}): ([0-9a-f]{4}):([0-9a-f]{4})\b/i;
const IDS = /\[([0-9a-f]{4}):([0-9a-f]{4})\]/gi;
const REVISION = /\(rev ([0-9a-f]{2})\)/i;
const PROG_IF = /\(prog-if ([0-9a-f]{2})\b/i;

/** Adds what a header says to `facts`. `text` starts behind the address. */
export function decodeHeader(text: string, line: number, facts: TextFacts): void {
  const body = text.trim();
  facts.lines.identity = line;
  if (body.startsWith('"')) {
    decodeMachineReadable(body, facts);
    return;
  }
  const revision = REVISION.exec(body)?.[1];
  if (revision !== undefined) facts.revision = Number.parseInt(revision, 16);
  const progIf = PROG_IF.exec(body)?.[1];
  if (progIf !== undefined) facts.progIf = Number.parseInt(progIf, 16);
  const numeric = NUMERIC.exec(body);
  if (numeric !== null) {
    facts.classCode = Number.parseInt(numeric[1] as string, 16);
    facts.vendorId = Number.parseInt(numeric[2] as string, 16);
    facts.deviceId = Number.parseInt(numeric[3] as string, 16);
    return;
  }
  const colon = body.indexOf(': ');
  if (colon < 0) return;
  decodeClass(body.slice(0, colon), facts);
  let name = body.slice(colon + 2);
  let ids: RegExpExecArray | null = null;
  // The last pair counts: names may hold brackets of their own.
  for (const match of name.matchAll(IDS)) ids = match;
  if (ids !== null) {
    facts.vendorId = Number.parseInt(ids[1] as string, 16);
    facts.deviceId = Number.parseInt(ids[2] as string, 16);
    name = name.slice(0, ids.index);
  }
  const remark = name.search(/ \((?:rev|prog-if) [0-9a-f]{2}\b/i);
  facts.deviceName = (remark < 0 ? name : name.slice(0, remark)).trim();
}

function decodeClass(text: string, facts: TextFacts): void {
  const code = CLASS_NUMBER.exec(text);
  const name = (code === null ? text : text.slice(0, code.index)).trim();
  facts.className = name;
  const unnamed = /^Class ([0-9a-f]{4})$/i.exec(name)?.[1];
  const known = code?.[1] ?? unnamed;
  const classCode = known === undefined ? classCodeOf(name) : Number.parseInt(known, 16);
  if (classCode !== undefined) facts.classCode = classCode;
}

function decodeMachineReadable(text: string, facts: TextFacts): void {
  const [className, vendor, device] = [...text.matchAll(/"([^"]*)"/g)].map((match) => match[1] as string);
  const number = (field: string | undefined): number | undefined => {
    const digits = /(?:^|\[)([0-9a-f]{4})\]?$/i.exec(field ?? '')?.[1];
    return digits === undefined ? undefined : Number.parseInt(digits, 16);
  };
  const plain = (field: string | undefined): string => (field ?? '').replace(CLASS_NUMBER, '').trim();
  if (className !== undefined) decodeClass(className, facts);
  if (className !== undefined && /^[0-9a-f]{4}$/i.test(className)) facts.classCode = Number.parseInt(className, 16);
  const [vendorId, deviceId] = [number(vendor), number(device)];
  if (vendorId !== undefined) facts.vendorId = vendorId;
  if (deviceId !== undefined) facts.deviceId = deviceId;
  facts.deviceName = `${plain(vendor)} ${plain(device)}`.trim();
  const revision = / -r([0-9a-f]{2})\b/i.exec(text)?.[1];
  if (revision !== undefined) facts.revision = Number.parseInt(revision, 16);
  const progIf = / -p([0-9a-f]{2})\b/i.exec(text)?.[1];
  if (progIf !== undefined) facts.progIf = Number.parseInt(progIf, 16);
}
