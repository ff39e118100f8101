/** Archives of a captured root: tar, plain or compressed with gzip or bzip2. */

import { unpackTar } from 'modern-tar';
import { MachineError } from '../errors.ts';
import { MemoryTree } from './file-tree.ts';

/** Uncompressed size beyond which an archive is refused: no capture of /sys comes near. */
const UNPACKED_MAX = 1024 * 1024 * 1024;

/** What the first bytes say a file is. */
export function compressionOf(bytes: Uint8Array): 'gzip' | 'bzip2' | null {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  if (bytes[0] === 0x42 && bytes[1] === 0x5a && bytes[2] === 0x68) return 'bzip2';
  return null;
}

/** Whether the bytes start like a tar archive: the magic `ustar` at offset 257. */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= 512 && String.fromCharCode(...bytes.subarray(257, 262)) === 'ustar';
}

/** Undoes gzip or bzip2. Throws `MachineError` INPUT_TRUNCATED where the stream is cut or damaged. */
export async function decompress(bytes: Uint8Array, source: string): Promise<Uint8Array> {
  const compression = compressionOf(bytes);
  try {
    // Loaded only when needed: the command undoes gzip before it comes here, and most inputs are no bzip2.
    if (compression === 'gzip') {
      const { gunzipSync } = await import('fflate');
      return checkedSize(gunzipSync(bytes), source);
    }
    if (compression === 'bzip2') {
      const { default: bz2 } = await import('bz2');
      return checkedSize(bz2.decompress(bytes), source);
    }
  } catch (cause) {
    if (cause instanceof MachineError) throw cause;
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

function checkedSize(bytes: Uint8Array, source: string): Uint8Array {
  if (bytes.length > UNPACKED_MAX) {
    throw new MachineError({
      code: 'INPUT_TOO_LARGE',
      path: source,
      message: `unpacks to ${bytes.length} bytes; a capture is at most ${UNPACKED_MAX}`,
      hint: 'capture only sys/bus/pci, sys/devices/pci*, sys/kernel/iommu_groups and proc',
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
