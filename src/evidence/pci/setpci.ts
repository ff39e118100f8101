/**
 * setpci: the commands that people typed, and what `-v` printed. pciutils setpci(8).
 *
 *   setpci -v -s 00:03.1 ECAP_ACS+6.w=0000
 *   0000:00:03.1 (cap 000d @2a0) @2a6 = 001d       read
 *   0000:00:03.1 (cap 000d @2a0) @2a6 0000         written
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { promptedCommand } from '../prompt.ts';
import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';
import { fullName } from './bdf-words.ts';

export type SetpciItem = SetpciCommand | SetpciRegister;

/** A register that a command asks for or writes. */
export interface SetpciCommand extends ItemPlace {
  readonly kind: 'setpci';
  readonly what: 'command';
  /** What stands behind `-s`, as it stands: an address, a pattern, a variable of the shell; null where none does. */
  readonly selector: string | null;
  /** The function, where the selector names one. */
  readonly function: string | null;
  /** `ECAP_ACS+6`, `CAP_EXP+8`, `2a6`. */
  readonly register: string;
  readonly width: 'B' | 'W' | 'L' | null;
  /** What is written, and the mask behind its colon; null for a read. */
  readonly value: { readonly bits: number; readonly mask: number | null } | null;
}

/** A value that was printed. */
export interface SetpciRegister extends ItemPlace {
  readonly kind: 'setpci';
  readonly what: 'register';
  /** Null where the value stands alone, without `-v`. */
  readonly function: string | null;
  /** Identity and place of the capability that the register was named by; null where it was named by its offset. */
  readonly capability: { readonly id: number; readonly at: number } | null;
  /** Offset in configuration space; null where only the value was printed. */
  readonly at: number | null;
  readonly value: number;
  readonly access: 'read' | 'written';
}

const COMMAND = /\bsetpci\s+(\S.{0,1000})$/;
const VALUE =
  /^\s*((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]) (?:\((?:ext)?cap ([0-9a-f]{1,4}) @([0-9a-f]{1,3})\) )?@([0-9a-f]{1,3})( = | )(?:[0-9a-f]{1,8}->)?([0-9a-f]{1,8})\b/i;
const ALONE = /^\s*(?:[0-9a-f]{2}|[0-9a-f]{4}|[0-9a-f]{8})$/i;
const REGISTER =
  /^((?:ECAP|CAP|CAP_|ECAP_)?[0-9A-Za-z_]{1,24}(?:\+[0-9a-fx]{1,4})?)(?:\.([BWLbwl]))?(?:=([0-9a-f]{1,8})(?::([0-9a-f]{1,8}))?)?(?:@\d{1,3})?$/i;

/** Recognises commands and outputs of setpci. */
export const setpci: Recogniser<SetpciItem> = tableOf<SetpciItem>({
  kind: 'setpci',
  words: ['setpci', ' @'],
  begins: ({ text }) => commandIn(text) !== null || VALUE.test(text),
  continues: ({ text, isBlank }, lines) => {
    if (isBlank) return 'passed';
    if (commandIn(text) !== null || VALUE.test(text)) return 'taken';
    return ALONE.test(text) && lines.some((line) => commandIn(line.text) !== null) ? 'taken' : 'ended';
  },
  read: (lines, { file }) => {
    const items = lines.flatMap((line) => itemsOf(line, file));
    return items.length === 0 ? null : { items };
  },
});

/** What stands behind `setpci` where a command does and not a sentence about it. */
function commandIn(text: string): string | null {
  const behind = COMMAND.exec(promptedCommand(text) ?? text)?.[1];
  return behind !== undefined && /(?:^|\s)-(?:s|d|v|D|f|r|H1)\b|^[A-Z0-9_]{2,24}\+?\S*=/.test(behind) ? behind : null;
}

function itemsOf(line: CleanLine, file: string): SetpciItem[] {
  const place = { kind: 'setpci', file, line: line.number } as const;
  const value = VALUE.exec(line.text);
  if (value !== null) {
    const [, name, id, at, offset, sign, bits] = value as unknown as (string | undefined)[];
    return [
      {
        ...place,
        what: 'register',
        function: fullName(name as string),
        capability: id === undefined ? null : { id: hexOf(id), at: hexOf(at) },
        at: hexOf(offset),
        value: hexOf(bits),
        access: sign === ' = ' ? 'read' : 'written',
      },
    ];
  }
  if (ALONE.test(line.text)) {
    const bits = hexOf(line.text.trim());
    return [{ ...place, what: 'register', function: null, capability: null, at: null, value: bits, access: 'read' }];
  }
  return commandItems(commandIn(line.text) ?? '', place);
}

const hexOf = (digits: string | undefined): number => Number.parseInt(digits ?? '', 16);

function commandItems(
  command: string,
  place: Omit<SetpciCommand, 'what' | 'selector' | 'function' | 'register' | 'width' | 'value'>,
): SetpciCommand[] {
  const words = (command.split(/[;|&]/, 1)[0] as string).replaceAll(/["']/g, '').split(/\s+/);
  let selector: string | null = null;
  const items: SetpciCommand[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === '-s' || word === '-d') {
      selector = words[++at] ?? null;
      continue;
    }
    if (word.startsWith('-s') && word.length > 2) selector = word.slice(2);
    const match = word.startsWith('-') ? null : REGISTER.exec(word);
    if (match === null || match[1] === undefined) continue;
    const [, register, width, bits, mask] = match;
    items.push({
      ...place,
      what: 'command',
      selector,
      function: selector === null ? null : fullName(selector),
      register,
      width: width === undefined ? null : (width.toUpperCase() as 'B' | 'W' | 'L'),
      value: bits === undefined ? null : { bits: hexOf(bits), mask: mask === undefined ? null : hexOf(mask) },
    });
  }
  return items;
}
