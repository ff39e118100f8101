/** Random machines that both engines can be: root buses, ports, switches below switches, controllers and memories. */

import type { Prng } from '../../src/core/index.ts';
import type {
  DeviceDescription,
  EndpointDescription,
  PortDescription,
  RootBusDescription,
  RootPortDescription,
  TreeDescription,
} from '../../src/pcie/index.ts';
import { MIB, memory, nvme } from '../contract/bed.ts';

export interface RandomTree {
  readonly tree: TreeDescription;
  /** Controllers, at least one; those with a buffer are among the memories too. */
  readonly controllers: readonly string[];
  /** Names whose BAR 2 is memory. */
  readonly memories: readonly string[];
}

const SIZES: readonly number[] = [MIB, 2 * MIB, 4 * MIB, 8 * MIB];

class Generator {
  readonly #prng: Prng;
  readonly controllers: string[] = [];
  readonly memories: string[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  rootBus(position: number): RootBusDescription {
    const children = Array.from({ length: this.#prng.between(1, 3) }, () => this.#rootPort());
    return {
      hostBridge: { vendorId: 0x8086, deviceId: 0x29c0 },
      ...(position === 0 ? { bus: 0 } : {}),
      children,
    };
  }

  #rootPort(): RootPortDescription {
    const acs = this.#prng.pick(['absent', 'clear'] as const);
    return { kind: 'rootPort', acs, below: this.#below(0) };
  }

  #below(depth: number): DeviceDescription[] {
    const roll = this.#prng.below(10);
    if (roll === 0) return [];
    if (roll < 5 && depth < 2) {
      const ports = Array.from({ length: this.#prng.between(1, 3) }, (): PortDescription => {
        return { acs: 'absent', below: this.#below(depth + 1) };
      });
      return [{ kind: 'switch', ports }];
    }
    return [roll < 8 ? this.controller() : this.#memory()];
  }

  controller(): EndpointDescription {
    const name = `n${this.controllers.length}`;
    this.controllers.push(name);
    if (this.#prng.chance(0.4)) return nvme(name);
    this.memories.push(name);
    return nvme(name, this.#prng.pick(SIZES));
  }

  #memory(): EndpointDescription {
    const name = `m${this.memories.length}`;
    this.memories.push(name);
    return memory(name, this.#prng.pick(SIZES));
  }
}

/** A machine with at least one controller. */
export function randomTree(prng: Prng): RandomTree {
  const generator = new Generator(prng);
  const rootBuses = Array.from({ length: prng.between(1, 3) }, (_, index) => generator.rootBus(index));
  if (generator.controllers.length === 0) {
    const first = rootBuses[0] as RootBusDescription;
    const extra: RootPortDescription = { kind: 'rootPort', acs: 'absent', below: [generator.controller()] };
    rootBuses[0] = { ...first, children: [...first.children, extra] };
  }
  return { tree: { rootBuses }, controllers: generator.controllers, memories: generator.memories };
}
