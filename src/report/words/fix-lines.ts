/** A fix on a screen, the same in every command. What is to be copied is never broken. */

import type { Fix } from '../../doctor/finding.ts';
import { proofLine } from './proof.ts';
import { type Style, wrap } from './style.ts';

export interface FixView {
  readonly columns: number;
  readonly style: Style;
  /** Every command and place, how far it is proved, and the whole way back. */
  readonly verbose: boolean;
}

/** Commands of a fix that a short view shows. */
const COMMANDS_MAX = 4;

/** `Fix 1: Clear ... (needs a boot).` */
export function whatLines(fix: Fix, head: string, { columns }: Pick<FixView, 'columns'>): string[] {
  return wrap(`  ${head}: ${fix.what}${fix.reboot ? ' (needs a boot)' : ''}.`, columns, '    ');
}

/** What is to be read before anything is copied. */
export function cautionLines({ cautions = [] }: Fix, { columns, style }: Omit<FixView, 'verbose'>): string[] {
  return cautions.flatMap((caution) => wrap(`    ${caution}`, columns, '      ').map(style.bold));
}

/** The fix: what, first what it endangers, lines and commands, cost, the way back. */
export function* fixLines(fix: Fix, head: string, view: FixView): Generator<string> {
  const { columns, style, verbose } = view;
  yield* whatLines(fix, head, view);
  yield* cautionLines(fix, view);
  yield* settingLines(fix, view);
  yield* someCommands(fix, verbose ? fix.commands.length : COMMANDS_MAX);
  yield* wrap(`    Cost: ${fix.cost}`, columns, '      ').map(style.dim);
  yield* undoLines(fix, view);
  if (verbose) yield* wrap(`    ${proofLine(fix.proof)}`, columns, '      ').map(style.dim);
}

/** What is written where, before the commands. In a short view the last place of a word is enough: it is the file. */
function* settingLines(
  { settings = [], commands, kind }: Fix,
  { columns, style, verbose }: FixView,
): Generator<string> {
  const shown = verbose || kind !== 'kernelParameter' ? settings : settings.slice(-1);
  for (const { where, line } of shown) {
    yield* wrap(`    ${where[0]?.toUpperCase()}${where.slice(1)}:`, columns, '      ').map(style.dim);
    yield `      ${line}`;
  }
  if (shown.length > 0 && commands.length > 0) yield style.dim('    Then:');
}

function* undoLines({ undo, takeBack }: Fix, { columns, style, verbose }: FixView): Generator<string> {
  if (takeBack !== undefined) yield* wrap(`    Undo: ${takeBack}`, columns, '      ').map(style.dim);
  else if (undo.length === 1) yield style.dim(`    Undo: ${undo[0]}`);
  else if (undo.length > 1 && !verbose) yield style.dim(`    Undo: ${undo[0]}, and so on: --verbose`);
  else if (undo.length > 1) yield style.dim('    Undo:');
  if (verbose && (takeBack !== undefined || undo.length > 1)) for (const line of undo) yield style.dim(`      ${line}`);
}

/** The first commands, and how many more there are. */
export function* someCommands({ commands }: Fix, most: number): Generator<string> {
  for (const command of commands.slice(0, most)) yield `      ${command}`;
  if (commands.length > most) yield `      ... and ${commands.length - most} more like ${most === 1 ? 'it' : 'these'}`;
}

/** One line of what is to be copied. */
export function briefly(fix: Fix): string[] {
  const [setting] = fix.settings ?? [];
  return setting === undefined ? [...someCommands(fix, 1)] : [`      ${setting.line}`];
}
