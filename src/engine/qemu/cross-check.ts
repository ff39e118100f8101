/** Compares our enumeration with QEMU's own account of the machine, `query-pci`: written by others, from the other side. */

import { hex } from '../../core/hex.ts';
import { type Bdf, bdfKey, formatBdf } from '../../pcie/bdf.ts';
import type { FoundFunction } from './enumerate.ts';
import type { QmpLink, QmpPciDevice } from './qmp.ts';
import type { Placement } from './resources.ts';

/** What differs, a sentence each: functions, numbers, BAR addresses and sizes. Empty where both agree. */
export async function crossCheck(
  qmp: QmpLink,
  functions: readonly FoundFunction[],
  placement: Placement,
): Promise<string[]> {
  const theirs = new Map<number, QmpPciDevice>();
  const collect = (devices: readonly QmpPciDevice[]): void => {
    for (const device of devices) {
      theirs.set(bdfKey(bdfOf(device)), device);
      collect(device.pci_bridge?.devices ?? []);
    }
  };
  for (const bus of await qmp.queryPci()) collect(bus.devices);
  const differences: string[] = [];
  functions.forEach((fn, index) => {
    const name = formatBdf(fn.bdf);
    const device = theirs.get(bdfKey(fn.bdf));
    theirs.delete(bdfKey(fn.bdf));
    if (device === undefined) {
      differences.push(`${name} is not in query-pci`);
      return;
    }
    const ids = [
      ['vendor', fn.vendorId, device.id.vendor],
      ['device', fn.deviceId, device.id.device],
      ['class', fn.classCode >>> 8, device.class_info.class],
    ] as const;
    for (const [what, ours, other] of ids) {
      if (ours !== other) differences.push(`${name}: ${what} ${hex(ours)} here, ${hex(other)} in query-pci`);
    }
    compareBars(name, fn, index, placement, device, differences);
  });
  for (const device of theirs.values()) differences.push(`${formatBdf(bdfOf(device))} is in query-pci only`);
  return differences;
}

function bdfOf(device: QmpPciDevice): Bdf {
  return { domain: 0, bus: device.bus, device: device.slot, function: device.function };
}

function compareBars(
  name: string,
  fn: FoundFunction,
  index: number,
  placement: Placement,
  device: QmpPciDevice,
  differences: string[],
): void {
  const regions = new Map(device.regions.filter(({ type }) => type === 'memory').map((region) => [region.bar, region]));
  for (const bar of fn.bars) {
    const region = regions.get(bar.index);
    regions.delete(bar.index);
    const address = placement.bars.find((placed) => placed.fn === index && placed.index === bar.index)?.address;
    if (region === undefined) differences.push(`${name}: BAR ${bar.index} is not in query-pci`);
    else if (region.address !== address || region.size !== bar.lengthBytes) {
      const ours = `${hex(address ?? 0)} of ${bar.lengthBytes} bytes`;
      differences.push(
        `${name}: BAR ${bar.index} at ${ours} here, ${hex(region.address)} of ${region.size} in query-pci`,
      );
    }
  }
  for (const bar of regions.keys()) differences.push(`${name}: BAR ${bar} is in query-pci only`);
}
