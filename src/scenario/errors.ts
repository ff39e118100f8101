import { P2pError } from '../core/errors.ts';

export type ScenarioErrorCode =
  /** The file is not JSON or YAML. */
  | 'FILE_SYNTAX'
  /** A field is missing, unknown, or of the wrong kind. */
  | 'FILE_FIELD'
  | 'FILE_EMPTY'
  | 'FILE_TOO_LARGE'
  | 'FILE_UNREADABLE';

/** A bio or scenario file cannot be used as it stands: file, line and field are named. */
export class ScenarioError extends P2pError<ScenarioErrorCode> {
  override readonly name: string = 'ScenarioError';
  /** 1-based line in the file, or null. */
  readonly line: number | null;
  /** `vectors[2].address`; null where the complaint is about no field. */
  readonly field: string | null;

  constructor(
    code: ScenarioErrorCode,
    place: { readonly file: string; readonly line: number | null; readonly field?: string },
    message: string,
    hint: string,
  ) {
    const line = place.line === null ? '' : `:${place.line}`;
    const field = place.field === undefined || place.field === '' ? null : place.field;
    super({ code, path: `${place.file}${line}${field === null ? '' : `: ${field}`}`, message, hint });
    this.line = place.line;
    this.field = field;
  }
}

/** A scenario file, for naming lines in it. */
export interface Place {
  readonly file: string;
  readonly lineOf: (path: readonly PropertyKey[]) => number;
}

/** A complaint about a field of a scenario. */
export function refuseField(
  place: Place,
  field: string,
  path: readonly PropertyKey[],
  message: string,
  hint: string,
): never {
  throw new ScenarioError('FILE_FIELD', { file: place.file, line: place.lineOf(path), field }, message, hint);
}
