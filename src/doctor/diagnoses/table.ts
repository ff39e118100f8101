/** All diagnoses, as users meet them: the fifteen that bring people here most, and six that are cheap to tell. */

import { ACS_REDIR_SWITCH } from './acs-redir-switch.ts';
import { ADDR_MASK } from './addr-mask.ts';
import { BAD_CMDLINE } from './bad-cmdline.ts';
import { BAR_SMALL } from './bar-small.ts';
import { CROSS_SOCKET } from './cross-socket.ts';
import { DEVICE_LOST } from './device-lost.ts';
import type { Diagnosis } from './diagnosis.ts';
import { FALSE_GRANT } from './false-grant.ts';
import { GDS_COMPAT } from './gds-compat.ts';
import { GROUP_LIE } from './group-lie.ts';
import { HB_NOT_LISTED } from './hb-not-listed.ts';
import { HB_SPLIT } from './hb-split.ts';
import { HIDDEN_LINK } from './hidden-link.ts';
import { IOMMU_TRANSLATED } from './iommu-translated.ts';
import { KCONFIG_MISSING } from './kconfig-missing.ts';
import { LINK_DEGRADED } from './link-degraded.ts';
import { MPS } from './mps.ts';
import { NO_PROVIDER } from './no-provider.ts';
import { NOT_DECODING } from './not-decoding.ts';
import { VM_TOPOLOGY } from './vm-topology.ts';
import { VMD_DOMAIN } from './vmd-domain.ts';
import { WRONG_MEMORY } from './wrong-memory.ts';

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
];
