/** Bio and scenario files as text. */

import { readFileSync } from 'node:fs';
import { ScenarioError } from '../scenario/errors.ts';

/** The text of a file, or of standard input for `-`. Throws `ScenarioError` FILE_UNREADABLE. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const hint = 'check the path and its permissions';
    throw new ScenarioError('FILE_UNREADABLE', { file, line: null }, `cannot be read: ${code}`, hint);
  }
}
