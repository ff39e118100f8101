/** Devices behind Intel's Volume Management Device: a domain of their own from 10000 on, in which one function speaks for all. */

import { listed } from '../../core/words.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type DoctorContext, namesOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { factEvidence, identityEvidence } from '../facts/evidence.ts';
import type { Finding } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';

export const VMD_DOMAIN: Diagnosis = {
  id: 'VMD-DOMAIN',
  aliases: [],
  meaning: 'drives stand behind Intel VMD, in a domain of their own',
  symptom: 'drives at 10000:xx cannot be bound to SPDK, paired or given to a guest',
  needs: 'domain numbers',
  diagnose,
};

/** Linux counts VMD domains from here: vmd_find_free_domain(). */
const FIRST_VMD_DOMAIN = 0x10000;

function diagnose(context: DoctorContext): Finding[] {
  const behind: number[] = [];
  context.roles.forEach((role, index) => {
    if (role !== null && (context.functions[index] as PciFunction).bdf.domain >= FIRST_VMD_DOMAIN) behind.push(index);
  });
  if (behind.length === 0) return [];
  const names = namesOf(context, behind);
  const controllers = context.functions.filter((fn) => fn.bdf.domain < FIRST_VMD_DOMAIN && fn.driver === 'vmd');
  return [
    {
      ...NOTHING,
      id: 'VMD-DOMAIN',
      severity: severityOf('VMD-DOMAIN', 'behind', context),
      sure: 'certain',
      title: `${listed(names)} ${names.length === 1 ? 'stands' : 'stand'} behind Intel VMD: to the rest of the machine they are one device, and no peer reaches them one by one`,
      at: names,
      functions: names,
      evidence: [
        ...controllers.map((fn) => identityEvidence(fn, 'bound to the driver vmd')),
        ...behind.slice(0, 8).map((index) => {
          const fn = context.functions[index] as PciFunction;
          return factEvidence(fn, 'identity', {
            register: 'domain',
            value: fn.bdf.domain.toString(16),
            meaning: 'a domain of VMD: 10000 or above',
          });
        }),
      ],
      why: 'Requests of all drives behind VMD carry the ID of the VMD function, the root bus there has no host bridge that the kernel’s list knows, and the IOMMU sees one device.',
      fixes: [
        {
          ...BY_HAND,
          kind: 'firmware',
          what: 'Switch VMD off for these slots in the firmware setup',
          cost: 'A reboot; drives change their addresses, and volumes of VROC are no longer assembled: a system on one does not start.',
          takeBack: 'switch it on again',
          reboot: true,
        },
      ],
    },
  ];
}
