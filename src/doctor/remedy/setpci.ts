/** Registers of the running machine, written with setpci of pciutils: `REGISTER=VALUE:MASK` leaves all bits outside of the mask as they are. */

import type { PciFunction } from '../../pcie/pci-function.ts';
import type { Fix } from '../finding.ts';

/** Bits of one register, now and then. */
export interface RegisterWrite {
  readonly at: PciFunction;
  readonly before: number;
  readonly after: number;
  /** Bits that are written. */
  readonly mask: number;
}

/** A command that changes a running machine, and the one that takes it back. */
export interface SetpciLine {
  readonly apply: string;
  readonly undo: string;
}

/** How long such a change lasts; said with every one. */
export const SETPCI_LASTS =
  'It does not last: a reset of the device or of the port above, DPC, hot plug, suspend and the next boot undo it.';

/** One line for each write; `register` as setpci names it: `ECAP_ACS+6.w`. */
export function registerLines(register: string, writes: readonly RegisterWrite[]): SetpciLine[] {
  return writes.map(({ at, before, after, mask }) => {
    const line = (value: number): string =>
      `sudo setpci -s ${at.name} ${register}=${(value & mask).toString(16)}:${mask.toString(16)}`;
    return { apply: line(after), undo: line(before) };
  });
}

/** The parts of a fix that these lines make. */
export function setpciFix(
  register: string,
  writes: readonly RegisterWrite[],
): Pick<Fix, 'kind' | 'commands' | 'undo' | 'reboot'> {
  const lines = registerLines(register, writes);
  return {
    kind: 'setpci',
    commands: lines.map(({ apply }) => apply),
    undo: lines.map(({ undo }) => undo),
    reboot: false,
  };
}

/** ACS Control of each port, as setpci names it whatever its offset is. */
export const ACS_CONTROL = 'ECAP_ACS+6.w';

/** One line a port: only the bits of its mask are touched, and the undo writes back what they were. */
export function setpciLines(ports: readonly RegisterWrite[]): SetpciLine[] {
  return registerLines(ACS_CONTROL, ports);
}
