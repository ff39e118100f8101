/** Any capture, by its content: the format is detected, never asked for. */

import { buildMachine } from '../build.ts';
import { MachineError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { compressionOf, decompress, isTar, treeOfTar } from './archive.ts';
import { readCapturedRoot } from './captured-root.ts';
import { readLspci } from './lspci.ts';
import { plainText, refuseText } from './plain-text.ts';

const CAPTURE_HINT = 'capture a machine with: p2pdma capture -o host.tar.gz, or: sudo lspci -Dnnvvvxxxx > host.txt';

/**
 * Reads the bytes of a capture: an archive of a captured root, or a listing of lspci, either of them compressed.
 *
 * @param source what to call it in messages
 * @throws MachineError with what is wrong and what to capture instead
 */
export async function readMachine(bytes: Uint8Array, source: string): Promise<Machine> {
  if (bytes.length === 0) {
    throw new MachineError({ code: 'INPUT_EMPTY', path: source, message: 'is empty', hint: CAPTURE_HINT });
  }
  const plain = compressionOf(bytes) === null ? bytes : await decompress(bytes, source);
  if (isTar(plain)) return buildMachine(readCapturedRoot(await treeOfTar(plain, source), source));
  const text = plainText(plain);
  const { evidence, drawing } = readLspci(text, source);
  if (evidence !== null) return buildMachine(evidence);
  throw refuseText(text, drawing, source);
}
