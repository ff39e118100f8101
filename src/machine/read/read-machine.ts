/** Any capture, by its content: the format is detected, never asked for. */

import { plainBytes } from '../../core/bytes.ts';
import { buildMachine } from '../build.ts';
import { MachineError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { compressionOf, isTar } from './archive/signature.ts';
import { checkBeginning } from './text-watch.ts';

/** No kernel configuration comes near this many bytes. */
const KERNEL_CONFIG_MAX = 16 * 1024 * 1024;

/**
 * Reads the bytes of a capture: an archive of a captured root, or a listing of lspci, either of them compressed.
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
