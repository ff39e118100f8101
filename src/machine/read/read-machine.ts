/** Any capture, by its content: the format is detected, never asked for. */

import { kindOf } from '../../core/argument.ts';
import { plainBytes } from '../../core/bytes.ts';
import { bytesOf, utf8Bytes } from '../../core/text.ts';
import { buildMachine } from '../build.ts';
import { MachineError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { compressionOf, isTar } from './archive/signature.ts';
import { checkBeginning } from './text-watch.ts';

/** No kernel configuration comes near this many bytes. */
const KERNEL_CONFIG_MAX = 16 * 1024 * 1024;

/**
 * Reads a capture: an archive of a captured root, or a listing of lspci, either of them compressed.
 *
 * @param input its bytes; or the text of a listing itself, not the name of a file
 * @param source what to call it in messages
 * @throws MachineError with what is wrong and what to capture instead
 */
export async function readMachine(input: Uint8Array | ArrayBuffer | string, source = 'the input'): Promise<Machine> {
  const bytes = bytesOfInput(input, source);
  if (bytes.length === 0) {
    throw new MachineError({
      code: 'INPUT_EMPTY',
      path: source,
      message: 'is empty',
      hint: 'capture a machine with: p2pdma capture -o host.tar.gz, or: sudo lspci -Dnnvvvxxxx > host.txt',
    });
  }
  const packed = plainBytes(bytes);
  // Each reader is loaded when its format is met: a command reads one machine and ends.
  const plain =
    compressionOf(packed) === null ? packed : await (await import('./archive/archive.ts')).decompress(packed, source);
  if (isTar(plain)) {
    const [{ treeOfTar }, { needsGunzip, readCapturedRoot }] = await Promise.all([
      import('./archive/archive.ts'),
      import('./root/captured-root.ts'),
    ]);
    const tree = await treeOfTar(plain, source);
    const gunzip = needsGunzip(tree) ? (await import('./archive/gunzip.ts')).gunzip : undefined;
    return buildMachine(
      readCapturedRoot(tree, source, {
        gunzip: gunzip === undefined ? undefined : (packed) => gunzip(packed, () => KERNEL_CONFIG_MAX),
      }),
    );
  }
  checkBeginning(plain, source);
  const { readText } = await import('./read-text.ts');
  return buildMachine(await readText(plain, source));
}

/** The bytes of what a caller handed in; types do not hold him back. */
function bytesOfInput(input: unknown, source: string): Uint8Array {
  if (input instanceof Uint8Array) return input;
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (typeof input === 'string') return bytesOfText(input, source);
  throw new MachineError({
    code: 'INPUT_NOT_BYTES',
    path: source,
    message: `is ${kindOf(input)}, which holds neither bytes nor text`,
    hint: input instanceof Promise ? 'await it first' : 'pass a Uint8Array, an ArrayBuffer, or the text of a listing',
  });
}

/** Archives do not survive as text: the bytes that are no UTF-8 are lost. */
function bytesOfText(text: string, source: string): Uint8Array {
  const beginning = bytesOf(text.slice(0, 512));
  // A byte that is no UTF-8 was decoded as U+FFFD, which `bytesOf` makes a question mark.
  const isGzip = beginning[0] === 0x1f && (beginning[1] === 0x8b || beginning[1] === 0x3f);
  const isSpoilt = isGzip || (text.includes('\ufffd') && (compressionOf(beginning) !== null || isTar(beginning)));
  if (!isSpoilt) return utf8Bytes(text);
  throw new MachineError({
    code: 'INPUT_NOT_BYTES',
    path: source,
    message: 'is an archive that was decoded as text',
    hint: 'pass its bytes: in Node, readFile without an encoding',
  });
}
