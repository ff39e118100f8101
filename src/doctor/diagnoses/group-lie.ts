/**
 * IOMMU groups are formed at boot. Where ACS has been changed behind the kernel's back since, or a patch has split them, functions of two
 * groups can reach each other, and the isolation that the groups promise is not there.
 */

import { listed } from '../../core/words.ts';
import { type GroupJoin, iommuGroups } from '../../iommu/groups.ts';
import { ISOLATION_BITS } from '../../iommu/isolation.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { lastValue } from '../command-line/command-line.ts';
import type { DoctorContext } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { acsEvidence, factEvidence } from '../facts/evidence.ts';
import type { Finding } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';

export const GROUP_LIE: Diagnosis = {
  id: 'GROUP-LIE',
  aliases: [],
  meaning: 'IOMMU groups promise an isolation that the ACS registers no longer give',
  symptom: 'a guest’s device reaches one of the host, although they are in different groups',
  needs: 'IOMMU group of each function, and ACS Control of every bridge',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const { machine, functions } = context;
  if (!functions.some((fn) => fn.iommuGroup !== null)) return [];
  const findings: Finding[] = [];
  for (const group of iommuGroups(machine.hierarchy).groups) {
    // With a register unknown the computed group may in truth be several.
    if (group.missing.length > 0) continue;
    const members = group.functions
      .map((index) => functions[index] as PciFunction)
      .filter((fn) => fn.iommuGroup !== null);
    const kernel = [...new Set(members.map((fn) => fn.iommuGroup as number))].sort((a, b) => a - b);
    if (kernel.length < 2 || !canLie(context, group.joins)) continue;
    const ports = [...new Set(group.joins.map((join) => join.at))].map((at) => functions[at] as PciFunction);
    const names = members.map((fn) => fn.name);
    findings.push({
      ...NOTHING,
      id: 'GROUP-LIE',
      severity: severityOf('GROUP-LIE', 'joined'),
      sure: 'likely',
      title: `${listed(names)} are in the IOMMU groups ${kernel.join(', ')}, but by the ACS registers they cannot be kept apart`,
      at: ports.map((fn) => fn.name),
      functions: names,
      evidence: [
        ...ports.filter((fn) => fn.acs.state === 'present').map(acsEvidence),
        ...members.slice(0, 16).map((fn) =>
          factEvidence(fn, 'iommuGroup', {
            register: 'IOMMU group',
            value: `${fn.iommuGroup}`,
            meaning: 'as the kernel formed it at boot',
          }),
        ),
      ],
      why: 'Whoever gives one of these to a virtual machine gives it the others. Good for P2P, bad for isolation: groups are not formed anew when setpci changes ACS, and pcie_acs_override= splits them on paper only.',
      fixes: [
        {
          ...BY_HAND,
          kind: 'kernelParameter',
          what: 'Make the change with a kernel parameter (pci=disable_acs_redir= or config_acs=) and boot, so that the groups are true',
          cost: 'These functions become one group.',
          takeBack: 'take the parameter out again, and boot',
          reboot: true,
        },
        { ...BY_HAND, kind: 'use', what: 'Do not give these functions to different guests', cost: 'None.' },
      ],
    });
  }
  return findings;
}

/**
 * Whether a register contradicts the kernel: ACS that is there and off, or a patch that splits groups. Where a port without ACS parts
 * two groups, the kernel knows by its vendor and device that it isolates all the same.
 */
function canLie({ machine, functions, commandLine }: DoctorContext, joins: readonly GroupJoin[]): boolean {
  if (commandLine !== null && lastValue(commandLine, 'pcie_acs_override') !== null) return true;
  return joins.some((join) =>
    machine.hierarchy.chainOf(join.at).some((at) => {
      const { acs } = functions[at] as PciFunction;
      return acs.state === 'present' && (acs.capability & ISOLATION_BITS & ~acs.control) !== 0;
    }),
  );
}
