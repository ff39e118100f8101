/** All claims, in the order of the document. */

import type { Claim } from './claim.ts';
import { MAPPING_CLAIMS } from './mapping-claims.ts';
import { NVME_CLAIMS } from './nvme-claims.ts';

export const CLAIMS: readonly Claim[] = [...MAPPING_CLAIMS.slice(0, 2), ...NVME_CLAIMS, ...MAPPING_CLAIMS.slice(2)];
