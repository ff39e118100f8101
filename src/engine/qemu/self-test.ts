/** What the engine relies on and another QEMU might do otherwise, tried at every start: it takes a millisecond. */

import { physAddr } from '../../core/address.ts';
import { hex } from '../../core/hex.ts';
import type { Bdf } from '../../pcie/bdf.ts';
import type { BackingFile } from './backing-file.ts';
import { type ConfigAccess, readConfigPort } from './config-access.ts';
import { QemuError } from './errors.ts';
import type { QtestLink } from './qtest.ts';

/** Q35's host bridge. */
const HOST_BRIDGE_ID = 0x29c08086;
/** RAM that nobody else uses yet, and an address that nobody ever will. */
const PROBE = 0x200000;
const NOWHERE = physAddr(2 ** 38 + 2 ** 37);

/** Throws `QEMU_SELF_TEST` with what was expected and what was found. RAM is zero again afterwards. */
export async function selfTest(link: QtestLink, config: ConfigAccess, ram: BackingFile): Promise<void> {
  const hostBridge: Bdf = { domain: 0, bus: 0, device: 0, function: 0 };
  const [byWindow, byPorts] = await Promise.all([config.read(hostBridge, 0, 4), readConfigPort(link, hostBridge, 0)]);
  expectEqual('the host bridge by the memory-mapped window', byWindow, HOST_BRIDGE_ID);
  expectEqual('the host bridge by the ports', byPorts, HOST_BRIDGE_ID);

  const probe = physAddr(PROBE);
  ram.write(PROBE, Uint8Array.of(0x78, 0x56, 0x34, 0x12));
  expectEqual('RAM written through the shared file', await link.read(probe, 4), 0x12345678);
  await link.writeBlock(probe, Uint8Array.of(0xef, 0xcd, 0xab, 0x89));
  const seen = new Uint8Array(4);
  ram.read(PROBE, seen);
  expectEqual('RAM read through the shared file', new DataView(seen.buffer).getUint32(0, true), 0x89abcdef);
  ram.write(PROBE, new Uint8Array(4));

  await link.write64(NOWHERE, { high: 1, low: 1 });
  expectEqual('an address that nobody decodes', await link.read(NOWHERE, 4), 0);
}

function expectEqual(what: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new QemuError({
    code: 'QEMU_SELF_TEST',
    path: 'qemu',
    message: `${what}: ${hex(found)} where ${hex(expected)} was expected`,
    hint: 'this QEMU behaves otherwise than the engine relies on: use a release that was tested, 7.2',
  });
}
