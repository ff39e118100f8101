/** Archives of a captured root: tar, plain or compressed with gzip or bzip2. */

import { unpackTar } from 'modern-tar';
import { MachineError } from '../../errors.ts';
import { MemoryTree } from '../root/file-tree.ts';
import { compressionOf } from './signature.ts';
import { TooLongError } from './too-long.ts';

/** Uncompressed size beyond which an archive is refused: no capture of /sys comes near. */
const UNPACKED_MAX = 1024 * 1024 * 1024;
/** What a small archive may unpack to in any case, and how many times its own size a larger one: sysfs is mostly padding. */
const UNPACKED_FREE = 64 * 1024 * 1024;
const RATIO_MAX = 500;

/**
 * Undoes gzip or bzip2.
 *
 * @throws MachineError INPUT_TRUNCATED where the stream is cut or damaged, INPUT_TOO_LARGE where it unpacks to more than a
 *   capture can be
 */
export async function decompress(bytes: Uint8Array, source: string): Promise<Uint8Array> {
  const compression = compressionOf(bytes);
  const limit = Math.min(UNPACKED_MAX, UNPACKED_FREE + RATIO_MAX * bytes.length);
  try {
    // Loaded only when needed: the command undoes gzip before it comes here, and most inputs are no bzip2.
    if (compression === 'gzip') return (await import('./gunzip.ts')).gunzip(bytes, limit);
    if (compression === 'bzip2') return (await import('./bunzip2.ts')).bunzip2(bytes, limit);
  } catch (cause) {
    if (cause instanceof TooLongError) {
      throw new MachineError({
        code: 'INPUT_TOO_LARGE',
        path: source,
        message: `unpacks to more than ${limit} bytes, more than a capture of ${bytes.length} bytes can be`,
        hint: 'capture only sys/bus/pci, sys/devices/pci*, sys/kernel/iommu_groups and proc',
        cause,
      });
    }
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
