/** gdscheck, cufile.log and SPDK: what GPUDirect Storage can use, and what a driver in user space says. */

import { itemsOf } from '../../case/case.ts';
import type { GdscheckItem } from '../../evidence/storage/gdscheck.ts';
import { BY_HAND, type Finding, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';
import type { CaseContext, NextCommand, Reading, Said, Statement } from './reading.ts';

export const STORAGE: readonly Reading[] = [
  { kind: 'gdscheck', read: readGdscheck },
  { kind: 'cufile-log', read: readCufile },
  { kind: 'spdk-log', read: readSpdk },
];

type Setting = Extract<GdscheckItem, { readonly what: 'setting' }>;

const LINES_MAX = 6;

const STATS: NextCommand = {
  command: 'cat /proc/driver/nvidia-fs/stats; lsblk -o NAME,FSTYPE,MOUNTPOINT',
  why: 'shows whether reads went through nvidia-fs, and which file system they were on',
  answers: ['GDS-COMPAT'],
  worth: 70,
};

/** Lines of gdscheck that name a way to an NVMe drive. */
const WAYS = /^NVMe(?: P2PDMA)?$/;

function readGdscheck({ given }: CaseContext): Said {
  const items = itemsOf(given.blocks, 'gdscheck');
  const settings = items.filter((item): item is Setting => item.what === 'setting');
  const [first] = items;
  if (first === undefined) return {};
  const say = (item: GdscheckItem, sure: Statement['sure'], text: string): Statement => {
    return { sure, text, kind: 'gdscheck', source: item.file, line: item.line };
  };
  const statements: Statement[] = [];
  const ways = settings.filter(({ name }) => WAYS.test(name));
  const open = ways.filter(({ value }) => /^Supported/i.test(value));
  for (const { name, value, ...item } of settings) {
    if (name === 'IOMMU' || /IOMMU/.test(name))
      statements.push(say({ name, value, ...item }, 'certain', `gdscheck says of the IOMMU: ${value}`));
  }
  const gpu = items.find((item) => item.what === 'gpu' && item.iommu !== null);
  if (gpu?.what === 'gpu' && gpu.iommu !== null)
    statements.push(say(gpu, 'certain', `IOMMU state at ${gpu.name}: ${gpu.iommu}`));
  if (open.length > 0)
    statements.push(
      say(open[0] as Setting, 'certain', `GPUDirect Storage can use ${open.map(({ name }) => name).join(' and ')}`),
    );
  const findings: Finding[] = ways.length > 0 && open.length === 0 ? [noWay(settings, ways)] : [];
  return { statements, findings, next: findings.length === 0 ? [] : [STATS] };
}

function noWay(settings: readonly Setting[], ways: readonly Setting[]): Finding {
  const settingOf = (name: string): string | undefined => settings.find((setting) => setting.name === name)?.value;
  const p2pOff = settingOf('properties.use_pci_p2pdma') === 'false';
  const compat = settingOf('properties.use_compat_mode') ?? settingOf('properties.allow_compat_mode');
  const copies = compat === 'true' ? ' It works all the same, by copying through memory (compatibility mode).' : '';
  return {
    ...NOTHING,
    id: 'GDS-COMPAT',
    severity: severityOf('GDS-COMPAT', 'told'),
    sure: 'certain',
    title: `GPUDirect Storage has no direct path to an NVMe drive: ${ways.map(({ name, value }) => `${name} ${value}`).join(', ')}`,
    evidence: [...ways, ...settings.filter(({ name }) => name.startsWith('properties.'))]
      .slice(0, LINES_MAX)
      .map((item) => ({
        at: null,
        register: item.name,
        offset: null,
        value: item.value,
        meaning: 'as gdscheck prints it',
        source: item.file,
        line: item.line,
      })),
    why: `gdsio prints GPUD also where it fell back.${copies}`,
    fixes: [
      {
        ...BY_HAND,
        kind: 'use',
        what: p2pOff
          ? 'Since Linux 6.2 the kernel’s own P2PDMA does it without a patched NVMe driver: set use_pci_p2pdma to true in /etc/cufile.json. Before that, install the NVMe driver that comes with nvidia-fs'
          : 'Install the NVMe driver that comes with nvidia-fs, or use a kernel from 6.2 on with use_pci_p2pdma; the file system must be ext4 or XFS on a drive without RAID',
        settings: p2pOff
          ? [{ where: 'in /etc/cufile.json, section "properties"', line: '"use_pci_p2pdma": true,' }]
          : [],
        cost: 'Through the host bridge the IOMMU must be off or in passthrough.',
        takeBack: 'the old setting',
      },
    ],
  };
}

function readCufile({ given }: CaseContext): Said {
  const items = itemsOf(given.blocks, 'cufile-log');
  const counters = items.filter((item) => item.what === 'counters').at(-1);
  const statements: Statement[] = [];
  if (counters?.what === 'counters') {
    const { nvfs, posix, file, line } = counters;
    const text =
      posix > 0 && nvfs === 0
        ? `All ${posix} operations were copied through memory (posix), none went directly`
        : `${nvfs} operations went through nvidia-fs, ${posix} were copied through memory`;
    statements.push({ sure: 'certain', text, kind: 'cufile-log', source: file, line });
  }
  const [error] = items.filter((item) => item.what === 'message' && item.level === 'error');
  if (error?.what === 'message') {
    statements.push({
      sure: 'certain',
      text: `cuFile reported: ${error.message.slice(0, 120)}`,
      kind: 'cufile-log',
      source: error.file,
      line: error.line,
    });
  }
  return { statements };
}

function readSpdk({ given }: CaseContext): Said {
  const [first] = itemsOf(given.blocks, 'spdk-log');
  if (first === undefined) return {};
  const text =
    first.what === 'noCmb'
      ? `SPDK found no controller memory buffer at ${first.at}`
      : `SPDK reported: ${first.message.slice(0, 120)}`;
  const place = { kind: 'spdk-log', source: first.file, line: first.line } as const;
  return {
    statements: [
      { ...place, sure: 'certain', text },
      {
        ...place,
        sure: 'likely',
        text: 'SPDK drives the devices from user space: the kernel’s P2PDMA rules are not asked, and the addresses that it programs are its own',
      },
    ],
  };
}
