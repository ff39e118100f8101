/** What QEMU says where a mapping of a passed-through device was refused. */

import { itemsOf } from '../../case/case.ts';
import { hex } from '../../core/hex.ts';
import { listed, sizeWords } from '../../core/words.ts';
import type { VfioItem } from '../../evidence/virtual/vfio-log.ts';
import { BY_HAND, type Finding, LOOK, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';
import type { CaseContext, NextCommand, Reading, Said } from './reading.ts';

export const VFIO: Reading = { kind: 'vfio-log', read };

const WIDTH: NextCommand = {
  command: "grep -m1 'address sizes' /proc/cpuinfo; for f in /sys/class/iommu/*/*/cap; do echo $f $(cat $f); done",
  why: 'shows how many address bits the processor and the IOMMU take',
  answers: ['MAPPING-REFUSED', 'ADDR-MASK'],
  worth: 80,
};

const REFUSALS: ReadonlySet<VfioItem['what']> = new Set([
  'mapFailed',
  'peersUnsupported',
  'ioasMapFailed',
  'outsideWindow',
  'tooWide',
]);

const LINES_MAX = 4;

function read({ given }: CaseContext): Said {
  const items = itemsOf(given.blocks, 'vfio-log');
  const refused = items.filter(({ what }) => REFUSALS.has(what));
  if (refused.length === 0) return {};
  return { findings: [finding(refused)], next: [WIDTH] };
}

function finding(refused: readonly VfioItem[]): Finding {
  const failed = refused.flatMap((item) => (item.what === 'mapFailed' ? [item] : []));
  const [first] = failed;
  const functions = [...new Set(refused.flatMap((item) => (item.what === 'peersUnsupported' ? (item.at ?? []) : [])))];
  const which =
    first?.iova == null
      ? 'a range'
      : `${first.size === null ? 'a range' : sizeWords(first.size)} at ${hex(first.iova)}`;
  const cause = first?.errno == null ? '' : ` (${ERRNO_WORDS[first.errno] ?? `errno ${first.errno}`})`;
  const width = refused.find((item) => item.what === 'tooWide');
  const title =
    width?.what === 'tooWide'
      ? `The guest's IOMMU has ${width.guestBits} address bits and the host's ${width.hostBits}: what lies above cannot be mapped`
      : `VFIO could not map ${which}${cause}: the BAR of a peer, as its address outside RAM suggests`;
  return {
    ...NOTHING,
    id: 'MAPPING-REFUSED',
    severity: severityOf('MAPPING-REFUSED', 'refused'),
    sure: failed.length > 0 && functions.length === 0 && width === undefined ? 'likely' : 'certain',
    title: functions.length === 0 ? title : `${title}; QEMU says that peers will not work at ${listed(functions)}`,
    functions,
    evidence: refused.slice(0, LINES_MAX).map((item) => ({
      at: null,
      register: 'QEMU',
      offset: null,
      value: item.text.slice(0, 120),
      meaning: 'refused',
      source: item.file,
      line: item.line,
    })),
    why: 'VFIO maps the BARs of all devices of a guest into the IOMMU so that they reach each other. -22 is mostly an address or a size that the IOMMU does not take; -14 a BAR whose pages cannot be pinned. The guest runs, but its devices do not reach each other.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'use',
        what: 'Keep the guest’s 64-bit MMIO within what the host’s IOMMU takes: limit the physical address bits of the guest',
        commands: ['# on the command line of QEMU: -cpu host,host-phys-bits-limit=39'],
        cost: 'Less room for large BARs in the guest.',
        takeBack: 'the old command line',
      },
      { ...LOOK, what: 'See how wide the IOMMU is', commands: [WIDTH.command] },
    ],
  };
}

const ERRNO_WORDS: Readonly<Record<number, string>> = {
  12: '-12, no memory',
  14: '-14, bad address',
  16: '-16, busy',
  17: '-17, mapped already',
  22: '-22, invalid argument',
};
