/** Which functions of a machine get the NVMe model, and how it is put behind their BARs. */

import { assert } from '../../core/assert.ts';
import type { Clock } from '../../core/clock.ts';
import type { Fabric } from '../../fabric/fabric.ts';
import { FunctionPort } from '../../fabric/upstream-port.ts';
import { NvmeController } from '../../nvme/device/controller.ts';
import { MemoryBlockStore } from '../../nvme/device/memory-store.ts';
import type { CmbOptions, SglOptions } from '../../nvme/device/options.ts';
import type { BlockStore } from '../../nvme/device/ports.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { CLASS_NVM_EXPRESS } from '../../pcie/registers.ts';

/** What a scenario may say of one controller. All of it has defaults. */
export interface NvmeOptions {
  /** Bytes of the namespace. Default 64 MiB. */
  readonly namespaceBytes?: number;
  readonly store?: BlockStore;
  /** `false`: none. Default: the largest memory BAR from BAR 2 on, where there is one. */
  readonly cmb?: Partial<CmbOptions> | false;
  readonly sgl?: SglOptions | false;
  readonly mdts?: number;
}

const DEFAULT_NAMESPACE = 64 * 1024 * 1024;
/** A register window below this holds no doorbells. */
const REGISTERS_MIN = 8192;

/** Whether a function is an NVMe controller that the model can stand in for: its class, and room for the registers in BAR 0. */
export function isNvme(fn: PciFunction): boolean {
  const registers = fn.bars.find((bar) => bar.index === 0 && bar.space === 'memory');
  return fn.classCode === CLASS_NVM_EXPRESS && registers !== undefined && (registers.size ?? 0) >= REGISTERS_MIN;
}

/** Puts a controller behind the BARs of a function of the fabric. */
export function attachNvme(fabric: Fabric, index: number, clock: Clock, options: NvmeOptions = {}): NvmeController {
  const node = fabric.function(index);
  const port = new FunctionPort(fabric, index);
  const cmb = cmbOptions(node.fn, options.cmb);
  const controller = new NvmeController({
    upstream: port,
    clock,
    namespaces: [{ store: options.store ?? new MemoryBlockStore(options.namespaceBytes ?? DEFAULT_NAMESPACE) }],
    bars: port,
    ...(cmb === null ? {} : { cmb }),
    ...(options.sgl === undefined ? {} : { sgl: options.sgl }),
    ...(options.mdts === undefined ? {} : { mdts: options.mdts }),
    vendorId: node.fn.vendorId ?? 0,
    serial: node.name,
  });
  for (const bar of controller.bars) {
    const have = node.bar(bar.index);
    assert(
      have !== null && have !== undefined && have.size >= bar.sizeBytes,
      `BAR ${bar.index} of ${node.name} holds the controller`,
    );
    fabric.attachBar(index, bar.index, controller.barTarget(bar.index));
  }
  return controller;
}

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
