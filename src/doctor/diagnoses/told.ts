/**
 * Diagnoses that no register shows: a log, a table or a driver's own word tells of them. What they say is found by the readings of
 * that evidence (doctor/readings); here is what each means.
 */

import type { Diagnosis } from '../diagnosis.ts';

/** Findings come from readings alone. */
const diagnose: Diagnosis['diagnose'] = () => [];

export const TOLD_DIAGNOSES: readonly Diagnosis[] = [
  {
    id: 'PCIE-ERRORS',
    aliases: ['AER'],
    meaning: 'the kernel logged PCI Express errors of a port or a device on the path',
    symptom: 'a device that drops off the bus, a transfer that hangs, a rate that falls under load',
    needs: 'lines of the kernel log from while it happens',
    diagnose,
  },
  {
    id: 'ATOMICS',
    aliases: ['ATOMICOPS'],
    meaning: 'a port on the way to a GPU does not route AtomicOps, which ROCm needs on some GPUs',
    symptom: '"PCI rejects atomics", a GPU that rocminfo does not list, or a Malformed TLP',
    needs: 'the line of the kernel log, or DevCap2 of the ports above the GPU',
    diagnose,
  },
  {
    id: 'DRIVER-REFUSES',
    aliases: ['GNS', 'CNS', 'TNS'],
    meaning: "a driver's own rule refuses peer access, whatever the kernel would say",
    symptom: 'nvidia-smi topo -p2p prints GNS, CNS, TNS, NS or DR; cudaDeviceCanAccessPeer is 0',
    needs: 'nvidia-smi topo -p2p r, or lines of NVRM in the kernel log',
    diagnose,
  },
  {
    id: 'MAPPING-REFUSED',
    aliases: [],
    meaning: "a mapping of a peer's BAR for DMA was refused",
    symptom: 'vfio_container_dma_map(...) = -22 or -14, "PCI peer-to-peer transactions on BARs are not supported"',
    needs: 'the lines that QEMU printed',
    diagnose,
  },
  {
    id: 'P2P-NOT-USED',
    aliases: [],
    meaning: 'a measurement shows that the traffic did not go from peer to peer',
    symptom: 'the same bandwidth with and without peer access, or a latency of tens of microseconds',
    needs: 'the output of the benchmark, both with and without peer access',
    diagnose,
  },
  {
    id: 'PEER-SLOW',
    aliases: [],
    meaning: 'peer-to-peer is slower than the link, or than copying through memory',
    symptom: 'a bandwidth with peer access below the one without',
    needs: 'the output of the benchmark, both with and without peer access',
    diagnose,
  },
];
