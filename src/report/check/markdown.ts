/** The report as Markdown, to paste into a ticket: everything, without width and colour. */

import { plural } from '../../core/words.ts';
import type { Finding, Fix } from '../../doctor/finding.ts';
import { cpuWords } from '../words/cpu-text.ts';
import { proofLine } from '../words/proof.ts';
import { type CheckQuestion, evidenceText, pairsSentence, splitFindings, tally } from './view.ts';

/** The report. */
export function* markdownLines({ machine, policy, result }: CheckQuestion): Generator<string> {
  const { found, unknown } = splitFindings(result.findings);
  yield `# Peer-to-peer DMA: ${tally(found)}`;
  yield '';
  yield `- Machine: ${code(machine.source)}, ${plural(machine.hierarchy.functions.length, 'function')}`;
  yield `- Rules: ${policy.name}; kernel ${machine.kernel ?? 'not known'}; CPU ${cpuWords(machine)}`;
  yield `- ${pairsSentence(result)}`;
  for (const finding of found) yield* findingSection(finding);
  if (unknown.length > 0) {
    yield '';
    yield '## Not in the capture';
    yield '';
    for (const { id, title, missing } of unknown) {
      yield `- **${id}** ${title}${missing === null ? '' : `. To know: ${code(missing.command)}`}`;
    }
  }
}

function* findingSection(finding: Finding): Generator<string> {
  yield '';
  yield `## ${finding.severity}: ${finding.id}${finding.sure === 'likely' ? ' (likely)' : ''}`;
  yield '';
  yield `${finding.title}.`;
  yield '';
  yield finding.why;
  if (finding.evidence.length > 0) {
    yield '';
    yield 'Evidence:';
    yield '';
    // Lines of a log and of the kernel command line are not Markdown.
    for (const evidence of finding.evidence) yield `- ${code(evidenceText(evidence))}`;
  }
  for (const [index, fix] of finding.fixes.entries()) yield* fixSection(fix, index + 1);
  if (finding.missing !== null) {
    yield '';
    yield `To know ${finding.missing.what}: ${code(finding.missing.command)}`;
  }
}

function* fixSection(fix: Fix, number: number): Generator<string> {
  yield '';
  yield `### Fix ${number}: ${fix.what}`;
  yield '';
  for (const caution of fix.cautions ?? []) {
    yield `**${caution}**`;
    yield '';
  }
  for (const { where, line } of fix.settings ?? []) {
    yield `${where[0]?.toUpperCase()}${where.slice(1)}:`;
    yield '';
    yield* block([line]);
  }
  yield* block(fix.commands);
  yield `- Cost: ${fix.cost}${fix.reboot ? ' Needs a boot.' : ''}`;
  const back = [...(fix.takeBack === undefined ? [] : [fix.takeBack]), ...fix.undo.map(code)];
  if (back.length > 0) yield `- Undo: ${back.join(', ')}`;
  yield `- ${proofLine(fix.proof)}`;
}

function* block(lines: readonly string[]): Generator<string> {
  if (lines.length === 0) return;
  yield '```';
  yield* lines;
  yield '```';
  yield '';
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``;
}
