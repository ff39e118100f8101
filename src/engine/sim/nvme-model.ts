/** The NVMe controller as a model of the simulator. */

import { FunctionPort } from '../../fabric/upstream-port.ts';
import { NvmeController } from '../../nvme/device/controller.ts';
import { MemoryBlockStore } from '../../nvme/device/memory-store.ts';
import type { CmbOptions } from '../../nvme/device/options.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { CLASS_NVM_EXPRESS } from '../../pcie/registers.ts';
import type { DeviceKind } from './device-model.ts';
import type { NvmeOptions } from './nvme-options.ts';

const DEFAULT_NAMESPACE = 64 * 1024 * 1024;
/** A register window below this holds no doorbells. */
const REGISTERS_MIN = 8192;

/** An NVMe controller: a function of its class, with room for the registers in BAR 0. */
export const NVME: DeviceKind = {
  name: 'nvme',
  fits: (fn) => {
    const registers = fn.bars.find((bar) => bar.index === 0 && bar.space === 'memory');
    return fn.classCode === CLASS_NVM_EXPRESS && registers !== undefined && (registers.size ?? 0) >= REGISTERS_MIN;
  },
  create: ({ fabric, index, fn, clock }, { nvme: options = {} }) => {
    const port = new FunctionPort(fabric, index);
    const cmb = cmbOptions(fn, options.cmb);
    return new NvmeController({
      upstream: port,
      clock,
      namespaces: [{ store: options.store ?? new MemoryBlockStore(options.namespaceBytes ?? DEFAULT_NAMESPACE) }],
      bars: port,
      ...(cmb === null ? {} : { cmb }),
      ...(options.sgl === undefined ? {} : { sgl: options.sgl }),
      ...(options.mdts === undefined ? {} : { mdts: options.mdts }),
      vendorId: fn.vendorId ?? 0,
      serial: fn.name,
    });
  },
};

/** The whole of the largest other memory BAR, if it is at least one page. */
function cmbOptions(fn: PciFunction, wanted: NvmeOptions['cmb']): CmbOptions | null {
  if (wanted === false) return null;
  // CMBLOC.BIR has no way to say BAR 1; BAR 0 holds the registers.
  const bars = fn.bars.filter((bar) => bar.space === 'memory' && bar.index > 1 && (bar.size ?? 0) >= 4096);
  const bar =
    wanted?.bar === undefined
      ? bars.sort((a, b) => (b.size ?? 0) - (a.size ?? 0))[0]
      : fn.bars.find((one) => one.index === wanted.bar);
  if (bar === undefined) return null;
  return { sizeBytes: bar.size ?? 0, bar: bar.index, ...wanted };
}
