/**
 * The only road leads through a host bridge that this kernel does not trust with peer traffic. Linux: host_bridge_whitelist()
 * and cpu_supports_p2pdma() in drivers/pci/p2pdma.c.
 */

import { listed, plural } from '../../core/words.ts';
import { processorOf } from '../../machine/infer/processor.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type DoctorContext, namesOf, namesOfAll, pairsOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { identityEvidence, machineEvidence } from '../facts/evidence.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { Evidence, Finding } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';
import { moveFixes } from './host-bridge-cases.ts';
import { unknownCases } from './unknown-cases.ts';

export const HB_NOT_LISTED: Diagnosis = {
  id: 'HB-NOT-LISTED',
  aliases: [],
  meaning: 'the kernel does not let peer traffic through this host bridge',
  symptom: 'host bridge not whitelisted; cannot be used for peer-to-peer DMA',
  needs: 'vendor and device of the first device of each root bus, CPU vendor and family, kernel release',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const through = context.cases.filter((item) => item.common < 0);
  const refused = through.filter(
    (item) =>
      item.type === 'notSupported' &&
      (item.codes.has('HOST_BRIDGE_NOT_LISTED') || item.codes.has('HOST_BRIDGE_UNUSABLE')),
  );
  const unknown = through.filter((item) => item.type === 'unknown');
  const words = {
    id: 'HB-NOT-LISTED',
    what: 'whether the host bridge between them will do is not in this capture',
    why: 'CPU and host bridge decide whether peers below different root ports can reach each other.',
  } as const;
  return [...(refused.length > 0 ? [findingOf(context, refused)] : []), ...unknownCases(context, unknown, words)];
}

function findingOf(context: DoctorContext, cases: readonly PairCase[]): Finding {
  const functions = new Set(cases.flatMap((item) => [...item.functions]));
  const bridges = new Set(
    cases.flatMap((item) => [
      ...(item.named.get('HOST_BRIDGE_NOT_LISTED') ?? []),
      ...(item.named.get('HOST_BRIDGE_UNUSABLE') ?? []),
    ]),
  );
  // The example that moves are tried for: two below one host bridge, where a move can help most.
  const example = cases.find((item) => !item.acrossRoots) ?? (cases[0] as PairCase);
  const pairs = cases.reduce((sum, item) => sum + item.pairs, 0);
  const at = namesOfAll(bridges);
  const names = namesOf(context, functions);
  return {
    ...NOTHING,
    id: 'HB-NOT-LISTED',
    severity: severityOf('HB-NOT-LISTED', 'refused', context, functions),
    sure: 'certain',
    title: `${listed(names)} meet only in the host bridge, and ${context.policy.name} does not trust ${listed(at)} with peer traffic: ${plural(pairs, 'pair')} cannot do P2P`,
    at,
    functions: names,
    pairs: pairsOf(context, example, pairs),
    evidence: [
      ...[...bridges].sort((a, b) => a.key - b.key).map((fn) => bridgeEvidence(context, fn)),
      cpuEvidence(context),
    ],
    why: `Whether a root complex routes peer requests is not in any register. Linux knows some that do; on all others it refuses, and data goes through system memory instead.`,
    fixes: [
      ...moveFixes(context, example),
      {
        ...BY_HAND,
        kind: 'move',
        what: 'Put both cards below one PCIe switch: what turns round in a switch needs no host bridge',
        cost: 'A board or a riser with a switch.',
      },
      {
        ...BY_HAND,
        kind: 'use',
        what: 'Do not force it: on an unlisted platform a patched kernel corrupted data in silence. If the vendor says that its root complex routes peer traffic, verify every byte first',
        cost: 'Silent corruption if the vendor is wrong.',
      },
    ],
  };
}

function bridgeEvidence({ policy }: DoctorContext, fn: PciFunction): Evidence {
  return identityEvidence(fn, `first device of its root bus, not on the list of ${policy.name}`);
}

function cpuEvidence({ machine }: DoctorContext): Evidence {
  const { name, from, evidence } = processorOf(machine);
  const value = name === null ? 'not known' : evidence === 'inferred' ? `${name}, from ${from}` : name;
  return machineEvidence(machine, 'CPU', value, 'not AMD family 0x17 or later, which would allow every host bridge');
}
