/** Words of the command line that a reading advises, merged with the line that the case holds; written by `remedy`, as all fixes are. */

import { type Case, itemsOf } from '../../case/case.ts';
import { commandLineOf } from '../../case/kernel-facts.ts';
import { mayBeX86 } from '../command-line/iommu-words.ts';
import { BY_HAND, type Fix } from '../finding.ts';
import { redirectListWord } from '../remedy/acs-word.ts';
import { bootLines, wordLines } from '../remedy/boot-fix.ts';

function lineOf({ machine, blocks }: Case): string | null {
  return machine?.cmdline ?? commandLineOf(blocks, itemsOf(blocks, 'kernel-log'));
}

/** Passthrough for the kernel's own devices; none where the line asks for it. */
export function passthroughFixes(given: Case, what: string): Fix[] {
  const isX86 = given.machine === null || mayBeX86(given.machine);
  const lines = wordLines(lineOf(given), isX86 ? 'iommu=pt' : 'iommu.passthrough=1');
  if (lines === null) return [];
  const others = given.machine === null ? ' (iommu.passthrough=1 on other processors than x86)' : '';
  const cost =
    'A faulty device can reach all memory. Virtual machines keep their isolation. Untrusted devices, as on Thunderbolt, stay translated; ACS redirect stays as it is.';
  return [{ ...BY_HAND, ...lines, what: `${what}${others}`, cost }];
}

/** Windows that the kernel sizes anew; none where the line asks for it. */
export function reallocFixesOf(given: Case, what: string): Fix[] {
  const lines = wordLines(lineOf(given), 'pci=realloc');
  const cost = 'A reboot; all BARs may move, and a device whose window is taken away may fail.';
  return lines === null ? [] : [{ ...BY_HAND, ...lines, what, cost }];
}

/** ACS redirect off at ports that the kernel itself has named; none where it named none. */
export function namedPortsFix(given: Case, ports: readonly string[]): Fix[] {
  if (ports.length === 0) return [];
  const word = redirectListWord(lineOf(given), ports);
  return [
    {
      ...BY_HAND,
      ...bootLines(word.parameter, word.replaces),
      what: 'Boot with the option that the kernel names',
      cautions: [
        'Isolation: the devices below these ports come into one IOMMU group, so none of them can be given to a virtual machine alone. Where one is given to a guest now, it is no longer apart from the others.',
      ],
      cost: 'A reboot. The addresses are those of this boot: where bus numbers change, the option names others.',
    },
  ];
}
