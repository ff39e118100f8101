/**
 * Surprise removal, as far as QEMU has it: the device is asked out over QMP, and since no guest is there to answer, the slot's
 * registers are set as a guest would when it powers the slot off. PCIe 6.7, 7.5.3.10 (Slot Control).
 */

import { type Bdf, formatBdf } from '../../pcie/bdf.ts';
import { CAP_PCI_EXPRESS, conventionalCapabilities } from '../../pcie/capability.ts';
import { ConfigSpace } from '../../pcie/config-space.ts';
import type { ConfigAccess } from './config-access.ts';
import { QemuError } from './errors.ts';
import type { QmpLink } from './qmp.ts';

const SLOT_CONTROL = 0x18;
const POWER_INDICATOR_MASK = 0x0300;
const POWER_INDICATOR_ON = 0x0100;
const POWER_INDICATOR_OFF = 0x0300;
const POWER_CONTROLLER_OFF = 0x0400;
/** QEMU tells of the removal from another thread, once nobody reads the device's memory any more: late on a busy machine. */
const WAIT_MS = 5_000;
const POLL_MS = 2;

/** Removes device `id` from the slot of `port`. Throws `QEMU_QMP` where QEMU keeps it. */
export async function unplug(qmp: QmpLink, config: ConfigAccess, id: string, port: Bdf): Promise<void> {
  const space = new ConfigSpace(await config.dump(port));
  const express = conventionalCapabilities(space).entries.find((entry) => entry.id === CAP_PCI_EXPRESS);
  await qmp.execute('device_del', { id });
  if (express !== undefined) {
    const register = express.offset + SLOT_CONTROL;
    const kept = (await config.read(port, register, 2)) & ~(POWER_INDICATOR_MASK | POWER_CONTROLLER_OFF);
    // QEMU acts on the change from on to off.
    await config.write(port, register, 2, kept | POWER_INDICATOR_ON);
    await config.write(port, register, 2, kept | POWER_INDICATOR_OFF | POWER_CONTROLLER_OFF);
  }
  for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += POLL_MS) {
    await qmp.execute('query-status');
    if (qmp.hasDeleted(id)) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new QemuError({
    code: 'QEMU_QMP',
    path: formatBdf(port),
    message: `QEMU did not let go of device ${id} in this slot`,
    hint: 'put the part below a port of its own',
  });
}
