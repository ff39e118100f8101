/** The smallest change in words: the parameter that makes it for good, the command that tries it now, and what it costs. */

import { plural } from '../../core/words.ts';
import type { IsolationCost } from '../../doctor/change/isolation.ts';
import type { MoveChange, SettingsChange } from '../../doctor/change/smallest-change.ts';
import { UPDATE_GRUB } from '../../doctor/remedy/boot-fix.ts';
import {
  configAcs,
  disableAcsRedir,
  grubLine,
  setpciLines,
  shellQuoted,
} from '../../doctor/remedy/kernel-parameter.ts';
import type { PairVerdict } from '../../p2p/verdict.ts';
import { acsBitNames } from '../../pcie/acs.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { joinNames } from '../matrix/groups.ts';
import { wrap } from '../words/style.ts';
import type { Explanation } from './explanation.ts';
import { kernelKnowsConfigAcs, kernelLosses, oopsHazard } from './kernel-caveats.ts';
import { type ExplainView, TYPE_WORDS } from './view.ts';

/** What would change the verdict as asked, below a heading. */
export function* changeLines(explanation: Explanation, view: ExplainView): Generator<string> {
  const { change, missing, verdict } = explanation;
  if (missing !== null) {
    yield* wrap(`  ${missing.what}`, view.columns, '    ');
    yield `  The one command that tells:  ${missing.command}`;
    yield `  then ${missing.next}`;
    return;
  }
  if (verdict.type === 'busAddr') {
    if (explanation.shut.length === 0) yield '  None is needed: this is the shortest road.';
    else yield '  This is the shortest road; p2pdma check tells how to open it.';
    return;
  }
  if (change.settings !== null) yield* settingsLines(explanation, change.settings, view);
  else yield* wrap(`  No change of settings will do: ${whyNot(verdict)}.`, view.columns, '    ');
  for (const move of change.moves) yield* moveLines(move, view);
  if (change.settings === null && change.moves.length === 0) {
    yield '  Nor does another slot of this machine give a better road.';
  }
  if (change.kernel !== null) {
    const { policy, verdict: later } = change.kernel;
    yield* wrap(`  A newer kernel: by the rules of ${policy} the pair is ${typeWords(later)}.`, view.columns, '    ');
  }
}

function typeWords(verdict: PairVerdict): string {
  return `${TYPE_WORDS[verdict.type]}${verdict.distance === null ? '' : `, distance ${verdict.distance}`}`;
}

function whyNot(verdict: PairVerdict): string {
  return verdict.type === 'notSupported'
    ? 'nothing that ACS does decides here'
    : 'the paths do not meet below the host bridge, whatever ACS does';
}

function* settingsLines(explanation: Explanation, change: SettingsChange, view: ExplainView): Generator<string> {
  const { columns, style } = view;
  const { machine } = explanation.judge;
  const names = change.ports.map((port) => `${port.at.name} (${acsBitNames(port.before & ~port.after)})`).join(', ');
  const what = `  Clear the redirect bits of ${plural(change.ports.length, 'function')}: ${names}. Then the pair is ${typeWords(change.verdict)}.`;
  yield* wrap(what, columns, '    ');
  const parameter = disableAcsRedir(change.ports);
  yield '';
  yield '  For good, as a kernel parameter (from the next boot; survives renumbering):';
  yield* parameterLines(parameter, view);
  for (const line of kernelLosses(machine, change.ports)) yield* wrap(`    ${line}`, columns, '    ').map(style.dim);
  const config = configAcs(change.ports);
  yield '';
  yield* wrap(`  ${kernelKnowsConfigAcs(machine)}`, columns, '  ');
  yield* parameterLines(config, view);
  yield '';
  yield '  Now, to try it (gone at the next reset or boot):';
  for (const { apply } of setpciLines(change.ports)) yield `    ${apply}`;
  yield '  and back:';
  for (const { undo } of setpciLines(change.ports)) yield `    ${undo}`;
  const caution =
    'The kernel keeps the answer that it gave a pair before until the distance is asked again, and IOMMU groups stay as they were at boot: a group no longer isolates then, whatever it says.';
  yield* wrap(`    ${caution}`, columns, '    ').map(style.dim);
  yield '';
  yield* costLines(explanation, view);
  const hazard = oopsHazard(machine, explanation.redirecting);
  if (hazard !== null) yield* wrap(`  ${hazard}`, columns, '    ');
}

function* parameterLines(parameter: string, { style }: ExplainView): Generator<string> {
  yield `    ${style.bold(parameter)}`;
  yield `    shell: ${shellQuoted(parameter)}`;
  yield `    /etc/default/grub: ${grubLine(parameter)}`;
  yield `    then: ${UPDATE_GRUB}`;
}

function* costLines({ cost }: Explanation, { columns }: ExplainView): Generator<string> {
  if (cost === null) return;
  if (cost.joined.length === 0) {
    yield '  Costs no isolation: what these functions could keep apart is not apart now.';
    return;
  }
  for (const joined of cost.joined) {
    const words = `  Costs isolation: ${costWords(joined.groups, cost.evidence)}: ${namesOf(joined.functions)}`;
    yield* wrap(words, columns, '    ');
  }
}

function namesOf(functions: readonly PciFunction[]): string {
  return joinNames(functions).join(' ');
}

function costWords(groups: readonly number[], evidence: IsolationCost['evidence']): string {
  if (evidence === 'groups') {
    return `IOMMU groups ${groups.slice(0, -1).join(', ')} and ${groups[groups.length - 1]} become one`;
  }
  return evidence === 'none'
    ? 'none now, since the IOMMU is off; with it on these come into one IOMMU group'
    : 'the capture shows no IOMMU groups; with the IOMMU on these come into one';
}

function* moveLines(move: MoveChange, { columns }: ExplainView): Generator<string> {
  const place = move.occupants.length === 0 ? 'a free slot' : `in place of ${namesOf(move.occupants)}`;
  const settings =
    move.settings === null
      ? ''
      : ` and clear the redirect bits of ${move.settings.ports.map((port) => port.at.name).join(', ')}`;
  const text = `  Move the ${move.who} below ${move.below.name} (${place})${settings}: the pair is then ${typeWords(move.verdict)}.`;
  yield* wrap(text, columns, '    ');
}
