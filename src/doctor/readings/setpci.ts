/** setpci commands and what they printed: values of ACS Control, and what was written to them. */

import { itemsOf } from '../../case/case.ts';
import { listed, plural } from '../../core/words.ts';
import type { SetpciItem, SetpciRegister } from '../../evidence/pci/setpci.ts';
import { acsBitNames, REDIRECT_BITS } from '../../pcie/acs.ts';
import { EXT_CAP_ACS } from '../../pcie/capability.ts';
import { NEXT } from './next-commands.ts';
import type { CaseContext, Reading, Said, Statement } from './reading.ts';

/** ACS Control within the capability. */
const CONTROL_OFFSET = 6;

export const SETPCI: Reading = { kind: 'setpci', read };

function isAcsControl(item: SetpciItem): item is SetpciRegister {
  if (item.what !== 'register' || item.capability === null || item.at === null) return false;
  return item.capability.id === EXT_CAP_ACS && item.at === item.capability.at + CONTROL_OFFSET;
}

function read({ given }: CaseContext): Said {
  const items = itemsOf(given.blocks, 'setpci');
  const [first] = items;
  if (first === undefined) return {};
  const controls = items.filter(isAcsControl);
  const statements: Statement[] = [];
  const say = (item: SetpciItem, sure: Statement['sure'], text: string): void => {
    statements.push({ sure, text, kind: 'setpci', source: item.file, line: item.line });
  };
  const readings = controls.filter(({ access }) => access === 'read');
  const [read1] = readings;
  if (read1 !== undefined) {
    const redirecting = readings.filter(({ value }) => (value & REDIRECT_BITS) !== 0);
    const names = redirecting.flatMap((item) => item.function ?? []);
    say(
      read1,
      'certain',
      redirecting.length === 0
        ? `None of the ${plural(readings.length, 'port')} read here redirects`
        : `${redirecting.length} of ${plural(readings.length, 'port')} read here ${redirecting.length === 1 ? 'redirects' : 'redirect'} peer traffic: ${listed(names)} (${acsBitNames(redirecting[0]?.value ?? 0)})`,
    );
  }
  const writes = items.filter((item) =>
    item.what === 'command' ? item.value !== null && isAcsName(item.register) : item.access === 'written',
  );
  const [write] = writes;
  if (write !== undefined) {
    say(
      write,
      'certain',
      'ACS Control was written with setpci: it holds until the next reset, hot plug, suspend or boot',
    );
  }
  say(
    first,
    'likely',
    'Whether these ports are on the path between the devices is not shown, and with the IOMMU on traffic between two root ports is translated whatever they say',
  );
  return { statements, next: [NEXT.tree, NEXT.groupTypes] };
}

function isAcsName(register: string): boolean {
  return /^ECAP_ACS\b|^ECAP0*d\b/i.test(register);
}
