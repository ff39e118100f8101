/** Whether a line bears the kernel's stamp, asked of its bytes: every line of a log that no word stands in is asked. */

const BLANK = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const DOT = 0x2e;
const DASH = 0x2d;
const QUOTE = 0x3e;

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
const isLetter = (byte: number | undefined): boolean =>
  byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;

/** As far as the name of the program is looked for, behind date and host. */
const HEAD_MAX = 120;

/**
 * `own`: the kernel's time, or syslog's word `kernel`. `along`: syslog's date before another program's line. Null for all other lines.
 * Colours and quote marks may stand before it.
 */
export function logStampOf(bytes: Uint8Array, from: number, end: number): 'own' | 'along' | null {
  let at = from;
  while (at < end && (bytes[at] === BLANK || bytes[at] === TAB || bytes[at] === QUOTE)) at++;
  if (bytes[at] === 0x1b) at = behindColour(bytes, at, end);
  const first = bytes[at];
  if (first === 0x3c) {
    // <6>[ 1.0]
    let digit = at + 1;
    while (isDigit(bytes[digit])) digit++;
    return digit > at + 1 && bytes[digit] === 0x3e && bytes[digit + 1] === 0x5b ? 'own' : null;
  }
  if (first === 0x5b) return isKernelTime(bytes, at + 1, end) ? 'own' : null;
  if (first === 0x6b && spells(bytes, at, end, 'kernel: ')) return 'own';
  if (!hasSyslogDate(bytes, at, end)) return null;
  const limit = Math.min(end, at + HEAD_MAX);
  for (let word = at; word < limit; word++)
    if (bytes[word] === BLANK && spells(bytes, word, end, ' kernel: ')) return 'own';
  return 'along';
}

function behindColour(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && at < from + 16 && bytes[at] !== 0x6d) at++;
  return at + 1;
}

/** `   12.345678] `, `  +0.000844] `, `Sun Nov 22 18:40:38 2026] `; not the stamp of an X server, which has a level behind it. */
function isKernelTime(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from;
  while (at < end && bytes[at] === BLANK) at++;
  if (isLetter(bytes[at]))
    return isLetter(bytes[at + 2]) && bytes[at + 3] === BLANK && bytes[at + 7] === BLANK && bytes[at + 13] === COLON;
  if (bytes[at] === 0x2b) at++;
  const seconds = at;
  while (isDigit(bytes[at])) at++;
  if (at === seconds || bytes[at] !== DOT) return false;
  at++;
  const fraction = at;
  while (isDigit(bytes[at])) at++;
  if (at === fraction) return false;
  // dmesg -d has the time since the line before in the same brackets.
  while (at < end && at < fraction + 40 && bytes[at] !== 0x5d) at++;
  return bytes[at] === 0x5d && !(bytes[at + 1] === BLANK && bytes[at + 2] === 0x28 && bytes[at + 5] === 0x29);
}

/** `Sep 21 09:59:59 ` or `2026-11-22T18:00:00`. */
function hasSyslogDate(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 16) return false;
  if (isLetter(bytes[at]))
    return bytes[at + 3] === BLANK && bytes[at + 6] === BLANK && bytes[at + 9] === COLON && bytes[at + 12] === COLON;
  return isDigit(bytes[at]) && bytes[at + 4] === DASH && bytes[at + 7] === DASH && bytes[at + 13] === COLON;
}

function spells(bytes: Uint8Array, at: number, end: number, word: string): boolean {
  if (at + word.length > end) return false;
  for (let index = 0; index < word.length; index++) if (bytes[at + index] !== word.charCodeAt(index)) return false;
  return true;
}
