/** The recognisers of what measuring and topology tools print, in the order in which they are asked. */

import { amdSmiCsv, amdSmiJson, amdSmiTables } from '../amd/amd-smi-topo.ts';
import { rocmBandwidth } from '../amd/rocm-bandwidth.ts';
import { rocmTopo } from '../amd/rocm-topo.ts';
import { ncclLog } from '../nccl/nccl-log.ts';
import { ncclTopology } from '../nccl/nccl-topology.ts';
import { nvbandwidthText } from '../nvidia/nvbandwidth.ts';
import { nvbandwidthJson } from '../nvidia/nvbandwidth-json.ts';
import { nvidiaSmi } from '../nvidia/nvidia-smi.ts';
import { nvidiaP2p } from '../nvidia/nvidia-smi-p2p.ts';
import { nvidiaQuery } from '../nvidia/nvidia-smi-q.ts';
import { nvidiaTopo } from '../nvidia/nvidia-smi-topo.ts';
import { p2pBandwidth } from '../nvidia/p2p-bandwidth.ts';
import type { Recogniser } from '../recogniser.ts';
import { hwloc } from '../topology/hwloc.ts';
import type { MeasuredItem } from './items.ts';

export const MEASURING_TOOLS: readonly Recogniser<MeasuredItem>[] = [
  nvidiaTopo,
  nvidiaP2p,
  nvidiaQuery,
  nvidiaSmi,
  p2pBandwidth,
  ncclTopology,
  ncclLog,
  rocmBandwidth,
  rocmTopo,
  amdSmiTables,
  amdSmiCsv,
  amdSmiJson,
  nvbandwidthText,
  nvbandwidthJson,
  hwloc,
];
