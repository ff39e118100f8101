/**
 * What a function is set to besides its place: whether it may send requests and is awake, how large its packets are, what its link aims
 * at, what errors it has recorded. As words, for two captures to be compared; null where the capture does not tell.
 */

import { hex } from '../../core/hex.ts';
import { EXT_CAP_AER, findExtendedCapability } from '../../pcie/capability.ts';
import { SPEEDS_GTS } from '../../pcie/express.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { powerStateOf } from '../../pcie/power-state.ts';

/** Bus Master Enable of the Command register. PCIe 7.5.1.1.3. */
const BUS_MASTER = 0x0004;
/** Link Control 2, in the Express capability; bits 3:0 are the Target Link Speed. PCIe 7.5.3.19. */
const LINK_CONTROL_2 = 0x30;
/** Uncorrectable and Correctable Error Status, in the capability of Advanced Error Reporting. PCIe 7.8.4.2, 7.8.4.5. */
const UNCORRECTABLE_STATUS = 0x04;
const CORRECTABLE_STATUS = 0x10;

export type StateFact = 'busMaster' | 'powerState' | 'payload' | 'linkTarget' | 'numaNode' | 'errors';

/** Each fact in words. */
export const STATE_FACTS: readonly (readonly [fact: StateFact, textOf: (fn: PciFunction) => string | null])[] = [
  ['busMaster', busMasterText],
  ['powerState', powerText],
  ['payload', payloadText],
  ['linkTarget', linkTargetText],
  ['numaNode', ({ numaNode }) => (numaNode === null ? null : `${numaNode}`)],
  ['errors', errorsText],
];

function busMasterText({ command }: PciFunction): string | null {
  return command === null ? null : (command & BUS_MASTER) !== 0 ? 'on' : 'off';
}

function powerText(fn: PciFunction): string | null {
  const power = powerStateOf(fn);
  return power === null ? null : power.state === 3 ? 'D3hot' : `D${power.state}`;
}

function payloadText({ payload }: PciFunction): string | null {
  return payload === null ? null : `MPS ${payload.maxPayload}, MRRS ${payload.maxReadRequest}`;
}

function linkTargetText(fn: PciFunction): string | null {
  const offset = fn.expressOffset;
  const control = offset && fn.link !== null ? fn.config.u16(offset + LINK_CONTROL_2) : undefined;
  const speed = control === undefined ? undefined : SPEEDS_GTS[control & 0xf];
  return speed ? `${speed} GT/s` : null;
}

function errorsText(fn: PciFunction): string | null {
  const offset = fn.poweredDown ? undefined : findExtendedCapability(fn.config, EXT_CAP_AER);
  if (!offset) return null;
  const [hard, soft] = [fn.config.u32(offset + UNCORRECTABLE_STATUS), fn.config.u32(offset + CORRECTABLE_STATUS)];
  if (hard === undefined || soft === undefined) return null;
  return `uncorrectable ${hex(hard, 8)}, correctable ${hex(soft, 8)}`;
}
