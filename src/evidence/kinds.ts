/**
 * Kinds of evidence that a text can hold: what a tool printed, what a file of the kernel says, a log. The list is closed and part of the
 * command's contract; `unknown` is text that belongs to none.
 */

export const SOURCE_KINDS = [
  'lspci',
  'lspci-tree',
  'lspci-acsctl',
  'setpci',
  'sysfs',
  'kernel-log',
  'kernel-cmdline',
  'kernel-config',
  'cpuinfo',
  'iomem',
  'iommu-groups',
  'nvidia-smi',
  'nvidia-smi-q',
  'nvidia-smi-topo',
  'nvidia-smi-p2p',
  'p2p-bandwidth',
  'cuda-bandwidth',
  'nvbandwidth',
  'nccl-log',
  'nccl-topology',
  'nccl-tests',
  'hwloc',
  'rocm-topo',
  'amd-smi-topo',
  'rocm-bandwidth',
  'transferbench',
  'gdscheck',
  'gdsio',
  'cufile-log',
  'perftest',
  'p2pmem-test',
  'fio',
  'vfio-log',
  'spdk-log',
  'prove-record',
  'rdma-topo',
  'resource-slices',
  'dispute-case',
  'unknown',
] as const;

export type SourceKind = (typeof SOURCE_KINDS)[number];
