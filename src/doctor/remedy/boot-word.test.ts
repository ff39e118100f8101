import { expect, test } from 'vitest';
import { bootWord } from './boot-word.ts';

const ASKED: readonly (readonly [line: string, word: string, made: readonly [string, string | null, string] | null])[] =
  [
    ['', 'iommu=pt', ['iommu=pt', null, 'iommu=pt']],
    ['quiet -- single', 'iommu=pt', ['iommu=pt', null, 'quiet iommu=pt -- single']],
    ['iommu=pt', 'iommu=pt', null],
    ['iommu=nopt quiet', 'iommu=pt', ['iommu=pt', 'iommu=nopt', 'quiet iommu=pt']],
    ['iommu=soft,nopt', 'iommu=pt', ['iommu=soft,pt', 'iommu=soft,nopt', 'iommu=soft,pt']],
    ['iommu.passthrough=0 a', 'iommu=pt', ['iommu=pt', 'iommu.passthrough=0', 'a iommu=pt']],
    [
      'iommu.passthrough=0',
      'iommu.passthrough=1',
      ['iommu.passthrough=1', 'iommu.passthrough=0', 'iommu.passthrough=1'],
    ],
    ['intel_iommu=on,sm_on', 'intel_iommu=off', ['intel_iommu=off', 'intel_iommu=on,sm_on', 'intel_iommu=off']],
    ['intel_iommu=off', 'intel_iommu=off', null],
    ['amdgpu.pcie_p2p=0', 'amdgpu.pcie_p2p=1', ['amdgpu.pcie_p2p=1', 'amdgpu.pcie_p2p=0', 'amdgpu.pcie_p2p=1']],
    ['nvme.use-cmb-sqs=1', 'nvme.use_cmb_sqs=0', ['nvme.use_cmb_sqs=0', 'nvme.use-cmb-sqs=1', 'nvme.use_cmb_sqs=0']],
    ['pci=noaer', 'pci=realloc', ['pci=realloc', null, 'pci=noaer pci=realloc']],
    ['pci=noaer,realloc', 'pci=realloc', null],
    ['pci=realloc=on', 'pci=realloc', null],
    ['pci=noaer,realloc=off', 'pci=realloc', ['pci=realloc', 'realloc=off', 'pci=noaer pci=realloc']],
    [
      'pci=pcie_bus_perf,noaer',
      'pci=pcie_bus_peer2peer',
      ['pci=pcie_bus_peer2peer', 'pcie_bus_perf', 'pci=noaer pci=pcie_bus_peer2peer'],
    ],
    ['pci=pcie_bus_peer2peer', 'pci=pcie_bus_peer2peer', null],
  ];

test.each(ASKED)('%j with %j', (cmdline, word, made) => {
  const found = bootWord({ cmdline }, word);
  expect(found === null ? null : [found.parameter, found.replaces, found.line]).toEqual(made);
});

test('a line that is not known gets the word alone', () => {
  expect(bootWord({ cmdline: null }, 'iommu=pt')).toEqual({ parameter: 'iommu=pt', replaces: null, line: 'iommu=pt' });
});
