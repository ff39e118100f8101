/** Watches the fabric while one transfer runs, and says in a word what became of it. */

import { type Completion, type Fabric, type Hop, type RequestAttributes, ROOT_COMPLEX } from 'p2pdma/fabric';

/** What the client tried, as the observer of the whole fabric saw it. */
export interface Sighting {
  /**
   * `direct`: request and completion arrived and no root port but the two functions themselves saw them. `through`: arrived, by
   * a root port or the root complex. `dies`: the request or its completion did not arrive. `stray`: it arrived at another
   * function, or in RAM.
   */
  readonly outcome: 'direct' | 'through' | 'dies' | 'stray';
  readonly completion: Completion;
  /** Function that took the request, ROOT_COMPLEX for RAM, -2 for nobody. */
  readonly acceptedAt: number;
  /** Whether the request, or the completion, was seen by the root complex or by a root port that is neither end. */
  readonly requestReachedRoot: boolean;
  readonly completionReachedRoot: boolean;
}

const NOBODY = -2;

export class Eye {
  readonly #fabric: Fabric;
  readonly #isRootPort: Uint8Array;
  readonly #watcher: (hop: Hop) => void;
  /** Every transfer with its hops, from when somebody puts a list here. */
  recording: { readonly what: string; readonly hops: Hop[] }[] | null = null;
  #client = NOBODY;
  #provider = NOBODY;
  #acceptedAt = NOBODY;
  #requestAtRoot = false;
  #completionAtRoot = false;

  constructor(fabric: Fabric) {
    this.#fabric = fabric;
    this.#isRootPort = Uint8Array.from(fabric.topology.functions, (node) => (node.kind === 'rootPort' ? 1 : 0));
    this.#watcher = (hop) => this.#see(hop);
  }

  /** Lets `client` write `bytes` to an address that should belong to `provider`. */
  write(
    client: number,
    provider: number,
    address: number,
    bytes: Uint8Array,
    attributes?: RequestAttributes,
  ): Sighting {
    this.#begin(client, provider, 'write', address);
    const stop = this.#fabric.watch(this.#watcher);
    const completion = this.#fabric.memoryWrite(client, address, bytes, attributes);
    stop();
    return this.#sighting(completion);
  }

  /** Lets `client` read from an address that should belong to `provider`. */
  read(client: number, provider: number, address: number, into: Uint8Array, attributes?: RequestAttributes): Sighting {
    this.#begin(client, provider, 'read', address);
    const stop = this.#fabric.watch(this.#watcher);
    const completion = this.#fabric.memoryRead(client, address, into, attributes);
    stop();
    return this.#sighting(completion);
  }

  #begin(client: number, provider: number, what: string, address: number): void {
    this.#client = client;
    this.#provider = provider;
    this.#acceptedAt = NOBODY;
    this.#requestAtRoot = false;
    this.#completionAtRoot = false;
    this.recording?.push({ what: `${what} at 0x${address.toString(16)}`, hops: [] });
  }

  #see(hop: Hop): void {
    const { at, kind, action } = hop;
    this.recording?.at(-1)?.hops.push(hop);
    if (kind !== 'completion' && action === 'accept') this.#acceptedAt = at;
    const isRoot = at === ROOT_COMPLEX || this.#isRootPort[at] === 1;
    if (!isRoot || at === this.#client || at === this.#provider) return;
    if (kind === 'completion') this.#completionAtRoot = true;
    else this.#requestAtRoot = true;
  }

  #sighting(completion: Completion): Sighting {
    const acceptedAt = this.#acceptedAt;
    const arrived = completion.fate === 'delivered';
    const astray = acceptedAt !== NOBODY && acceptedAt !== this.#provider;
    const atRoot = this.#requestAtRoot || this.#completionAtRoot;
    return {
      outcome: astray ? 'stray' : !arrived ? 'dies' : atRoot ? 'through' : 'direct',
      completion,
      acceptedAt,
      requestReachedRoot: this.#requestAtRoot,
      completionReachedRoot: this.#completionAtRoot,
    };
  }
}
