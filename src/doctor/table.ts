/** All diagnoses, as users meet them: the fifteen that bring people here most, and six that are cheap to tell. */

import { present } from '../core/assert.ts';
import { ACS_REDIR_SWITCH } from './diagnoses/acs-redir-switch.ts';
import { ADDR_MASK } from './diagnoses/addr-mask.ts';
import { BAD_CMDLINE } from './diagnoses/bad-cmdline.ts';
import { BAR_SMALL } from './diagnoses/bar-small.ts';
import { CROSS_SOCKET } from './diagnoses/cross-socket.ts';
import { DEVICE_LOST } from './diagnoses/device-lost.ts';
import { FALSE_GRANT } from './diagnoses/false-grant.ts';
import { GDS_COMPAT } from './diagnoses/gds-compat.ts';
import { GROUP_LIE } from './diagnoses/group-lie.ts';
import { HB_NOT_LISTED } from './diagnoses/hb-not-listed.ts';
import { HB_SPLIT } from './diagnoses/hb-split.ts';
import { HIDDEN_LINK } from './diagnoses/hidden-link.ts';
import { IOMMU_TRANSLATED } from './diagnoses/iommu-translated.ts';
import { KCONFIG_MISSING } from './diagnoses/kconfig-missing.ts';
import { LINK_DEGRADED } from './diagnoses/link-degraded.ts';
import { MPS } from './diagnoses/mps.ts';
import { NO_PROVIDER } from './diagnoses/no-provider.ts';
import { NOT_DECODING } from './diagnoses/not-decoding.ts';
import { PARTIAL_LISTING } from './diagnoses/partial-listing.ts';
import { TOLD_DIAGNOSES } from './diagnoses/told.ts';
import { VM_TOPOLOGY } from './diagnoses/vm-topology.ts';
import { VMD_DOMAIN } from './diagnoses/vmd-domain.ts';
import { WRONG_MEMORY } from './diagnoses/wrong-memory.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { DiagnosisId } from './finding.ts';

export const DIAGNOSES: readonly Diagnosis[] = [
  ACS_REDIR_SWITCH,
  HB_NOT_LISTED,
  HB_SPLIT,
  BAD_CMDLINE,
  IOMMU_TRANSLATED,
  MPS,
  NOT_DECODING,
  DEVICE_LOST,
  BAR_SMALL,
  LINK_DEGRADED,
  ADDR_MASK,
  FALSE_GRANT,
  KCONFIG_MISSING,
  NO_PROVIDER,
  CROSS_SOCKET,
  VM_TOPOLOGY,
  GDS_COMPAT,
  WRONG_MEMORY,
  HIDDEN_LINK,
  VMD_DOMAIN,
  GROUP_LIE,
  PARTIAL_LISTING,
  ...TOLD_DIAGNOSES,
];

/** The entry of one diagnosis. */
export function diagnosisOf(id: DiagnosisId): Diagnosis {
  return present(
    DIAGNOSES.find((diagnosis) => diagnosis.id === id),
    `the table holds ${id}`,
  );
}
