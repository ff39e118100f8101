/** Bio and scenario files as text. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { alike } from '../core/text.ts';
import { ScenarioError } from '../scenario/errors.ts';

/** The text of a file, or of standard input for `-`, without the byte order mark that some editors put first. Throws `ScenarioError` FILE_UNREADABLE. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').replace(/^\ufeff/, '');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    const message = isMissing ? 'there is no such file' : `cannot be read: ${code ?? String(cause)}`;
    const hint = isMissing ? missingHint(file) : 'check the path and its permissions';
    throw new ScenarioError('FILE_UNREADABLE', { file, line: null }, message, hint);
  }
}

function missingHint(file: string): string {
  const forms = 'name a file, or - for standard input';
  try {
    const similar = alike(basename(file), readdirSync(dirname(file)));
    return similar.length === 0 ? forms : `nearest in that folder: ${similar.join(', ')}`;
  } catch {
    return forms;
  }
}
