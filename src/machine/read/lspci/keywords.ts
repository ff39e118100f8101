/** How lines of a function's body begin, asked of bytes. */

import { latin1 } from '../../../core/text.ts';
import { isBodyText, KEYWORD_LENGTH } from '../../../evidence/pci/lspci-keywords.ts';

/** Whether a line of lspci's decoded text can begin as the one at `start` does. */
export function isBodyKeyword(bytes: Uint8Array, start: number, end: number): boolean {
  return isBodyText(latin1(bytes, start, Math.min(end, start + KEYWORD_LENGTH)).replace(/\u00c2?\u00a0/g, ' '));
}
