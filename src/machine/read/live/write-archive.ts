/** A capture as a tar archive. */

import { packTar } from 'modern-tar';
import type { CapturedEntry } from './captured-entry.ts';

/** The bytes of a tar archive with the entries; times are zero, so that one machine gives one archive. */
export async function tarOf(entries: readonly CapturedEntry[]): Promise<Uint8Array> {
  const mtime = new Date(0);
  return packTar(
    entries.map((entry) =>
      entry.kind === 'file'
        ? {
            header: { name: entry.path, size: entry.bytes.length, mtime, mode: 0o644, type: 'file' },
            body: entry.bytes,
          }
        : { header: { name: entry.path, size: 0, mtime, mode: 0o777, type: 'symlink', linkname: entry.target } },
    ),
  );
}
