/** Archives for tests, with names that no archiver would write. POSIX ustar. */

import { bytesOf } from '../../src/core/text.ts';

export interface TarItem {
  readonly path: string;
  readonly bytes?: Uint8Array;
  /** Target of a symbolic link. */
  readonly link?: string;
}

const BLOCK = 512;

export function tarOf(items: readonly TarItem[]): Uint8Array {
  const parts = items.map(memberOf);
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  // Two empty blocks end an archive.
  const tar = new Uint8Array(total + 2 * BLOCK);
  let at = 0;
  for (const part of parts) {
    tar.set(part, at);
    at += part.length;
  }
  return tar;
}

function memberOf(item: TarItem): Uint8Array {
  const length = item.bytes?.length ?? 0;
  const member = new Uint8Array(BLOCK + Math.ceil(length / BLOCK) * BLOCK);
  member.set(headerOf(item, length));
  if (item.bytes) member.set(item.bytes, BLOCK);
  return member;
}

function headerOf(item: TarItem, length: number): Uint8Array {
  const header = new Uint8Array(BLOCK);
  const put = (text: string, at: number): void => header.set(bytesOf(text), at);
  put(item.path, 0);
  put('0000644\0', 100);
  put(`${length.toString(8).padStart(11, '0')}\0`, 124);
  put('00000000000\0', 136);
  put(item.link !== undefined ? '2' : item.path.endsWith('/') ? '5' : '0', 156);
  if (item.link !== undefined) put(item.link, 157);
  put('ustar\u000000', 257);
  put('        ', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
