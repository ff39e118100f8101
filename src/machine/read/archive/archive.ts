/** Archives of a captured root: tar, plain or compressed with gzip or bzip2. */

import { unpackTar } from 'modern-tar';
import { MachineError } from '../../errors.ts';
import { MemoryTree } from '../root/file-tree.ts';
import { compressionOf } from './signature.ts';
import { CAPTURE_LIMIT, TooLongError, tooLong } from './unpack-limit.ts';

/**
 * Undoes gzip or bzip2.
 *
 * @throws MachineError INPUT_TRUNCATED where the stream is cut or damaged, INPUT_TOO_LARGE where it unpacks to more than a
 *   capture can be
 */
export async function decompress(bytes: Uint8Array, source: string): Promise<Uint8Array> {
  const compression = compressionOf(bytes);
  try {
    // Loaded only when needed: the command undoes gzip before it comes here, and most inputs are no bzip2.
    if (compression === 'gzip') return (await import('./gunzip.ts')).gunzip(bytes, CAPTURE_LIMIT);
    if (compression === 'bzip2') return (await import('./bunzip2.ts')).bunzip2(bytes, CAPTURE_LIMIT);
  } catch (cause) {
    if (cause instanceof TooLongError) throw tooLong(bytes.length, source, cause);
    throw new MachineError({
      code: 'INPUT_TRUNCATED',
      path: source,
      message: `the ${compression} stream is cut or damaged: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'copy the file again and compare its size with the original',
      cause,
    });
  }
  return bytes;
}

/**
 * Unpacks a tar archive into a tree in memory. Paths cannot lead out of it. Throws `MachineError` INPUT_TRUNCATED where
 * the archive is cut or its headers are damaged.
 */
export async function treeOfTar(bytes: Uint8Array, source: string): Promise<MemoryTree> {
  const tree = new MemoryTree();
  try {
    for (const entry of await unpackTar(bytes, { strict: true })) {
      const { name, type, linkname } = entry.header;
      if (type === 'symlink') tree.addLink(name, linkname ?? '');
      else if (type === 'link') tree.addLink(name, `/${linkname ?? ''}`);
      else if (entry.data !== undefined) tree.addFile(name, entry.data);
    }
  } catch (cause) {
    throw new MachineError({
      code: 'INPUT_TRUNCATED',
      path: source,
      message: `the tar archive is cut or damaged: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'copy the file again and compare its size with the original',
      cause,
    });
  }
  return tree;
}
