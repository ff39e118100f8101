/** A host bridge that is listed only for pairs below itself, and two devices below two of them. Linux: REQ_SAME_HOST_BRIDGE. */

import { listed, plural } from '../../core/words.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type DoctorContext, namesOf, pairsOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { factEvidence, identityEvidence } from '../facts/evidence.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { Finding } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';
import { moveFixes } from './host-bridge-cases.ts';

export const HB_SPLIT: Diagnosis = {
  id: 'HB-SPLIT',
  aliases: [],
  meaning: 'the two are below different host bridges, and these allow only pairs below one',
  symptom: 'P2P works on one socket, and not across',
  needs: 'root bus of both, vendor and device of each root bus’s first device, kernel release',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const cases = context.cases.filter((item) => item.type === 'notSupported' && item.codes.has('HOST_BRIDGE_SPLIT'));
  if (cases.length === 0) return [];
  const first = cases[0] as PairCase;
  const functions = new Set(cases.flatMap((item) => [...item.functions]));
  // The other of the two may be listed without that condition.
  const codes = ['HOST_BRIDGE_SPLIT', 'HOST_BRIDGE_LISTED', 'HOST_BRIDGE_NOT_LISTED', 'HOST_BRIDGE_UNUSABLE'] as const;
  const named = cases.flatMap((item) => codes.flatMap((code) => [...(item.named.get(code) ?? [])]));
  const firstOf = (index: number): PciFunction => context.functions[context.judge.rootBus(index).first] as PciFunction;
  const bridges = [...new Set([...named, firstOf(first.provider), firstOf(first.client)])].sort(
    (a, b) => a.key - b.key,
  );
  const at = bridges.map(({ name }) => name);
  const names = namesOf(context, functions);
  const count = cases.reduce((sum, item) => sum + item.pairs, 0);
  return [
    {
      ...NOTHING,
      id: 'HB-SPLIT',
      severity: severityOf('HB-SPLIT', 'refused', context, functions),
      sure: 'certain',
      title: `${listed(names)} are split over the host bridges at ${listed(at)}, and ${context.policy.name} allows peer traffic below one of them only: ${plural(count, 'pair')} cannot do P2P`,
      at,
      functions: names,
      pairs: pairsOf(context, first, count),
      evidence: [
        ...bridges.map((fn) => identityEvidence(fn, 'the first device of one of the two root buses')),
        ...[first.provider, first.client].map((index) => {
          const fn = context.functions[index] as PciFunction;
          const node = fn.numaNode === null ? '' : `, NUMA node ${fn.numaNode}`;
          return factEvidence(fn, 'busNumbers', {
            register: 'root bus',
            value: firstOf(index).name,
            meaning: `below this root bus${node}`,
          });
        }),
      ],
      why: 'Between these host bridges lies a link between processors that drops or mangles peer requests. Pairs below one of them work.',
      fixes: [
        ...moveFixes(context, first),
        {
          ...BY_HAND,
          kind: 'use',
          what: 'Pair devices of the same socket only: bind each job to the devices of one host bridge',
          cost: 'None; fewer pairs to choose from.',
        },
      ],
    },
  ];
}
