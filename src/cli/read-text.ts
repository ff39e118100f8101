/** Bio and scenario files as text. */

import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { alike } from '../core/text.ts';
import { ScenarioError } from '../scenario/errors.ts';
import { readUpTo } from './bounded-input.ts';

const MIB = 2 ** 20;
/** A scenario of a hundred thousand transfers has 20 MB. */
const TEXT_MAX = 64 * MIB;
/** One bio a line, each mapped on its own. */
const LINES_MAX = 256 * MIB;

/**
 * The text of a file, or of standard input for `-`, without the byte order mark that some editors put first. Throws
 * `ScenarioError` FILE_UNREADABLE, or FILE_TOO_LARGE.
 */
export function readText(file: string): string {
  const limit = file.endsWith('.jsonl') ? LINES_MAX : TEXT_MAX;
  const bytes = bytesOf(file, limit);
  if (bytes === null) {
    const message = `is larger than ${limit / MIB} MiB`;
    throw new ScenarioError('FILE_TOO_LARGE', { file, line: null }, message, 'split it into several files');
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('utf8')
    .replace(/^\ufeff/, '');
}

function bytesOf(file: string, limit: number): Uint8Array | null {
  try {
    return readUpTo(file, limit);
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
