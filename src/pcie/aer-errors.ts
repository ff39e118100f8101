/**
 * The errors of Advanced Error Reporting by their bits, as Linux and lspci name them today and named them before 5.8. PCIe Base
 * Specification, 7.8.4.2 (uncorrectable) and 7.8.4.5 (correctable).
 */

export interface AerError {
  readonly bit: number;
  /** The short name of lspci and of newer kernels. */
  readonly name: string;
}

const UNCORRECTABLE: Readonly<Record<number, string>> = {
  0: 'Undefined',
  4: 'DLP',
  5: 'SDES',
  12: 'PoisonedTLP',
  13: 'FCP',
  14: 'CmpltTO',
  15: 'CmpltAbrt',
  16: 'UnxCmplt',
  17: 'RxOF',
  18: 'MalfTLP',
  19: 'ECRC',
  20: 'UnsupReq',
  21: 'ACSViol',
  22: 'UncorrIntErr',
  23: 'BlockedTLP',
  24: 'AtomicOpBlocked',
  25: 'TLPBlockedErr',
  26: 'PoisonTLPBlocked',
};

const CORRECTABLE: Readonly<Record<number, string>> = {
  0: 'RxErr',
  6: 'BadTLP',
  7: 'BadDLLP',
  8: 'Rollover',
  12: 'Timeout',
  13: 'NonFatalErr',
  14: 'CorrIntErr',
  15: 'HeaderOF',
};

/** The error of a bit of the status register. A bit that the specification does not name has its number as name. */
export function aerError(bit: number, isCorrectable: boolean): AerError {
  return { bit, name: (isCorrectable ? CORRECTABLE : UNCORRECTABLE)[bit] ?? `bit ${bit}` };
}

/** The errors whose bits are set. */
export function aerErrorsOf(status: number, isCorrectable: boolean): AerError[] {
  const errors: AerError[] = [];
  for (let bit = 0; bit < 32; bit++) if ((status >>> bit) & 1) errors.push(aerError(bit, isCorrectable));
  return errors;
}
