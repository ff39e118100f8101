/** Any capture, by its content: the format is detected, never asked for. */

import { buildMachine } from '../build.ts';
import { MachineError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { compressionOf, decompress, isTar, treeOfTar } from './archive.ts';
import { readCapturedRoot } from './captured-root.ts';

/**
 * Reads the bytes of a capture.
 *
 * @param source what to call it in messages
 * @throws MachineError with what is wrong and what to capture instead
 */
export async function readMachine(bytes: Uint8Array, source: string): Promise<Machine> {
  if (bytes.length === 0) {
    throw new MachineError({
      code: 'INPUT_EMPTY',
      path: source,
      message: 'is empty',
      hint: 'capture a machine with: p2pdma capture -o host.tar.gz, or: sudo lspci -Dnnvvvxxxx > host.txt',
    });
  }
  const plain = compressionOf(bytes) === null ? bytes : await decompress(bytes, source);
  if (isTar(plain)) return buildMachine(readCapturedRoot(await treeOfTar(plain, source), source));
  throw new MachineError({
    code: 'INPUT_FORMAT_UNKNOWN',
    path: source,
    message: 'is neither an archive of a captured root nor a listing of lspci',
    hint: 'capture a machine with: p2pdma capture -o host.tar.gz, or: sudo lspci -Dnnvvvxxxx > host.txt',
  });
}
