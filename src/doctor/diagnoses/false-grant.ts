/** The kernel lets a pair through the host bridge because of a list or the CPU, and no register proves that both directions work. */

import { listed, plural } from '../../core/words.ts';
import { type Hypervisor, hypervisorOf } from '../../machine/infer/hypervisor.ts';
import { processorOf } from '../../machine/infer/processor.ts';
import { type DoctorContext, namesOf, pairsOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { hypervisorEvidence, machineEvidence } from '../facts/evidence.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { Evidence, Finding } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';

export const FALSE_GRANT: Diagnosis = {
  id: 'FALSE-GRANT',
  aliases: ['WRITE-ONLY'],
  meaning: 'the kernel permits a road that nobody has proved',
  symptom: 'writes work, reads return ones or never come, and no error is logged',
  needs: 'CPU, host bridges; devices that betray a guest',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const granted = context.cases.filter(
    (item) => item.type === 'thruHostBridge' && (item.codes.has('CPU_ALLOWS') || item.codes.has('HOST_BRIDGE_LISTED')),
  );
  if (granted.length === 0) return [];
  const first = granted[0] as PairCase;
  const guest = hypervisorOf(context.machine);
  const concerned = new Set(granted.flatMap((item) => [...item.functions]));
  const names = namesOf(context, concerned);
  const count = granted.reduce((sum, item) => sum + item.pairs, 0);
  return [
    {
      ...NOTHING,
      id: 'FALSE-GRANT',
      severity: severityOf('FALSE-GRANT', guest === null ? 'open' : 'guest', context, concerned),
      sure: guest === null ? 'open' : 'likely',
      title:
        guest === null
          ? `${plural(count, 'pair')} of ${listed(names)} may go through the host bridge by the kernel’s word; no register proves that reads and writes arrive`
          : `${plural(count, 'pair')} of ${listed(names)} may go through the host bridge by the rule for this CPU, but this is a guest: the bridge is the hypervisor’s, and peer traffic may be dropped`,
      functions: names,
      pairs: pairsOf(context, first, count),
      evidence: evidenceOf(context, first, guest),
      why: 'Posted writes and completions are routed by different parts of a root complex. Some carry peer writes and drop peer reads, without an error anywhere.',
      fixes: [
        {
          ...BY_HAND,
          kind: 'look',
          what: 'Verify both directions with data before use: copy each way and compare every byte',
          cost: 'A few seconds.',
        },
        {
          ...BY_HAND,
          kind: 'use',
          what: 'Where only writes work, let the device that has the data write',
          cost: 'A change in the application.',
        },
      ],
      missing: {
        what: 'whether data arrives in both directions',
        command: 'nvbandwidth   # or rocm-bandwidth-test, p2pmem-test: with verification, both ways',
      },
    },
  ];
}

function evidenceOf(context: DoctorContext, first: PairCase, guest: Hypervisor | null): Evidence[] {
  const { name } = processorOf(context.machine);
  const reasons = first.verdict.reasons.filter(({ code }) => code === 'CPU_ALLOWS' || code === 'HOST_BRIDGE_LISTED');
  return [
    ...reasons.map((reason) =>
      machineEvidence(context.machine, 'CPU and host bridge', name ?? 'not known', reason.message),
    ),
    ...(guest === null ? [] : [hypervisorEvidence(context.machine, guest)]),
  ];
}
