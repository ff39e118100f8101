/** What the first bytes say a file is. */

/** How the file is compressed; null where it is not, or in a way that is not read here. RFC 1952 for gzip. */
export function compressionOf(bytes: Uint8Array): 'gzip' | 'bzip2' | null {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  if (bytes[0] === 0x42 && bytes[1] === 0x5a && bytes[2] === 0x68) return 'bzip2';
  return null;
}

/** Whether the bytes start like a tar archive: the magic `ustar` at offset 257. POSIX.1, pax. */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= 512 && String.fromCharCode(...bytes.subarray(257, 262)) === 'ustar';
}
