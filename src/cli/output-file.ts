/** Files that a command writes beside its answer. */

import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { OutputError, UsageError } from './errors.ts';

/** Writes a file. Throws `OutputError` with the reason that the system gives. */
export function writeOutput(file: string, content: Uint8Array | string): void {
  try {
    writeFileSync(file, content);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new OutputError({
      code: 'OUTPUT_WRITE_FAILED',
      path: file,
      message: `could not be written: ${code ?? message}`,
      hint: 'choose a folder that you may write to, with room',
      errno: code,
      cause,
    });
  }
}

/** Whether a name asks for a compressed archive. Throws `UsageError` where it is the name of none. */
export function isCompressedArchive(file: string, option: string, example: string): boolean {
  if (/\.(tar\.gz|tgz)$/.test(file)) return true;
  if (file.endsWith('.tar')) return false;
  throw new UsageError({
    code: 'USAGE_OPTION_VALUE',
    path: option,
    message: `'${file}' does not end in .tar.gz, .tgz or .tar`,
    hint: `for example: ${example}`,
  });
}

/** The bytes of a tar as its file holds them. */
export function archiveBytes(tar: Uint8Array, isCompressed: boolean): Uint8Array {
  return isCompressed ? gzipSync(tar) : tar;
}
