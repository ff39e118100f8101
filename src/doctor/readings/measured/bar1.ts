/** `nvidia-smi -q` and what else prints the size of BAR1 beside the size of memory. */

import { listed, plural, sizeWords } from '../../../core/words.ts';
import type { DeviceItem, MeasuredKind } from '../../../evidence/measured/items.ts';
import { BY_HAND, type Finding, NOTHING } from '../../finding.ts';
import { severityOf } from '../../severity.ts';
import type { CaseContext, NextCommand, Reading, Said, Statement } from '../reading.ts';
import { isDevice, measuredOf } from './measured-items.ts';

const MIB = 2 ** 20;
/** What a card without Resizable BAR shows. */
const SMALL = 256 * MIB;

export const BAR1_SIZES: readonly Reading[] = (['nvidia-smi-q', 'nvidia-smi'] as const).map((kind) => ({
  kind,
  read: (context) => read(context, kind),
}));

const SPACE: NextCommand = {
  command: "sudo dmesg | grep -E 'BAR 1|no space|bridge window'",
  why: 'shows whether the firmware or the kernel had no room for a large BAR',
  answers: ['BAR-SMALL'],
  worth: 75,
};

function read({ given, doctor }: CaseContext, kind: MeasuredKind): Said {
  const devices = measuredOf(given.blocks, kind).filter(isDevice);
  const sized = devices.filter(({ bar1Size }) => bar1Size !== undefined);
  const [first] = sized;
  if (first === undefined) return {};
  const statements: Statement[] = [
    {
      sure: 'certain',
      text: `BAR1: ${sized
        .map(({ device, bar1Size }) => `${device.label} ${sizeWords(bar1Size ?? 0)}`)
        .slice(0, 8)
        .join(', ')}`,
      kind: first.kind,
      source: first.file,
      line: first.line,
    },
  ];
  const small = sized.filter(isSmall);
  // With a machine the registers say it themselves.
  if (small.length === 0 || doctor !== null) return { statements };
  return { statements, findings: [finding(small, sized)], next: [SPACE] };
}

/** A BAR1 that shows a part of the card's memory only; a card of 256 MiB has no more to show. */
function isSmall({ bar1Size = 0, memorySize }: DeviceItem): boolean {
  return bar1Size <= SMALL && (memorySize === undefined || memorySize > bar1Size);
}

function finding(small: readonly DeviceItem[], all: readonly DeviceItem[]): Finding {
  const names = small.map(({ device }) => device.label);
  const others = all.length - small.length;
  return {
    ...NOTHING,
    id: 'BAR-SMALL',
    severity: severityOf('BAR-SMALL', 'noSpace'),
    sure: others > 0 ? 'certain' : 'likely',
    title: `BAR1 of ${listed(names)} shows ${sizeWords(small[0]?.bar1Size ?? 0)} only${others > 0 ? `, while ${plural(others, 'other card')} ${others === 1 ? 'shows' : 'show'} all` : ''}`,
    functions: small.flatMap(({ device }) => device.address ?? []).sort(),
    evidence: small.slice(0, 4).map(({ bar1Size, file, line, device }) => ({
      at: device.address,
      register: `BAR1 of ${device.label}`,
      offset: null,
      value: sizeWords(bar1Size ?? 0),
      meaning: 'peers reach this much of the card’s memory',
      source: file,
      line,
    })),
    why: 'GPUDirect RDMA, GPUDirect Storage and patched drivers reach memory through BAR1. CUDA’s own peer copies between GPUs use a mailbox and are not limited by it.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'firmware',
        what: 'Switch "Above 4G Decoding" and "Resizable BAR" on in the firmware setup, and CSM off',
        cost: 'A reboot; all BARs may move.',
        takeBack: 'the old settings',
        reboot: true,
      },
    ],
  };
}
