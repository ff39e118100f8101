/** What the forms of an answer share: the sources in words, and how findings and statements fall into certain, likely and open. */

import type { Case } from '../../case/case.ts';
import type { CaseResult } from '../../doctor/check-case.ts';
import type { Finding } from '../../doctor/finding.ts';
import type { Statement } from '../../doctor/readings/reading.ts';
import type { SourceKind } from '../../evidence/kinds.ts';
import type { SourceBlock } from '../../evidence/source-block.ts';
import type { Policy } from '../../p2p/policy.ts';

export interface AnswerQuestion {
  readonly given: Case;
  readonly policy: Policy;
  readonly result: CaseResult;
}

/** A block of a case in JSON, as the contract lists them. */
export interface SourceDocument {
  readonly file: string;
  readonly fromLine: number;
  readonly toLine: number;
  readonly kind: SourceKind;
  /** Items that were read from it. */
  readonly items: number;
}

/** `sources` of a document. */
export function sourceDocuments(blocks: readonly SourceBlock[]): SourceDocument[] {
  return blocks.map(({ file, fromLine, toLine, kind, items }) => ({
    file,
    fromLine,
    toLine,
    kind,
    items: items.length,
  }));
}

/** What each kind is called in a sentence. */
export const KIND_WORDS: Readonly<Record<SourceKind, string>> = {
  lspci: 'a listing of lspci',
  'lspci-tree': 'a drawing of lspci -t',
  'lspci-acsctl': 'ACSCtl lines',
  setpci: 'setpci',
  sysfs: 'attributes of sysfs',
  'kernel-log': 'lines of a kernel log',
  'kernel-cmdline': 'a kernel command line',
  'kernel-config': 'kernel configuration',
  cpuinfo: 'CPU information',
  iomem: '/proc/iomem',
  'iommu-groups': 'IOMMU groups',
  'nvidia-smi': 'nvidia-smi',
  'nvidia-smi-q': 'nvidia-smi -q',
  'nvidia-smi-topo': 'nvidia-smi topo -m',
  'nvidia-smi-p2p': 'nvidia-smi topo -p2p',
  'p2p-bandwidth': 'p2pBandwidthLatencyTest',
  'cuda-bandwidth': 'bandwidthTest',
  nvbandwidth: 'nvbandwidth',
  'nccl-log': 'an NCCL or RCCL log',
  'nccl-topology': 'an NCCL topology file',
  'nccl-tests': 'nccl-tests',
  hwloc: 'an hwloc topology',
  'rocm-topo': 'rocm-smi --showtopo',
  'amd-smi-topo': 'amd-smi topology',
  'rocm-bandwidth': 'rocm_bandwidth_test',
  transferbench: 'TransferBench',
  gdscheck: 'gdscheck',
  gdsio: 'gdsio',
  'cufile-log': 'cufile.log',
  perftest: 'perftest',
  'p2pmem-test': 'p2pmem-test',
  fio: 'fio',
  'vfio-log': 'lines of QEMU about VFIO',
  'spdk-log': 'an SPDK log',
  'prove-record': 'a record of p2pdma prove',
  'rdma-topo': 'a dump of rdma_topo',
  'resource-slices': 'ResourceSlices',
  'dispute-case': 'a disputed answer',
  unknown: 'text that is not recognised',
};

/** `nvidia-smi topo -m (lines 3-9)`: each kind once, in the order in which it comes; unknown text last and only as a count of lines. */
export function sourceWords(blocks: readonly SourceBlock[]): string[] {
  const files = new Set(blocks.map(({ file }) => file));
  const byKind = new Map<SourceKind, string[]>();
  let unknownLines = 0;
  for (const { kind, file, fromLine, toLine } of blocks) {
    if (kind === 'unknown') {
      unknownLines += toLine - fromLine + 1;
      continue;
    }
    const range = fromLine === toLine ? `${fromLine}` : `${fromLine}-${toLine}`;
    const place = files.size === 1 ? range : `${file}:${range}`;
    byKind.set(kind, [...(byKind.get(kind) ?? []), place]);
  }
  const words = [...byKind].map(([kind, places]) => {
    const shown = places.slice(0, PLACES_MAX).join(', ');
    const more = places.length > PLACES_MAX ? ` and ${places.length - PLACES_MAX} more places` : '';
    const noun = files.size === 1 ? `line${places.length === 1 && !shown.includes('-') ? '' : 's'} ` : '';
    return `${KIND_WORDS[kind]} (${noun}${shown}${more})`;
  });
  if (unknownLines > 0) words.push(`${unknownLines} line${unknownLines === 1 ? '' : 's'} not recognised`);
  return words;
}

const PLACES_MAX = 3;

/** Findings and statements by how sure they are. */
export interface Sorted {
  readonly findings: readonly Finding[];
  readonly statements: readonly Statement[];
}

/** What is said with one certainty. */
export function saidWith({ findings, statements }: CaseResult, sure: 'certain' | 'likely'): Sorted {
  return {
    findings: findings.filter((finding) => finding.sure === sure),
    statements: statements.filter((statement) => statement.sure === sure),
  };
}
