/** A placed function as a reader of a live machine would have found it: its configuration space and its kernel resources. */

import { busAddr } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import { ACS_BITS } from './acs.ts';
import { type Bdf, bdfFromRoutingId, requesterId } from './bdf.ts';
import { type AcsFields, type BarFields, ConfigBuilder } from './config-builder.ts';
import { type AcsDescription, refuseDescription } from './describe.ts';
import type { FunctionFacts, SysfsResource } from './function-facts.ts';
import { COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from './registers.ts';
import type { BarPlan, FunctionPlan } from './tree-plan.ts';

/** Vendor where the description names none: the one of virtual devices. */
const DEFAULT_VENDOR = 0x1af4;
/** Routing IDs of Virtual Functions follow the Physical Function's one by one. */
const FIRST_VF_OFFSET = 1;
const VF_STRIDE = 1;

/** The facts of a function, and of its Virtual Functions behind it. */
export function encodePlan(plan: FunctionPlan): FunctionFacts[] {
  const { bdf, options, bridge, portType, vfs } = plan;
  const memorySpace = options.memorySpace === false ? 0 : COMMAND_MEMORY_SPACE;
  const command = memorySpace | (options.busMaster === false ? 0 : COMMAND_BUS_MASTER);
  const { deviceId, classCode, multiFunction } = plan;
  const vendorId = options.vendorId ?? DEFAULT_VENDOR;
  const config = new ConfigBuilder({ vendorId, deviceId, classCode, command, multiFunction }, bridge ? 1 : 0);
  for (const bar of plan.bars) config.bar(barFields(bar));
  if (bridge) config.bridge({ ...bridge, primary: bdf.bus });
  if (portType !== 'conventional') {
    const { maxPayload, maxReadRequest, portNumber } = plan;
    const link = portType === 'rcIntegratedEndpoint' ? null : plan.link;
    config.express({ portType, link, maxPayload, maxReadRequest, portNumber });
    config.aer();
    const acs = acsFields(options.acs ?? 'absent', `${plan.path}.acs`);
    if (acs) config.acs(acs);
  }
  if (vfs > 0) {
    const bars = plan.vfBars.map(barFields);
    const [vfOffset, vfStride] = [FIRST_VF_OFFSET, VF_STRIDE];
    config.sriov({ totalVfs: vfs, numVfs: vfs, vfOffset, vfStride, vfDeviceId: deviceId + 1, bars });
  }
  const facts = [factsOf(plan, bdf, config, plan.bars, null)];
  for (let vf = 0; vf < vfs; vf++) facts.push(virtualFunction(plan, vf));
  return facts;
}

/** A Virtual Function's registers: identity all ones, BARs zero; its own Bus Master Enable. PCIe 9.3.4. */
function virtualFunction(plan: FunctionPlan, vf: number): FunctionFacts {
  const { domain, bus } = plan.bdf;
  const routingId = requesterId(plan.bdf) + FIRST_VF_OFFSET + vf * VF_STRIDE;
  if (routingId >> 8 !== bus) {
    const message = `Virtual Function ${vf} would be on bus ${routingId >> 8}`;
    refuseDescription(
      'FUNCTION_NUMBERS_EXHAUSTED',
      plan.path,
      message,
      'use fewer Virtual Functions: a bus holds 256 functions',
    );
  }
  const command = plan.options.busMaster === false ? 0 : COMMAND_BUS_MASTER;
  const { classCode } = plan;
  const config = new ConfigBuilder({ vendorId: 0xffff, deviceId: 0xffff, classCode, command, multiFunction: false }, 0);
  // Its own size fields are reserved and read zero: 128 bytes.
  config.express({ portType: 'endpoint', link: plan.link, maxPayload: 128, maxReadRequest: 128, portNumber: 0 });
  return factsOf(plan, bdfFromRoutingId(domain, routingId), config, plan.vfBars, vf);
}

/** `vf`: number of the Virtual Function, null for the function itself. */
function factsOf(
  plan: FunctionPlan,
  bdf: Bdf,
  config: ConfigBuilder,
  bars: readonly BarPlan[],
  vf: number | null,
): FunctionFacts {
  return {
    bdf,
    config: config.build(),
    configSource: { kind: 'config', file: 'description', line: null },
    text: null,
    sysfs: {
      folder: 'description',
      parent: plan.parent,
      rootBus: plan.rootBus,
      vendorId: plan.options.vendorId ?? DEFAULT_VENDOR,
      deviceId: vf === null ? plan.deviceId : plan.deviceId + 1,
      classCode: plan.classCode,
      subsystemVendorId: undefined,
      subsystemId: undefined,
      resources: resourcesOf(plan, bars, vf ?? 0),
      numaNode: undefined,
      iommuGroup: undefined,
      driver: undefined,
      physicalFunction: vf === null ? undefined : plan.bdf,
      link: undefined,
      p2pmem: undefined,
    },
  };
}

function resourcesOf(plan: FunctionPlan, bars: readonly BarPlan[], position: number): SysfsResource[] {
  const resources: SysfsResource[] = Array.from({ length: 6 }, () => ({ start: 0, end: 0, flags: 0 }));
  for (const { index, size, address, prefetchable, is64Bit } of bars) {
    const start = busAddr(address + position * size) - plan.busOffset;
    if (start < 0) {
      const message = `BAR ${index} at bus address ${hex(address)} has no CPU address with offset ${hex(plan.busOffset)}`;
      refuseDescription('VALUE_INVALID', plan.path, message, 'choose a smaller bus offset, or higher bus addresses');
    }
    const flags = 0x40200 | (prefetchable ? 0x2000 : 0) | (is64Bit ? 0x100000 : 0);
    resources[index] = { start, end: start + size - 1, flags };
  }
  return resources;
}

function barFields(bar: BarPlan): BarFields {
  return { index: bar.index, busAddress: bar.address, is64Bit: bar.is64Bit, prefetchable: bar.prefetchable };
}

function acsFields(acs: AcsDescription, path: string): AcsFields | null {
  if (acs === 'absent') return null;
  if (acs === 'clear') return { capability: 0x7f, control: 0, egressVector: [0] };
  if ('control' in acs) {
    const capability = acs.capability ?? 0x7f;
    if ((acs.control & ~capability) !== 0) {
      const message = `control ${hex(acs.control)} beyond capability ${hex(capability)}`;
      refuseDescription(
        'VALUE_INVALID',
        `${path}.control`,
        message,
        'a control without its capability bit is hardwired to zero',
      );
    }
    return { capability, control: acs.control, egressVector: acs.egressVector ?? [0] };
  }
  let control = 0;
  for (const name of acs) control |= ACS_BITS.find((bit) => bit.short === name)?.mask ?? 0;
  return { capability: 0x7f, control, egressVector: [0] };
}
