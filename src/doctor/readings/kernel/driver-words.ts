/** What drivers say in the kernel's log that no register shows: NVIDIA's rules, faults of a GPU's own tables, memory types, addresses. */

import { itemsOf } from '../../../case/case.ts';
import { hex } from '../../../core/hex.ts';
import type { IomemItem } from '../../../evidence/kernel/iomem.ts';
import { type Finding, LOOK, NOTHING } from '../../finding.ts';
import { severityOf } from '../../severity.ts';
import { passthroughFixes } from '../boot-fixes.ts';
import { NEXT } from '../next-commands.ts';
import type { CaseContext, NextCommand, Reading, Said, Statement } from '../reading.ts';
import { logged, logLine, logSays } from './log-items.ts';

export const DRIVER_WORDS: Reading = { kind: 'kernel-log', read };

const LINES_MAX = 4;

function read(context: CaseContext): Said {
  const parts = [
    nvidia(context),
    gpuFaults(context),
    memoryTypes(context),
    peerAddresses(context),
    environment(context),
  ];
  return {
    findings: parts.flatMap(({ findings }) => findings ?? []),
    statements: parts.flatMap(({ statements }) => statements ?? []),
    next: parts.flatMap(({ next }) => next ?? []),
  };
}

function nvidia(context: CaseContext): Said {
  const items = logged(context, 'nvidia');
  const peers = items.filter(({ says }) => says.kind === 'peerUnaligned' || says.kind === 'peerMapFailed');
  const statements: Statement[] = items.flatMap((item) =>
    item.says.kind === 'xid'
      ? [logSays(item, 'certain', `NVIDIA's driver reported Xid ${item.says.code} of ${item.says.at}`)]
      : [],
  );
  if (peers.length === 0) return { statements: statements.slice(0, 2) };
  const findings: Finding[] = [
    {
      ...NOTHING,
      id: 'DRIVER-REFUSES',
      severity: severityOf('DRIVER-REFUSES', 'refused'),
      sure: 'certain',
      title:
        "NVIDIA's driver could not map one GPU's BAR1 for another: a peer mapping failed or its address does not have the alignment that the driver wants",
      evidence: peers.slice(0, LINES_MAX).map((item) => logLine(item, null, 'the driver’s own words')),
      why: 'The driver maps the whole BAR1 of each peer through the IOMMU. An IOVA without the alignment of its pages, or GPUs of mixed models, makes that fail. The kernel’s own rules are not asked.',
      fixes: passthroughFixes(
        context.given,
        'Take the IOMMU out of the way, so that the driver needs no IOVA for its peers',
      ),
    },
  ];
  return { findings, statements, next: [NEXT.groupTypes, NEXT.driverStatus] };
}

function gpuFaults(context: CaseContext): Said {
  const faults = logged(context, 'gpuFault');
  const [first] = faults;
  if (first === undefined) return {};
  const isNull = faults.some(({ address }) => address === 0);
  return {
    statements: [
      logSays(
        first,
        'certain',
        `A fault of the page tables of the GPU ${first.at} itself (${first.hub}), not of the IOMMU: iommu=pt does not change it`,
      ),
      ...(isNull
        ? [
            logSays(
              first,
              'likely',
              'It was at address 0: a program or library used a pointer to a peer’s memory that it never got',
            ),
          ]
        : []),
    ],
  };
}

function memoryTypes(context: CaseContext): Said {
  const conflicts = logged(context, 'patConflict');
  const [first] = conflicts;
  if (first === undefined) return {};
  return {
    findings: [
      {
        ...NOTHING,
        id: 'GDS-COMPAT',
        severity: severityOf('GDS-COMPAT', 'told'),
        sure: 'likely',
        title: `Two drivers want different memory types for ${hex(first.range.start)}${first.process === null ? '' : `, asked for by ${first.process}`}: the range cannot be mapped for peer-to-peer`,
        evidence: conflicts.slice(0, LINES_MAX).map((item) => logLine(item, null, item.types.join(' against '))),
        why: 'The kernel maps a range with one memory type only. A BAR that one driver has mapped write-combining cannot be registered as uncached memory by p2pdma, and GPUDirect Storage falls back or fails.',
        fixes: [
          {
            ...LOOK,
            what: 'See who has mapped the range, and with which type',
            commands: [`sudo grep -i ${first.range.start.toString(16)} /sys/kernel/debug/x86/pat_memtype_list`],
          },
        ],
      },
    ],
    next: [GDSCHECK],
  };
}

const GDSCHECK: NextCommand = {
  command: '/usr/local/cuda/gds/tools/gdscheck -p',
  why: 'shows which path GPUDirect Storage would take and what it lacks',
  answers: ['GDS-COMPAT'],
  worth: 80,
};

/** An address that a driver takes for a peer's, and that the memory map calls RAM. */
function peerAddresses(context: CaseContext): Said {
  const items = logged(context, 'peerAddress');
  if (items.length === 0) return {};
  const iomem = itemsOf(context.given.blocks, 'iomem') as readonly IomemItem[];
  const ram = [...(context.given.machine?.ram ?? []), ...iomem.filter(({ name }) => name.startsWith('System RAM'))];
  const inRam = items.filter(({ address }) => ram.some(({ start, end }) => address >= start && address < end));
  const [first] = inRam;
  if (first === undefined) return {};
  return {
    findings: [
      {
        ...NOTHING,
        id: 'WRONG-MEMORY',
        severity: severityOf('WRONG-MEMORY', 'fault'),
        sure: 'certain',
        title: `${first.by} takes ${hex(first.address)} for a peer's memory, and the memory map calls it System RAM`,
        evidence: inRam.slice(0, LINES_MAX).map((item) => logLine(item, null, 'in System RAM')),
        why: 'The exporter has moved the buffer to system memory, or the address is a virtual one: the transfer goes to RAM, and no peer takes part.',
      },
    ],
  };
}

/** What boot says of the machine, where no machine was given. */
function environment(context: CaseContext): Said {
  if (context.doctor !== null) return {};
  const statements: Statement[] = [];
  const [hypervisor] = logged(context, 'hypervisor');
  const findings: Finding[] = [];
  if (hypervisor !== undefined) {
    findings.push({
      ...NOTHING,
      id: 'VM-TOPOLOGY',
      severity: severityOf('VM-TOPOLOGY', 'told'),
      sure: 'certain',
      title: `This is a guest of ${hypervisor.name}: its PCI tree does not show how the devices stand in the host`,
      evidence: [logLine(hypervisor, null, 'a hypervisor')],
      why: 'Which devices share a switch, and whether ACS redirects between them, is decided in the host.',
    });
  }
  const domain = logged(context, 'domainDefault').at(-1);
  if (domain !== undefined) {
    const text =
      domain.type === 'passthrough'
        ? 'By default the IOMMU lets the kernel’s own devices pass untranslated'
        : 'By default the IOMMU translates all devices: a driver that hands raw BAR addresses to a peer fails';
    statements.push(logSays(domain, 'certain', text));
  }
  const commandLine = logged(context, 'commandLine').at(-1);
  if (commandLine !== undefined && domain === undefined && !/\biommu/.test(commandLine.parameters)) {
    statements.push(
      logSays(commandLine, 'certain', 'The kernel command line does not mention the IOMMU: the default decides'),
    );
  }
  return { findings, statements };
}
