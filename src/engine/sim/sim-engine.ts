/**
 * The simulator as an engine: a machine whose transactions run on our fabric, with models behind the BARs of the devices that it has
 * models of (device-models.ts). Every answer is there at once.
 */

import type { PhysAddr } from '../../core/address.ts';
import { Clock } from '../../core/clock.ts';
import type { Word64 } from '../../core/word64.ts';
import { Fabric, type FabricOptions } from '../../fabric/fabric.ts';
import type { IommuPort } from '../../fabric/iommu-port.ts';
import type { Machine } from '../../machine/machine.ts';
import { type Bdf, bdfFromKey } from '../../pcie/bdf.ts';
import type { AccessSize, Capability, EngineFault, RegisterEngine } from '../register.ts';
import type { DeviceModel, DeviceOptions } from './device-model.ts';
import { attachModels } from './device-models.ts';

export interface SimEngineOptions {
  readonly machine: Machine;
  readonly rootComplex?: FabricOptions['rootComplex'];
  readonly iommu?: IommuPort | null;
  readonly rules?: FabricOptions['rules'];
  /** What devices are, by the function's name. Functions that are left out get the defaults. */
  readonly devices?: Readonly<Record<string, DeviceOptions>>;
}

const CAPABILITIES: readonly Capability[] = [
  { what: 'data', shown: true, reason: 'every memory really holds bytes' },
  { what: 'routing', shown: true, reason: 'each TLP is routed hop by hop, by registers' },
  { what: 'acs', shown: true, reason: 'ACS is enforced at every ingress' },
  { what: 'translation', shown: true, reason: 'the page tables are walked, with a TLB that may be stale' },
  { what: 'loss', shown: true, reason: 'a lost write is in the error log' },
  { what: 'registers', shown: false, reason: 'the controller is our own: QEMU’s proves the registers' },
];

/** Pieces of work that a device does between two looks at the others. */
const WORK_SLICE = 64;

export class SimEngine implements RegisterEngine {
  readonly kind = 'sim';
  readonly name = 'sim';
  readonly machine: Machine;
  readonly fabric: Fabric;
  /** Models by the index of their function. */
  readonly models: ReadonlyMap<number, DeviceModel>;
  readonly #clock: Clock = new Clock();
  readonly #word = new Uint8Array(8);
  readonly #iommu: IommuPort | null;

  constructor(options: SimEngineOptions) {
    const { machine } = options;
    this.machine = machine;
    this.#iommu = options.iommu ?? null;
    this.fabric = new Fabric({
      hierarchy: machine.hierarchy,
      ram: machine.ram,
      rootComplex: options.rootComplex ?? 'forward',
      iommu: options.iommu ?? null,
      // One time for all: transfers take theirs on the links, waiting the rest.
      clock: this.#clock,
      ...(options.rules === undefined ? {} : { rules: options.rules }),
    });
    this.models = attachModels(this.fabric, machine, this.#clock, options.devices ?? {});
  }

  get nowNs(): number {
    return this.#clock.nowNs;
  }

  readConfig(fn: Bdf, offset: number, size: AccessSize): number {
    return this.fabric.configRead(fn, offset, size);
  }

  writeConfig(fn: Bdf, offset: number, size: AccessSize, value: number): void {
    this.fabric.configWrite(fn, offset, size, value);
  }

  read32(address: PhysAddr): number {
    const word = this.#word.subarray(0, 4);
    word.fill(0xff);
    this.fabric.cpuRead(address, word);
    return this.#u32(0);
  }

  write32(address: PhysAddr, value: number): void {
    this.#putU32(0, value);
    this.fabric.cpuWrite(address, this.#word.subarray(0, 4));
  }

  read64(address: PhysAddr): Word64 {
    this.#word.fill(0xff);
    this.fabric.cpuRead(address, this.#word);
    return { low: this.#u32(0), high: this.#u32(4) };
  }

  write64(address: PhysAddr, value: Word64): void {
    this.#putU32(0, value.low);
    this.#putU32(4, value.high);
    this.fabric.cpuWrite(address, this.#word);
  }

  readMemory(address: PhysAddr, into: Uint8Array): void {
    this.fabric.cpuRead(address, into);
  }

  writeMemory(address: PhysAddr, from: Uint8Array): void {
    this.fabric.cpuWrite(address, from);
  }

  run(maxNs: number): boolean {
    let did = false;
    for (let busy = true; busy; ) {
      busy = false;
      for (const model of this.models.values()) {
        if (model.hasWork && model.work(WORK_SLICE) > 0) busy = true;
      }
      did ||= busy;
    }
    if (!did) this.#clock.advance(maxNs);
    return did;
  }

  /** Takes a device out of its slot: it and what is below it answer no more, and lose what power kept. */
  unplug(fn: Bdf): void {
    this.fabric.unplug(this.machine.hierarchy.indexOf(fn));
    for (const [index, model] of this.models) if (!this.fabric.function(index).present) model.reset();
  }

  takeFaults(): EngineFault[] {
    const faults = this.#iommu?.takeFaults() ?? [];
    return faults.map(({ requester, address, access, reason }) => ({
      requester: bdfFromKey(requester),
      address,
      access,
      reason,
      code: null,
    }));
  }

  capabilities(): readonly Capability[] {
    return CAPABILITIES;
  }

  close(): void {}

  #u32(offset: number): number {
    const word = this.#word;
    return (
      ((word[offset] as number) |
        ((word[offset + 1] as number) << 8) |
        ((word[offset + 2] as number) << 16) |
        ((word[offset + 3] as number) << 24)) >>>
      0
    );
  }

  #putU32(offset: number, value: number): void {
    for (let byte = 0; byte < 4; byte++) this.#word[offset + byte] = (value >>> (8 * byte)) & 0xff;
  }
}
