/** A case: everything that was given about one computer, opened and joined. */

export { type Case, type Contradiction, itemsOf, kindsOf, type MachineOrigin } from './case.ts';
export { CaseError, type CaseErrorCode } from './errors.ts';
export { type CaseInput, openCase } from './open-case.ts';
