/** BARs and windows for which the kernel found no room, with the sizes that it prints. */

import type { Case } from '../../../case/case.ts';
import { groupedBy, listed, sizeWords } from '../../../core/words.ts';
import { BY_HAND, type Finding, NOTHING } from '../../finding.ts';
import { severityOf } from '../../severity.ts';
import { reallocFixesOf } from '../boot-fixes.ts';
import type { CaseContext, Reading, Said } from '../reading.ts';
import { logged, logLine, type Saying } from './log-items.ts';

export const BAR_SPACE: Reading = { kind: 'kernel-log', read };

type Resource = Saying<'resource'>;

/** Smaller ones are registers: a card works without a second of them, and no peer wants them. */
const WANTED = 2 ** 28;

function read(context: CaseContext): Said {
  const resources = logged(context, 'resource').filter(
    ({ space, resource }) => space === 'memory' && (resource === 'bar' || resource === 'window'),
  );
  // The kernel tries several times; the last word on a BAR counts.
  const last = [...groupedBy(resources, ({ at, resource, number }) => `${at} ${resource} ${number}`)].map(
    (attempts) => ({ attempts, end: attempts.at(-1) as Resource }),
  );
  const lost = last.flatMap(({ attempts, end }) => {
    const failed = attempts.filter(({ outcome, size }) => isFailure(outcome) && (size ?? 0) >= WANTED);
    const [first] = failed;
    // What was assigned at the end is smaller where a large one was given up.
    const isMended = !isFailure(end.outcome) && (end.size ?? 0) >= (first?.size ?? 0) && end.outcome === 'assigned';
    return first === undefined || isMended ? [] : [first];
  });
  const small = smallVram(context);
  return { findings: [...(lost.length === 0 ? [] : [finding(context.given, lost)]), ...small] };
}

function isFailure(outcome: Resource['outcome']): boolean {
  return outcome === 'noSpace' || outcome === 'failed';
}

const LINES_MAX = 4;

function finding(given: Case, lost: readonly Resource[]): Finding {
  const names = [...new Set(lost.map(({ at }) => at))].sort();
  const [largest] = [...lost].sort((a, b) => (b.size ?? 0) - (a.size ?? 0));
  const what = largest?.resource === 'window' ? 'a window' : `BAR${largest?.number ?? ''}`;
  return {
    ...NOTHING,
    id: 'BAR-SMALL',
    severity: severityOf('BAR-SMALL', 'noSpace'),
    sure: 'certain',
    title: `The kernel found no room for ${what} of ${sizeWords(largest?.size ?? 0)} at ${listed(names)}`,
    at: names,
    functions: names,
    evidence: lost.slice(0, LINES_MAX).map((item) => logLine(item, item.at, 'no room')),
    why: 'Peers reach a card’s memory through its BAR. Where the large size does not fit into the windows of the bridges above, the card keeps a small one, often 256 MiB, or none.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'firmware',
        what: 'In the firmware setup switch "Above 4G Decoding" and "Resizable BAR" on, CSM off, and raise "MMIO High Size" where there is such a setting',
        cost: 'A reboot; all BARs may move.',
        takeBack: 'the old settings',
        reboot: true,
      },
      ...reallocFixesOf(given, 'Let the kernel size the windows itself'),
    ],
  };
}

/** amdgpu and NVRM say it themselves. */
function smallVram(context: CaseContext): Finding[] {
  const invalid = logged(context, 'nvidia').filter(({ says }) => says.kind === 'barInvalid');
  const few = logged(context, 'vram').filter(({ vram, bar }) => bar < vram);
  const items = [...invalid, ...few];
  const [first] = items;
  if (first === undefined) return [];
  const title =
    first.what === 'vram'
      ? `amdgpu reaches ${sizeWords(first.bar)} of ${sizeWords(first.vram)} of VRAM through the BAR`
      : 'The NVIDIA driver found a BAR without size or address';
  return [
    {
      ...NOTHING,
      id: 'BAR-SMALL',
      severity: severityOf('BAR-SMALL', 'noSpace'),
      sure: 'certain',
      title,
      evidence: items.slice(0, LINES_MAX).map((item) => logLine(item, null, 'the driver’s own words')),
      why: 'Peers reach a card’s memory through its BAR, and no further than it reaches.',
      fixes: [
        {
          ...BY_HAND,
          kind: 'firmware',
          what: 'In the firmware setup switch "Above 4G Decoding" and "Resizable BAR" on, and CSM off',
          cost: 'A reboot; all BARs may move.',
          takeBack: 'the old settings',
          reboot: true,
        },
      ],
    },
  ];
}
