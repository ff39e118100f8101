/** The recognisers of what measuring and topology tools print, in the order in which they are asked. */

import { ncclTopology } from '../nccl/nccl-topology.ts';
import { nvidiaSmi } from '../nvidia/nvidia-smi.ts';
import { nvidiaP2p } from '../nvidia/nvidia-smi-p2p.ts';
import { nvidiaQuery } from '../nvidia/nvidia-smi-q.ts';
import { nvidiaTopo } from '../nvidia/nvidia-smi-topo.ts';
import { p2pBandwidth } from '../nvidia/p2p-bandwidth.ts';
import type { Recogniser } from '../recogniser.ts';
import type { MeasuredItem } from './items.ts';

export const MEASURING_TOOLS: readonly Recogniser<MeasuredItem>[] = [
  nvidiaTopo,
  nvidiaP2p,
  nvidiaQuery,
  nvidiaSmi,
  p2pBandwidth,
  ncclTopology,
];
