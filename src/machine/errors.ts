import { P2pError } from '../core/errors.ts';

/** Why an input is no machine. */
export type MachineErrorCode =
  /** Neither bytes nor text. */
  | 'INPUT_NOT_BYTES'
  | 'INPUT_EMPTY'
  | 'INPUT_NOT_FOUND'
  | 'INPUT_UNREADABLE'
  | 'INPUT_FORMAT_UNKNOWN'
  | 'INPUT_TRUNCATED'
  | 'INPUT_LINES_JOINED'
  | 'INPUT_NO_PCI'
  | 'INPUT_TOPOLOGY_XML'
  | 'INPUT_TREE_DRAWING'
  | 'INPUT_TOO_LARGE';

/** An input could not be read as a machine. */
export class MachineError extends P2pError<MachineErrorCode> {
  override readonly name: string = 'MachineError';
}
