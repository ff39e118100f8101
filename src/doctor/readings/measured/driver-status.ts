/** `nvidia-smi topo -p2p`: what NVIDIA's driver itself says of each pair of GPUs. */

import { groupedBy, listed } from '../../../core/words.ts';
import type { PairItem } from '../../../evidence/measured/items.ts';
import { BY_HAND, type Finding, LOOK, NOTHING } from '../../finding.ts';
import { severityOf } from '../../severity.ts';
import { NEXT } from '../next-commands.ts';
import type { CaseContext, Reading, Said, Statement } from '../reading.ts';
import { isPair, measuredOf, unordered } from './measured-items.ts';

export const DRIVER_STATUS: Reading = { kind: 'nvidia-smi-p2p', read };

/** Refusals, and the driver's rule behind each. */
const REFUSALS: Readonly<Record<string, { readonly title: string; readonly why: string; readonly fix: string }>> = {
  GNS: {
    title: 'GPU not supported',
    why: "The driver decides by the model of the GPU: GeForce cards of the 20 series and later are refused by NVIDIA's own driver, whatever the slots and the kernel allow. ACS and IOMMU settings do not change it.",
    fix: 'Use GPUs that the driver allows (data centre and most RTX professional models), or let the library copy through memory',
  },
  CNS: {
    title: 'chipset not supported',
    why: 'The driver knows the host bridge or switch between the two GPUs as one that does not route peer traffic, or does not know it. It looks at its own list, not at the one of the kernel.',
    fix: 'Put both GPUs below one PCIe switch',
  },
  TNS: {
    title: 'topology not supported',
    why: 'The two GPUs are on different sockets or host bridges, between which the driver allows no peers.',
    fix: 'Pair GPUs of one socket, or put both below one PCIe switch',
  },
  NS: {
    title: 'not supported',
    why: 'The driver refuses this capability for these GPUs and gives no reason.',
    fix: 'Ask for the other capabilities (nvidia-smi topo -p2p r, w, n, a): reads and writes are what copies need',
  },
  DR: {
    title: 'disabled by a registry key',
    why: 'A registry key of the driver switches peers off: NVreg_RegistryDwords in the options of the nvidia module.',
    fix: 'Take the key out of the options of the nvidia module and load it again',
  },
};

function read({ given }: CaseContext): Said {
  const cells = measuredOf(given.blocks, 'nvidia-smi-p2p')
    .filter(isPair)
    .filter(({ relation, value }) => relation === 'status' && value !== 'X');
  const [first] = cells;
  if (first === undefined) return {};
  const asked = first.asked === null ? '' : ` (asked for: ${ASKED[first.asked] ?? first.asked})`;
  const granted = cells.filter(({ value }) => value === 'OK');
  const statements: Statement[] = [];
  const say = (sure: Statement['sure'], text: string): void => {
    statements.push({ sure, text, kind: 'nvidia-smi-p2p', source: first.file, line: first.line });
  };
  if (granted.length > 0) {
    const which = granted.length === cells.length ? 'all pairs' : listed([...new Set(granted.map(unordered))]);
    say('certain', `The driver grants peers for ${which}${asked}`);
    say(
      'likely',
      'OK is the driver’s opinion and no proof that bytes arrive: ACS redirect or a translating IOMMU can still break the pair',
    );
  }
  if (first.asked === null && granted.length < cells.length) {
    say('certain', 'The table does not say whether reads, writes, NVLink or atomics were asked for');
  }
  const refused = cells.filter(({ value }) => REFUSALS[value] !== undefined);
  const findings = groupedBy(refused, ({ value }) => value).map(finding);
  return { statements, findings, next: granted.length > 0 ? [NEXT.groupTypes, NEXT.acsByPort] : [NEXT.classes] };
}

const ASKED: Readonly<Record<string, string>> = { r: 'reads', w: 'writes', n: 'NVLink', a: 'atomics', p: 'PCIe' };

function finding(cells: readonly PairItem[]): Finding {
  const value = cells[0]?.value ?? '';
  const { title, why, fix } = REFUSALS[value] ?? { title: value, why: '', fix: '' };
  const names = [...new Set(cells.map(unordered))];
  const [cell] = cells;
  return {
    ...NOTHING,
    id: 'DRIVER-REFUSES',
    severity: severityOf('DRIVER-REFUSES', 'refused'),
    sure: 'certain',
    title: `NVIDIA's driver refuses peers for ${listed(names)}: ${value}, ${title}`,
    functions: [...new Set(cells.flatMap(({ from, to }) => [from.address ?? [], to.address ?? []].flat()))].sort(),
    evidence: [
      {
        at: null,
        register: 'nvidia-smi topo -p2p',
        offset: null,
        value,
        meaning: title,
        source: cell?.file ?? null,
        line: cell?.line ?? null,
      },
    ],
    why,
    fixes: [
      { ...BY_HAND, kind: 'use', what: fix, cost: 'None for the machine as it is.' },
      {
        ...LOOK,
        what: 'Compare with what CUDA grants',
        commands: ['nvidia-smi topo -p2p r', 'nvidia-smi topo -p2p w'],
      },
    ],
  };
}
