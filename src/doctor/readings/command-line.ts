/** A command line without a machine: what it says of the IOMMU and of ACS. */

import { itemsOf } from '../../case/case.ts';
import { parseCommandLine } from '../command-line/command-line.ts';
import { NEXT } from './next-commands.ts';
import type { CaseContext, Reading, Said, Statement } from './reading.ts';

export const COMMAND_LINE: Reading = { kind: 'kernel-cmdline', read };

function read({ given, doctor }: CaseContext): Said {
  const item = itemsOf(given.blocks, 'kernel-cmdline').at(-1);
  // With a machine the diagnoses read the line themselves.
  if (item === undefined || doctor !== null) return {};
  const words = new Map(parseCommandLine(item.text).tokens.map(({ key, value }) => [key, value ?? '']));
  const statements: Statement[] = [];
  const say = (sure: Statement['sure'], text: string): void => {
    statements.push({ sure, text, kind: 'kernel-cmdline', source: item.file, line: item.line });
  };
  const iommu = IOMMU_WORDS.filter(([key]) => words.has(key));
  for (const [key, of] of iommu) say('certain', of(words.get(key) as string));
  if (iommu.length === 0) {
    say('certain', 'The line does not mention the IOMMU');
    say(
      'likely',
      "the distribution's default decides: usually translated (type DMA or DMA-FQ) where the firmware has the IOMMU on",
    );
  }
  for (const key of ['pci', 'pcie_acs_override']) {
    const value = words.get(key);
    if (key === 'pcie_acs_override' && value !== undefined) {
      say('certain', 'pcie_acs_override= is read by patched kernels only, and hides the real isolation groups');
    } else if (value !== undefined && /disable_acs_redir|config_acs/.test(value)) {
      say('certain', `pci=${value} asks the kernel to change ACS at boot; the registers show whether it did`);
    }
  }
  return { statements, next: [NEXT.groupTypes, NEXT.listing] };
}

/** Options about the IOMMU, and what each says for certain. */
const IOMMU_WORDS: readonly (readonly [key: string, of: (value: string) => string])[] = [
  [
    'iommu',
    (value) =>
      /(^|,)pt\b/.test(value)
        ? 'iommu=pt asks for passthrough: devices that the kernel drives itself are not translated on x86, untrusted ones still are'
        : `iommu=${value} is set`,
  ],
  [
    'iommu.passthrough',
    (value) =>
      value === '0'
        ? 'iommu.passthrough=0 asks for translation'
        : 'iommu.passthrough=1 asks for passthrough, on every architecture',
  ],
  [
    'intel_iommu',
    (value) =>
      /(^|,)off\b/.test(value) ? 'intel_iommu=off switches VT-d off' : `intel_iommu=${value} is set: VT-d is on`,
  ],
  [
    'amd_iommu',
    (value) =>
      /(^|,)off\b/.test(value)
        ? 'amd_iommu=off switches AMD-Vi off'
        : value === 'pt'
          ? 'amd_iommu=pt is not an option of the kernel and does nothing; iommu=pt is'
          : `amd_iommu=${value} is set, which does not decide between translation and passthrough`,
  ],
];
