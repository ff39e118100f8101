export { getAscii, getU16, getU32, getU64, putAscii, putU16, putU32, putU64 } from './bytes.ts';
export {
  ADMIN,
  FEATURE,
  FLAGS_FUSE_MASK,
  FLAGS_PSDT_SHIFT,
  NSID_ALL,
  NVM,
  PSDT,
  QUEUE_CONTIGUOUS,
  QUEUE_INTERRUPTS,
  SQE,
  SQE_BYTES,
  SQE_SHIFT,
} from './command.ts';
export { CQE, CQE_BYTES, CQE_SHIFT, cqePhase, cqeStatus, putCqe } from './completion.ts';
export type { Field, RegisterField } from './field.ts';
export { fieldMax, getField, withField } from './field.ts';
export {
  CNS,
  FIRMWARE_BYTES,
  IDENTIFY_BYTES,
  IDENTIFY_CONTROLLER,
  IDENTIFY_NAMESPACE,
  MODEL_BYTES,
  SERIAL_BYTES,
  SUBNQN_BYTES,
} from './identify.ts';
export { PRP_BYTES, prpListPages, prpPageCount } from './prp.ts';
export type { Register, RegisterAccess } from './registers.ts';
export {
  AQA,
  CAP,
  CC,
  CMB_LARGEST_UNIT,
  CMBLOC,
  CMBMSC,
  CMBSTS,
  CMBSZ,
  CSTS,
  cmbUnitBytes,
  completionDoorbell,
  DOORBELLS,
  formatVersion,
  PMRCAP,
  PMRCTL,
  PMRMSC,
  PMRSTS,
  REGISTERS,
  submissionDoorbell,
} from './registers.ts';
export {
  putSgl,
  SGL,
  SGL_BYTES,
  SGL_SUBTYPE,
  SGL_TYPE,
  SGLS,
  sglAddress,
  sglLength,
  sglSubtype,
  sglType,
} from './sgl.ts';
export { STATUS, STATUS_CODE_MASK, STATUS_DNR, statusCode, statusName } from './status.ts';
export {
  offersRelativeSgl,
  putRelativeSglOffer,
  VENDOR_FEATURES,
  VENDOR_RELATIVE_SGL,
  VENDOR_SIGNATURE,
} from './vendor.ts';
