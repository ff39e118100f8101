/**
 * Where two functions stand to each other, in the words of `nvidia-smi topo -m`, which the users of the field know. They
 * say where they stand in the tree, and nothing of ACS.
 */

import type { PciFunction } from '../pcie/pci-function.ts';
import type { JudgeContext } from './judge.ts';

/** `SYS?`: below different host bridges, of which no NUMA node is known. `?`: what stands above is not in the capture. */
export type LinkWord = 'X' | 'PIX' | 'PXB' | 'PHB' | 'NODE' | 'SYS' | 'SYS?' | '?';

/** The legend, in the words of NVIDIA's tool. */
export const LINK_LEGEND: readonly (readonly [word: LinkWord, meaning: string])[] = [
  ['X', 'self'],
  ['PIX', 'at most a single PCIe bridge or switch'],
  ['PXB', 'multiple PCIe bridges or switches, without traversing the PCIe host bridge'],
  ['PHB', 'a PCIe host bridge (typically the CPU)'],
  ['NODE', 'PCIe and the interconnect between PCIe host bridges within a NUMA node'],
  ['SYS', 'PCIe and the SMP interconnect between NUMA nodes'],
];

/** The word for a pair by index in `judge.functions`. */
export function linkWord(judge: JudgeContext, a: number, b: number): LinkWord {
  if (a === b) return 'X';
  const common = judge.commonUpstream(a, b);
  if (common >= 0) {
    const legs = [bridgesBelow(judge, a, common), bridgesBelow(judge, b, common)];
    // Upstream port and one downstream port on each leg are one switch.
    const type = (judge.functions[common] as PciFunction).portType;
    const most = type === 'rootPort' || type === 'downstreamPort' ? 0 : 1;
    return legs.every((bridges) => bridges <= most) ? 'PIX' : 'PXB';
  }
  const [rootA, rootB] = [judge.rootBus(a), judge.rootBus(b)];
  if (rootA.evidence === null || rootB.evidence === null) return '?';
  if (rootA.id === rootB.id) return 'PHB';
  const [nodeA, nodeB] = [numaNodeOf(judge, a), numaNodeOf(judge, b)];
  if (nodeA === null || nodeB === null) return 'SYS?';
  return nodeA === nodeB ? 'NODE' : 'SYS';
}

/** Bridges between a function and the common node, neither counted. */
function bridgesBelow(judge: JudgeContext, from: number, common: number): number {
  return Math.max(0, (judge.depth[from] as number) - (judge.depth[common] as number) - 1);
}

/** NUMA node of a function, or of the nearest bridge above it that knows one. */
function numaNodeOf(judge: JudgeContext, index: number): number | null {
  for (let at = index; at >= 0; at = judge.parent[at] as number) {
    const node = (judge.functions[at] as PciFunction).numaNode;
    if (node !== null) return node;
  }
  return null;
}
