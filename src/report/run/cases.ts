/** The cases of the mail against the settings of the IOMMU, as far as an engine shows them: a table, and its gaps in words. */

import type { CaseShown } from '../../engine/register.ts';
import type { ScenarioReport, TransferReport } from '../../scenario/report.ts';
import { wrap } from '../words/style.ts';
import { table } from '../words/table.ts';

const SETTINGS: Readonly<Record<CaseShown['iommu'], string>> = {
  off: 'VT-d off',
  on: 'VT-d on',
  passthrough: 'pass-through',
};

/** The lines; the setting of the run's own transfers is marked. */
export function caseLines({ cases, engine, transfers }: ScenarioReport, columns: number): string[] {
  const settings = Object.keys(SETTINGS) as CaseShown['iommu'][];
  const used = new Set(transfers.map(({ iommu }) => iommu));
  const head = settings.map((setting) => `${SETTINGS[setting]}${used.has(setting) ? ' (this run)' : ''}`);
  const rows = [...new Set(cases.map((cell) => cell.case))].map((name) => [
    `(${name})`,
    ...settings.map((iommu) => cases.find((cell) => cell.case === name && cell.iommu === iommu)?.seen ?? '-'),
  ]);
  const gaps = [...new Set(cases.flatMap(({ notProvable }) => notProvable ?? []))].flatMap((reason) => {
    const cells = cases.filter((cell) => cell.notProvable === reason);
    const where = cells.map((cell) => SETTINGS[cell.iommu]).join(', ');
    return wrap(`  (${cells[0]?.case}) ${where}: not provable here: ${reason}`, columns, '       ');
  });
  const title = `What it shows of each case of the mail (${engine}):`;
  return [title, ...table([['', ...head], ...rows]).map((line) => `  ${line}`), ...gaps];
}

/** Why vectors of a transfer whose bytes are not right could not be right on this engine; empty where that is nobody's excuse. */
export function gapLines({ cases }: ScenarioReport, transfer: TransferReport, columns: number): string[] {
  const lines: string[] = [];
  for (const { case: name, iommu, seen, notProvable } of cases) {
    if (iommu !== transfer.iommu || notProvable === null) continue;
    const lost = transfer.vectors.filter((vector) => vector.case === name && vector.bytesEqual < vector.length);
    if (lost.length === 0 || transfer.refusal !== null) continue;
    const vectors = `vector${lost.length === 1 ? '' : 's'} ${lost.map(({ input }) => input).join(', ')}`;
    const what = `${vectors}: (${name}) with ${SETTINGS[iommu]} is not provable here (${seen}): ${notProvable}`;
    lines.push(...wrap(`  ${what}`, columns, '    '));
  }
  return lines;
}
