/** Permitted, and slow: the road leads through the root complex, or over the link between two processors. */

import { listed } from '../../core/words.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type DoctorContext, namesOf, pairsOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { factEvidence } from '../facts/evidence.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { Evidence, Finding } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';

export const CROSS_SOCKET: Diagnosis = {
  id: 'CROSS-SOCKET',
  aliases: ['RC-SLOW'],
  meaning: 'peer traffic crosses the link between processors',
  symptom: 'P2P is slower than through shared memory',
  needs: 'NUMA node of each function (sysfs or lspci -vvv), root buses',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const crossing = context.cases.filter((item) => item.type === 'thruHostBridge' && item.acrossRoots);
  const functions = new Set(crossing.flatMap((item) => [...item.functions]));
  const byNode = new Map<number, number[]>();
  for (const index of functions) {
    const node = (context.functions[index] as PciFunction).numaNode;
    if (node !== null) byNode.set(node, [...(byNode.get(node) ?? []), index]);
  }
  if (byNode.size < 2) return [];
  const first = crossing[0] as PairCase;
  const nodes = [...byNode].sort((a, b) => a[0] - b[0]);
  const pairs = crossing.reduce((sum, item) => sum + item.pairs, 0);
  const evidence: Evidence[] = [...functions].slice(0, 16).map((index) => {
    const fn = context.functions[index] as PciFunction;
    return factEvidence(fn, 'numaNode', {
      register: 'NUMA node',
      value: `${fn.numaNode ?? 'not known'}`,
      meaning: 'the processor that its root port belongs to',
    });
  });
  return [
    {
      ...NOTHING,
      id: 'CROSS-SOCKET',
      severity: severityOf('CROSS-SOCKET', 'crossing', context),
      sure: 'likely',
      title: `Peer traffic between NUMA nodes ${nodes.map(([node]) => node).join(' and ')} crosses the link between processors: expect a fraction of the PCIe bandwidth`,
      functions: namesOf(context, functions),
      pairs: pairsOf(context, first, pairs),
      evidence,
      why: 'Processors forward peer traffic in small pieces and with few credits; many pairs at once collapse. NCCL itself does not use such roads beyond two GPUs.',
      fixes: [
        {
          ...BY_HAND,
          kind: 'use',
          what: `Pair within one node: ${nodes.map(([node, indices]) => `node ${node}: ${listed(namesOf(context, indices))}`).join('; ')}`,
          cost: 'None; fewer pairs to choose from.',
        },
        {
          ...BY_HAND,
          kind: 'use',
          what: 'Copy through system memory where the two must be on different sockets, and compare',
          cost: 'Memory bandwidth.',
        },
      ],
    },
  ];
}
