/** Refusals of the command line itself, and how every refusal is shown. */

import { P2pError } from '../core/errors.ts';

export type UsageErrorCode =
  | 'USAGE_COMMAND_UNKNOWN'
  | 'USAGE_COMMAND_MISSING'
  | 'USAGE_OPTION_UNKNOWN'
  | 'USAGE_OPTION_VALUE'
  | 'USAGE_ARGUMENT_MISSING'
  | 'USAGE_ARGUMENT_EXCESS'
  | 'USAGE_ARGUMENT_VALUE'
  | 'USAGE_EXAMPLE_UNKNOWN'
  | 'USAGE_MACHINE_MISSING';

/** The command line cannot be obeyed as it stands. Exit 2. */
export class UsageError extends P2pError<UsageErrorCode> {
  override readonly name: string = 'UsageError';
}

/** The answer could not be written. */
export class OutputError extends P2pError<'OUTPUT_WRITE_FAILED'> {
  override readonly name: string = 'OutputError';
}

/** `did you mean MPS? Diagnoses: ...`, or the list alone where nothing is alike. */
export function didYouMean(similar: readonly string[], list: string): string {
  const [first] = similar;
  return first === undefined ? list : `did you mean ${first}? ${list[0]?.toUpperCase()}${list.slice(1)}`;
}

const REPORT_HINT = 'this is a mistake in p2pdma: please report it with the command line and, if you may, the input';

/** What stderr shows of an error: `path: message`, then `hint: ...`. Ends with a newline. */
export function errorText(error: unknown): string {
  if (error instanceof P2pError) return `${error.path}: ${error.message}\nhint: ${error.hint}\n`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `p2pdma: internal error: ${stack}\nhint: ${REPORT_HINT}\n`;
}

/** Line and field of a file that an error names, by their fields: not every refusal has them. */
function placeIn(error: P2pError): { line?: number; field?: string } {
  const { line, field } = error as { line?: unknown; field?: unknown };
  return {
    ...(typeof line === 'number' ? { line } : {}),
    ...(typeof field === 'string' ? { field } : {}),
  };
}

/** The one JSON document that stands for the answer where there is none. */
export function errorDocument(error: unknown): object {
  if (error instanceof P2pError) {
    const { code, path, message, hint, errno } = error;
    const place = placeIn(error);
    return {
      schemaVersion: 1,
      error: { code, path, message, hint, ...(errno === undefined ? {} : { errno }), ...place },
    };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { schemaVersion: 1, error: { code: 'INTERNAL', path: 'p2pdma', message, hint: REPORT_HINT } };
}
