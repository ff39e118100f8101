/**
 * What a kernel command line would leave behind at the next boot, on a copy of the machine: ACS Control of the functions that its two
 * options name, types of the IOMMU groups, payload sizes. Linux: pci_enable_acs(), iommu_set_default_passthrough(),
 * pcie_bus_configure_settings().
 *
 * Of the firmware's words nothing is known but what stands in the registers now. A function that a line no longer names is taken as
 * an IOMMU asks for it, where there is one. One that it names newly starts from the firmware's word, which from 6.11 on has nothing of
 * what the IOMMU has added: those bits are taken as clear, as they are on the kernels that were seen.
 */

import { ISOLATION_BITS } from '../../iommu/isolation.ts';
import type { Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { acsEffects, knowsOption } from '../command-line/acs-parameter.ts';
import { type CommandLine, parseCommandLine } from '../command-line/command-line.ts';
import { isIommuOff, passthroughAsked } from '../command-line/iommu-words.ts';
import type { MachineChange } from '../finding.ts';
import { type PortChange, portChange } from '../port-change.ts';

/** The boot with `after` as the command line, in place of the machine's own. */
export function bootChange(machine: Machine, after: string): Extract<MachineChange, { kind: 'boot' }> {
  const before = parseCommandLine(machine.cmdline ?? '');
  const line = parseCommandLine(after);
  const changes: MachineChange[] = [];
  const ports = acsPorts(machine, before, line);
  if (ports.length > 0) changes.push({ kind: 'acs', ports });
  const off = isIommuOff(machine, line, before) && !isIommuOff(machine, before) ? withoutIommu(machine) : null;
  if (off !== null) changes.push(off);
  else {
    const groups = passedGroups(machine, line);
    if (groups.length > 0) changes.push({ kind: 'groupType', groups });
  }
  const payloads = smallPayloads(machine, line);
  if (payloads.length > 0) changes.push({ kind: 'maxPayload', functions: payloads });
  return { kind: 'boot', before: machine.cmdline, after: machine.cmdline === null ? null : after, changes };
}

function acsPorts(machine: Machine, before: CommandLine, after: CommandLine): PortChange[] {
  const { hierarchy } = machine;
  const old = acsEffects(machine, before);
  const now = acsEffects(machine, after);
  const asked = machine.iommuGroupTypes.size > 0 ? ISOLATION_BITS : 0;
  const added = knowsOption(machine.kernel, 'config_acs') ? asked : 0;
  const ports: PortChange[] = [];
  for (const index of [...new Set([...old.keys(), ...now.keys()])].sort((a, b) => a - b)) {
    const { acs } = hierarchy.functions[index] as PciFunction;
    if (acs.state !== 'present') continue;
    const effect = now.get(index);
    const port = portChange(hierarchy, index, (control) =>
      effect === undefined
        ? control | (asked & acs.capability)
        : (control & ~effect.mask & ~(old.has(index) ? 0 : added)) | (effect.value & effect.mask & acs.capability),
    );
    if (port.after !== port.before) ports.push(port);
  }
  return ports;
}

/** Groups that would pass addresses as they are: all that translate now. */
function passedGroups(machine: Machine, line: CommandLine): { group: number; before: string; after: string }[] {
  if (passthroughAsked(machine, line) !== true) return [];
  return [...machine.iommuGroupTypes]
    .filter(([, type]) => type === 'DMA' || type === 'DMA-FQ')
    .sort((a, b) => a[0] - b[0])
    .map(([group, before]) => ({ group, before, after: 'identity' }));
}

function withoutIommu(machine: Machine): MachineChange | null {
  if (machine.iommuGroupTypes.size === 0) return null;
  const members = machine.hierarchy.functions.flatMap((fn) => {
    const group = fn.facts.sysfs?.iommuGroup;
    return group === undefined ? [] : [{ at: fn, group }];
  });
  return { kind: 'iommu', types: [...machine.iommuGroupTypes], members, before: 'on', after: 'off' };
}

/** pci=pcie_bus_peer2peer: the smallest size, which every function can. */
const PEER_TO_PEER_BYTES = 128;

function smallPayloads(machine: Machine, line: CommandLine): { at: PciFunction; before: number; after: number }[] {
  if (!line.pci.some((option) => option.key === 'pcie_bus_peer2peer')) return [];
  return machine.hierarchy.functions.flatMap((fn) => {
    const before = fn.payload?.maxPayload;
    return before === undefined || before <= PEER_TO_PEER_BYTES ? [] : [{ at: fn, before, after: PEER_TO_PEER_BYTES }];
  });
}
