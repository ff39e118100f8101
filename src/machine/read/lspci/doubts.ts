/**
 * What a listing says against itself: decoded text that its own registers contradict (they were edited, or are of two moments), and
 * an end in the middle of a function (the file was cut). Neither is refused; a note says so.
 */

import { latin1 } from '../../../core/text.ts';
import { acsAt, acsBitNames } from '../../../pcie/acs.ts';
import { formatBdf } from '../../../pcie/bdf.ts';
import { EXT_CAP_ACS, findExtendedCapability } from '../../../pcie/capability.ts';
import type { ConfigSpace } from '../../../pcie/config-space.ts';
import { DUMP_CUT, type NoteList } from '../../note-list.ts';
import { acsBitsOf } from './fields.ts';
import type { ListedFunction } from './group.ts';
import type { LspciBlock } from './scan.ts';

/** Bytes of a configuration space that lspci prints: of everybody, of a CardBus bridge, with -xxx, with -xxxx. */
const WHOLE_SPACES: ReadonlySet<number> = new Set([64, 128, 256, 4096]);

/** Notes a listing whose last function has fewer registers than lspci prints, or none where all others have some. */
export function noteCut(blocks: readonly LspciBlock[], notes: NoteList): void {
  const last = blocks.at(-1);
  if (last === undefined) return;
  const { length } = last.config;
  const others = blocks.slice(0, -1);
  const hasNone = length === 0 && others.length > 1 && others.every(({ config }) => config.length > 0);
  // Rows that were picked by hand are short everywhere.
  const isShort =
    length > 0 &&
    others.length > 0 &&
    !WHOLE_SPACES.has(length) &&
    others.every(({ config }) => WHOLE_SPACES.has(config.length));
  if (!hasNone && !isShort) return;
  const where = hasNone ? 'before the registers' : `${length} bytes into the registers`;
  const message = `the listing ends ${where} of its last function: it was cut, and functions behind may be missing; capture again`;
  notes.add(DUMP_CUT, last.line, message);
}

/** Notes an ACSCtl line that says another thing than the register, which is believed. */
export function noteAcsContradiction(
  bytes: Uint8Array,
  { bdf, blocks }: Pick<ListedFunction, 'bdf' | 'blocks'>,
  config: ConfigSpace,
  notes: NoteList,
): void {
  const offset = findExtendedCapability(config, EXT_CAP_ACS);
  const register = offset ? acsAt(config, offset) : null;
  if (register?.state !== 'present') return;
  for (const block of blocks) {
    if (!block.hasBody) continue;
    const text = latin1(bytes, block.start, block.textEnd);
    const at = text.indexOf('ACSCtl:');
    const printed = at < 0 ? null : acsBitsOf(text.slice(at + 7, lineEndAt(text, at)));
    if (printed === null || printed === register.control) continue;
    const line = block.line + text.slice(0, at).split('\n').length - 1;
    const message = `ACSCtl of ${formatBdf(bdf)} says ${acsBitNames(printed)}, and its registers say ${acsBitNames(register.control)}; the registers are believed`;
    notes.add('TEXT_CONTRADICTS', line, message);
  }
}

function lineEndAt(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}
