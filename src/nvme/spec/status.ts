/**
 * Status codes. NVM Express Base Specification 1.4, 4.6.1.
 *
 * A status is the 15-bit field of a completion:
 *
 *     14 DNR   13 M   12:11 CRD   10:8 status code type   7:0 status code
 */

export const STATUS = {
  SUCCESS: 0x000,
  INVALID_OPCODE: 0x001,
  INVALID_FIELD: 0x002,
  COMMAND_ID_CONFLICT: 0x003,
  DATA_TRANSFER_ERROR: 0x004,
  INTERNAL_ERROR: 0x006,
  ABORT_REQUESTED: 0x007,
  ABORTED_SQ_DELETION: 0x008,
  INVALID_NAMESPACE: 0x00b,
  INVALID_SGL_SEGMENT: 0x00d,
  INVALID_SGL_COUNT: 0x00e,
  DATA_SGL_LENGTH_INVALID: 0x00f,
  METADATA_SGL_LENGTH_INVALID: 0x010,
  SGL_TYPE_INVALID: 0x011,
  INVALID_USE_OF_CMB: 0x012,
  PRP_OFFSET_INVALID: 0x013,
  SGL_OFFSET_INVALID: 0x016,
  SGL_GRANULARITY_INVALID: 0x01e,
  NOT_SUPPORTED_FOR_QUEUE_IN_CMB: 0x01f,
  LBA_OUT_OF_RANGE: 0x080,
  CAPACITY_EXCEEDED: 0x081,
  NAMESPACE_NOT_READY: 0x082,
  COMPLETION_QUEUE_INVALID: 0x100,
  INVALID_QUEUE_IDENTIFIER: 0x101,
  INVALID_QUEUE_SIZE: 0x102,
  ABORT_LIMIT_EXCEEDED: 0x103,
  ASYNC_EVENT_LIMIT_EXCEEDED: 0x105,
  INVALID_INTERRUPT_VECTOR: 0x108,
  INVALID_LOG_PAGE: 0x109,
  INVALID_QUEUE_DELETION: 0x10c,
  FEATURE_NOT_SAVEABLE: 0x10d,
  FEATURE_NOT_CHANGEABLE: 0x10e,
  WRITE_FAULT: 0x280,
  UNRECOVERED_READ_ERROR: 0x281,
} as const;

/** Do Not Retry: the same command would fail again. */
export const STATUS_DNR = 0x4000;
/** Status code type and status code, without DNR, M and CRD: what `STATUS` lists. */
export const STATUS_CODE_MASK = 0x07ff;

const NAMES: ReadonlyMap<number, string> = new Map([
  [STATUS.SUCCESS, 'Successful Completion'],
  [STATUS.INVALID_OPCODE, 'Invalid Command Opcode'],
  [STATUS.INVALID_FIELD, 'Invalid Field in Command'],
  [STATUS.COMMAND_ID_CONFLICT, 'Command ID Conflict'],
  [STATUS.DATA_TRANSFER_ERROR, 'Data Transfer Error'],
  [STATUS.INTERNAL_ERROR, 'Internal Error'],
  [STATUS.ABORT_REQUESTED, 'Command Abort Requested'],
  [STATUS.ABORTED_SQ_DELETION, 'Command Aborted due to SQ Deletion'],
  [STATUS.INVALID_NAMESPACE, 'Invalid Namespace or Format'],
  [STATUS.INVALID_SGL_SEGMENT, 'Invalid SGL Segment Descriptor'],
  [STATUS.INVALID_SGL_COUNT, 'Invalid Number of SGL Descriptors'],
  [STATUS.DATA_SGL_LENGTH_INVALID, 'Data SGL Length Invalid'],
  [STATUS.METADATA_SGL_LENGTH_INVALID, 'Metadata SGL Length Invalid'],
  [STATUS.SGL_TYPE_INVALID, 'SGL Descriptor Type Invalid'],
  [STATUS.INVALID_USE_OF_CMB, 'Invalid Use of Controller Memory Buffer'],
  [STATUS.PRP_OFFSET_INVALID, 'PRP Offset Invalid'],
  [STATUS.SGL_OFFSET_INVALID, 'SGL Offset Invalid'],
  [STATUS.SGL_GRANULARITY_INVALID, 'SGL Data Block Granularity Invalid'],
  [STATUS.NOT_SUPPORTED_FOR_QUEUE_IN_CMB, 'Command Not Supported for Queue in CMB'],
  [STATUS.LBA_OUT_OF_RANGE, 'LBA Out of Range'],
  [STATUS.CAPACITY_EXCEEDED, 'Capacity Exceeded'],
  [STATUS.NAMESPACE_NOT_READY, 'Namespace Not Ready'],
  [STATUS.COMPLETION_QUEUE_INVALID, 'Completion Queue Invalid'],
  [STATUS.INVALID_QUEUE_IDENTIFIER, 'Invalid Queue Identifier'],
  [STATUS.INVALID_QUEUE_SIZE, 'Invalid Queue Size'],
  [STATUS.ABORT_LIMIT_EXCEEDED, 'Abort Command Limit Exceeded'],
  [STATUS.ASYNC_EVENT_LIMIT_EXCEEDED, 'Asynchronous Event Request Limit Exceeded'],
  [STATUS.INVALID_INTERRUPT_VECTOR, 'Invalid Interrupt Vector'],
  [STATUS.INVALID_LOG_PAGE, 'Invalid Log Page'],
  [STATUS.INVALID_QUEUE_DELETION, 'Invalid Queue Deletion'],
  [STATUS.FEATURE_NOT_SAVEABLE, 'Feature Identifier Not Saveable'],
  [STATUS.FEATURE_NOT_CHANGEABLE, 'Feature Not Changeable'],
  [STATUS.WRITE_FAULT, 'Write Fault'],
  [STATUS.UNRECOVERED_READ_ERROR, 'Unrecovered Read Error'],
]);

/** Status code type and code alone: the number that `STATUS` lists. */
export function statusCode(status: number): number {
  return status & STATUS_CODE_MASK;
}

/** The specification's name of a status, or `status code type 2, code 0x84` for one that is not listed here. */
export function statusName(status: number): string {
  const code = statusCode(status);
  return NAMES.get(code) ?? `status code type ${code >>> 8}, code 0x${(code & 0xff).toString(16).padStart(2, '0')}`;
}
