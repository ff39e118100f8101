/** ACSCtl lines that were grepped without a machine around them: what a count says, and what it cannot. */

import { itemsOf } from '../../case/case.ts';
import { plural } from '../../core/words.ts';
import type { AcsControlItem } from '../../evidence/pci/lspci-acsctl.ts';
import { acsBitNames, REDIRECT_BITS } from '../../pcie/acs.ts';
import { type Evidence, type Finding, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';
import { NEXT } from './next-commands.ts';
import type { CaseContext, Reading, Said, Statement } from './reading.ts';

/** Lines of evidence that a finding shows. */
const EVIDENCE_MAX = 4;

export const ACSCTL: Reading = { kind: 'lspci-acsctl', read };

function read({ given }: CaseContext): Said {
  const items = itemsOf(given.blocks, 'lspci-acsctl');
  const [first] = items;
  if (first === undefined) return {};
  const redirecting = items.filter(({ control }) => (control & REDIRECT_BITS) !== 0);
  const hasAddresses = items.every((item) => item.function !== null);
  // A listing or a drawing beside them has taken the lines that name their function, and judges each pair.
  if (hasAddresses && given.machine !== null) return {};
  const statements: Statement[] = [
    statement(first, 'certain', countSentence(items, redirecting)),
    ...(redirecting.length === 0 ? [statement(first, 'likely', NOT_THE_CAUSE)] : []),
  ];
  const next = [
    ...(hasAddresses ? [NEXT.tree] : [NEXT.acsByPort]),
    ...(redirecting.length === 0 ? [NEXT.groupTypes] : []),
    NEXT.commandLine,
  ];
  return { statements, findings: redirecting.length === 0 ? [] : [finding(items, redirecting)], next };
}

const NOT_THE_CAUSE =
  'ACS is not what stands in the way, if lspci ran as root: without root, and for a port without the capability, there is no line at all. Ask about the IOMMU next';

function countSentence(items: readonly AcsControlItem[], redirecting: readonly AcsControlItem[]): string {
  const lines = items.length === 1 ? 'The one ACSCtl line' : `None of the ${items.length} ACSCtl lines`;
  if (redirecting.length === 0)
    return items.length === 1 ? `${lines} does not redirect` : `${lines} redirects requests or completions`;
  return `${redirecting.length} of ${plural(items.length, 'ACSCtl line')} ${redirecting.length === 1 ? 'redirects' : 'redirect'} (${acsBitNames(redirecting.reduce((bits, { control }) => bits | (control & REDIRECT_BITS), 0))})`;
}

function statement({ file, line }: AcsControlItem, sure: Statement['sure'], text: string): Statement {
  return { sure, text, kind: 'lspci-acsctl', source: file, line };
}

function finding(items: readonly AcsControlItem[], redirecting: readonly AcsControlItem[]): Finding {
  const named = redirecting.flatMap((item) => item.function ?? []);
  const where =
    named.length === 0 ? 'which ports these are is not in the lines' : `at ${named.slice(0, EVIDENCE_MAX).join(', ')}`;
  return {
    ...NOTHING,
    id: 'ACS-REDIR-SWITCH',
    severity: severityOf('ACS-REDIR-SWITCH', 'told'),
    sure: 'likely',
    title: `${redirecting.length} of ${plural(items.length, 'function')} with ACS redirect peer traffic to the root complex; ${where}`,
    at: named,
    functions: named,
    evidence: redirecting.slice(0, EVIDENCE_MAX).map(evidence),
    why: 'A switch port that redirects sends peer traffic up through the host bridge: slower, and translated where the IOMMU is on. Root ports and functions of cards are among the lines too, and theirs do not matter between two devices below one switch.',
    missing: { what: 'which ports redirect', command: NEXT.acsByPort.command },
  };
}

function evidence({ function: at, control, file, line }: AcsControlItem): Evidence {
  return {
    at,
    register: 'ACS Control',
    offset: null,
    value: `0x${control.toString(16).padStart(4, '0')}`,
    meaning: `${acsBitNames(control)} set`,
    source: file,
    line,
  };
}
