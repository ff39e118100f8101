/** Small fabrics by a short sentence. */

import { Prng, type Range } from '../../src/core/index.ts';
import { Fabric, type FabricOptions, type Hop, ROOT_COMPLEX } from '../../src/fabric/index.ts';
import {
  type AcsDescription,
  buildTree,
  type EndpointFunctionDescription,
  type PortDescription,
  type RootBusDescription,
  type RootPortDescription,
  type TreeDescription,
} from '../../src/pcie/index.ts';

export const RAM: readonly Range[] = [
  { start: 0, end: 0x9fc20 },
  { start: 0x100000, end: 0x8000_0000 },
  // Across 4 GiB, where headers grow by four bytes.
  { start: 2 ** 32 - 2 ** 20, end: 2 ** 32 + 2 ** 30 },
];

/** A fabric with its functions by name. */
export class Bench {
  readonly fabric: Fabric;
  readonly names: ReadonlyMap<string, number>;

  constructor(description: TreeDescription, options: Partial<FabricOptions> = {}) {
    const { hierarchy, names } = buildTree(description);
    this.fabric = new Fabric({ hierarchy, ram: RAM, ...options });
    this.names = new Map([...names].map(([name, bdf]) => [name, hierarchy.indexOf(bdf)]));
  }

  index(name: string): number {
    const index = this.names.get(name);
    if (index === undefined) throw new Error(`no function is called ${name}`);
    return index;
  }

  nameOf(index: number): string {
    if (index === ROOT_COMPLEX) return 'rc';
    for (const [name, at] of this.names) if (at === index) return name;
    return `${index}`;
  }

  fn(name: string) {
    return this.fabric.function(this.index(name));
  }

  /** Bus address of a BAR. */
  bus(name: string, bar = 0): number {
    const start = this.fn(name).bar(bar)?.start;
    if (start === undefined || start === null) throw new Error(`${name} has no BAR ${bar} with a place`);
    return start;
  }

  /** CPU address of a BAR. */
  cpu(name: string, bar = 0): number {
    const node = this.fn(name);
    return this.bus(name, bar) - (this.fabric.topology.rootBuses[node.bus.root]?.busOffset ?? 0);
  }

  memory(name: string, bar = 0) {
    return this.fabric.barMemory(this.index(name), bar);
  }

  /** Bytes behind a BAR. */
  bytes(name: string, offset: number, length: number, bar = 0): number[] {
    const into = new Uint8Array(length);
    this.memory(name, bar).read(offset, into);
    return [...into];
  }

  write(name: string, address: number, bytes: ArrayLike<number>, attributes = {}) {
    return this.fabric.memoryWrite(this.index(name), address, Uint8Array.from(bytes), attributes);
  }

  read(name: string, address: number, length: number, attributes = {}) {
    const into = new Uint8Array(length);
    const answer = this.fabric.memoryRead(this.index(name), address, into, attributes);
    return { ...answer, bytes: [...into] };
  }

  /** Runs `action` and returns the way of each TLP: `write a:issue dspA:peer dspB:downstream b:accept`. */
  road(action: () => void): string[] {
    const hops: Hop[] = [];
    const stop = this.fabric.watch((hop) => hops.push(hop));
    action();
    stop();
    const lines: string[] = [];
    let previous: Hop | null = null;
    for (const hop of hops) {
      const begins = previous === null || hop.action === 'issue';
      const text = `${this.nameOf(hop.at)}:${hop.action}`;
      if (begins) lines.push(`${WORDS[hop.kind]} ${text}`);
      else lines[lines.length - 1] += ` ${text}`;
      previous = hop;
    }
    return lines;
  }
}

const WORDS = {
  memoryWrite: 'write',
  memoryRead: 'read',
  completion: 'completion',
  configRead: 'configRead',
  configWrite: 'configWrite',
} as const;

export const ONE_BAR: EndpointFunctionDescription = { bars: [{ size: 2 ** 22, prefetchable: true }] };

function endpoint(name: string, fn: EndpointFunctionDescription = ONE_BAR) {
  return { kind: 'endpoint', name, functions: [fn] } as const;
}

export interface SwitchOptions extends Partial<FabricOptions> {
  readonly acs?: AcsDescription;
  readonly acsA?: AcsDescription;
  readonly acsB?: AcsDescription;
  readonly acsRp?: AcsDescription;
  readonly busOffset?: number;
  readonly a?: EndpointFunctionDescription;
  readonly b?: EndpointFunctionDescription;
  readonly portA?: Partial<PortDescription>;
  readonly portB?: Partial<PortDescription>;
  readonly rp?: Partial<RootPortDescription>;
  readonly upstream?: NonNullable<Parameters<typeof switchBelow>[0]>;
}

function switchBelow(upstream: {
  spareMemory?: number;
  memorySpace?: boolean;
  busMaster?: boolean;
  bars?: [{ size: number }];
}) {
  return upstream;
}

/** rp - usp - dspA - a, and dspB - b. */
export function switchWithTwoEndpoints(options: SwitchOptions = {}): Bench {
  const acs = options.acs ?? 'clear';
  return new Bench(
    {
      rootBuses: [
        {
          busOffset: options.busOffset ?? 0,
          children: [
            {
              kind: 'rootPort',
              name: 'rp',
              acs: options.acsRp ?? 'clear',
              ...options.rp,
              below: [
                {
                  kind: 'switch',
                  name: 'usp',
                  upstream: options.upstream ?? {},
                  ports: [
                    { name: 'dspA', acs: options.acsA ?? acs, below: [endpoint('a', options.a)], ...options.portA },
                    { name: 'dspB', acs: options.acsB ?? acs, below: [endpoint('b', options.b)], ...options.portB },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
    options,
  );
}

export interface RootPortsOptions extends Partial<FabricOptions> {
  readonly acs?: AcsDescription;
  /** Offsets of one root bus each; one entry: both root ports on one bus. */
  readonly busOffsets?: readonly number[];
  readonly a?: EndpointFunctionDescription;
  readonly b?: EndpointFunctionDescription;
}

/** rpA - a and rpB - b, on one root bus or on two. */
export function twoRootPorts(options: RootPortsOptions = {}): Bench {
  const offsets = options.busOffsets ?? [0];
  const ports: RootPortDescription[] = [
    { kind: 'rootPort', name: 'rpA', acs: options.acs ?? 'clear', below: [endpoint('a', options.a)] },
    { kind: 'rootPort', name: 'rpB', acs: options.acs ?? 'clear', below: [endpoint('b', options.b)] },
  ];
  const rootBuses: RootBusDescription[] =
    offsets.length === 1
      ? [{ busOffset: offsets[0] ?? 0, children: ports }]
      : ports.map((port, index) => ({ busOffset: offsets[index] ?? 0, children: [port] }));
  return new Bench({ rootBuses }, options);
}

/** rp - a device with functions f0 and f1. */
export function twoFunctions(
  options: Partial<FabricOptions> & { acs?: AcsDescription; acsRp?: AcsDescription; busOffset?: number } = {},
): Bench {
  const fn = { ...ONE_BAR, acs: options.acs ?? 'absent' };
  const functions = [
    { ...fn, name: 'f0' },
    { ...fn, name: 'f1' },
  ];
  const below = [{ kind: 'endpoint', functions } as const];
  const children = [{ kind: 'rootPort', name: 'rp', acs: options.acsRp ?? 'clear', below } as const];
  return new Bench({ rootBuses: [{ busOffset: options.busOffset ?? 0, children }] }, options);
}

export interface NestedOptions extends Partial<FabricOptions> {
  readonly outer?: AcsDescription;
  readonly outerB?: AcsDescription;
  readonly inner?: AcsDescription;
  readonly acsRp?: AcsDescription;
}

/** rp - usp - outerA - uspInner - inner - a (and inner2 - c), and outerB - b. */
export function nestedSwitches(options: NestedOptions = {}): Bench {
  const inner = options.inner ?? 'clear';
  const outer = options.outer ?? 'clear';
  return new Bench(
    {
      rootBuses: [
        {
          children: [
            {
              kind: 'rootPort',
              name: 'rp',
              acs: options.acsRp ?? 'clear',
              below: [
                {
                  kind: 'switch',
                  name: 'usp',
                  ports: [
                    {
                      name: 'outerA',
                      acs: outer,
                      below: [
                        {
                          kind: 'switch',
                          name: 'uspInner',
                          ports: [
                            { name: 'inner', acs: inner, below: [endpoint('a')] },
                            { name: 'inner2', acs: inner, below: [endpoint('c')] },
                          ],
                        },
                      ],
                    },
                    { name: 'outerB', acs: options.outerB ?? outer, below: [endpoint('b')] },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
    options,
  );
}

/** Bytes from a seed. */
export function pattern(length: number, seed = 1): Uint8Array {
  const prng = new Prng(seed);
  return Uint8Array.from({ length }, () => prng.next() & 0xff);
}
