/** Controllers that cannot be built. */

import { P2pError } from '../../core/errors.ts';

export type NvmeDeviceErrorCode = 'NVME_CMB_GEOMETRY' | 'NVME_CMB_PORT' | 'NVME_NAMESPACE_SIZE' | 'NVME_OPTION_RANGE';

/** A description of a controller that no controller can have. */
export class NvmeDeviceError extends P2pError<NvmeDeviceErrorCode> {
  override readonly name: string = 'NvmeDeviceError';
}
