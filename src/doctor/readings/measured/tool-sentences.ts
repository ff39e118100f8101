/** Sentences of NCCL, RCCL and other tools that name a cause themselves, and transports that they chose. */

import type { Case } from '../../../case/case.ts';
import { groupedBy, plural } from '../../../core/words.ts';
import type { MeasuredItem, MeasuredKind, PairItem, StatementItem } from '../../../evidence/measured/items.ts';
import { type Finding, NOTHING } from '../../finding.ts';
import { severityOf } from '../../severity.ts';
import { passthroughFixes } from '../boot-fixes.ts';
import { NEXT } from '../next-commands.ts';
import type { CaseContext, NextCommand, Reading, Said, Statement } from '../reading.ts';
import { isPair, isStatement, measuredOf, unordered } from './measured-items.ts';

const KINDS: readonly MeasuredKind[] = [
  'nccl-log',
  'rocm-bandwidth',
  'rocm-topo',
  'amd-smi-topo',
  'nvbandwidth',
  'transferbench',
];

export const TOOL_SENTENCES: readonly Reading[] = KINDS.map((kind) => ({
  kind: kind as Reading['kind'],
  read: (context) => read(context, kind),
}));

function read({ given, doctor }: CaseContext, kind: MeasuredKind): Said {
  const items = measuredOf(given.blocks, kind);
  const sentences = items.filter(isStatement);
  const findings: Finding[] = [];
  const statements: Statement[] = [];
  const next: NextCommand[] = [];
  const missing = sentences.find(({ says }) => says === 'iommu-pt-missing');
  if (missing !== undefined && doctor === null) {
    findings.push(iommuFinding(given, missing));
    next.push(NEXT.groupTypes, NEXT.faults);
  }
  const acs = sentences.find(({ says }) => says === 'acs-on');
  if (acs !== undefined) next.push(NEXT.acsByPort);
  for (const [says, text] of SENTENCES) {
    const said = sentences.find((sentence) => sentence.says === says);
    if (said !== undefined) statements.push(statementOf(said, text));
  }
  const access = accessOf(items);
  if (access.refused.length > 0) findings.push(notUsed(access.refused, access.all));
  const transports = transportSentence(items);
  if (transports !== null) statements.push(transports);
  return { statements, findings, next };
}

/** What a sentence of a tool means, where it needs no remedy of its own. */
const SENTENCES: readonly (readonly [says: StatementItem['says'], text: string])[] = [
  ['acs-on', 'The tool says that ACS is on: peers below a switch may be redirected'],
  ['peers-off', 'The tool says that peers are switched off by a setting'],
  ['gdr-on', 'GPUDirect RDMA is used'],
  ['gdr-off', 'GPUDirect RDMA is not used'],
  ['dmabuf-on', 'GPU memory is registered with network cards through dma-buf'],
  ['data-wrong', 'Data arrived damaged: peer traffic is lost or misrouted on the way'],
  ['numa-balancing', 'NUMA balancing is on, which costs bandwidth: sudo sysctl kernel.numa_balancing=0'],
];

function statementOf({ file, line, kind }: MeasuredItem & { readonly line: number }, text: string): Statement {
  return { sure: 'certain', text, kind, source: file, line };
}

/** Pairs of two different GPUs by whether the tool says that they reach each other. */
function accessOf(items: readonly MeasuredItem[]): { readonly refused: PairItem[]; readonly all: number } {
  const pairs = items
    .filter(isPair)
    .filter(
      ({ relation, from, to }) =>
        relation === 'access' && from.sort === 'gpu' && to.sort === 'gpu' && from.label !== to.label,
    );
  return { refused: pairs.filter(({ value }) => value === 'no'), all: pairs.length };
}

function notUsed(refused: readonly PairItem[], all: number): Finding {
  return {
    ...NOTHING,
    id: 'P2P-NOT-USED',
    severity: severityOf('P2P-NOT-USED', 'notUsed'),
    sure: 'certain',
    title: `${refused.length === all ? 'No GPU reaches another' : `${refused.length} of ${plural(all, 'ordered pair')} of GPUs do not reach each other`} (${[...new Set(refused.map(unordered))].slice(0, 4).join(', ')})`,
    functions: [
      ...new Set(refused.flatMap(({ from, to }) => [from.address, to.address]).flatMap((name) => name ?? [])),
    ].sort(),
    evidence: refused.slice(0, 4).map(({ from, to, raw, file, line }) => ({
      at: from.address,
      register: `access ${from.label} to ${to.label}`,
      offset: null,
      value: raw,
      meaning: 'the driver grants no access to the peer’s memory',
      source: file,
      line,
    })),
    why: 'amdgpu grants peers over PCIe where the kernel’s pci_p2pdma_distance() allows the pair, the whole of VRAM is visible through the BAR, and the module parameter pcie_p2p is on.',
    missing: {
      what: 'which of the three is missing',
      command:
        "cat /sys/module/amdgpu/parameters/pcie_p2p; sudo dmesg | grep -iE 'amdgpu.*(BAR|p2p)'; rocm-smi --showtopo",
    },
  };
}

function iommuFinding(given: Case, { file, line, text }: StatementItem): Finding {
  return {
    ...NOTHING,
    id: 'IOMMU-TRANSLATED',
    severity: severityOf('IOMMU-TRANSLATED', 'told'),
    sure: 'likely',
    title:
      'RCCL found no iommu=pt on the kernel command line: with the IOMMU on, peer copies are translated, and hang or arrive damaged',
    evidence: [
      {
        at: null,
        register: 'RCCL',
        offset: null,
        value: text.slice(0, 120),
        meaning: 'the option is missing; whether the IOMMU is on at all it does not say',
        source: file,
        line,
      },
    ],
    why: 'A driver that hands raw BAR addresses to a peer needs an IOMMU that lets them pass: group type identity.',
    fixes: passthroughFixes(given, 'Let the kernel’s own devices pass untranslated'),
    missing: { what: 'whether the IOMMU translates', command: NEXT.groupTypes.command },
  };
}

/** `NCCL chose P2P for 8 connections, SHM for 4`: which transports, and how often. */
function transportSentence(items: readonly MeasuredItem[]): Statement | null {
  const pairs = items.filter(isPair).filter(({ relation }) => relation === 'transport');
  const [first] = pairs;
  if (first === undefined) return null;
  const parts = groupedBy(pairs, ({ value }) => value).map(
    (group) => `${group[0]?.value} for ${plural(group.length, 'connection')}`,
  );
  const shm = pairs.some(({ value }) => value.startsWith('SHM'));
  return statementOf(first, `It chose ${parts.join(', ')}${shm ? '; SHM copies through system memory' : ''}`);
}
