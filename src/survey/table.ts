/** The survey as text: a row a file, then the sums. */

import { groupedBy, plural } from '../core/words.ts';
import type { SurveyFinding, SurveyRow } from './row.ts';

const MARKS: Readonly<Record<SurveyFinding['severity'], string>> = { error: '!!', warning: '!', note: '' };

/** Lines of the table. `nameOf` shortens a path; `leftOut` files were no dumps by their name. */
export function surveyTable(rows: readonly SurveyRow[], nameOf: (file: string) => string, leftOut: number): string[] {
  const width = Math.max(4, ...rows.map(({ file }) => nameOf(file).length));
  return [
    `${'file'.padEnd(width)}  functions    ms  findings`,
    ...rows.map((row) => `${nameOf(row.file).padEnd(width)}  ${cellsOf(row)}`.trimEnd()),
    '',
    ...sums(rows, leftOut),
    ...totalLines(rows),
  ];
}

function cellsOf(row: SurveyRow): string {
  switch (row.kind) {
    case 'judged':
      return `${`${row.functions}`.padStart(9)}  ${row.milliseconds.toFixed(0).padStart(4)}  ${wordsOf(row.findings)}`;
    case 'refused':
      return `        -     -  refused: ${row.code}`;
    case 'crashed':
      return `        -     -  CRASHED: ${row.words}`;
  }
}

/** `ACS-REDIR-SWITCH!!`, `MPS!`, `KCONFIG-MISSING?`: a finding with its weight. */
function markOf({ id, severity, sure }: SurveyFinding): string {
  return `${id}${sure === 'open' && severity === 'note' ? '?' : MARKS[severity]}`;
}

/** `ACS-REDIR-SWITCH!! x2, MPS!`: each kind once. */
function wordsOf(findings: readonly SurveyFinding[]): string {
  return groupedBy(findings.map(markOf), (mark) => mark)
    .map((alike) => (alike.length === 1 ? alike[0] : `${alike[0]} x${alike.length}`))
    .join(', ');
}

function sums(rows: readonly SurveyRow[], leftOut: number): string[] {
  const ofKind = (kind: SurveyRow['kind']): number => rows.filter((row) => row.kind === kind).length;
  const functions = rows.reduce((sum, row) => sum + (row.kind === 'judged' ? row.functions : 0), 0);
  const words = [`${rows.length} files`, `${ofKind('refused')} refused`, `${functions} functions`];
  if (ofKind('crashed') > 0) words.push(`${ofKind('crashed')} CRASHED`);
  if (leftOut > 0) words.push(`${leftOut} left out by name (json, md, xml, drawings of lspci -t)`);
  return [`${words.join(', ')}.`, '!! error, ! warning, ? not in the capture'];
}

/** How often each kind of finding was met, and in how many files, the most frequent first. */
function totalLines(rows: readonly SurveyRow[]): string[] {
  const totals = new Map<string, { findings: number; files: number }>();
  for (const row of rows) {
    if (row.kind !== 'judged') continue;
    for (const alike of groupedBy(row.findings.map(markOf), (mark) => mark)) {
      const sum = totals.get(alike[0] as string) ?? { findings: 0, files: 0 };
      totals.set(alike[0] as string, { findings: sum.findings + alike.length, files: sum.files + 1 });
    }
  }
  const sorted = [...totals].sort((a, b) => b[1].findings - a[1].findings || (a[0] < b[0] ? -1 : 1));
  const width = Math.max(0, ...sorted.map(([mark]) => mark.length));
  return sorted.map(
    ([mark, { findings, files }]) =>
      `  ${mark.padEnd(width)}  ${`${findings}`.padStart(4)} in ${plural(files, 'file')}`,
  );
}
