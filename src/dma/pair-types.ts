/**
 * The map type of every provider for one mapping device, worked out once: Linux's cache of pci_p2pdma_map_type(). The kernel
 * never invalidates its cache when ACS changes; ours is dropped with `forget`.
 */

import { checkObject } from '../core/argument.ts';
import { judgePair } from '../p2p/distance.ts';
import type { JudgeContext } from '../p2p/judge.ts';
import type { MapType, PairVerdict } from '../p2p/verdict.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { MapError } from './errors.ts';

export const PAIR_NOT_ASKED = 0;
export const PAIR_BUS = 1;
export const PAIR_HOST_BRIDGE = 2;
export const PAIR_NOT_SUPPORTED = 3;
export const PAIR_UNKNOWN = 4;

const CODES: Readonly<Record<MapType, number>> = {
  busAddr: PAIR_BUS,
  thruHostBridge: PAIR_HOST_BRIDGE,
  notSupported: PAIR_NOT_SUPPORTED,
  unknown: PAIR_UNKNOWN,
};

export class PairTypes {
  readonly context: JudgeContext;
  /** Index of the mapping device. */
  readonly client: number;
  readonly #types: Uint8Array;
  #version = 0;

  /** @throws MapError DEVICE_UNKNOWN where no function has that index */
  constructor(context: JudgeContext, client: number) {
    checkObject(context, 'machine', 'PairTypes: context', 'a JudgeContext');
    if (context.functions[client] === undefined) {
      const message = `${client} is not an index of one of its ${context.functions.length} functions`;
      throw new MapError('DEVICE_UNKNOWN', context.machine.source, message, 'give context.indexOf(fn)');
    }
    this.context = context;
    this.client = client;
    this.#types = new Uint8Array(context.functions.length);
  }

  /**
   * Refuses to answer for another device than the verdicts are for.
   *
   * @throws MapError DEVICE_UNKNOWN
   */
  checkClient(fn: PciFunction): void {
    const own = this.context.functions[this.client];
    if (own === fn) return;
    const message = `maps, and the verdicts are for ${own?.name} of ${this.context.machine.source}`;
    throw new MapError('DEVICE_UNKNOWN', fn.name, message, 'make PairTypes for the function of the DmaDevice');
  }

  /** Grows with each `forget`: whoever keeps an answer compares. */
  get version(): number {
    return this.#version;
  }

  /** Code of the pair (provider, client). */
  of(provider: number): number {
    const known = this.#types[provider] as number;
    return known !== PAIR_NOT_ASKED ? known : this.#ask(provider);
  }

  #ask(provider: number): number {
    const code = CODES[this.verdict(provider).type];
    this.#types[provider] = code;
    return code;
  }

  /** The whole judgement with its reasons. */
  verdict(provider: number): PairVerdict {
    return judgePair(this.context, provider, this.client);
  }

  /** Drops what was worked out: after a change of ACS or of the tree. */
  forget(): void {
    this.#types.fill(PAIR_NOT_ASKED);
    this.#version++;
  }

  /** Refuses a vector whose pair is not supported or not known. Always throws. */
  refuse(provider: number, path: string): never {
    const { type, reasons } = this.verdict(provider);
    const names = this.context.functions;
    const pair = `${names[provider]?.name} to ${names[this.client]?.name}`;
    const why = reasons.map((reason) => reason.message).join('; ');
    if (type === 'unknown') {
      throw new MapError(
        'PAIR_UNKNOWN',
        path,
        `the evidence does not tell whether ${pair} may do P2P: ${why}`,
        'capture the machine as root with lspci -xxxx or p2pdma capture',
      );
    }
    throw new MapError(
      'PAIR_NOT_SUPPORTED',
      path,
      `${pair} is not supported: ${why}`,
      'use RAM, or a provider below the same switch; p2pdma explain tells what would change it',
    );
  }
}
