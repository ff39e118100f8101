/** Sentences of the kernel's own P2PDMA code, which name the pair, the ports and the option themselves. */

import type { Case } from '../../../case/case.ts';
import { listed } from '../../../core/words.ts';
import { BY_HAND, type Finding, NOTHING } from '../../finding.ts';
import { severityOf } from '../../severity.ts';
import { namedPortsFix } from '../boot-fixes.ts';
import { NEXT } from '../next-commands.ts';
import type { CaseContext, Reading, Said } from '../reading.ts';
import { logged, logLine, type Saying } from './log-items.ts';

export const P2PDMA_WORDS: Reading = { kind: 'kernel-log', read };

function read(context: CaseContext): Said {
  // With the machine these lines confirm what its registers say.
  if (context.doctor !== null) return {};
  const redirects = logged(context, 'acsRedirect');
  const options = logged(context, 'redirectOption');
  const refused = logged(context, 'refused');
  const unlisted = logged(context, 'notListed');
  const findings: Finding[] = [];
  if (redirects.length + options.length > 0) findings.push(redirected(context.given, redirects, options));
  if (refused.length + unlisted.length > 0) findings.push(notListed(refused, unlisted));
  return { findings, next: findings.length === 0 ? [] : [NEXT.listing, NEXT.commandLine] };
}

const LINES_MAX = 4;

function redirected(
  given: Case,
  redirects: readonly Saying<'acsRedirect'>[],
  options: readonly Saying<'redirectOption'>[],
): Finding {
  const pairs = [...new Set(redirects.map(({ client, provider }) => `${client} and ${provider}`))];
  const ports = [...new Set(options.flatMap((item) => item.ports))];
  const functions = [...new Set(redirects.flatMap(({ client, provider }) => [client, provider]))].sort();
  return {
    ...NOTHING,
    id: 'ACS-REDIR-SWITCH',
    severity: severityOf('ACS-REDIR-SWITCH', 'told'),
    sure: 'certain',
    title: `The kernel found ACS redirect between ${pairs.length === 0 ? 'a client and a provider' : listed(pairs)}${ports.length === 0 ? '' : `, at ${listed(ports)}`}`,
    at: ports,
    functions,
    evidence: [...redirects, ...options]
      .slice(0, LINES_MAX)
      .map((item) => logLine(item, item.client, 'the kernel’s own words')),
    why: 'Traffic between the two is sent up to the root complex: slower, refused where the host bridge is not on the list, and translated where the IOMMU is on.',
    fixes: namedPortsFix(given, ports),
  };
}

function notListed(refused: readonly Saying<'refused'>[], unlisted: readonly Saying<'notListed'>[]): Finding {
  const pairs = [...new Set(refused.map(({ client, provider }) => `${client} and ${provider}`))];
  const bridges = [...new Set(unlisted.map(({ hostBridge }) => hostBridge))];
  const where = bridges.length === 0 ? '' : `; the host bridge is ${listed(bridges)}`;
  return {
    ...NOTHING,
    id: 'HB-NOT-LISTED',
    severity: severityOf('HB-NOT-LISTED', 'told'),
    sure: 'certain',
    title: `The kernel refused ${pairs.length === 0 ? 'a pair' : listed(pairs)}: no bridge above both, and their host bridge is not on its list${where}`,
    functions: [...new Set(refused.flatMap(({ client, provider }) => [client, provider]))].sort(),
    evidence: [
      ...refused.slice(0, LINES_MAX).map((item) => logLine(item, item.client, 'the kernel’s own words')),
      ...unlisted.slice(0, LINES_MAX).map((item) => logLine(item, item.at, 'the kernel’s own words')),
    ],
    why: 'Linux lets peer traffic pass a host bridge only where it knows that the bridge routes it: AMD Zen and newer, and a list of Intel’s server bridges.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'move',
        what: 'Put both devices below one PCIe switch, or use a newer kernel if its list has this host bridge',
        cost: 'A card moved; nothing is gained where the board has no switch. Patching the list hides the refusal: on bridges that do not route peers, data is lost without an error.',
        takeBack: 'move the card back',
      },
    ],
  };
}
