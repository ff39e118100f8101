/**
 * Random scenario files within the envelope: described machines with controllers, memories and switches, and transfers that mix RAM
 * and device memory, by every design, under every setting of the IOMMU. Lengths are whole blocks.
 */

import type { Prng } from '../../src/core/index.ts';
import type { DeviceNode, PortNode, ScenarioFile, TransferDescription } from '../../src/scenario/scenario-types.ts';

const BLOCK = 512;
const PAGE = 4096;
const MIB = 2 ** 20;
const ACS = ['absent', 'clear', ['RR', 'CR'], ['SV', 'RR', 'CR', 'UF']] as const;
/**
 * Above all IOVAs. A base among them may cover the queues as well, and then nobody says what a controller does: QEMU's reads zeros as a
 * command and refuses it, ours stops (CSTS.CFS). What such a base does to data is shown by examples/cmb-base-in-the-way.yaml.
 */
const BASES = [0x20_0000_0000, 0x3f_fff0_0000];

/** A scenario, or null where chance gave the machine no controller. */
export function randomScenario(prng: Prng): ScenarioFile | null {
  return new Draw(prng).scenario();
}

class Draw {
  readonly #prng: Prng;
  readonly #controllers: string[] = [];
  /** Devices that have memory to give. */
  readonly #providers: string[] = [];
  #names = 0;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  scenario(): ScenarioFile | null {
    const hostBridges = this.#some(2, () => ({ id: '8086:2020', rootPorts: this.#some(3, () => this.#port(0)) }));
    if (this.#controllers.length === 0) return null;
    const iommu = this.#prng.pick(['on', 'off', 'passthrough'] as const);
    return {
      machine: { cpu: { vendor: 'AuthenticAMD', family: 23 }, kernel: '6.12.0', hostBridges },
      iommu,
      lazy: this.#chance(5),
      reserveWindows: !this.#chance(5),
      transfers: this.#some(4, () => this.#transfer(iommu)),
    };
  }

  #port(depth: number): PortNode {
    const port: PortNode = { port: this.#name('p') };
    if (this.#chance(2)) port.acs = this.#prng.pick(ACS) as NonNullable<PortNode['acs']>;
    const kind = this.#prng.below(5);
    if (kind === 0 && depth < 2) {
      port.below = [{ switch: this.#name('s'), ports: this.#some(3, () => this.#port(depth + 1)) }];
    } else if (kind < 4) port.below = [this.#device()];
    return port;
  }

  #device(): DeviceNode {
    const name = this.#name('d');
    if (this.#chance(3)) {
      this.#providers.push(name);
      return { device: name, memory: MIB * 2 ** this.#prng.below(4) };
    }
    this.#controllers.push(name);
    const node: DeviceNode = { nvme: name };
    if (this.#chance(2)) return node;
    this.#providers.push(name);
    node.cmb = MIB * 2 ** this.#prng.below(3);
    if (this.#chance(4)) node.cdpmls = true;
    if (this.#chance(3)) {
      node.cba = this.#prng.pick(BASES);
      node.reserveCba = this.#chance(2);
    }
    return node;
  }

  #transfer(iommu: 'on' | 'off' | 'passthrough'): TransferDescription {
    const device = this.#prng.pick(this.#controllers);
    const direction = this.#prng.pick(['toDevice', 'fromDevice'] as const);
    const vectors = this.#some(5, () => {
      const memory = this.#providers.length === 0 || this.#chance(2) ? 'ram' : this.#prng.pick(this.#providers);
      const length = this.#chance(2) ? PAGE * (1 + this.#prng.below(40)) : BLOCK * (1 + this.#prng.below(60));
      return { memory: memory === device ? 'self' : memory, length };
    });
    const transfer: TransferDescription = { name: this.#name('t'), device, direction, vectors };
    if (this.#chance(3)) transfer.classify = this.#prng.pick(['flags', 'lookup', 'page'] as const);
    if (this.#chance(6)) transfer.merge = false;
    if (direction === 'fromDevice' && this.#chance(2)) transfer.repeatAfterUnmap = iommu === 'on' ? 'stopped' : 'moved';
    return transfer;
  }

  #name(letter: string): string {
    return `${letter}${this.#names++}`;
  }

  /** One to `most` of them. */
  #some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: 1 + this.#prng.below(most) }, make);
  }

  /** One in `of`. */
  #chance(of: number): boolean {
    return this.#prng.below(of) === 0;
  }
}
