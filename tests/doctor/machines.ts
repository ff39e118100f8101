/** Machines described in a few words, for the doctor's and the command's tests. */

import { present } from '../../src/core/assert.ts';
import { buildMachine } from '../../src/machine/build.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { POLICIES, type PolicyName } from '../../src/p2p/policy.ts';
import { formatBdf } from '../../src/pcie/bdf.ts';
import { buildTree } from '../../src/pcie/build-tree.ts';
import type {
  AcsDescription,
  DeviceDescription,
  RootBusDescription,
  RootPortDescription,
} from '../../src/pcie/describe.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';

/** A host bridge that no list has, so that what goes up is refused. */
export const UNLISTED = { vendorId: 0x8086, deviceId: 0x29c0 } as const;
/** One that is listed for all pairs, and one that is listed only for pairs below itself. */
export const LISTED = { vendorId: 0x8086, deviceId: 0x2030 } as const;
export const LISTED_SAME_ONLY = { vendorId: 0x8086, deviceId: 0x2f00 } as const;

export interface NamedMachine {
  readonly machine: Machine;
  /** Full address of a part by its name in the description. */
  readonly at: (name: string) => string;
  /** A part itself. */
  readonly fn: (name: string) => PciFunction;
  /** Judge of the machine, and the index of a part in it. */
  readonly judge: (policy?: PolicyName) => JudgeContext;
  readonly index: (name: string) => number;
}

/** The machine of a description, with an Intel CPU unless told otherwise. */
export function machineOf(
  rootBuses: readonly RootBusDescription[],
  facts: { readonly cpu?: Machine['cpu']; readonly kernel?: string; readonly cmdline?: string } = {},
): NamedMachine {
  const tree = buildTree({ rootBuses });
  const machine = buildMachine({
    source: 'described',
    functions: tree.facts,
    cpu: facts.cpu === undefined ? { vendor: 'GenuineIntel', family: 6 } : facts.cpu,
    kernel: facts.kernel ?? '6.12.1',
    cmdline: facts.cmdline,
  });
  const bdf = (name: string): Parameters<typeof formatBdf>[0] => {
    const found = tree.names.get(name);
    if (found === undefined) throw new Error(`nothing is named ${name}`);
    return found;
  };
  return {
    machine,
    at: (name) => formatBdf(bdf(name)),
    fn: (name) => present(machine.hierarchy.at(bdf(name)), `the machine has ${name}`),
    judge: (policy = 'linux-6.12') => new JudgeContext(machine, POLICIES[policy]),
    index: (name) => machine.hierarchy.indexOf(bdf(name)),
  };
}

/** An endpoint with one large BAR. */
export function card(name: string): DeviceDescription {
  return { kind: 'endpoint', name, functions: [{ bars: [{ size: 2 ** 21, prefetchable: true }] }] };
}

/** A root port with one switch; `ports` are name and ACS of each downstream port and what is below it. */
export function switchBelow(
  name: string,
  ports: readonly {
    readonly name: string;
    readonly acs?: AcsDescription;
    readonly below?: readonly DeviceDescription[];
  }[],
  acs: AcsDescription = 'clear',
): RootPortDescription {
  return {
    kind: 'rootPort',
    name,
    acs,
    below: [{ kind: 'switch', name: `${name}-usp`, ports: ports.map((port) => ({ acs: 'clear' as const, ...port })) }],
  };
}
