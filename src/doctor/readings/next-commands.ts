/** The commands that settle most of what people's pastes leave open. Each is the shortest that shows what is needed. */

import type { NextCommand } from './reading.ts';

type Name = 'groupTypes' | 'commandLine' | 'acsByPort' | 'listing' | 'tree' | 'faults' | 'driverStatus' | 'classes';

export const NEXT: Readonly<Record<Name, NextCommand>> = {
  /** Which group types are in force: the proof of passthrough. */
  groupTypes: {
    command: 'grep . /sys/kernel/iommu_groups/*/type',
    why: 'shows whether the IOMMU translates the devices (DMA, DMA-FQ) or not (identity)',
    answers: ['IOMMU-TRANSLATED'],
    worth: 90,
  },
  commandLine: {
    command: 'cat /proc/cmdline',
    why: 'shows whether iommu=pt or pci=disable_acs_redir= is set',
    answers: ['IOMMU-TRANSLATED', 'ACS-REDIR-SWITCH'],
    worth: 40,
  },
  /** ACS of each port, with its address. */
  acsByPort: {
    command: "sudo lspci -vvv | grep -E '^[0-9a-f]|ACSCtl'",
    why: 'says which port each ACSCtl line belongs to',
    answers: ['ACS-REDIR-SWITCH'],
    worth: 70,
  },
  /** Everything that the judgement of all pairs needs. */
  listing: {
    command: '(sudo lspci -Dnnvvvxxxx; cat /proc/version; grep -m2 -E "vendor_id|cpu family" /proc/cpuinfo) > host.txt',
    why: 'lets every pair be judged: tree, ACS, BARs, CPU',
    answers: ['ACS-REDIR-SWITCH', 'HB-NOT-LISTED', 'BAR-SMALL'],
    worth: 80,
  },
  tree: {
    command: 'lspci -nntv',
    why: 'shows which devices share a switch',
    answers: ['ACS-REDIR-SWITCH', 'HB-NOT-LISTED'],
    worth: 50,
  },
  faults: {
    command: "sudo dmesg | grep -E 'DMAR|IO_PAGE_FAULT|AER|P2PDMA|NVRM'",
    why: 'shows faults of the IOMMU and errors of links while it fails',
    answers: ['IOMMU-TRANSLATED', 'PCIE-ERRORS'],
    worth: 60,
  },
  driverStatus: {
    command: 'nvidia-smi topo -p2p r',
    why: "shows what NVIDIA's driver itself allows for each pair",
    answers: ['DRIVER-REFUSES'],
    worth: 65,
  },
  classes: {
    command: 'nvidia-smi topo -m',
    why: 'shows where each GPU stands to each other',
    answers: ['ACS-REDIR-SWITCH'],
    worth: 30,
  },
};
