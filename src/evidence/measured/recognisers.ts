/** The recognisers of what measuring and topology tools print, in the order in which they are asked. */

import { amdSmiCsv, amdSmiJson, amdSmiTables } from '../amd/amd-smi-topo.ts';
import { hipBusBandwidth } from '../amd/hip-bus-bandwidth.ts';
import { rocmBandwidth } from '../amd/rocm-bandwidth.ts';
import { rocmTopo } from '../amd/rocm-topo.ts';
import { transferBench } from '../amd/transferbench.ts';
import { ncclLog } from '../nccl/nccl-log.ts';
import { ncclTests, ncclTestsJson } from '../nccl/nccl-tests.ts';
import { ncclTopology } from '../nccl/nccl-topology.ts';
import { cudaBandwidth } from '../nvidia/cuda-bandwidth.ts';
import { nvbandwidthText } from '../nvidia/nvbandwidth.ts';
import { nvbandwidthJson } from '../nvidia/nvbandwidth-json.ts';
import { nvidiaSmi } from '../nvidia/nvidia-smi.ts';
import { nvidiaP2p } from '../nvidia/nvidia-smi-p2p.ts';
import { nvidiaQuery } from '../nvidia/nvidia-smi-q.ts';
import { nvidiaTopo } from '../nvidia/nvidia-smi-topo.ts';
import { p2pBandwidth } from '../nvidia/p2p-bandwidth.ts';
import { perftest } from '../rdma/perftest.ts';
import { rdmaDevices } from '../rdma/rdma-devices.ts';
import { rdmaTopoDump, rdmaTopoGroups } from '../rdma/rdma-topo.ts';
import type { Recogniser } from '../recogniser.ts';
import { fioJson, fioText } from '../storage/fio.ts';
import { gdsio } from '../storage/gdsio.ts';
import { p2pmemTest } from '../storage/p2pmem-test.ts';
import { hwloc } from '../topology/hwloc.ts';
import { resourceSlices } from '../topology/resource-slices.ts';
import type { MeasuredItem } from './items.ts';
import { type JsonForm, jsonOf } from './json-text.ts';

/** All that may be in JSON. */
const JSON_FORMS: readonly [JsonForm<MeasuredItem>, ...JsonForm<MeasuredItem>[]] = [
  nvbandwidthJson,
  amdSmiJson,
  ncclTestsJson,
  fioJson,
  rdmaTopoDump,
  rdmaTopoGroups,
  resourceSlices,
];

export const MEASURING_TOOLS: readonly Recogniser<MeasuredItem>[] = [
  nvidiaTopo,
  nvidiaP2p,
  nvidiaQuery,
  nvidiaSmi,
  p2pBandwidth,
  ncclTopology,
  ncclLog,
  rocmBandwidth,
  hipBusBandwidth,
  rocmTopo,
  amdSmiTables,
  amdSmiCsv,
  nvbandwidthText,
  hwloc,
  gdsio,
  perftest,
  rdmaDevices,
  cudaBandwidth,
  transferBench,
  ncclTests,
  p2pmemTest,
  fioText,
  jsonOf(JSON_FORMS),
];
