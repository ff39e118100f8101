/** Listings of IOMMU groups without a machine: which functions share one, and of which type it is. */

import { itemsOf } from '../../case/case.ts';
import { groupedBy, listed, plural } from '../../core/words.ts';
import { BY_HAND, type Finding, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';
import { NEXT } from './next-commands.ts';
import type { CaseContext, Reading, Said, Statement } from './reading.ts';

export const IOMMU_GROUPS: Reading = { kind: 'iommu-groups', read };

function read({ given, doctor }: CaseContext): Said {
  const items = itemsOf(given.blocks, 'iommu-groups');
  const [first] = items;
  if (first === undefined || doctor !== null) return {};
  const say = (sure: Statement['sure'], text: string): Statement => {
    return { sure, text, kind: 'iommu-groups', source: first.file, line: first.line };
  };
  const members = items.flatMap((item) => (item.what === 'member' ? [item] : []));
  const types = items.flatMap((item) => (item.what === 'type' ? [item] : []));
  const statements: Statement[] = [say('certain', 'There are IOMMU groups, so the IOMMU is on')];
  const findings: Finding[] = [];
  if (types.length > 0) {
    const parts = groupedBy(types, ({ type }) => type).map(
      (some) => `${plural(some.length, 'group')} ${some[0]?.type}`,
    );
    statements.push(
      say('certain', `Types: ${parts.join(', ')}; identity is passthrough, DMA and DMA-FQ are translated`),
    );
    const translated = types.filter(({ type }) => type.startsWith('DMA'));
    if (translated.length === types.length) findings.push(translatedFinding(translated.length, first));
  }
  const shared = groupedBy(members, ({ group }) => group).filter(
    (some) => devicesOf(some.map((item) => item.function)).length > 1,
  );
  if (shared.length > 0) {
    const names = shared.slice(0, 3).map((some) => `${some[0]?.group} (${listed(some.map((item) => item.function))})`);
    statements.push(
      say(
        'certain',
        `${plural(shared.length, 'group')} ${shared.length === 1 ? 'holds' : 'hold'} several devices, which no ACS keeps apart: ${names.join('; ')}`,
      ),
    );
  }
  return { statements, findings, next: types.length > 0 ? [NEXT.listing] : [NEXT.groupTypes, NEXT.listing] };
}

/** Functions of one device count once. */
function devicesOf(functions: readonly string[]): string[] {
  return [...new Set(functions.map((name) => name.slice(0, name.lastIndexOf('.'))))];
}

function translatedFinding(groups: number, { file, line }: { readonly file: string; readonly line: number }): Finding {
  return {
    ...NOTHING,
    id: 'IOMMU-TRANSLATED',
    severity: severityOf('IOMMU-TRANSLATED', 'told'),
    sure: 'likely',
    title: `All ${plural(groups, 'group')} listed are translated: a driver that hands raw BAR addresses to a peer fails there`,
    evidence: [
      { at: null, register: 'iommu group type', offset: null, value: 'DMA', meaning: 'translated', source: file, line },
    ],
    why: 'Peer traffic that goes through the host bridge is translated. NVMe, RDMA and amdgpu map their peers with the DMA API and are not hurt; drivers that use raw addresses are.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'kernelParameter',
        what: 'Let the kernel’s own devices pass untranslated: add iommu=pt (on Arm and others iommu.passthrough=1)',
        settings: [{ where: 'in /etc/default/grub', line: 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX iommu=pt"' }],
        commands: ['sudo update-grub && sudo reboot'],
        cost: 'A faulty device can reach all memory. Virtual machines keep their isolation.',
        takeBack: 'take the option out again and boot',
        reboot: true,
      },
    ],
  };
}
