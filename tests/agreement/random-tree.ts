/** A machine by chance: up to four levels below a root port, up to three devices side by side. One seed, one tree. */

import type { Prng } from 'p2pdma/core';
import type { SamePortRule } from 'p2pdma/fabric';
import type {
  AcsDescription,
  BarDescription,
  DeviceDescription,
  EndpointFunctionDescription,
  PortDescription,
  RootBusDescription,
  RootPortDescription,
  TreeDescription,
} from 'p2pdma/pcie';
import { IOMMU_SETTINGS, type IommuSetting } from './case.ts';
import { BAR_BYTES, BUS_OFFSET } from './grow.ts';

export interface RandomTree {
  readonly description: TreeDescription;
  readonly iommu: IommuSetting;
  /** Functions of one device reach each other inside it, and say so by an ACS capability. */
  readonly internal: boolean;
  /** What a port does with what comes back to it, Upstream Forwarding off. */
  readonly samePort: SamePortRule;
}

const FAN_OUT = 3;
/** Levels of devices: root port, switch, switch, endpoint. */
const DEPTH = 4;

/** Seed of tree `index` of a run. */
export function treeSeed(seed: number, index: number): number {
  return (Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca6b)) >>> 0;
}

export function randomTree(chance: Prng): RandomTree {
  const iommu = chance.pick(IOMMU_SETTINGS);
  const internal = chance.chance(0.5);
  const grower = new Grower(chance, internal, chance.pick([0.05, 0.2, 0.5]));
  const roots = chance.chance(0.3) ? 2 : 1;
  const rootBuses: RootBusDescription[] = [];
  for (let at = 0; at < roots; at++) rootBuses.push(grower.rootBus());
  const samePort = chance.pick<SamePortRule>(['unsupportedRequest', 'upstream']);
  return { description: { rootBuses }, iommu, internal, samePort };
}

class Grower {
  readonly #chance: Prng;
  readonly #internal: boolean;
  /** How likely a bit of an ACS Control register is set. */
  readonly #density: number;

  constructor(chance: Prng, internal: boolean, density: number) {
    this.#chance = chance;
    this.#internal = internal;
    this.#density = density;
  }

  rootBus(): RootBusDescription {
    const children: (RootPortDescription | DeviceDescription)[] = [];
    for (let left = this.#chance.between(1, FAN_OUT); left > 0; left--) {
      children.push(this.#chance.chance(0.85) ? { kind: 'rootPort', ...this.#port(1) } : this.#endpoint(false));
    }
    return { busOffset: this.#chance.chance(0.3) ? BUS_OFFSET : 0, children };
  }

  #port(level: number): PortDescription {
    const below = this.#chance.chance(0.95) ? [this.#device(level + 1)] : [];
    return { acs: this.#portAcs(), bars: this.#chance.chance(0.05) ? [{ size: BAR_BYTES }] : [], below };
  }

  #device(level: number): DeviceDescription {
    const dice = this.#chance.below(10);
    if (dice < 6 && level < DEPTH) {
      const ports: PortDescription[] = [];
      for (let left = this.#chance.between(1, FAN_OUT); left > 0; left--) ports.push(this.#port(level));
      return { kind: 'switch', upstream: { bars: this.#chance.chance(0.05) ? [{ size: BAR_BYTES }] : [] }, ports };
    }
    if (dice === 9) {
      const below: DeviceDescription[] = [];
      for (let left = this.#chance.between(1, FAN_OUT); left > 0; left--) below.push(this.#endpoint(false));
      return { kind: 'pciBridge', below };
    }
    return this.#endpoint(true);
  }

  #endpoint(onLink: boolean): DeviceDescription {
    const functions: EndpointFunctionDescription[] = [];
    const count = this.#chance.chance(0.25) ? this.#chance.between(2, FAN_OUT) : 1;
    for (let left = count; left > 0; left--) functions.push({ acs: this.#functionAcs(), bars: this.#bars() });
    // Virtual Functions have no ACS of their own: what device has a route to them is not known.
    if (onLink && count === 1 && !this.#internal && this.#chance.chance(0.1)) {
      functions[0] = { ...functions[0], sriov: { vfs: 2, bars: [{ size: BAR_BYTES }] } };
    }
    return { kind: 'endpoint', functions };
  }

  #bars(): BarDescription[] {
    const bars: BarDescription[] = [{ size: BAR_BYTES, prefetchable: this.#chance.chance(0.5) }];
    if (this.#chance.chance(0.2)) bars.push({ size: 2 ** this.#chance.between(12, 20), prefetchable: true });
    return bars;
  }

  #portAcs(): AcsDescription {
    if (this.#chance.chance(0.15)) return 'absent';
    return {
      control: this.#control(0x7e),
      capability: 0x7f,
      egressVector: [this.#chance.chance(0.5) ? 0xffffffff : 0],
    };
  }

  #functionAcs(): AcsDescription {
    if (!this.#internal) return 'absent';
    return {
      control: this.#control(0x6c),
      capability: 0x6c,
      egressVector: [this.#chance.chance(0.5) ? 0xffffffff : 0],
    };
  }

  #control(services: number): number {
    let control = 0;
    for (let bit = 0; bit < 7; bit++)
      if (services & (1 << bit) && this.#chance.chance(this.#density)) control |= 1 << bit;
    return control;
  }
}
