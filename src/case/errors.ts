import { P2pError } from '../core/errors.ts';

/** Why inputs are no case. */
export type CaseErrorCode = 'CASE_EMPTY' | 'CASE_UNKNOWN' | 'CASE_TWO_MACHINES';

/** What was given could not be opened as a case. */
export class CaseError extends P2pError<CaseErrorCode> {
  override readonly name: string = 'CaseError';
}
