/** The devices that the simulator has models of. Whoever adds one adds an entry here. */

import { assert } from '../../core/assert.ts';
import type { Clock } from '../../core/clock.ts';
import type { Fabric } from '../../fabric/fabric.ts';
import type { Machine } from '../../machine/machine.ts';
import type { DeviceKind, DeviceModel, DeviceOptions } from './device-model.ts';
import { NVME } from './nvme-model.ts';

/** In the order in which they are tried: the first that fits a function is its model. */
export const DEVICE_KINDS: readonly DeviceKind[] = [NVME];

/**
 * Puts a model behind the BARs of each function that one fits and that has power. By index of the function.
 *
 * @param options what the scenario says, by the function's name
 * @param kinds in the order in which they are tried
 */
export function attachModels(
  fabric: Fabric,
  { hierarchy }: Machine,
  clock: Clock,
  options: Readonly<Record<string, DeviceOptions>>,
  kinds: readonly DeviceKind[] = DEVICE_KINDS,
): Map<number, DeviceModel> {
  const models = new Map<number, DeviceModel>();
  for (const [index, fn] of hierarchy.functions.entries()) {
    const kind = fn.poweredDown ? undefined : kinds.find((one) => one.fits(fn));
    if (kind === undefined) continue;
    const model = kind.create({ fabric, index, fn, clock }, options[fn.name] ?? {});
    attach(fabric, index, model);
    models.set(index, model);
  }
  return models;
}

function attach(fabric: Fabric, index: number, model: DeviceModel): void {
  const node = fabric.function(index);
  for (const bar of model.bars) {
    const size = node.bar(bar.index)?.size ?? 0;
    assert(size >= bar.sizeBytes, `BAR ${bar.index} of ${node.name} holds the registers and the memory of its model`);
    fabric.attachBar(index, bar.index, model.barTarget(bar.index));
  }
}
