/** Lists of memory pieces, moved and compared. */

import { expect } from 'vitest';
import { equalBytes, pattern } from './bed.ts';
import type { Controller, Host, Piece } from './host.ts';
import { OK } from './suite.ts';

/** The bytes of all pieces, in their order. */
export async function gathered(host: Host, pieces: readonly Piece[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const piece of pieces) parts.push(await host.read(piece));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads into pieces and writes from them, by each format; every byte is compared. */
export async function scatter(
  host: Host,
  controller: Controller,
  pieces: Piece[],
  formats: readonly ('prp' | 'sgl')[],
): Promise<void> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  for (const [index, format] of formats.entries()) {
    const bytes = pattern(length, 40 + index);
    controller.put(0, bytes);
    expect(await controller.transfer('read', 0, pieces, { format })).toMatchObject({ ...OK, commands: 1 });
    expect(await gathered(host, pieces)).toEqual(bytes);
    controller.put(4096, new Uint8Array(length));
    expect(await controller.transfer('write', 4096, pieces, { format })).toMatchObject({ ...OK, commands: 1 });
    expect(equalBytes(controller.stored(4096, length), bytes)).toBe(length);
  }
}
