/** A paste of each kind, written here: what the fuzzer damages. */

const ACS = 'SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-';

export const SAMPLE_PASTES: readonly string[] = [
  `$ sudo lspci -vvv
0000:80:01.0 PCI bridge [0604]: Some Maker Root Port [8086:352a] (prog-if 00 [Normal decode])
\tControl: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+
\tBus: primary=80, secondary=81, subordinate=81, sec-latency=0
\tCapabilities: [220 v1] Access Control Services
\t\tACSCtl:\t${ACS}

81:00.0 3D controller: Some GPU (rev a1)
\tRegion 0: Memory at 2000000000 (64-bit, prefetchable) [size=16G]
00: de 10 b0 20 06 04 10 00 a1 00 02 03 10 00 00 00
`,
  `$ lspci -vvv | grep -E '^[0-9a-f]|ACSCtl'
80:01.0 PCI bridge: Some Maker Root Port
\t\tACSCtl:\t${ACS}
\t\tACSCtl:\t${ACS.replaceAll('+', '-')}
`,
  `-+-[0001:20]-+-00.0
 |           \\-01.1-[21-24]----00.0-[22-24]--+-00.0-[23]--+-00.0  Some GPU [10de:2684]
 |                                           |            \\-00.1
 |                                           \\-01.0-[24]--
 \\-[0000:00]---02.0
`,
  `$ for d in 80:01.0; do setpci -v -s $d ECAP_ACS+6.w=0000:001d; done
0000:80:01.0 (cap 000d @220) @226 = 001d
$ setpci -s 80:01.0 ECAP_ACS+6.w
001d
`,
  `[    0.000000] Linux version 6.12.9 (x@y) #1 SMP
[    0.000000] Command line: BOOT_IMAGE=/vmlinuz ro iommu=pt
[    0.100000] iommu: Default domain type: Passthrough (set via kernel command line)
[    0.200000] smpboot: CPU0: AMD EPYC 7543 32-Core Processor (family: 0x19, model: 0x1, stepping: 0x1)
[    1.000000] pci 0000:81:00.0: [10de:2684] type 00 class 0x030000 PCIe Endpoint
[    1.000000] pci 0000:81:00.0: BAR 1 [mem size 0x400000000 64bit pref]: can't assign; no space
[    1.000000] pcieport 0000:80:01.0: BAR 15: failed to assign [mem size 0x900000000 64bit pref]
[    2.000000] nvme 0000:3b:00.0: ACS redirect is set between the client and provider (0000:5e:00.0)
[    2.000000] nvme 0000:3b:00.0: to disable ACS redirect for this path, add the kernel parameter: pci=disable_acs_redir=0000:3a:00.0;0000:39:04.0
[    3.000000] nvidia 0000:81:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0012 address=0x2000000000 flags=0x0020]
[    3.000000] DMAR: [DMA Write NO_PASID] Request device [81:00.0] fault addr 0x2000000000 [fault reason 0x05] PTE Write access is not set
[    3.000000] arm-smmu-v3 arm-smmu-v3.3.auto: event 0x10 received:
[    3.000000] arm-smmu-v3 arm-smmu-v3.3.auto: \t0x0000010000000010
[    4.000000] pcieport 0000:80:01.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer, id=8008(Receiver ID)
[    4.000000] pcieport 0000:80:01.0:   device [8086:352a] error status/mask=00040000/00000000
[    4.000000] pcieport 0000:80:01.0:    [18] MalfTLP                (First)
[    4.000000] pcieport 0000:80:01.0:   TLP Header: 6c000002 81000000 00000020 00001008
`,
  `Sep 21 09:59:59 host kernel: kfd kfd: skipped device 1002:73df, PCI rejects atomics
Sep 21 09:59:59 host kernel: amdgpu 0000:83:00.0: amdgpu: [gfxhub] page fault (src_id:0 ring:24 vmid:3 pasid:32769)
Sep 21 09:59:59 host kernel: amdgpu 0000:83:00.0: amdgpu:   in page starting at address 0x00007f0000001000 from client 18
Sep 21 09:59:59 host kernel: NVRM: someFunction: The peer DMA address 0x2000400000 is not aligned at 0x40000000
Sep 21 09:59:59 host kernel: NVRM: otherFunction: IOMMU mapping failed from GPU2 to GPU0
Sep 21 09:59:59 host kernel: x86/PAT: fio:77 conflicting memory types 2000000000-2010000000 write-combining<->uncached-minus
Sep 21 09:59:59 host kernel: nvme nvme2: pci function 0000:3b:00.0
`,
  `$ cat /proc/cmdline
BOOT_IMAGE=/boot/vmlinuz-6.8.0 root=UUID=1-2-3 ro quiet intel_iommu=on
GRUB_CMDLINE_LINUX_DEFAULT="quiet splash iommu=pt"
`,
  'CONFIG_PCI_P2PDMA=y\n# CONFIG_HSA_AMD_P2P is not set\n/boot/config-6.8:CONFIG_DMABUF_MOVE_NOTIFY=y\n',
  'vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel name\t: AMD EPYC 7543\nVendor ID:   GenuineIntel\n  CPU family: 6\n',
  '100000000-87fffffff : System RAM\n2000000000-3fffffffff : PCI Bus 0000:80\n  2000000000-23ffffffff : 0000:81:00.0\n',
  'IOMMU Group 7:\n\t80:01.0 PCI bridge [0604]: x\n/sys/kernel/iommu_groups/7/type:DMA-FQ\n/sys/kernel/iommu_groups/7/devices/0000:81:00.0\n',
  '/sys/bus/pci/devices/0000:81:00.0/numa_node:1\n==> /sys/module/nvme_core/parameters/multipath <==\nY\n',
  `qemu-system-x86_64: vfio_container_dma_map(0x55d0c0ffee00, 0x382000000000, 0x400000, 0x7f0000000000) = -22 (Invalid argument)
0000:81:00.0: PCI peer-to-peer transactions on BARs are not supported.
`,
  ' NVMe P2PDMA        : Unsupported\n properties.use_pci_p2pdma : true\n GPU index 0 X bar:1 bar size (MiB):256 supports GDS\n',
  ' 19-02-2026 18:53:37:123 [pid=53432 tid=53435] ERROR  0:140 unable to load\n',
  '[2026-01-05 10:00:00.000000] nvme_pcie.c: 554:nvme_pcie_map: *ERROR*: failed\nAre you sure 0000:81:00.0 has a valid CMB?\n',
  '\tGPU0\tGPU1\tNIC0\tCPU Affinity\tNUMA Affinity\nGPU0\t X \tPXB\tPIX\t0-31\t0\nGPU1\tPXB\t X \tSYS\t32-63\t1\nNIC0\tPIX\tSYS\t X \t\t\n',
  ' \tGPU0\tGPU1\t\n GPU0\tX\tGNS\t\n GPU1\tGNS\tX\t\n\nLegend:\n\n  X    = Self\n',
  `    GPU Link Info
        PCIe Generation
            Max                               : 4
            Current                           : 1
    BAR1 Memory Usage
        Total                                 : 256 MiB
`,
  `| NVIDIA-SMI 575.51.03              Driver Version: 575.51.03      CUDA Version: 12.9     |
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
|=========================================+========================+======================|
|   0  NVIDIA A40                     Off |   00000000:C1:00.0 Off |                    0 |
| N/A   31C    P0             75W /  300W |       2MiB /  46068MiB |      0%      Default |
`,
  `<system version="1">
  <cpu numaid="0" affinity="ff" arch="x86_64" vendor="AuthenticAMD" familyid="143" modelid="49">
    <pci busid="0000:c1:00.0" class="0x030200" link_speed="16.0 GT/s PCIe" link_width="16">
      <gpu dev="0" sm="86" rank="0" gdr="1"/>
    </pci>
  </cpu>
</system>
`,
  `Device: 0, Some GPU, pciBusID: 81, pciDeviceID: 0, pciDomainID:0
Device=0 CAN Access Peer Device=1
Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)
   D\\D     0      1
     0 353.51   9.48
     1   9.59 152.05
`,
  `node-7:402:411 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/direct pointer
node-7:402:411 [0] NCCL WARN Missing "iommu=pt" from kernel command line
node-7:402:411 [0] NCCL INFO === System : maxBw 24.0 totalBw 48.0 ===
node-7:402:411 [0] NCCL INFO + PCI[24.0] - GPU/81000 (0)
`,
  `#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
   536870912     134217728     float     sum      -1    42915   12.51   18.76      0    42866   12.52   18.79      0
`,
  `D/D       0         1         2

0         1         1         1
`,
  'IoType: READ XferType: GPUD Threads: 8 DataSetSize: 1/2(KiB) IOSize: 4096(KiB) Throughput: 6.2 GiB/sec, Avg_Latency: 5 usecs ops: 9 total_time 1.5 secs\n',
  `          RocmBandwidthTest Version: 2.6.0

          Device: 0,  Some CPU
          Device: 1,  Some GPU,  GPU-XX,  83:0.0

          Inter-Device Access

          D/D       0         1

          0         1         1

          1         1         1
`,
  `============================= Weight between two GPUs ==============================
       GPU0         GPU1
GPU0   0            40
GPU1   40           0
=============================== End of ROCm SMI Log ================================
`,
  `ACCESS TABLE:
             0000:03:00.0 0000:0c:00.0
0000:03:00.0 SELF         ENABLED
0000:0c:00.0 ENABLED      SELF
`,
  `nvbandwidth Version: v0.8
CUDA Runtime Version: 12040
Device 0: Some GPU (00000000:34:00)

Running device_to_device_memcpy_read_ce.
memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)
           0         1
 0       N/A     26.34
 1     11.50       N/A

SUM device_to_device_memcpy_read_ce 37.84
`,
  `<?xml version="1.0" encoding="UTF-8"?>
<topology version="2.0">
  <object type="Machine" os_index="0">
    <object type="Bridge" bridge_type="0-1" depth="0" bridge_pci="0000:[00-3f]">
      <object type="PCIDev" pci_busid="0000:01:00.0" pci_type="0302 [10de:20b0] [10de:1450] a1" pci_link_speed="4.0"/>
    </object>
  </object>
</topology>
`,
  `                    RDMA_Write BW Test
 Dual-port       : OFF          Device         : mlx5_3
 PCIe relax order: ON
CUDA device 0: PCIe address is 17:00
 #bytes     #iterations    BW peak[MiB/sec]    BW average[MiB/sec]   MsgRate[Mpps]
 65536      5000             14954.91            14948.67            0.239179
`,
  `[CUDA Bandwidth Test] - Starting...
 Device 0: Some GPU
 Host to Device Bandwidth, 1 Device(s)
 PINNED Memory Transfers
   Transfer Size (Bytes)        Bandwidth(GB/s)
   32000000                     26.8
`,
  `Bytes Per Direction 67108864
Unidirectional copy peak bandwidth GB/s [Local read / Remote write] (GPU-Executor: GFX)
 SRC+EXE\\DST    CPU 00       GPU 00    GPU 01
 CPU 00  ->      24.37        17.32     16.97
 GPU 00  ->      23.83       108.95     64.58
`,
  `   D2H_Bandwidth_pinned    524288kB       GB/sec        28.0193 27.9348 0.1912  27.4707 28.0314
`,
  `Running p2pmem-test: reading /dev/nvme0n1 (1.6TB): writing /dev/nvme1n1 (1.6TB): p2pmem buffer /sys/bus/pci/devices/0000:03:00.0/p2pmem/allocate.
	chunk size = 4096 : number of chunks =  1: total = 4.096kB : thread(s) = 1 : overlap = OFF.
	skip-read = OFF : skip-write =  OFF : duration = INF sec.
Transfer:
4.10kB in 2.1 ms   1.96MB/s
`,
  `job1: (g=0): rw=read, bs=(R) 1024KiB-1024KiB, ioengine=libaio, iodepth=32
   READ: bw=5120MiB/s (5369MB/s), 5120MiB/s-5120MiB/s (5369MB/s-5369MB/s), io=300GiB (322GB), run=60001-60001msec
`,
  `0000:18:00.0 mlx5_0 (MT4129 - X) Some adapter fw 28.39.1002 port 1 (ACTIVE) ==> ib0 (Up)
hca_id: mlx5_1
	fw_ver:				28.41.1000
`,
  `[
    {
        "realpath": "/sys/devices/pci0009:00/0009:00:00.0/0009:01:00.0",
        "config": "eJxjYGBg",
        "modalias": "pci:v000015B3d00001021sv000015B3sd00000023bc02sc00i00",
        "subsystems": { "infiniband": ["mlx5_0"] }
    }
]
`,
  `{ "apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "spec": { "driver": "gpu.nvidia.com",
  "devices": [ { "name": "gpu-0", "attributes": { "resource.kubernetes.io/pciBusID": { "string": "0000:17:00.0" } } } ] } }
`,
];
