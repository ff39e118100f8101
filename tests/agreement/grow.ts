/** The tree that a shape stands for, as a description that `buildTree` understands. */

import type {
  AcsDescription,
  DeviceDescription,
  EndpointFunctionDescription,
  FunctionOptions,
  PortDescription,
  RootBusDescription,
  RootPortDescription,
  TreeDescription,
} from 'p2pdma/pcie';
import type { Shape } from './shape.ts';

/** Bytes of the memory that client and provider have, behind BAR 0. */
export const BAR_BYTES = 65536;
/** Bus addresses are that much above CPU addresses where a case has an offset. */
export const BUS_OFFSET = 0x4000_0000;

/** Services of ports that look down, and of functions of one device, an upstream port among them (PCIe 6.12.1). */
const PORT_ACS: AcsDescription = { control: 0, capability: 0x7f };
const FUNCTION_ACS: AcsDescription = { control: 0, capability: 0x6c };

export interface GrowOptions {
  readonly offset: boolean;
  readonly internal: boolean;
  /** Further devices that nobody speaks to. */
  readonly bystanders: boolean;
}

/**
 * The description. Every node has a name as in `shape.ts`; with bystanders, `x...` stand beside the legs, and the last BAR of the
 * machine belongs to one of them.
 */
export function growLegs(shape: Shape, options: GrowOptions): TreeDescription {
  const { common } = shape;
  const legs = { c: [...shape.client], p: [...shape.provider] };
  const bystander = (name: string): PortDescription => ({ name, below: [endpoint(`${name}e`)] });
  const top = named('top', shape.client === '' || shape.provider === '');
  switch (common) {
    case 'function':
      return one([{ kind: 'rootPort', name: 'rp', acs: PORT_ACS, below: [endpoint('top')] }], options);
    case 'switch':
    case 'innerSwitch': {
      const ports = (['c', 'p'] as const).flatMap((side) => (legs[side].length > 0 ? [port(legs[side], side, 1)] : []));
      if (options.bystanders) ports.splice(1, 0, bystander('x'));
      const below: DeviceDescription = { kind: 'switch', name: 'top', upstream: { ...top, acs: FUNCTION_ACS }, ports };
      if (common === 'switch') return one([{ kind: 'rootPort', name: 'rp', acs: PORT_ACS, below: [below] }], options);
      const outer: PortDescription[] = [{ name: 'out', acs: PORT_ACS, below: [below] }];
      if (options.bystanders) outer.push(bystander('z'));
      const above: DeviceDescription = { kind: 'switch', name: 'up', ports: outer };
      return one([{ kind: 'rootPort', name: 'rp', acs: PORT_ACS, below: [above] }], options);
    }
    case 'rootPort':
      return one([{ kind: 'rootPort', ...top, acs: PORT_ACS, below: below(legs, 1, options) }], options);
    case 'downstreamPort': {
      const ports: PortDescription[] = [{ ...top, acs: PORT_ACS, below: below(legs, 1, options) }];
      if (options.bystanders) ports.push(bystander('x'));
      return one(
        [{ kind: 'rootPort', name: 'rp', acs: PORT_ACS, below: [{ kind: 'switch', name: 'up', ports }] }],
        options,
      );
    }
    case 'pciBridge': {
      const devices: DeviceDescription[] = below(legs, 1, options);
      if (options.bystanders) devices.push(endpoint('xe'));
      const bridge: DeviceDescription = { kind: 'pciBridge', name: 'top', bridge: withoutName(top), below: devices };
      return one([{ kind: 'rootPort', name: 'rp', acs: PORT_ACS, below: [bridge] }], options);
    }
    case 'hostBridge':
      return one([onRoot(legs.c, 'c'), onRoot(legs.p, 'p')], options);
    case 'hostBridges': {
      const busOffset = options.offset ? BUS_OFFSET : 0;
      return {
        rootBuses: [
          { busOffset, children: [onRoot(legs.c, 'c')] },
          { busOffset, children: [onRoot(legs.p, 'p')] },
        ],
      };
    }
  }
}

function one(children: RootBusDescription['children'], options: GrowOptions): TreeDescription {
  const bystander: RootPortDescription = { kind: 'rootPort', name: 'y', below: [endpoint('ye')] };
  const all = options.bystanders ? [...children, bystander] : children;
  return { rootBuses: [{ busOffset: options.offset ? BUS_OFFSET : 0, children: all }] };
}

type Legs = { readonly c: readonly string[]; readonly p: readonly string[] };

/** What is below a port or a PCI bridge: the device of either leg, or one device with a function of each. */
function below(legs: Legs, at: number, options: GrowOptions): DeviceDescription[] {
  if (legs.c[0] === 'f') {
    const acs = options.internal ? FUNCTION_ACS : 'absent';
    const functions: EndpointFunctionDescription[] = [named(`c${at}`, true), named(`p${at}`, true)];
    if (options.bystanders) functions.splice(1, 0, named('xf', true));
    return [{ kind: 'endpoint', functions: functions.map((fn) => ({ ...fn, acs })) }];
  }
  return (['c', 'p'] as const).flatMap((side) => (legs[side].length > 0 ? [device(legs[side], side, at)] : []));
}

/** The device that node `at` of a leg belongs to, with all that follows below it. */
function device(leg: readonly string[], side: string, at: number): DeviceDescription {
  const name = `${side}${at}`;
  const isEnd = at === leg.length;
  switch (leg[at - 1]) {
    case 'u': {
      const ports = isEnd ? [] : [port(leg, side, at + 1)];
      return { kind: 'switch', name, upstream: { ...withoutName(named(name, isEnd)), acs: FUNCTION_ACS }, ports };
    }
    case 'b':
      return {
        kind: 'pciBridge',
        name,
        bridge: withoutName(named(name, isEnd)),
        below: isEnd ? [] : [device(leg, side, at + 1)],
      };
    default:
      return endpoint(name);
  }
}

function port(leg: readonly string[], side: string, at: number): PortDescription {
  const name = `${side}${at}`;
  const isEnd = at === leg.length;
  return { ...named(name, isEnd), acs: PORT_ACS, below: isEnd ? [] : [device(leg, side, at + 1)] };
}

function onRoot(leg: readonly string[], side: string): RootPortDescription | DeviceDescription {
  return leg[0] === 'r' ? { kind: 'rootPort', ...port(leg, side, 1) } : endpoint(`${side}1`);
}

function endpoint(name: string): DeviceDescription {
  return { kind: 'endpoint', functions: [{ ...named(name, true), acs: FUNCTION_ACS }] };
}

/** A function that is client or provider has a BAR. */
function named(name: string, isEnd: boolean): FunctionOptions & { readonly name: string } {
  return { name, bars: isEnd ? [{ size: BAR_BYTES }] : [] };
}

function withoutName({ bars }: FunctionOptions): FunctionOptions {
  return { bars: bars ?? [] };
}
